#!/usr/bin/env python3
"""Writes tests/data/ops/*.json: what PyTorch answers for the rows of the op table (tests/ops).

Usage: python3 tools/reference/ops.py [family ...]        (made with torch 1.13, Debian's python3-torch)

One case: the row's name, its arguments (every one a list of numbers), its inputs and the outputs "f64" and "f32".
Inputs of kind "f" are exactly representable in float32, so one list serves both precisions; "f32" is left out where it
is the float64 answer to within 2e-7. Some cases have a "cotangent" and the "grads" of sum(out * cotangent).
"""
import itertools
import math
import os
import sys

import torch
import torch.nn.functional as F

import aggregates
import attention
import convolution
import functions
import normalisation
import recurrent
from cases import *  # noqa: F403  (the vocabulary of this file)
from linalg import linalg
from losses import losses, loss_options
from rearranging import rearranging, scattering, splitting, vectors

# --- how each row of the table is called in PyTorch -------------------------------------------------------------------


def arg_extreme(fn):
    def call(x, a):
        if "dim" not in a:
            return fn(x[0])
        return fn(x[0], dim=integer(a, "dim"), keepdim=bool(one(a, "keepdim", 0)))
    return call


def bound(x, args, key):
    """A scalar of the tensor's kind: here a scalar never changes a tensor's dtype."""
    return args.get(key) and (int(args[key][0]) if x.dtype == torch.int64 else args[key][0])


def python_slice(x, a):
    index = [slice(None)] * x[0].dim()
    index[integer(a, "dim")] = slice(integer(a, "start"), integer(a, "end"), integer(a, "step", 1))
    return x[0][tuple(index)]


