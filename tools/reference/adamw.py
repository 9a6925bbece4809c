"""Writes tests/golden/optim/adamw.json: ten steps of torch.optim.AdamW on small tensors, and what
torch.nn.utils.clip_grad_norm_ makes of one gradient.

Run with torch 2.11:  python tools/reference/adamw.py
Numbers are fp32 values written exactly. Gradients differ by step, one step has a gradient of zero.
"""

import json
from pathlib import Path

import torch

SHAPES = {
    "proj.weight": [3, 4],
    "proj.bias": [4],
    "norm.weight": [5],
    "queries": [1, 2, 3],
}
NUM_STEPS = 10
WEIGHT_DECAY = 0.05


def main():
    torch.manual_seed(20230605)
    parameters = {name: torch.nn.Parameter(torch.randn(shape)) for name, shape in SHAPES.items()}
    decayed = [p for p in parameters.values() if p.ndim >= 2]
    others = [p for p in parameters.values() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": WEIGHT_DECAY},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=0.0,
        betas=(0.9, 0.999),
        eps=1e-8,
        foreach=False,
        fused=False,
    )

    def values(tensors):
        return {name: tensor.flatten().tolist() for name, tensor in tensors.items()}

    golden = {
        "torch": torch.__version__.split("+")[0],
        "weight_decay": WEIGHT_DECAY,
        "shapes": SHAPES,
        "initial": values({n: p.detach() for n, p in parameters.items()}),
        "steps": [],
    }
    for step in range(NUM_STEPS):
        scale = 0.0 if step == 4 else 10.0 ** -(step % 3)
        gradients = {name: torch.randn(shape) * scale for name, shape in SHAPES.items()}
        for name, parameter in parameters.items():
            parameter.grad = gradients[name].clone()
        learning_rate = 1e-2 * (step + 1) / NUM_STEPS
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        optimizer.step()
        golden["steps"].append(
            {
                "learning_rate": learning_rate,
                "gradients": values(gradients),
                "parameters": values({n: p.detach() for n, p in parameters.items()}),
                "exp_avg": values({n: optimizer.state[p]["exp_avg"] for n, p in parameters.items()}),
                "exp_avg_sq": values(
                    {n: optimizer.state[p]["exp_avg_sq"] for n, p in parameters.items()}
                ),
            }
        )

    gradient = torch.randn(2500)
    parameter = torch.nn.Parameter(torch.zeros(2500))
    golden["clipping"] = {"max_norm": 1.5, "gradient": gradient.tolist()}
    golden["clipping"]["norm"] = gradient.double().norm().item()
    parameter.grad = gradient.clone()
    torch.nn.utils.clip_grad_norm_([parameter], 1.5)
    golden["clipping"]["clipped_norm"] = parameter.grad.double().norm().item()

    target = Path(__file__).resolve().parents[2] / "tests/golden/optim/adamw.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(golden, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
