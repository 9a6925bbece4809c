"""Writes tests/golden/reference/llama_*: small models of transformers' LlamaForCausalLM, one for
each option of the family, and of its relatives, with their config.json.

Run with torch 2.11 and transformers 4.57:  python tools/reference/llama.py
Sequences of different length are padded on the right. Recorded: the hidden states after every layer
(before the final norm), the normed ones, logits, the mean loss over targets, the gradient of the
loss by the inputs and by the weights outside the second layer.
"""

import torch
import transformers

import golden_file

SIZES = {
    "vocab_size": 67,
    "hidden_size": 32,
    "intermediate_size": 56,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
}
OPTIONS = {
    "grouped": {"num_key_value_heads": 2, "rope_theta": 50000.0, "rms_norm_eps": 1e-5},
    "linear": {"num_key_value_heads": 1, "rope_scaling": {"rope_type": "linear", "factor": 4.0}},
    # Head width 8: of the wavelengths 6, 63, 628 and 6283 the first is kept, the second is
    # interpolated, the others are slowed down.
    "llama3": {
        "rope_scaling": {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
        "tie_word_embeddings": True,
    },
    "biased": {"attention_bias": True, "head_dim": 12, "num_key_value_heads": 2},
    "qwen2": {"family": "Qwen2", "num_key_value_heads": 2, "rope_theta": 1e6, "tie_word_embeddings": True},
    # Heads wider than width / heads, and norms of them.
    "qwen3": {"family": "Qwen3", "num_key_value_heads": 2, "head_dim": 16, "rope_theta": 1e6},
    "mistral": {"family": "Mistral", "num_key_value_heads": 2, "sliding_window": None},
}
LENGTHS = [33, 20, 7]
NUM_PROMPT_TOKENS = 5  # no targets
IGNORED = -100


def padded_batch(generator):
    inputs = torch.randn(len(LENGTHS), max(LENGTHS), SIZES["hidden_size"], generator=generator)
    labels = torch.randint(0, SIZES["vocab_size"], inputs.shape[:2], generator=generator)
    mask = torch.zeros_like(labels)
    for row, length in enumerate(LENGTHS):
        mask[row, :length] = 1
        labels[row, :NUM_PROMPT_TOKENS] = IGNORED
        labels[row, length:] = IGNORED
    labels[0, 9] = IGNORED  # a gap between targets
    return inputs, labels, mask


def record(name, options, seed):
    torch.manual_seed(seed)
    family = options.get("family", "Llama")
    sizes = SIZES | {"num_key_value_heads": 4} | {k: v for k, v in options.items() if k != "family"}
    config = getattr(transformers, f"{family}Config")(**sizes)
    model_class = getattr(transformers, f"{family}ForCausalLM")
    model = model_class._from_config(config, attn_implementation="eager")
    golden_file.fill_with_random_weights(model)
    inputs, labels, mask = padded_batch(torch.Generator().manual_seed(seed + 1))
    inputs.requires_grad_(True)

    after_layer = {}
    for index, layer in enumerate(model.model.layers):
        layer.register_forward_hook(
            lambda module, _, output, index=index: after_layer.update({f"after_layer.{index}": output})
        )
    normed = model.model(inputs_embeds=inputs, attention_mask=mask, use_cache=False)[0]
    output = model(inputs_embeds=inputs, attention_mask=mask, labels=labels, use_cache=False)
    output.loss.backward()

    parameters = dict(model.named_parameters())
    gradients = {n: p.grad for n, p in parameters.items() if p.grad is not None and ".1." not in n}
    tensors = (
        golden_file.with_prefix("state.", parameters)
        | golden_file.with_prefix("grad.", gradients)
        | after_layer
        | {
            "inputs_embeds": inputs,
            "labels": labels,
            "attention_mask": mask,
            "normed": normed,
            "logits": output.logits,
            "loss": output.loss,
            "grad_inputs_embeds": inputs.grad,
        }
    )
    golden_file.save(f"llama_{name}", tensors, options)
    config.architectures = [model_class.__name__]
    (golden_file.FOLDER / f"llama_{name}.config.json").write_text(config.to_json_string())


if __name__ == "__main__":
    torch.set_num_threads(1)
    for number, (name, options) in enumerate(OPTIONS.items()):
        record(name, options, seed=100 * (number + 1))
