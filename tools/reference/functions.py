"""Pointwise functions and activations."""
import math

import torch
import torch.nn.functional as F

from cases import *  # noqa: F403

UNARY = ["exp2", "expm1", "log1p", "log2", "log10", "rsqrt", "reciprocal", "erf", "tan", "asin", "acos", "atan", "sinh",
         "cosh", "floor", "ceil", "round", "trunc"]
for name in UNARY:
    CALLS[name] = lambda x, a, fn=getattr(torch, name): fn(x[0])


def mish(x, a):
    return x[0] * torch.tanh(F.softplus(x[0], threshold=40))  # PyTorch's own becomes x beyond a threshold of 20


CALLS.update({
    "atan2": lambda x, a: torch.atan2(x[0], x[1]),
    "remainder": lambda x, a: torch.remainder(x[0], x[1]),
    "remainder:scalar": lambda x, a: torch.remainder(
        x[0], integer(a, "b") if x[0].dtype == torch.int64 else one(a, "b")),
    "lerp": lambda x, a: torch.lerp(x[0], x[1], x[2]),
    "lerp:scalar": lambda x, a: torch.lerp(x[0], x[1], one(a, "weight")),
    "leaky_relu": lambda x, a: F.leaky_relu(x[0], one(a, "negative_slope", 0.01)),
    # PyTorch's own elu and selu lose all digits near 0 in exp(x) - 1.
    "elu": lambda x, a: torch.where(x[0] > 0, x[0], one(a, "alpha", 1.0) * torch.expm1(x[0].clamp(max=0))),
    "selu": lambda x, a: 1.0507009873554804934 * torch.where(
        x[0] > 0, x[0], 1.6732632423543772848 * torch.expm1(x[0].clamp(max=0))),
    "silu": lambda x, a: F.silu(x[0]),
    "mish": mish,
    "hardtanh": lambda x, a: F.hardtanh(x[0], one(a, "min_val", -1.0), one(a, "max_val", 1.0)),
    "softsign": lambda x, a: F.softsign(x[0]),
    # PyTorch's own celu loses all digits near 0 in exp(x) - 1.
    "celu": lambda x, a: torch.where(
        x[0] > 0, x[0], one(a, "alpha", 1.0) * torch.expm1(x[0].clamp(max=0) / one(a, "alpha", 1.0))),
    "relu6": lambda x, a: F.relu6(x[0]),
    # PyTorch's own hardsigmoid multiplies with a sixth in float32, in its gradient too.
    "hardsigmoid": lambda x, a: F.relu6(x[0] + 3) / 6,
    "hardswish": lambda x, a: F.hardswish(x[0]),
    "threshold": lambda x, a: F.threshold(x[0], one(a, "threshold"), one(a, "value")),
    "prelu": lambda x, a: F.prelu(x[0], x[1]),
    "glu": lambda x, a: F.glu(x[0], integer(a, "dim", -1)),
    "softmin": lambda x, a: F.softmin(x[0], integer(a, "dim")),
    "logsigmoid": lambda x, a: F.logsigmoid(x[0]),
})
FROM_DOUBLE |= {"celu", "elu", "selu", "silu", "mish", "logsigmoid"}


def fraction(*shape):
    return torch.round(torch.rand(shape, dtype=torch.float64) * 460 - 230) / 256


