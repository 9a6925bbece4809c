"""Loads a .pth file with torch.load(weights_only=True) and prints what it holds.

    python tools/reference/read_pth.py FILE

Succeeds exactly when PyTorch accepts the file without running any code of it.
"""
import sys

import torch


def show(value, path):
    if isinstance(value, torch.Tensor):
        norm = torch.linalg.vector_norm(value.double()).item()
        print(f"{path}  {str(value.dtype).removeprefix('torch.')}  {list(value.shape)}  {norm:.6g}")
    elif isinstance(value, dict):
        for key, item in value.items():
            show(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)) and any(
            isinstance(item, (torch.Tensor, dict, list, tuple)) for item in value):
        for index, item in enumerate(value):
            show(item, f"{path}.{index}")
    else:
        print(f"{path} = {value!r}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    show(torch.load(sys.argv[1], map_location="cpu", weights_only=True), "")
