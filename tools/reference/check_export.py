"""Loads an exported .pth as the Python original would, and compares it with what it was made from.

    python tools/reference/check_export.py EXPORTED.pth TRAINED.safetensors MOMENTS.safetensors

Succeeds exactly when torch.load(weights_only=True) takes the file, "model" holds every tensor of
TRAINED (trained.safetensors of an export, or trainable.safetensors of a step) with its bits, a
module with the same names loads it with strict=False, and AdamW of PyTorch takes "optimizer" and then
has the moments of MOMENTS (optimizer.safetensors of a step), parameter by parameter.
"""
import json
import struct
import sys

import torch

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}


def read_safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    tensors = {}
    for name, facts in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in facts["data_offsets"])
        flat = torch.frombuffer(bytearray(content[begin:end]), dtype=DTYPES[facts["dtype"]])
        tensors[name] = flat.reshape(facts["shape"])
    return tensors


def no_decay(name, tensor):
    """The rule of the original's optimizer."""
    return tensor.ndim < 2 or "bias" in name or "ln" in name or "bn" in name


class Holder(torch.nn.Module):
    """A module whose parameters have the given names."""

    def __init__(self, tensors):
        super().__init__()
        for name, tensor in tensors.items():
            module = self
            *path, last = name.split(".")
            for part in path:
                if part not in dict(module.named_children()):
                    module.add_module(part, torch.nn.Module())
                module = getattr(module, part)
            module.register_parameter(last, torch.nn.Parameter(torch.zeros_like(tensor)))


def main(exported, trained_file, moments_file):
    checkpoint = torch.load(exported, map_location="cpu", weights_only=True)
    assert list(checkpoint)[:5] == ["model", "optimizer", "config", "scaler", "epoch"], list(checkpoint)
    assert checkpoint["scaler"] is None and isinstance(checkpoint["epoch"], int)
    assert list(checkpoint["config"]) == ["run", "model", "preprocess", "datasets"]

    trained = read_safetensors(trained_file)
    model = checkpoint["model"]
    for name, tensor in trained.items():
        assert model[name].dtype == tensor.dtype and torch.equal(model[name], tensor), name

    # In the order in which the original lists its parameters: that of the file.
    holder = Holder({name: model[name] for name in model if name in trained})
    report = holder.load_state_dict(model, strict=False)
    assert not report.missing_keys, report.missing_keys
    by_name = dict(holder.named_parameters())
    order = [name for name in model if name in trained]
    groups = [[by_name[name] for name in order if no_decay(name, model[name]) == group]
              for group in (False, True)]
    names = [[name for name in order if no_decay(name, model[name]) == group]
             for group in (False, True)]
    optimizer = torch.optim.AdamW([{"params": groups[0], "weight_decay": 0.05},
                                   {"params": groups[1], "weight_decay": 0}], lr=1.0)
    optimizer.load_state_dict(checkpoint["optimizer"])
    moments = read_safetensors(moments_file)
    for name in names[0] + names[1]:
        state = optimizer.state[by_name[name]]
        assert state["step"].item() == moments["step"].item(), name
        for moment in ("exp_avg", "exp_avg_sq"):
            assert torch.equal(state[moment], moments[f"{name}.{moment}"]), (name, moment)
    for parameter in by_name.values():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    print(f"{len(trained)} tensors and their moments agree")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
