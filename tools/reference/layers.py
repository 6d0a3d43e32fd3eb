#!/usr/bin/env python3
"""Writes tests/data/layers.json: what PyTorch's layers answer when all their options are crossed, each value of one with
each value of every other at least once.

Usage: python3 tools/reference/layers.py        (made with torch 1.13, Debian's python3-torch)

One case: the layer, its arguments and options, its weights, and for each step the input x, a cotangent, the output y, the
gradients of sum(y * cotangent) by the parameters and x, and the buffers afterwards.
"""
import itertools
import json
import os
import random

import torch
from torch import nn

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)


def encode(t):
    values = [int(v) if v == int(v) else float(f"{v:.13g}") for v in t.detach().double().reshape(-1).tolist()]
    return {"shape": list(t.shape), "values": values}


def grid(*shape):
    """Quarters: exact in float32, and short to write."""
    return torch.randint(-8, 9, shape).double() / 4


def distinct(*shape):
    count = torch.Size(shape).numel()
    return torch.randperm(count).double().reshape(shape) / 4 - 3


def crossed(valid=lambda case: True, **options):
    """Few choices of options that have every pair of values which is possible at all."""
    names = list(options)
    every = [dict(zip(names, values)) for values in itertools.product(*options.values())]
    every = [case for case in every if valid(case)]
    random.Random(1).shuffle(every)

    def pairs(case):
        return {(a, str(case[a]), b, str(case[b])) for a, b in itertools.combinations(names, 2)}

    left, chosen = set().union(*map(pairs, every)), []
    while left:
        best = max(every, key=lambda case: len(pairs(case) & left))
        chosen.append(best)
        left -= pairs(best)
    return chosen


def run(name, args, options, shape, fill=grid, modes=(True,), wrap=lambda layer: layer):
    layer = wrap(getattr(nn, name)(*args, **options))
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(grid(*p.shape) + (2.25 if "weight_g" in dict(layer.named_parameters()) else 0))
    case = {"layer": name, "args": args, "options": options, "steps": [],
            "weights": {key: encode(p) for key, p in layer.named_parameters()}}
    for training in modes:
        layer.train(training)
        layer.zero_grad()
        x = fill(*shape).requires_grad_()
        y = layer(x)
        cotangent = grid(*y.shape)
        (y * cotangent).sum().backward()
        case["steps"].append({
            "training": training, "x": encode(x), "cotangent": encode(cotangent), "y": encode(y), "x_grad": encode(x.grad),
            "grads": {key: encode(p.grad) for key, p in layer.named_parameters()},
            "buffers": {key: encode(b) for key, b in layer.named_buffers()}})
    return case


def tuples(options):
    return {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}


def convolutions():
    modes = ["zeros", "reflect", "replicate", "circular"]
    for o in crossed(lambda o: o["padding"] != "same" or o["stride"] == 1, kernel=[1, 2, 3], stride=[1, 2],
                     padding=[0, 1, 2, "same", "valid"], dilation=[1, 2], groups=[1, 2], bias=[True, False],
                     padding_mode=modes):
        yield run("Conv1d", [4, 2, o.pop("kernel")], o, (2, 4, 6))
    for o in crossed(lambda o: o["padding"] != "same" or o["stride"] == 1, kernel=[1, [3, 2], [2, 3]],
                     stride=[1, 2, [2, 1]], padding=[0, 1, [2, 1], "same", "valid"], dilation=[1, [1, 2]],
                     groups=[1, 2], bias=[True, False], padding_mode=modes):
        yield run("Conv2d", [2, 2, o.pop("kernel")], tuples(o), (1, 2, 5, 5))
    for o in crossed(lambda o: o["output_padding"] == 0 or o["stride"] != 1 or o["dilation"] != 1, kernel=[1, 3, [2, 3]],
                     stride=[1, 2, [1, 2]], padding=[0, [0, 1]], output_padding=[0, [0, 1]], groups=[1, 2],
                     bias=[True, False], dilation=[1, 2]):
        yield run("ConvTranspose2d", [2, 2, o.pop("kernel")], tuples(o), (1, 2, 3, 3))


def pools():
    for o in crossed(kernel=[2, 3], stride=[None, 1, 2], padding=[0, 1], dilation=[1, 2], ceil_mode=[False, True]):
        yield run("MaxPool1d", [o.pop("kernel")], o, (1, 2, 8), distinct)
    for o in crossed(kernel=[2, [3, 2]], stride=[None, 1, [2, 1]], padding=[0, [1, 0]], dilation=[1, [1, 2]],
                     ceil_mode=[False, True]):
        yield run("MaxPool2d", [o.pop("kernel")], tuples(o), (1, 1, 6, 5), distinct)
    for o in crossed(kernel=[2, 3], stride=[None, 1, 2], padding=[0, 1], ceil_mode=[False, True],
                     count_include_pad=[False, True]):
        yield run("AvgPool1d", [o.pop("kernel")], o, (1, 2, 8))
    for o in crossed(kernel=[2, [3, 2]], stride=[None, 1, [2, 1]], padding=[0, [1, 0]], ceil_mode=[False, True],
                     count_include_pad=[False, True]):
        yield run("AvgPool2d", [o.pop("kernel")], tuples(o), (1, 1, 6, 5))
    for size in [1, 3, 5]:
        yield run("AdaptiveAvgPool1d", [size], {}, (1, 2, 5))
        yield run("AdaptiveAvgPool2d", [[size, 2]], {}, (1, 1, 5, 4))


def norms():
    for name, shape in [("BatchNorm1d", (3, 2)), ("BatchNorm1d", (2, 2, 3)), ("BatchNorm2d", (2, 2, 2, 2))]:
        for o in crossed(eps=[1e-5, 0.25], momentum=[0.1, 0.5, None], affine=[True, False],
                         track_running_stats=[True, False]):
            yield run(name, [2], o, shape, modes=(True, True, False))
    for name, shape in [("InstanceNorm1d", (2, 2, 3)), ("InstanceNorm2d", (2, 2, 2, 2))]:
        for o in crossed(eps=[1e-5, 0.25], momentum=[0.1, 0.5], affine=[True, False], track_running_stats=[True, False]):
            yield run(name, [2], o, shape, modes=(True, False))
    for o in crossed(groups=[1, 2, 4], eps=[1e-5, 0.25], affine=[True, False]):
        yield run("GroupNorm", [o.pop("groups"), 4], o, (2, 4, 3))
    for o in crossed(shape=[[3], [2, 3]], eps=[1e-5, 0.25], elementwise_affine=[True, False]):
        yield run("LayerNorm", [o.pop("shape")], o, (2, 2, 3))


def others():
    for name, args, shape, ndim in [("Linear", [3, 2], (2, 3), 2), ("Conv2d", [2, 2, 2], (1, 2, 3, 3), 4)]:
        for dim in [None, *range(ndim)]:
            case = run(name, args, {}, shape, wrap=lambda layer: nn.utils.weight_norm(layer, dim=dim))
            yield {**case, "weight_norm": dim}


def activations():
    for name, args in [("Softplus", [2.0]), ("Hardshrink", [0.75]), ("Softshrink", []), ("Tanhshrink", []),
                       ("Softmax2d", [])]:
        yield run(name, args, {}, (1, 2, 3, 4))
    yield run("RReLU", [0.25, 0.5], {}, (3, 4), modes=(False,))


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "data", "layers.json")
    cases = [*convolutions(), *pools(), *norms(), *others(), *activations()]
    with open(path, "w") as out:
        out.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
    print(f"{len(cases)} layers, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