def functions():
    domains = {"log1p": fraction, "log2": positive, "log10": positive, "rsqrt": positive, "tan": fraction,
               "asin": fraction, "acos": fraction}
    for row in UNARY:
        make = domains.get(row, signed)
        for shape in [(2, 3), (), (0,), (2, 0, 3)]:
            case(row, [make(*shape)], grad=shape in [(2, 3), ()])
        case(row, [make(21) * (1 if make is fraction else 4)], grad=True)
        case(row, [SPECIAL])
    for row in ["floor", "ceil", "round", "trunc"]:
        case(row, [f(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, -3, 1e9, 0.5 - 2**-25, 2**22 + 0.5)], grad=True)
        case(row, [whole(-9, 10, 7)])
    case("reciprocal", [whole(-9, 0, 7)])
    case("exp2", [f(1000, -1000, 127, 128, -126, -127, -140, 1024, -1060, 3, 2**-20)])
    case("expm1", [f(1000, -1000, 88, 88.5, 89, -17, -40, 2**-10, -2**-13, 2**-30, 2**-60, 0.25, -0.25)], grad=True)
    case("expm1", [f(709.5, 709.75, 710, -37, 1e-300, 5e-324)], only="f64")
    case("log1p", [f(2**-10, -2**-13, 2**-30, 2**-60, -1, -2, 2**100, -1 + 2**-20)])
    for row in ["log2", "log10"]:
        case(row, [f(0.0, -1, 1, 2**-126, 2**-149, 2**127, 1000, 1024, 1 + 2**-23)])
    case("rsqrt", [f(0.0, -1, 2**-126, 2**-149, 2**127, 4, 1e4)])
    case("erf", [f(4, -4, 6, 30, -30, 2**-20, 2**-100, 0.75, 1.25, 2.5)], grad=True)
    case("tan", [f(1.5, -1.5, 1.5625, 3, 100, 1000, 2**-20)], grad=True)
    for row in ["asin", "acos"]:
        case(row, [f(1 - 2**-10, -1 + 2**-10, 0.0, 2**-20, 1.5, -1, 1)])
        case(row, [f(1 - 2**-10, -1 + 2**-10, 0.0, 2**-20)], grad=True)
    case("atan", [f(1e5, -1e10, 2**-20, 2**100)], grad=True)
    for row in ["sinh", "cosh"]:
        case(row, [f(88, -88, 89, 90, -100, 2**-20, 20)])

    pairs = [(u, v) for u in SPECIAL.tolist() for v in SPECIAL.tolist()]
    for row in ["atan2", "remainder"]:
        for sa, sb in [((2, 3), (2, 3)), ((3,), (2, 1)), ((), (2,)), ((40,), (40,)), ((0, 3), (3,))]:
            case(row, [signed(*sa), signed(*sb)], grad=math.prod(sa) * math.prod(sb) < 40)
        case(row, [f(*[p[0] for p in pairs]), f(*[p[1] for p in pairs])])
    case("atan2", [whole(-3, 4, 4), signed(4)])
    case("remainder", [f(7, -7, 7, -7, 5.5, -5.5, 1e6, 3), f(3, 3, -3, -3, 0.25, 0.75, 0.7109375, 3)], grad=True)
    case("remainder", [whole(-9, 10, 3, 4), torch.tensor([3, -3, 1, -1])])
    case("remainder", [whole(-9, 10, 4), signed(4)])
    for b in [1.5, -0.75, 1, math.inf]:
        case("remainder:scalar", [signed(2, 3) * 3], grad=True, b=b)
        case("remainder:scalar", [SPECIAL], b=b)
    case("remainder:scalar", [whole(-9, 10, 7)], b=4)
    case("remainder:scalar", [whole(-9, 10, 7)], b=-4)

    for sa, sb, sw in [((2, 3), (2, 3), (2, 3)), ((3,), (2, 3), (2, 1)), ((), (2,), (2,)), ((0,), (0,), (1,))]:
        case("lerp", [normal(*sa), normal(*sb), normal(*sw)], grad=True)
    for weight in [0, 0.25, 0.5, 1, 2, -1]:
        case("lerp:scalar", [normal(2, 3), normal(3)], grad=True, weight=weight)
    case("lerp:scalar", [f(1, INF, NAN, 2**100, 1), f(2, 1, 1, 1, INF)], weight=0.75)


def activations():
    rows = {"leaky_relu": [{}, {"negative_slope": 0.25}, {"negative_slope": -1.5}, {"negative_slope": 0}],
            "elu": [{}, {"alpha": 0.5}], "selu": [{}], "silu": [{}], "mish": [{}],
            "hardtanh": [{}, {"min_val": -0.625, "max_val": 0.25}], "softsign": [{}], "logsigmoid": [{}],
            "celu": [{}, {"alpha": 0.5}, {"alpha": -2}], "relu6": [{}], "hardsigmoid": [{}], "hardswish": [{}],
            "threshold": [{"threshold": 0.5, "value": -3}]}
    for row, arguments in rows.items():
        for args in arguments:
            for shape in [(2, 3), (), (0,)]:
                case(row, [signed(*shape)], grad=True, **args)
            case(row, [signed(21) * 8], grad=True, **args)
            case(row, [SPECIAL], **args)
            case(row, [f(1000, -1000, 100, 20.5, -20.5, 40, -40, 2**-20, -2**-20, -2**-40, -80)], **args)
            case(row, [f(80, -80, 20.5, -20.5, 40, -40, 2**-20, -2**-20, 0.0)], grad=True, **args)
            case(row, [f(-100, -104, -300, -700, 300, 700)], only="f64", **args)
    case("hardtanh", [f(-1, 1, 0, 2)], grad=True)  # the derivative on the bounds
    case("logsigmoid", [f(-1000, 1000)], grad=True)
    case("silu", [f(-1000, 1000)], grad=True)
    case("mish", [f(-1000, 1000)], grad=True)
    for row in ["relu6", "hardsigmoid", "hardswish"]:
        case(row, [f(-3, 3, 0, 6, -4, 4, 7)], grad=True)
    case("threshold", [f(0.5, 0.25, 0.75)], grad=True, threshold=0.5, value=2)
    for sx, sw in [((2, 3), (3,)), ((2, 3), (1,)), ((2, 3, 2), (3,)), ((4,), (1,)), ((), (1,)), ((0, 3), (3,))]:
        case("prelu", [signed(*sx), normal(*sw)], grad=True)
    case("prelu", [SPECIAL, f(0.25)], grad=True)
    for shape, dim in [((4,), 0), ((2, 4), -1), ((2, 4), 0), ((2, 3, 6), 2), ((2, 6, 3), -2), ((0, 4), 1)]:
        case("glu", [normal(*shape)], grad=True, dim=dim)
    for shape, dim in [((4,), 0), ((2, 5), 1), ((2, 5), 0), ((2, 3, 4), -2), ((), 0), ((0, 3), 1)]:
        case("softmin", [normal(*shape)], grad=True, dim=dim)
    case("softmin", [f(1000, 0, -1000, -1000)], grad=True, dim=0)


FAMILIES = {"functions": functions, "activations": activations}