CALLS.update({
    "add": lambda x, a: torch.add(x[0], x[1], alpha=one(a, "alpha", 1)),
    "sub": lambda x, a: torch.sub(x[0], x[1], alpha=one(a, "alpha", 1)),
    "mul": lambda x, a: x[0] * x[1],
    "div": lambda x, a: x[0] / x[1],
    "add:scalar": lambda x, a: x[0] + 1.5,
    "sub:scalar": lambda x, a: x[0] - 1.5,
    "mul:scalar": lambda x, a: x[0] * -2.5,
    "div:scalar": lambda x, a: x[0] / 2.5,
    "pow": lambda x, a: torch.pow(x[0], x[1]),
    "pow:exponent": lambda x, a: torch.pow(x[0], one(a, "exponent")),
    "pow:base": lambda x, a: torch.pow(one(a, "base"), x[0]),
    "maximum": lambda x, a: torch.maximum(x[0], x[1]),
    "minimum": lambda x, a: torch.minimum(x[0], x[1]),
    "neg": lambda x, a: -x[0],
    "abs": lambda x, a: torch.abs(x[0]),
    "sign": lambda x, a: torch.sign(x[0]),
    "square": lambda x, a: torch.square(x[0]),
    "sqrt": lambda x, a: torch.sqrt(x[0]),
    "exp": lambda x, a: torch.exp(x[0]),
    "log": lambda x, a: torch.log(x[0]),
    "sin": lambda x, a: torch.sin(x[0]),
    "cos": lambda x, a: torch.cos(x[0]),
    "tanh": lambda x, a: torch.tanh(x[0]),
    # PyTorch's own sigmoid flushes results below 1e-308 (1e-38) to 0.
    "sigmoid": lambda x, a: torch.exp(-F.softplus(-x[0], threshold=40)),
    "relu": lambda x, a: torch.relu(x[0]),
    # PyTorch's own gelu, x (1 + erf(x / sqrt 2)) / 2, cancels for negative x.
    "gelu": lambda x, a: x[0] * torch.special.erfc(-x[0] / math.sqrt(2)) / 2,
    # PyTorch's softplus becomes x beyond its threshold of 20, where ln(1 + e^x) still differs in float64.
    "softplus": lambda x, a: F.softplus(x[0], threshold=40),
    "clamp": lambda x, a: torch.clamp(x[0], bound(x[0], a, "min"), bound(x[0], a, "max")),
    "where": lambda x, a: torch.where(x[0], x[1], x[2]),
    "where:b": lambda x, a: torch.where(x[0], x[1], torch.tensor(one(a, "b"), dtype=x[1].dtype)),
    "where:a": lambda x, a: torch.where(x[0], torch.tensor(one(a, "a"), dtype=x[1].dtype), x[1]),
    "sum": reduce_with(torch.sum),
    "mean": reduce_with(torch.mean),
    "max": lambda x, a: torch.max(x[0]),
    "max:dim": lambda x, a: along(torch.max)(x, a).values,
    "max:indices": lambda x, a: along(torch.max)(x, a).indices,
    "min": lambda x, a: torch.min(x[0]),
    "min:dim": lambda x, a: along(torch.min)(x, a).values,
    "min:indices": lambda x, a: along(torch.min)(x, a).indices,
    "argmax": arg_extreme(torch.argmax),
    "argmin": arg_extreme(torch.argmin),
    "logsumexp": lambda x, a: torch.logsumexp(x[0], ints(a, "dims"), keepdim=bool(one(a, "keepdim", 0))),
    "softmax": lambda x, a: torch.softmax(x[0], integer(a, "dim")),
    "log_softmax": lambda x, a: torch.log_softmax(x[0], integer(a, "dim")),
    "matmul": lambda x, a: torch.matmul(x[0], x[1]),
    "linear": lambda x, a: F.linear(*x),
    "cat": lambda x, a: torch.cat(x, integer(a, "dim", 0)),
    "stack": lambda x, a: torch.stack(x, integer(a, "dim", 0)),
    "gather": lambda x, a: torch.gather(x[0], integer(a, "dim"), x[1]),
    "index_select": lambda x, a: torch.index_select(x[0], integer(a, "dim"), x[1]),
    "transpose": lambda x, a: torch.transpose(x[0], integer(a, "dim0"), integer(a, "dim1")),
    "permute": lambda x, a: torch.permute(x[0], ints(a, "dims")),
    "reshape": lambda x, a: torch.reshape(x[0], ints(a, "shape")),
    "flatten": lambda x, a: torch.flatten(x[0], integer(a, "start_dim", 0), integer(a, "end_dim", -1)),
    "squeeze": lambda x, a: torch.squeeze(x[0]),
    "squeeze:dim": lambda x, a: torch.squeeze(x[0], integer(a, "dim")),
    "unsqueeze": lambda x, a: torch.unsqueeze(x[0], integer(a, "dim")),
    "select": lambda x, a: torch.select(x[0], integer(a, "dim"), integer(a, "index")),
    "slice": python_slice,
    "narrow": lambda x, a: torch.narrow(x[0], integer(a, "dim"), integer(a, "start"), integer(a, "length")),
    "expand": lambda x, a: x[0].expand(ints(a, "shape")),
    "clone": lambda x, a: x[0].clone(),
})
for comparison in ["eq", "ne", "lt", "le", "gt", "ge"]:
    CALLS[comparison] = lambda x, a, fn=getattr(torch, comparison): fn(x[0], x[1])
    CALLS[comparison + ":scalar"] = lambda x, a, fn=getattr(torch, comparison): fn(x[0], one(a, "b"))


FROM_DOUBLE |= {"sigmoid", "gelu"}


