"""Shared by the generators of tests/golden/reference: random weights, and one safetensors file."""

import sys
from pathlib import Path

import safetensors
import safetensors.torch
import torch
import transformers

FOLDER = Path(__file__).resolve().parents[2] / "tests/golden/reference"
LARGEST_FILE_BYTES = 300_000


def fill_with_random_weights(module):
    """Gives every weight a size at which it matters: unlike usual initial values, biases and norms
    are neither zero nor one."""
    for name, parameter in module.named_parameters():
        if "norm" in name.lower() and name.endswith("weight"):
            values = 1 + 0.2 * torch.randn_like(parameter)
        elif parameter.ndim < 2:
            values = 0.2 * torch.randn_like(parameter)
        else:
            values = torch.randn_like(parameter) / parameter[0].numel() ** 0.5
        parameter.data.copy_(values)


def with_prefix(prefix, tensors):
    return {prefix + name: tensor for name, tensor in tensors.items()}


def save(name, tensors, sizes):
    """Writes `<name>.safetensors`. Its metadata is one text, because several would be written in any
    order: the same numbers give the same bytes."""
    path = FOLDER / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    contiguous = {key: tensor.detach().contiguous().clone() for key, tensor in tensors.items()}
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    origin = f"tools/reference/{Path(sys.argv[0]).name} with {versions}, fp32 on a CPU; {sizes}"
    safetensors.torch.save_file(contiguous, path, {"origin": origin})
    num_bytes = path.stat().st_size
    print(f"{path.name}: {len(contiguous)} tensors, {num_bytes} bytes; {origin}")
    if num_bytes > LARGEST_FILE_BYTES:
        sys.exit(f"{path.name} is larger than {LARGEST_FILE_BYTES} bytes")
