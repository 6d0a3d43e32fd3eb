#!/usr/bin/env python3
"""Writes tests/data/norm_layers.json: what PyTorch's layers with running statistics answer, batch after batch.

Usage: python3 tools/reference/norm_layers.py        (made with torch 1.13, Debian's python3-torch)

One case: the layer and its options, its state after two steps in training, and for the inputs x[0], x[1] (training) and
x[2] (evaluation) the outputs and the gradients of sum(output * cotangent). Then what update_bn makes of the batches x
in a small network.
"""
import json
import os

import torch
from torch import nn

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)


def encode(t):
    values = t.detach().reshape(-1).tolist()
    return {"shape": list(t.shape), "values": values}


def grid(*shape):
    """Exact in float32, too."""
    return torch.round(torch.randn(shape) * 64) / 64


def layer_case(name, make, shape):
    layer = make()
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(grid(*p.shape))
    case = {"layer": name, "weights": [encode(p) for p in layer.parameters()], "steps": []}
    for training in [True, True, False]:
        layer.train(training)
        x, cotangent = grid(*shape).requires_grad_(), grid(*shape)
        layer.zero_grad()
        y = layer(x)
        (y * cotangent).sum().backward()
        case["steps"].append({
            "training": training, "x": encode(x), "cotangent": encode(cotangent), "y": encode(y),
            "grads": [encode(t.grad) for t in [*layer.parameters(), x]],
            "buffers": {k: encode(b) for k, b in layer.named_buffers()}})
    return case


def update_bn_case():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2), nn.BatchNorm1d(2, momentum=None))
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(grid(*p.shape))
    model(grid(6, 3))  # statistics to forget
    batches = [grid(n, 3) for n in [5, 4, 2]]
    case = {"parameters": {k: encode(p) for k, p in model.named_parameters()}, "batches": [encode(b) for b in batches]}
    torch.optim.swa_utils.update_bn(batches, model)
    case["buffers"] = {k: encode(b) for k, b in model.named_buffers()}
    x = grid(3, 3)
    case["x"], case["y"] = encode(x), encode(model.eval()(x))
    return case


LAYERS = [
    ("BatchNorm1d", lambda: nn.BatchNorm1d(3), (5, 3)),
    ("BatchNorm1d(momentum=None)", lambda: nn.BatchNorm1d(3, momentum=None), (2, 3, 4)),
    ("BatchNorm1d(eps, momentum)", lambda: nn.BatchNorm1d(2, eps=0.125, momentum=0.5), (4, 2)),
    ("BatchNorm2d", lambda: nn.BatchNorm2d(2), (3, 2, 2, 3)),
    ("BatchNorm2d(affine=False)", lambda: nn.BatchNorm2d(2, affine=False), (2, 2, 3, 2)),
    ("BatchNorm2d(track_running_stats=False)", lambda: nn.BatchNorm2d(2, track_running_stats=False), (2, 2, 2, 2)),
    ("InstanceNorm1d", lambda: nn.InstanceNorm1d(2), (2, 2, 4)),
    ("InstanceNorm1d(affine, track)", lambda: nn.InstanceNorm1d(2, affine=True, track_running_stats=True), (3, 2, 4)),
    ("InstanceNorm2d(track)", lambda: nn.InstanceNorm2d(2, track_running_stats=True, momentum=0.5), (2, 2, 2, 3)),
    ("GroupNorm", lambda: nn.GroupNorm(2, 4), (2, 4, 3)),
    ("LayerNorm", lambda: nn.LayerNorm((3, 2)), (2, 3, 2)),
]


def rounded(o):
    if isinstance(o, float):
        return float(f"{o:.14g}")
    if isinstance(o, dict):
        return {k: rounded(v) for k, v in o.items()}
    return [rounded(v) for v in o] if isinstance(o, list) else o


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "data", "norm_layers.json")
    record = {"layers": [layer_case(*row) for row in LAYERS], "update_bn": update_bn_case()}
    with open(path, "w") as out:
        json.dump(rounded(record), out, separators=(",", ":"))
        out.write("\n")
    print(f"{len(LAYERS)} layers, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