def arithmetic():
    shapes = [((7,), (7,)), ((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3)), ((4, 1, 3), (2, 1)),
              ((), (2, 3)), ((2, 3), ()), ((), ()), ((0, 3), (1, 3)), ((2, 0), (1,)), ((70,), (70,)), ((5, 17), (17,)),
              ((17, 5), (17, 1)), ((2, 3, 4, 2), (3, 1, 2))]
    for row in ["add", "sub", "mul", "div", "maximum", "minimum"]:
        for sa, sb in shapes:
            b = signed(*sb) if row == "div" else normal(*sb)
            case(row, [normal(*sa), b], grad=math.prod(sa) * math.prod(sb) < 40 and sa != (7,))
        pairs = list(itertools.product(SPECIAL.tolist(), SPECIAL.tolist()))
        case(row, [f(*[p[0] for p in pairs]), f(*[p[1] for p in pairs])])
        case(row, [whole(-5, 6, 2, 3), whole(1, 6, 3)])
        case(row, [whole(-5, 6, 2, 3), signed(2, 3)])
        if row + ":scalar" in CALLS:
            case(row + ":scalar", [SPECIAL])
            case(row + ":scalar", [normal(2, 3)], grad=True)
    case("add", [mask(6), mask(6)])
    case("mul", [mask(6), mask(6)])
    case("add", [mask(6), whole(-3, 3, 6)])
    case("mul", [normal(2, 3), mask(2, 3)])
    case("div", [mask(4), torch.tensor([True, True, True, True])])
    case("div", [whole(-5, 6, 4), torch.tensor([0, 2, 0, -2])])
    case("add", [normal(2, 3), normal(3)], grad=True, alpha=0.5)
    case("sub", [normal(2, 3), normal(3)], grad=True, alpha=-2)
    case("maximum", [f(1, 2, 3), f(1, 3, 2)], grad=True)  # a tie shares the gradient
    case("minimum", [f(1, 2, 3), f(1, 3, 2)], grad=True)

    for sa, sb in [((2, 3), (2, 3)), ((2, 3), (3,)), ((), (2,)), ((40,), (40,))]:
        case("pow", [positive(*sa), normal(*sb)], grad=True)
    bases = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, INF, -INF, NAN]
    exponents = [0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, -0.5, INF, -INF, NAN]
    pairs = list(itertools.product(bases, exponents))
    case("pow", [f(*[p[0] for p in pairs]), f(*[p[1] for p in pairs])])
    case("pow", [f(0, 0, 2, 0), f(0, 2, 0, 1)], grad=True)
    case("pow", [whole(-4, 5, 6), whole(0, 4, 6)])
    for exponent in [0, 1, 2, 3, -1, -2, 0.5, -0.5, 2.5, 7]:
        case("pow:exponent", [positive(2, 3)], grad=True, exponent=exponent)
        # PyTorch takes square roots here, with another answer than pow(x, 0.5) for -0 and -infinity.
        quirks = [-0.0, -INF] if abs(exponent) == 0.5 else []
        case("pow:exponent", [f(*[b for b in bases if not quirks or str(b) not in map(str, quirks)])], exponent=exponent)
    for exponent in [0, 1, 2, 3]:
        case("pow:exponent", [f(0.0, -1.5, 2)], grad=True, exponent=exponent)
    for base in [2, 0.5, 1, 0]:
        case("pow:base", [signed(2, 3)], grad=base != 0, base=base)
        case("pow:base", [f(*exponents)], base=base)

    for row in ["eq", "ne", "lt", "le", "gt", "ge"]:
        pairs = list(itertools.product(SPECIAL.tolist(), SPECIAL.tolist()))
        case(row, [f(*[p[0] for p in pairs]), f(*[p[1] for p in pairs])])
        case(row, [whole(0, 3, 4, 1), whole(0, 3, 3)])
        case(row, [whole(-1, 2, 2, 3), torch.round(normal(3))])
        case(row, [mask(5), mask(5)])
        case(row, [f(1.5, 2), torch.tensor(2.0).double()])
        case(row + ":scalar", [SPECIAL], b=0.5)
        case(row + ":scalar", [whole(-2, 3, 7)], b=1)
        case(row + ":scalar", [normal(0)], b=1)


