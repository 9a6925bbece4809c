"""Compares the two forms in which adapters of a language model are exported, as transformers and peft read them:

    python tools/reference/check_language_model.py BASE MERGED ADAPTERS

Run with transformers 4.57 and peft 0.21. BASE is the folder that a run named, MERGED what --lora merged wrote, ADAPTERS what
--lora separate wrote. Succeeds if both give the same logits, and others than the base alone."""

import sys

import peft
import torch
from transformers import AutoModelForCausalLM

TOLERANCE = 2e-2  # merged matrices are rounded as their file holds them


def logits(model, ids):
    with torch.inference_mode():
        return model.eval()(ids).logits


def read(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def main():
    base_folder, merged_folder, adapter_folder = sys.argv[1:4]
    base = read(base_folder)
    ids = torch.randint(3, base.config.vocab_size, (1, 40), generator=torch.Generator().manual_seed(1))
    plain = logits(base, ids)
    merged = logits(read(merged_folder), ids)
    adapted = logits(peft.PeftModel.from_pretrained(base, adapter_folder), ids)
    spread = plain.std().item()
    difference = (merged - adapted).abs().max().item() / spread
    effect = (adapted - plain).abs().max().item() / spread
    print(f"merged against adapted: {difference:.2e}, adapted against base: {effect:.2e}, in deviations of the logits")
    return not (difference < TOLERANCE < effect)


if __name__ == "__main__":
    sys.exit(main())
