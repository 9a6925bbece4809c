"""Records what PyTorch finds in .pth and .bin files: the reference of tests/weights/test_goldens.cpp.

    python tools/reference/describe_checkpoints.py FOLDER OUTPUT.json

For every *.pth and *.bin below FOLDER: each tensor's path inside the file, type, shape and Frobenius
norm (computed in float64, null if not finite), and the tree of all other values.
"""
import json
import math
import pathlib
import sys

import torch

NOTHING = object()


def split(value, path, tensors):
    """Puts the tensors below `value` into `tensors`; returns the rest, NOTHING when none is left."""
    if isinstance(value, torch.Tensor):
        norm = torch.linalg.vector_norm(value.double().flatten()).item()
        tensors.append([path, str(value.dtype).removeprefix("torch."), list(value.shape),
                        norm if math.isfinite(norm) else None])
        return NOTHING
    if isinstance(value, dict):
        items = {str(k): split(v, f"{path}.{k}" if path else str(k), tensors) for k, v in value.items()}
        rest = {k: v for k, v in items.items() if v is not NOTHING}
        return rest if rest or not value else NOTHING
    if isinstance(value, (list, tuple)):
        items = [split(v, f"{path}.{i}", tensors) for i, v in enumerate(value)]
        rest = [v for v in items if v is not NOTHING]
        return rest if rest or not value else NOTHING
    return value


def main(folder, output):
    root = pathlib.Path(folder)
    files = {}
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".pth", ".bin")):
        tensors = []
        content = torch.load(path, map_location="cpu", weights_only=True)
        values = split(content, "", tensors)
        files[str(path.relative_to(root))] = {
            "tensors": tensors, "values": {} if values is NOTHING else values}
    pathlib.Path(output).write_text(json.dumps(files, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