def pointwise():
    domains = {"sqrt": positive, "log": positive}
    for row in ["neg", "abs", "sign", "square", "sqrt", "exp", "log", "sin", "cos", "tanh", "sigmoid", "relu", "gelu",
                "softplus"]:
        make = domains.get(row, signed)
        for shape in [(2, 3), (), (0,), (2, 0, 3), (61,)]:
            case(row, [make(*shape)], grad=shape in [(2, 3), ()])
        case(row, [make(37) * 8], grad=True)
        case(row, [SPECIAL])
    for row in ["neg", "abs", "sign", "square", "relu"]:
        case(row, [whole(-9, 10, 7)])
    for row in ["abs", "relu"]:
        case(row, [f(0.0, -0.0, 1, -1)], grad=True)  # the derivative at the kink
    case("exp", [f(1000, -1000, 88, 89, -87, -88, -103, -104, 709, 710, -708, -745, -746, 2**-27, -2**-27)])
    case("exp", [f32(-87.5, -90, -95, -100, -103)], only="f32")
    case("log", [f(0.0, -1, 1, 2**-126, 2**-149, 2**-140, 2**127, 1 + 2**-23, 1 - 2**-24)])
    case("log", [f(5e-324, 1e-310, 2.2e-308, 1e-300, 1e308, 1 + 2**-52)], only="f64")
    case("sqrt", [f(0.0, -0.0, -1, 2**-126, 2**-149, 2**127, 1e4)])
    case("sqrt", [f(5e-324, 1e-310, 1e308)], only="f64")
    case("sqrt", [f(0.0, 4)], grad=True)
    case("square", [f(2**66, -2**66, 2**-80)])
    case("tanh", [f(100, -100, 20, -20, 9, -9, 2**-13, -2**-20, 2**-30, 0.0, -0.0)], grad=True)
    case("sigmoid", [f(800, -800, 88, -88, 89, -89, -100, 40, -40, 17, 2**-20)], grad=True)
    case("sigmoid", [f(-700, -709, -720, -740)], only="f64")
    case("softplus", [f(800, -800, 100, -100, 39.5, 21, 20, -20, -40, -87, 2**-20)], grad=True)
    case("gelu", [f(40, -40, 10, -10, 5, -5, -3, -6, 2**-20, 0.0)], grad=True)
    case("gelu", [f(-8, -12, -20, -30)], only="f64")
    case("sin", [f(0.0, -0.0, 2**-10, 100, -100, 1000, 12345, 1e5, -1e6, 2**24)])
    case("cos", [f(0.0, -0.0, 100, -100, 1000, 12345, 1e5, -1e6, 2**24)])

    for bounds in [dict(min=-0.5, max=0.5), dict(min=0.25), dict(max=-0.25), dict(min=1, max=-1)]:
        case("clamp", [signed(2, 5)], grad=True, **bounds)
        case("clamp", [SPECIAL], **bounds)
    case("clamp", [f(-1, 1, 0, 2)], grad=True, min=-1, max=1)
    case("clamp", [whole(-9, 10, 7)], min=-2, max=3)
    case("clamp", [f(1, NAN, INF, -INF)], min=-INF, max=2)

    for shapes in [((2, 3), (2, 3), (2, 3)), ((3,), (2, 3), (2, 1)), ((2, 1), (3,), ()), ((), (2, 2), (2, 2)),
                   ((0,), (0,), (1,)), ((33,), (33,), (33,))]:
        case("where", [mask(*shapes[0]), normal(*shapes[1]), normal(*shapes[2])], grad=True)
    case("where", [torch.tensor([True, False, True]), f(1, NAN, INF), f(NAN, 2, NAN)], grad=True)
    case("where", [mask(5), whole(0, 9, 5), whole(0, 9, 5)])
    case("where:b", [mask(2, 3), normal(2, 3)], grad=True, b=-7)
    case("where:a", [mask(2, 3), normal(2, 3)], grad=True, a=-INF)


