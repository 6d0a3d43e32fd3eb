"""Statistics, running sums and products, sorting."""
import math

import torch

from cases import *  # noqa: F403


def dim_by_dim(fn):
    """For what PyTorch reduces over one dim only."""
    def call(x, a):
        dims = sorted({int(d) % max(1, x[0].dim()) for d in a.get("dims", range(x[0].dim()))}, reverse=True)
        out = x[0]
        for d in dims:
            out = fn(out, d, keepdim=bool(one(a, "keepdim", 0)))
        return out if dims else fn(out, 0)
    return call


def variance(fn):
    return lambda x, a: fn(x[0], dim=ints(a, "dims") or list(range(x[0].dim())), correction=integer(a, "correction", 1),
                           keepdim=bool(one(a, "keepdim", 0)))


def order(x, a):
    return torch.sort(x[0], dim=integer(a, "dim", -1), descending=bool(one(a, "descending", 0)), stable=True)


def top(x, a):
    return torch.topk(x[0], integer(a, "k"), dim=integer(a, "dim", -1), largest=bool(one(a, "largest", 1)))


CALLS.update({
    "norm": lambda x, a: torch.norm(x[0], one(a, "p", 2.0), dim=ints(a, "dims"), keepdim=bool(one(a, "keepdim", 0)))
    if "dims" in a else torch.norm(x[0], one(a, "p", 2.0)),
    "prod": dim_by_dim(torch.prod),
    "all": dim_by_dim(torch.all),
    "any": dim_by_dim(torch.any),
    "var": variance(torch.var),
    "std": variance(torch.std),
    "amax": lambda x, a: torch.amax(x[0], ints(a, "dims"), keepdim=bool(one(a, "keepdim", 0))),
    "amin": lambda x, a: torch.amin(x[0], ints(a, "dims"), keepdim=bool(one(a, "keepdim", 0))),
    "median": lambda x, a: torch.median(x[0]),
    "median:dim": lambda x, a: along(torch.median)(x, a).values,
    "median:indices": lambda x, a: along(torch.median)(x, a).indices,
    "cumsum": lambda x, a: torch.cumsum(x[0], integer(a, "dim")),
    "cumprod": lambda x, a: torch.cumprod(x[0], integer(a, "dim")),
    "sort": lambda x, a: order(x, a).values,
    "sort:indices": lambda x, a: order(x, a).indices,
    "argsort": lambda x, a: order(x, a).indices,
    "topk": lambda x, a: top(x, a).values,
    "topk:indices": lambda x, a: top(x, a).indices,
})

SPREAD = torch.arange(24).double().mul(7).remainder(24).sub(11.5).div(8)  # no two equal
ROWS = torch.tensor([[1, NAN, 5, NAN], [INF, 2, -INF, 0], [3, 3, 1, 1]]).double()


def reduced(*shape):
    """Dims to reduce, and whether to keep them."""
    rank = len(shape)
    yield {}
    for d in range(rank):
        yield dict(dims=[d])
    if rank > 1:
        yield dict(dims=[-1], keepdim=1)
    if rank > 2:
        yield dict(dims=[0, -1])
        yield dict(dims=[1, 2], keepdim=1)


