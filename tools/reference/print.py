#!/usr/bin/env python3
"""Writes tests/data/print_reference.json: what PyTorch prints for the tensors below, with dtypes spelled our way.

Needs PyTorch (python3-torch). Values are written as hexadecimal floats, so that they are exact; those of a long tensor
as a rule, [scale, offset]: element i is scale * i + offset, computed in double precision.
"""

import json
import math
import pathlib

import torch

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "data" / "print_reference.json"
NAMES = {torch.float32: "float32", torch.float64: "float64", torch.int64: "int64", torch.bool: "bool"}
nan, inf = math.nan, math.inf


class mul(torch.autograd.Function):
    """An op that prints as <mul>: PyTorch's own names would be longer and break lines elsewhere."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return g


mul._backward_cls.__name__ = "mul"
# The printer's own `str`: "float64" for "torch.float64", again for the sake of line breaks.
torch._tensor_str.str = lambda x: str(x).replace("torch.", "")


def ramp(*shape, scale=1.0, offset=0.0, dtype=torch.float32):
    count = math.prod(shape)
    x = (torch.arange(count, dtype=torch.float64) * scale + offset).reshape(shape).to(dtype)
    x.rule = [float(scale).hex(), float(offset).hex()]
    return x


def cases():
    f, d, i, b = torch.float32, torch.float64, torch.int64, torch.bool
    for values in [
        3.0, -2.5, 0.0, -0.0, nan, inf, -inf, 1e-5, 1e9, 123456789.0, 0.1, 1e38, 5e-324, 100000000.0, 100000001.0,
        [1.0, 2.0, 3.0], [1.0, -2.0], [0.5, 100.25], [1.0, 1000.0], [1.0, 1001.0], [1.0, 1e8], [1e8 + 8, 1e8],
        [0.0001, 0.05], [0.00009, 0.05], [0.1, 99.9], [0.1, 100.1], [nan, 1.0], [nan, 1.5], [inf, -inf, 2.0],
        [-inf, 1e-6, nan], [0.0, 0.0], [0.0, -0.0], [nan, inf, 0.0], [1.00005, 2.00015], [0.99999, -0.99999],
        [2.5, 3.5, -1e-3], [1e10, nan], [12345.678, 0.0], [-0.0, 0.25], [1e300, 1e-300],
        [[1.0, 2.0], [3.0, 4.0]], [[0.1, -20.25], [3.5, 400.125]], [[1.0], [2.0]], [[[1.0]], [[2.0]]],
    ]:
        yield torch.tensor(values, dtype=d)
        if torch.tensor(values, dtype=f).double().equal(torch.tensor(values, dtype=d)) or isinstance(values, list):
            yield torch.tensor(values, dtype=f)
    for values in [5, -7, [1, 2, 3], [-1, 100, 2], [[1, -2], [300, 4]], [2**63 - 1, -(2**63)]]:
        yield torch.tensor(values, dtype=i)
    for values in [True, [True, False], [True, True], [[False, True], [True, True]]]:
        yield torch.tensor(values, dtype=b)
    for dtype in (f, d, i, b):
        yield torch.empty(0, dtype=dtype)
        yield torch.empty(0, 3, dtype=dtype)
    yield torch.empty(2, 0, 3)
    # Line breaks.
    for count in (9, 10, 11, 25, 26, 50):
        yield ramp(count)
        yield ramp(count, scale=0.37, offset=0.1)
        yield ramp(count, dtype=i)
    yield ramp(3, 30, dtype=i)
    yield ramp(2, 20, scale=0.01, offset=-0.1)
    yield ramp(2, 2, 12, scale=1e-4, offset=1e-6, dtype=d)
    yield ramp(13, dtype=b)
    # Nesting.
    yield ramp(2, 3, 4)
    yield ramp(2, 2, 2, 2, scale=0.5)
    yield ramp(1, 1, 1, 1, 2)
    yield ramp(2, 1, 1, 1, 1, 1, 1, 2, dtype=i)
    yield ramp(2, 2, 1, 3, dtype=b)
    # Summaries.
    yield ramp(1000, dtype=i)
    yield ramp(1001)
    yield ramp(1001, dtype=i)
    yield ramp(1500, scale=0.001)
    yield ramp(40, 40, scale=0.25)
    yield ramp(7, 200)
    yield ramp(6, 200)
    yield ramp(300, 4, dtype=d)
    yield ramp(20, 20, 20)
    yield ramp(2, 600, dtype=b)
    yield ramp(2, 3, 4, 50, scale=1e-7)
    yield ramp(8, 8, 8, 8, dtype=i)
    # On the tape.
    for history in ("leaf", "mul"):
        for x in (ramp(2), ramp(3, scale=0.5, dtype=d), torch.zeros(0, 3), torch.tensor(2.0), ramp(30, scale=0.1),
                  ramp(2, 2), ramp(9, scale=1.25), ramp(9, scale=12.5, dtype=d), ramp(14), ramp(15), ramp(16), ramp(17),
                  ramp(18, dtype=d), ramp(7, scale=0.3, dtype=d), ramp(7, scale=0.3), ramp(6, scale=0.3, dtype=d)):
            rule = getattr(x, "rule", None)
            x = x.requires_grad_() if history == "leaf" else mul.apply(x.requires_grad_())
            x.rule = rule
            yield x


def describe(x, rule):
    record = {"dtype": NAMES[x.dtype], "shape": list(x.shape)}
    if rule and x.numel() > 8:
        record["rule"] = rule
    else:
        values = x.detach().reshape(-1).tolist()
        record["values"] = [v.hex() for v in values] if x.is_floating_point() else values
    record["history"] = "mul" if x.grad_fn is not None else "leaf" if x.requires_grad else ""
    record["text"] = str(x)
    return record


def main():
    lines = [json.dumps(describe(x, getattr(x, "rule", None)), separators=(",", ":")) for x in cases()]
    OUT.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{OUT}: {len(lines)} tensors, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