def reductions():
    for row in ["sum", "mean"]:
        for shape, dims in [((5,), []), ((2, 3), []), ((2, 3), [0]), ((2, 3), [1]), ((2, 3), [-1]), ((2, 3, 4), [0, 2]),
                            ((2, 3, 4), [1]), ((2, 3, 4), [-1, 0]), ((2, 3, 4), [0, 1, 2]), ((), []), ((3, 1, 2), [1]),
                            ((100,), []), ((5, 33), [0]), ((5, 33), [1]), ((3, 9, 5), [1])]:
            for keepdim in [0, 1]:
                if keepdim and not dims:
                    continue
                case(row, [normal(*shape)], grad=math.prod(shape) < 30, dims=dims, keepdim=keepdim)
        case(row, [normal(0)])
        case(row, [normal(0, 3)], dims=[0])
        case(row, [normal(0, 3)], dims=[1], keepdim=1)
        case(row, [f(1, NAN, 2)])
        case(row, [f(1, INF, 2)])
        case(row, [torch.tensor([[INF, 1, -INF], [NAN, 1, 2], [1, 2, 3]]).double()], dims=[1])
    case("sum", [whole(-9, 9, 2, 3)], dims=[1])
    case("sum", [mask(2, 5)])
    case("sum", [mask(2, 5)], dims=[0], keepdim=1)
    case("sum", [torch.tensor([2**62, 2**61, -2**62])])

    spread = torch.randperm(24).double() / 8 - 1.3125
    for row in ["max", "min"]:
        for shape in [(24,), (2, 12), (2, 3, 4)]:
            case(row, [spread.reshape(shape)], grad=True)
        case(row, [f(2)[0]], grad=True)
        case(row, [f(1, 3, 3, -2, -2, 0)], grad=True)
        case(row, [f(1, NAN, 3)])
        case(row, [f(INF, -INF, 0)])
        case(row, [f(-INF, -INF)])
        case(row, [whole(-50, 50, 20)])
        case(row, [normal(263)])
        for part in [":dim", ":indices"]:
            for dim in [0, 1, 2, -1]:
                for keepdim in [0, 1]:
                    case(row + part, [spread.reshape(2, 3, 4)], grad=part == ":dim", dim=dim, keepdim=keepdim)
            case(row + part, [torch.tensor([[1, 5, 5, 0, 0], [2, 2, 2, 2, 2]]).double()], dim=1, grad=part == ":dim")
            case(row + part, [torch.tensor([[1, NAN, 5, NAN], [INF, 2, -INF, 0]]).double()], dim=1)
            case(row + part, [torch.tensor([[1, NAN, 5, NAN], [INF, 2, -INF, 0]]).double()], dim=0)
            case(row + part, [whole(-50, 50, 3, 4)], dim=0)
            case(row + part, [normal(0, 3)], dim=1)
            case(row + part, [normal(4, 35)], dim=1)
            case(row + part, [normal(35, 4)], dim=0)
    for row in ["argmax", "argmin"]:
        case(row, [spread.reshape(2, 3, 4)])
        for dim in [0, 1, -1]:
            case(row, [spread.reshape(2, 3, 4)], dim=dim)
            case(row, [spread.reshape(2, 3, 4)], dim=dim, keepdim=1)
        case(row, [f(3, 7, 7, 1, 1)])
        case(row, [f(3, 7, NAN, 1, NAN)])
        case(row, [torch.tensor([[3, NAN], [1, 2], [NAN, 5]]).double()], dim=0)
        case(row, [whole(0, 3, 4, 5)], dim=1)
        case(row, [normal(123)])

    for p in [2, 1, 3, 0.5, INF, 2.5]:
        case("norm", [signed(2, 3)], grad=True, p=p)
        case("norm", [normal(77)], p=p)
        case("norm", [signed()], p=p)
    case("norm", [f(0, 0, 0)], grad=True, p=2)
    case("norm", [f(3, 0, -4)], grad=True, p=2)
    case("norm", [f(1, NAN)], p=2)
    case("norm", [f(1, -INF)], p=2)
    case("norm", [f(1, -INF)], p=INF)
    case("norm", [normal(0)], p=2)

    extremes = torch.tensor([[1e4, -1e4, 0, 1e4], [-1e4, -1e4, -1e4, -1e4], [1e4, 1e4, 1e4, 1e4], [88, 89, 90, -90],
                             [-INF, 0, 1, 2], [0, 1e30, -1e30, 5]], dtype=torch.float32).double()
    for row in ["softmax", "log_softmax"]:
        for shape, dim in [((4,), 0), ((2, 5), 1), ((2, 5), 0), ((2, 3, 4), 1), ((2, 3, 4), -1), ((), 0), ((3, 33), 1),
                           ((0, 3), 1), ((3, 1), 1), ((4, 65), -1)]:
            case(row, [normal(*shape)], grad=math.prod(shape) < 30, dim=dim)
        case(row, [extremes], dim=1)
        case(row, [extremes.t().contiguous()], dim=0)
        case(row, [extremes[:4]], dim=1, grad=True)
        case(row, [torch.tensor([[NAN, 1, 2], [INF, 1, 2], [-INF, -INF, -INF]]).double()], dim=1)
    for shape, dims in [((4,), [0]), ((2, 5), [1]), ((2, 5), [0]), ((2, 3, 4), [0, 2]), ((2, 3, 4), [0, 1, 2]),
                        ((3, 40), [-1]), ((40, 3), [0])]:
        for keepdim in [0, 1]:
            case("logsumexp", [normal(*shape)], grad=math.prod(shape) < 30, dims=dims, keepdim=keepdim)
    case("logsumexp", [extremes], dims=[1])
    case("logsumexp", [extremes[:4]], dims=[0], grad=True)
    case("logsumexp", [torch.tensor([[NAN, 1, 2], [INF, 1, 2], [-INF, -INF, -INF]]).double()], dims=[1])
    case("logsumexp", [normal(0, 3)], dims=[0])


