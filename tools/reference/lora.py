"""Writes tests/golden/reference/lora.safetensors: a small LlamaForCausalLM of transformers with peft's
LoRA adapters on the seven matrices of every layer, B not zero; and lora_qwen2 and lora_qwen3, whose queries
and keys have biases, or norms.

Run with torch 2.11, transformers 4.57 and peft 0.21:  python tools/reference/lora.py
Recorded: base weights (state.*), adapters under peft's names without "base_model.model." and
".default" (lora.*), the inputs, logits, mean loss over targets, its gradients by the inputs and by all
adapters (grad.*), and the matrices after peft's own merge (merged.*).
"""

import peft
import torch
import transformers

import golden_file

SIZES = {
    "vocab_size": 41,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}
ADAPTERS = {"r": 4, "lora_alpha": 6}
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
LENGTHS = [17, 9]
NUM_PROMPT_TOKENS = 4  # no targets
IGNORED = -100


def padded_batch():
    inputs = torch.randn(len(LENGTHS), max(LENGTHS), SIZES["hidden_size"])
    labels = torch.randint(0, SIZES["vocab_size"], inputs.shape[:2])
    mask = torch.zeros_like(labels)
    for row, length in enumerate(LENGTHS):
        mask[row, :length] = 1
        labels[row, :NUM_PROMPT_TOKENS] = IGNORED
        labels[row, length:] = IGNORED
    return inputs.requires_grad_(True), labels, mask


def published_name(name):
    return name.removeprefix("base_model.model.").replace(".default", "").replace(".base_layer", "")


def record(name, family, more_sizes, seed):
    torch.manual_seed(seed)
    config = getattr(transformers, f"{family}Config")(**SIZES, **more_sizes)
    model_class = getattr(transformers, f"{family}ForCausalLM")
    base = model_class._from_config(config, attn_implementation="eager")
    golden_file.fill_with_random_weights(base)
    state = {name: value.clone() for name, value in base.state_dict().items()}
    model = peft.get_peft_model(
        base, peft.LoraConfig(**ADAPTERS, target_modules=TARGETS, lora_dropout=0.0, bias="none")
    )
    adapters = {published_name(n): p for n, p in model.named_parameters() if p.requires_grad}
    assert len(adapters) == 2 * len(TARGETS) * SIZES["num_hidden_layers"]
    for value in adapters.values():
        value.data.copy_(torch.randn_like(value) / value.shape[1] ** 0.5)

    inputs, labels, mask = padded_batch()
    output = model(inputs_embeds=inputs, attention_mask=mask, labels=labels, use_cache=False)
    output.loss.backward()
    tensors = (
        golden_file.with_prefix("state.", state)
        | golden_file.with_prefix("lora.", {n: p.clone() for n, p in adapters.items()})
        | golden_file.with_prefix("grad.", {n: p.grad for n, p in adapters.items()})
        | {
            "inputs_embeds": inputs,
            "labels": labels,
            "attention_mask": mask,
            "logits": output.logits,
            "loss": output.loss,
            "grad_inputs_embeds": inputs.grad,
        }
    )
    merged = model.merge_and_unload().state_dict()
    matrices = {n: w for n, w in merged.items() if n.split(".")[-2] in TARGETS}
    tensors |= golden_file.with_prefix("merged.", matrices)
    golden_file.save(name, tensors, SIZES | more_sizes | ADAPTERS | {"peft": peft.__version__})


if __name__ == "__main__":
    torch.set_num_threads(1)
    record("lora", "Llama", {}, 700)
    record("lora_qwen2", "Qwen2", {}, 701)
    record("lora_qwen3", "Qwen3", {"head_dim": 8}, 702)
