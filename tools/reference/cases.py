"""What the families of reference cases share: how a case is made and written, and what inputs are filled with."""
import json
import math
import os

import torch

NAN, INF = math.nan, math.inf
CALLS = {}  # row -> its call in PyTorch: (inputs, args) -> tensor; every family adds its own
# Rows whose call composes several steps, so that their float32 answer is the rounded float64 one.
FROM_DOUBLE = set()
cases = []  # of the family being made


# --- arguments ---------------------------------------------------------------------------------------------------------

def one(args, key, default=None):
    return args[key][0] if key in args else default


def integer(args, key, default=None):
    return int(args[key][0]) if key in args else default


def reduce_with(fn):
    def call(x, a):
        dims = [int(d) for d in a.get("dims", [])] or list(range(x[0].dim()))
        return fn(x[0], dims, keepdim=bool(one(a, "keepdim", 0))) if dims else fn(x[0])
    return call


def along(fn):
    return lambda x, a: fn(x[0], integer(a, "dim"), keepdim=bool(one(a, "keepdim", 0)))


def ints(args, key):
    return [int(v) for v in args.get(key, [])]


# --- writing ----------------------------------------------------------------------------------------------------------

def number(v):
    if isinstance(v, bool):
        return int(v)
    if isinstance(v, float):
        if math.isnan(v):
            return "nan"
        if math.isinf(v):
            return "inf" if v > 0 else "-inf"
        if v == int(v) and abs(v) < 2**53 and math.copysign(1, v) > 0:
            return int(v)
    return v


KINDS = {torch.float64: "f", torch.float32: "f32", torch.int64: "i", torch.bool: "b"}


def encode(t, kind=None):
    values = t.reshape(-1).tolist()
    if t.dtype == torch.float32:
        values = [float(f"{v:.9g}") for v in values]
    return {"kind": kind or KINDS[t.dtype], "shape": list(t.shape), "values": [number(v) for v in values]}


def close(a, b):
    if a.dtype not in (torch.float32, torch.float64) or a.shape != b.shape:
        return a.shape == b.shape and torch.equal(a, b)
    a, b = a.double(), b.double()
    same = (a == b) | (torch.isnan(a) & torch.isnan(b)) | ((a - b).abs() <= 2e-7 * b.abs())
    return bool(same.all())


def case(row, inputs, grad=False, only=None, **args):
    """Inputs are tensors: float64 ones stand for either precision, unless `only` says "f64" or "f32"."""
    args = {k: (list(v) if isinstance(v, (list, tuple)) else [float(v)]) for k, v in args.items()}
    call = CALLS[row]
    record = {"row": row, "args": {k: [number(float(v)) for v in vs] for k, vs in args.items()},
              "inputs": [encode(t) for t in inputs]}
    singles = [t.float() if t.dtype == torch.float64 else t for t in inputs]
    floating = any(t.dtype == torch.float64 for t in inputs)
    if only is None:
        for t, s in zip(inputs, singles):
            assert torch.equal(torch.nan_to_num(t), torch.nan_to_num(s.to(t.dtype))), (row, t)
    if only != "f32":
        out = call(inputs, args)
        record["f64"] = encode(out, "i" if out.dtype == torch.int64 else "b" if out.dtype == torch.bool else
                               "f" if out.dtype == torch.float64 else "f32")
    if floating and only != "f64":
        out32 = call(inputs, args).float() if row in FROM_DOUBLE else call(singles, args)
        if only == "f32" or not close(out32, out):
            record["f32"] = encode(out32)
    if only:
        record["only"] = only
    if grad:
        leaves = [t.clone().requires_grad_(t.dtype == torch.float64) for t in inputs]
        out = call(leaves, args)
        cotangent = torch.randint(-64, 65, out.shape).double() / 32
        asked = [t for t in leaves if t.requires_grad]
        grads = iter(torch.autograd.grad((out * cotangent).sum(), asked, allow_unused=True))
        encoded = [next(grads) if t.requires_grad else None for t in leaves]
        record["cotangent"] = encode(cotangent)
        record["grads"] = [None if g is None else encode(g) for g in encoded]
    cases.append(record)


# --- inputs -----------------------------------------------------------------------------------------------------------

def normal(*shape):
    return torch.round(torch.randn(shape, dtype=torch.float64) * 256) / 256


def positive(*shape):
    return torch.round(torch.rand(shape, dtype=torch.float64) * 512 + 64) / 256


def signed(*shape):
    """Away from zero on both sides."""
    return positive(*shape) * (torch.randint(0, 2, shape).double() * 2 - 1)


def whole(low, high, *shape):
    return torch.randint(low, high, shape)


def mask(*shape):
    return torch.randint(0, 2, shape).bool()


def f(*values):
    return torch.tensor(values, dtype=torch.float64)


def f32(*values):
    return torch.tensor(values, dtype=torch.float32).double()


SPECIAL = f(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, INF, -INF, NAN)


# --- families ---------------------------------------------------------------------------------------------------------

def write_family(name, make, folder):
    """Runs `make` with a seed of its own, so that no family changes another, and writes its cases."""
    cases.clear()
    torch.manual_seed(20240501)
    make()
    path = os.path.join(folder, name + ".json")
    with open(path, "w") as out:
        out.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
    print(f"{name}: {len(cases)} cases, {os.path.getsize(path)} bytes")
    return {c["row"] for c in cases}