def products():
    pairs = [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)),
             ((5, 2, 3), (3, 2)), ((2, 3), (5, 3, 2)), ((3, 2, 3), (3, 3, 2)), ((1, 2, 3), (3, 3, 2)),
             ((3, 2, 3), (1, 3, 2)), ((2, 1, 2, 3), (3, 3, 2)), ((2, 3, 2, 2), (2, 3, 2, 2)), ((1, 1), (1, 1)),
             ((2, 0), (0, 3)), ((0, 3), (3, 2)), ((2, 3), (3, 0)), ((0,), (0,)), ((4, 0, 3), (3, 2)),
             ((0, 2, 3), (3, 2)), ((2, 0), (0,)), ((0, 2, 3), (1, 3, 2)), ((11, 33), (33, 9)), ((2, 9, 8), (8, 21)),
             ((64,), (64, 3)), ((9, 64), (64,)), ((3, 7, 6), (3, 6, 9)), ((24, 20), (20, 25))]
    for a, b in pairs:
        case("matmul", [normal(*a), normal(*b)], grad=math.prod(a) + math.prod(b) < 60)
    case("matmul", [f(INF, 0, 1).reshape(1, 3), f(0, 1, 2).reshape(3, 1)])
    case("matmul", [f(0, 0, 1), f(NAN, 1, 2)])
    for shape in [(3,), (2, 3), (2, 2, 3), (0, 3), (1, 3)]:
        case("linear", [normal(*shape), normal(4, 3), normal(4)], grad=True)
        case("linear", [normal(*shape), normal(4, 3)], grad=True)
    case("linear", [normal(20, 24), normal(10, 24), normal(10)])
    case("linear", [normal(2, 0), normal(3, 0), normal(3)])


def indexing():
    case("cat", [normal(2, 3), normal(1, 3), normal(4, 3)], grad=True)
    case("cat", [normal(2, 3), normal(2, 1)], grad=True, dim=1)
    case("cat", [normal(2, 3, 2), normal(2, 1, 2)], grad=True, dim=-2)
    case("cat", [normal(0, 3), normal(2, 3), normal(0, 3)], grad=True)
    case("cat", [normal(5)])
    case("cat", [whole(0, 9, 3), whole(0, 9, 2)])
    case("cat", [mask(3), mask(2)])
    for dim in [0, 1, 2, -1]:
        case("stack", [normal(2, 3), normal(2, 3), normal(2, 3)], grad=True, dim=dim)
    case("stack", [normal(), normal()], grad=True)
    case("stack", [normal(0, 2), normal(0, 2)], dim=1)
    case("gather", [normal(3, 4), whole(0, 3, 2, 4)], grad=True, dim=0)
    case("gather", [normal(3, 4), whole(0, 4, 3, 6)], grad=True, dim=1)
    case("gather", [normal(3, 4), whole(0, 4, 2, 2)], grad=True, dim=-1)
    case("gather", [normal(2, 3, 4), whole(0, 3, 2, 5, 3)], grad=True, dim=1)
    case("gather", [normal(5), torch.tensor([4, 4, 0])], grad=True, dim=0)
    case("gather", [normal(3, 4), whole(0, 4, 3, 0)], dim=1)
    case("gather", [whole(0, 99, 6), whole(0, 6, 9)], dim=0)
    case("index_select", [normal(3, 4), torch.tensor([2, 0, 2])], grad=True, dim=0)
    case("index_select", [normal(3, 4), torch.tensor([3, 3])], grad=True, dim=1)
    case("index_select", [normal(2, 3, 4), torch.tensor([1])], grad=True, dim=-2)
    case("index_select", [normal(3, 4), torch.tensor([], dtype=torch.int64)], dim=0)
    case("index_select", [mask(6), torch.tensor([5, 0])], dim=0)
    case("index_select", [whole(0, 99, 6), torch.tensor([5, 0])], dim=0)


