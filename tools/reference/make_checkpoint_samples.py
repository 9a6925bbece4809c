"""Writes the small sample files of tests/golden/checkpoint with PyTorch.

    python tools/reference/make_checkpoint_samples.py FOLDER

samples.pth holds every element type, views with strides and offsets, tied and empty tensors,
parameters and nested values; samples_legacy.pth the same in the stream container of PyTorch before
1.6. samples.json says which values each tensor has, row-major.
"""
import collections
import json
import pathlib
import sys

import torch


def samples():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
    weights = collections.OrderedDict()
    for name in ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8"):
        weights[name] = (torch.arange(6) - 2).to(getattr(torch, name)).reshape(2, 3)
    weights["uint8"] = torch.tensor([0, 1, 255], dtype=torch.uint8)
    weights["bool"] = torch.tensor([True, False, True])
    weights["scalar"] = torch.tensor(2.5)
    weights["empty"] = torch.empty(0, 3)
    weights["base"] = base
    weights["transposed"] = base.t()
    weights["sliced"] = base[1:3, 1:6:2]
    weights["column"] = base[:, 2]
    weights["tied"] = weights["float32"]
    weights["parameter"] = torch.nn.Parameter(torch.tensor([1.0, -1.0]))
    return weights


def main(folder):
    folder = pathlib.Path(folder)
    weights = samples()
    values = {"epoch": 3, "big": 2**40, "negative": -7, "rate": 1e-5, "flag": True, "none": None,
              "text": "naïve 文", "list": [1, [2.5, "x"]], "betas": (0.9, 0.999), 5: "five"}
    content = {"model": weights, **values}
    torch.save(content, folder / "samples.pth")
    torch.save(content, folder / "samples_legacy.pth", _use_new_zipfile_serialization=False)
    expected = {name: {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape),
                       "values": tensor.detach().double().flatten().tolist()}
                for name, tensor in weights.items()}
    (folder / "samples.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
