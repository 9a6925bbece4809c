"""Writes tests/golden/reference/blip2_q_former.safetensors: transformers' Blip2QFormerModel, queries
only, under the names of the published BLIP-2 files.

Run with torch 2.11 and transformers 4.57:  python tools/reference/blip2_q_former.py
The samples have different numbers of encoder states, padded on the right and masked. `grad.*` are
gradients of sum(output * loss_weight).
"""

import torch
from transformers import Blip2QFormerConfig, Blip2QFormerModel

import golden_file

SIZES = {
    "hidden_size": 24,
    "num_hidden_layers": 4,
    "num_attention_heads": 3,
    "intermediate_size": 48,
    "encoder_hidden_size": 36,
    "cross_attention_frequency": 2,
}
NUM_QUERIES = 5
NUM_STATES = [17, 9, 12]


def published(name):
    if name.startswith("layernorm."):
        return name.replace("layernorm.", "Qformer.bert.embeddings.LayerNorm.")
    return "Qformer.bert." + name.replace("attention.attention.", "attention.self.")


def main():
    torch.set_num_threads(1)
    torch.manual_seed(21)
    config = Blip2QFormerConfig(**SIZES, layer_norm_eps=1e-12, use_qformer_text_input=False)
    model = Blip2QFormerModel._from_config(config, attn_implementation="eager").eval()
    golden_file.fill_with_random_weights(model)
    queries = torch.randn(1, NUM_QUERIES, SIZES["hidden_size"], requires_grad=True)
    states = torch.randn(len(NUM_STATES), max(NUM_STATES), SIZES["encoder_hidden_size"])
    states.requires_grad_(True)
    mask = torch.zeros(states.shape[:2], dtype=torch.int64)
    for sample, count in enumerate(NUM_STATES):
        mask[sample, :count] = 1

    output = model(
        query_embeds=queries.expand(len(NUM_STATES), -1, -1),
        encoder_hidden_states=states,
        encoder_attention_mask=mask,
    ).last_hidden_state
    loss_weight = torch.randn(output.shape)
    (output * loss_weight).sum().backward()

    parameters = {published(name): p for name, p in model.named_parameters()}
    parameters["query_tokens"] = queries
    tensors = (
        golden_file.with_prefix("state.", parameters)
        | golden_file.with_prefix("grad.", {name: p.grad for name, p in parameters.items()})
        | {
            "states": states,
            "mask": mask,
            "output": output,
            "loss_weight": loss_weight,
            "grad_states": states.grad,
        }
    )
    golden_file.save("blip2_q_former", tensors, SIZES)


if __name__ == "__main__":
    main()
