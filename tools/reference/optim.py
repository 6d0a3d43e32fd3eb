#!/usr/bin/env python3
"""Writes tests/data/optim_reference.json: how PyTorch's optimizers move two parameters (tests/optimizer_table.cpp).

Usage: python3 tools/reference/optim.py [output]        (made with torch 1.13, Debian's python3-torch)

The gradients are a fixed list, exactly representable in float32, so that each optimizer is tested alone: some are tiny,
some large, some zero. A trajectory has the parameters' values, joined, after each of the steps in "steps".
"""
import json
import os
import random
import sys

import torch
from torch.optim import SGD, Adam, AdamW

SHAPES = [(2, 3), (4,)]
UPDATES = 20
STEPS = [1, 2, 3, 5, 10, 20]

CASES = {
    "SGD": (SGD, dict(lr=1e-3)),
    "SGD/lr": (SGD, dict(lr=0.25)),
    "SGD/weight_decay": (SGD, dict(lr=0.1, weight_decay=0.05)),
    "SGD/maximize": (SGD, dict(lr=0.1, weight_decay=0.05, maximize=True)),
    "SGD/momentum": (SGD, dict(lr=0.1, momentum=0.9)),
    "SGD/dampening": (SGD, dict(lr=0.1, momentum=0.9, dampening=0.3)),
    "SGD/nesterov": (SGD, dict(lr=0.1, momentum=0.8, nesterov=True)),
    "SGD/momentum,weight_decay": (SGD, dict(lr=0.1, momentum=0.5, dampening=0.1, weight_decay=0.1)),
    "SGD/nesterov,weight_decay,maximize": (
        SGD, dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.02, maximize=True)),
    "Adam": (Adam, dict()),
    "Adam/lr": (Adam, dict(lr=0.1)),
    "Adam/betas": (Adam, dict(lr=0.05, betas=(0.7, 0.9))),
    "Adam/betas of 0": (Adam, dict(lr=0.05, betas=(0.0, 0.0))),
    "Adam/eps": (Adam, dict(lr=0.05, eps=0.5)),
    "Adam/weight_decay": (Adam, dict(lr=0.05, weight_decay=0.1)),
    "Adam/weight_decay,maximize": (Adam, dict(lr=0.05, weight_decay=0.1, maximize=True)),
    "AdamW": (AdamW, dict()),
    "AdamW/lr,weight_decay": (AdamW, dict(lr=0.1, weight_decay=0.3)),
    "AdamW/weight_decay of 0": (AdamW, dict(lr=0.1, weight_decay=0.0)),
    "AdamW/betas,eps,maximize": (AdamW, dict(lr=0.05, betas=(0.8, 0.95), eps=1e-3, maximize=True)),
}


def numbers(rng, count):
    """Multiples of 1/1024 times a power of two between 2^-12 and 2^6, a few of them zero."""
    return [rng.choice([0] + 9 * [1]) * rng.randint(-2048, 2047) / 1024 * 2.0 ** rng.randint(-12, 6)
            for _ in range(count)]


def trajectory(case, dtype, initial, gradients):
    optimizer_class, options = CASES[case]
    parameters = [torch.tensor(v, dtype=dtype).reshape(s).requires_grad_() for v, s in zip(initial, SHAPES)]
    optimizer = optimizer_class(parameters, foreach=False, **options)
    seen = []
    for step in range(1, UPDATES + 1):
        for parameter, values, shape in zip(parameters, gradients[step - 1], SHAPES):
            parameter.grad = torch.tensor(values, dtype=dtype).reshape(shape)
        optimizer.step()
        if step in STEPS:
            seen.append([x for p in parameters for x in p.detach().reshape(-1).tolist()])
    return seen


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    default = os.path.join(here, "..", "..", "tests", "data", "optim_reference.json")
    rng = random.Random(20240502)
    sizes = [torch.Size(s).numel() for s in SHAPES]
    initial = [[rng.randint(-2048, 2047) / 1024 for _ in range(n)] for n in sizes]
    gradients = [[numbers(rng, n) for n in sizes] for _ in range(UPDATES)]
    cases = {
        case: {
            "float64": trajectory(case, torch.float64, initial, gradients),
            # A float32 has nine significant digits.
            "float32": [[float(f"{x:.9g}") for x in row] for row in trajectory(case, torch.float32, initial, gradients)],
        }
        for case in CASES
    }
    reference = {"shapes": SHAPES, "initial": initial, "gradients": gradients, "steps": STEPS, "cases": cases}
    with open(sys.argv[1] if len(sys.argv) > 1 else default, "w") as out:
        json.dump(reference, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