def views():
    case("transpose", [normal(2, 3)], grad=True, dim0=0, dim1=1)
    case("transpose", [normal(2, 3, 4)], grad=True, dim0=0, dim1=-1)
    case("transpose", [normal(2, 3, 4)], grad=True, dim0=1, dim1=1)
    case("permute", [normal(2, 3, 4)], grad=True, dims=[2, 0, 1])
    case("permute", [normal(2, 3, 4)], grad=True, dims=[-1, 1, 0])
    case("permute", [normal(2, 1, 3, 2)], dims=[3, 1, 0, 2])
    for shape in [[6], [3, 2], [-1], [2, -1], [1, 6, 1], [3, -1, 1]]:
        case("reshape", [normal(2, 3)], grad=True, shape=shape)
    case("reshape", [normal()], shape=[1, 1])
    case("reshape", [normal(1, 1)], shape=[])
    case("reshape", [normal(0, 3)], shape=[3, 0])
    case("reshape", [normal(0, 3)], shape=[-1, 3])
    case("flatten", [normal(2, 3, 4)], grad=True)
    case("flatten", [normal(2, 3, 4)], grad=True, start_dim=1)
    case("flatten", [normal(2, 3, 4, 2)], start_dim=1, end_dim=-2)
    case("flatten", [normal()])
    case("squeeze", [normal(1, 3, 1, 2)], grad=True)
    case("squeeze", [normal(1, 1)])
    case("squeeze:dim", [normal(1, 3, 1, 2)], grad=True, dim=2)
    case("squeeze:dim", [normal(1, 3, 1, 2)], grad=True, dim=1)
    case("squeeze:dim", [normal(1, 3)], dim=-2)
    for dim in [0, 1, 2, -1, -3]:
        case("unsqueeze", [normal(2, 3)], grad=True, dim=dim)
    case("unsqueeze", [normal()], dim=0)
    for dim, index in [(0, 0), (0, -1), (1, 2), (2, -4), (-1, 3)]:
        case("select", [normal(2, 3, 4)], grad=True, dim=dim, index=index)
    case("select", [normal(3)], dim=0, index=1)
    for bounds in [dict(start=1), dict(end=3), dict(start=1, end=4), dict(start=-2), dict(end=-1), dict(start=0, end=100),
                   dict(start=4, end=2), dict(start=-100, end=2), dict(start=0, end=5, step=2), dict(start=1, step=3),
                   dict(start=7), dict(step=5)]:
        case("slice", [normal(5, 2)], grad=True, dim=0, **bounds)
    case("slice", [normal(2, 5)], grad=True, dim=-1, start=1, end=-1)
    case("narrow", [normal(5, 2)], grad=True, dim=0, start=1, length=3)
    case("narrow", [normal(2, 5)], grad=True, dim=1, start=-2, length=2)
    case("narrow", [normal(5)], dim=0, start=5, length=0)
    case("expand", [normal(3, 1)], grad=True, shape=[3, 4])
    case("expand", [normal(1)], grad=True, shape=[2, 3])
    case("expand", [normal(3, 1)], grad=True, shape=[2, -1, 2])
    case("expand", [normal()], grad=True, shape=[2, 2])
    case("expand", [normal(1, 3)], shape=[0, 3])
    case("clone", [normal(2, 3)], grad=True)
    case("clone", [mask(2, 3)])


FAMILIES = {
    "arithmetic": arithmetic,
    "pointwise": pointwise,
    "reductions": reductions,
    "products": products,
    "indexing": indexing,
    "views": views,
    "losses": losses,
    "loss_options": loss_options,
    "linalg": linalg,
    "rearranging": rearranging,
    "splitting": splitting,
    "scattering": scattering,
    "vectors": vectors,
    **functions.FAMILIES,
    **aggregates.FAMILIES,
    **normalisation.FAMILIES,
    **convolution.FAMILIES,
    **recurrent.FAMILIES,
    **attention.FAMILIES,
}


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "data", "ops")
    os.makedirs(folder, exist_ok=True)
    wanted = sys.argv[1:] or list(FAMILIES)
    rows = set().union(*(write_family(name, FAMILIES[name], folder) for name in wanted))
    if not sys.argv[1:]:
        assert rows == set(CALLS), set(CALLS) - rows


if __name__ == "__main__":
    main()