def statistics():
    for shape in [(5,), (2, 3), (2, 3, 4)]:
        for args in reduced(*shape):
            for row in ["prod", "var", "std", "amax", "amin"]:
                x = SPREAD[:math.prod(shape)].reshape(shape) if row.startswith("am") else signed(*shape)
                case(row, [x], grad=True, **args)
            for row in ["all", "any"]:
                case(row, [mask(*shape)], **args)
    for row in ["prod", "amax", "amin"]:
        case(row, [signed()], grad=True)
        case(row, [ROWS], dims=[1])
        case(row, [whole(-5, 6, 3, 4)], dims=[0])
    for row in ["prod", "cumprod"]:  # no zero, one, several; first, in the middle, last
        zeros = f(1.5, 2, -0.5, 3, 0, 2, -1.5, 3, 2, 0, 0, -3, 1, 2, -2.5, 0, 0, 0, 0, 0).reshape(5, 4)
        case(row, [zeros], grad=True, **(dict(dims=[1]) if row == "prod" else dict(dim=1)))
        case(row, [zeros], grad=True, **(dict(dims=[0]) if row == "prod" else dict(dim=0)))
    case("prod", [f(2, 0, 3)], grad=True)
    case("prod", [f(0, 0, 3)], grad=True)
    case("prod", [normal(0)])
    case("prod", [normal(3, 0)], dims=[1])
    case("prod", [mask(2, 2)])
    case("amax", [f(1, 3, 3, -2, -2, 0)], grad=True)  # a tie shares the gradient
    case("amin", [f(1, 3, 3, -2, -2, 0).reshape(2, 3)], grad=True, dims=[0])
    case("amin", [f(1, 3, 3, 1, -2, 0).reshape(2, 3)], grad=True, dims=[0])
    for row in ["all", "any"]:
        case(row, [ROWS], dims=[1])
        case(row, [f(0, 0, -0.0)])
        case(row, [whole(0, 2, 3, 4)], dims=[0], keepdim=1)
        case(row, [normal(0)])
        case(row, [mask(0, 2)], dims=[0])
        case(row, [mask()])

    for row in ["var", "std"]:
        for correction in [0, 1, 2]:
            case(row, [normal(3, 5)], grad=True, dims=[1], correction=correction)
        case(row, [normal(1)], grad=True)  # NaN
        case(row, [normal(1)], grad=True, correction=0)
        case(row, [f(2, 2, 2)], grad=True)
        case(row, [ROWS], dims=[1])
        case(row, [f(1000, 1000.125, 1000.25, 999.75)], grad=True)
        case(row, [normal(300)])
        case(row, [normal(0)])

    for shape in [(7,), (24,), (3, 5), ()]:
        case("median", [SPREAD[:math.prod(shape)].reshape(shape)], grad=True)
    case("median", [f(1, 2, 2, 3, 2, 5)], grad=True)  # shared
    case("median", [f(1, NAN, 3)])
    case("median", [whole(-50, 50, 9)])
    for part in [":dim", ":indices"]:
        for shape, dim in [((24,), 0), ((3, 5), 1), ((3, 5), 0), ((2, 3, 4), 1), ((2, 3, 4), -1), ((), 0)]:
            for keepdim in [0, 1]:
                case("median" + part, [SPREAD[:math.prod(shape)].reshape(shape)], grad=part == ":dim", dim=dim,
                     keepdim=keepdim)
        case("median" + part, [ROWS[:2]], dim=1)
        case("median" + part, [torch.tensor([[4, 2, 9], [1, 8, 0]])], dim=0)

    for p in [2, 1, 3, 0.5, 0, -1, INF, -INF, 2.5]:
        for args in [{}, dict(dims=[1]), dict(dims=[0], keepdim=1), dict(dims=[0, 1])]:
            case("norm", [SPREAD[:12].reshape(3, 4)], grad=p != 0, p=p, **args)
    case("norm", [f(3, 0, -4, 0, 0, 0).reshape(2, 3)], grad=True, p=2, dims=[1])
    case("norm", [f(3, -3, 1)], grad=True, p=INF)
    for p in [0, 1, 3, INF, -INF]:
        case("norm", [f(3, 0, -4, 1, 2, -2).reshape(2, 3)], p=p, dims=[1])

    for row in ["cumsum", "cumprod"]:
        for shape, dim in [((5,), 0), ((2, 3), 0), ((2, 3), 1), ((2, 3, 4), 1), ((2, 3, 4), -1), ((), 0), ((1,), 0)]:
            case(row, [signed(*shape)], grad=True, dim=dim)
        for shape, dim in [((0,), 0), ((0, 3), 1), ((3, 0), 1)]:
            case(row, [normal(*shape)], dim=dim)
        case(row, [ROWS], dim=1)
        case(row, [whole(-5, 6, 3, 4)], dim=0)
        case(row, [mask(5)], dim=0)
    case("cumsum", [normal(1000)], dim=0)


def sorting():
    ties = f(2, 1, 2, 0, 1, 1, 3, 2, 0).reshape(3, 3)
    for row in ["sort", "sort:indices", "argsort"]:
        for shape, dim in [((24,), 0), ((4, 6), -1), ((4, 6), 0), ((2, 3, 4), 1), ((), 0), ((0, 3), 0), ((0, 3), 1)]:
            for descending in [0, 1]:
                case(row, [SPREAD[:math.prod(shape)].reshape(shape)], grad=row == "sort" and math.prod(shape) > 0,
                     dim=dim, descending=descending)
        for descending in [0, 1]:
            case(row, [SPECIAL], descending=descending)
            case(row, [ROWS], dim=0, descending=descending)
            case(row, [ties], grad=row == "sort", dim=1, descending=descending, stable=1)
            case(row, [whole(-3, 4, 12)], descending=descending, stable=1)
            case(row, [mask(7)], descending=descending, stable=1)
    for row in ["topk", "topk:indices"]:
        for shape, dim, k in [((24,), 0, 5), ((24,), -1, 24), ((4, 6), -1, 2), ((4, 6), 0, 3), ((2, 3, 4), 1, 1),
                              ((), 0, 1), ((5,), 0, 0)]:
            for largest in [0, 1]:
                case(row, [SPREAD[:math.prod(shape)].reshape(shape)], grad=row == "topk" and k > 0, dim=dim, k=k,
                     largest=largest)
        for largest in [0, 1]:
            case(row, [f(1, NAN, 3, INF, -INF)], k=3, largest=largest)
            case(row, [torch.tensor([5, -7, 2, 9])], k=2, largest=largest)


FAMILIES = {"statistics": statistics, "sorting": sorting}
