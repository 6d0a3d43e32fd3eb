"""Rearranging, splitting, scattering, masks and einsum."""
import torch
import torch.nn.functional as F

from cases import *  # noqa: F403

PAD_MODES = ["constant", "reflect", "replicate", "circular"]


def pad(x, a):
    mode = PAD_MODES[integer(a, "mode", 0)]
    if mode == "constant":
        return F.pad(x[0], ints(a, "pad"), value=one(a, "value", 0.0))
    # PyTorch pads the last dims of batches of channels only.
    count = len(ints(a, "pad")) // 2
    lead = count + 2 - x[0].dim()
    return F.pad(x[0].reshape([1] * lead + list(x[0].shape)), ints(a, "pad"), mode=mode).flatten(0, lead) \
        if lead > 0 else F.pad(x[0], ints(a, "pad"), mode=mode)


def as_one(outputs):
    return torch.cat([(o * (i + 1)).reshape(-1) for i, o in enumerate(outputs)])


def scatter_last(x, a):
    return torch.scatter(x[0], integer(a, "dim"), x[1], x[2])


CALLS.update({
    "tril": lambda x, a: torch.tril(x[0], integer(a, "diagonal", 0)),
    "triu": lambda x, a: torch.triu(x[0], integer(a, "diagonal", 0)),
    "diagonal": lambda x, a: torch.diagonal(x[0], integer(a, "offset", 0), integer(a, "dim1", 0), integer(a, "dim2", 1)),
    "diag": lambda x, a: torch.diag(x[0], integer(a, "diagonal", 0)),
    "flip": lambda x, a: torch.flip(x[0], ints(a, "dims")),
    "roll": lambda x, a: torch.roll(x[0], ints(a, "shifts"), ints(a, "dims")),
    "repeat": lambda x, a: x[0].repeat(ints(a, "repeats")),
    "repeat_interleave": lambda x, a: torch.repeat_interleave(x[0], integer(a, "repeats"), integer(a, "dim")),
    "repeat_interleave:each": lambda x, a: torch.repeat_interleave(x[0], x[1], integer(a, "dim")),
    "pad": pad,
    "split": lambda x, a: as_one(torch.split(x[0], integer(a, "size"), integer(a, "dim", 0))),
    "split:sizes": lambda x, a: as_one(torch.split(x[0], ints(a, "sizes"), integer(a, "dim", 0))),
    "chunk": lambda x, a: as_one(torch.chunk(x[0], integer(a, "chunks"), integer(a, "dim", 0))),
    "unbind": lambda x, a: as_one(torch.unbind(x[0], integer(a, "dim", 0))),
    "meshgrid": lambda x, a: as_one(torch.meshgrid(*x, indexing="xy" if one(a, "xy", 0) else "ij")),
    "scatter": scatter_last,
    "scatter:value": lambda x, a: torch.scatter(x[0], integer(a, "dim"), x[1], one(a, "value")),
    "scatter_add": lambda x, a: torch.scatter_add(x[0], integer(a, "dim"), x[1], x[2]),
    "take_along_dim": lambda x, a: torch.take_along_dim(x[0], x[1], integer(a, "dim")),
    "masked_select": lambda x, a: torch.masked_select(x[0], x[1]),
    "masked_fill": lambda x, a: torch.masked_fill(x[0], x[1], one(a, "value", -2.0)),
    "one_hot": lambda x, a: F.one_hot(x[0], integer(a, "num_classes", -1)),
    "dot": lambda x, a: torch.dot(*x),
    "outer": lambda x, a: torch.outer(*x),
    "mv": lambda x, a: torch.mv(*x),
    "bmm": lambda x, a: torch.bmm(*x),
    "addmm": lambda x, a: torch.addmm(*x, beta=one(a, "beta", 1.0), alpha=one(a, "alpha", 1.0)),
    "einsum": lambda x, a: torch.einsum("ij,jk->ik", *x),
})


def rearranging():
    for row in ["tril", "triu"]:
        for shape, k in [((3, 3), 0), ((3, 5), 1), ((5, 3), -1), ((2, 3, 3), 2), ((2, 3), 7), ((2, 3), -7), ((0, 3), 0)]:
            case(row, [normal(*shape)], grad=0 not in shape, diagonal=k)
        case(row, [torch.tensor([[NAN, INF], [-INF, 1]]).double()])
        case(row, [mask(3, 3)])
    for shape, args in [((3, 3), {}), ((3, 5), dict(offset=1)), ((3, 5), dict(offset=-2)), ((5, 3), dict(offset=-4)),
                        ((2, 3, 4), dict(dim1=-1, dim2=0, offset=1)), ((2, 3, 4), dict(dim1=1, dim2=2)),
                        ((3, 3), dict(offset=3)), ((3, 3), dict(offset=9))]:
        case("diagonal", [normal(*shape)], grad=True, **args)
    for shape, k in [((3,), 0), ((3,), 1), ((2,), -2), ((3, 4), 0), ((3, 4), 2), ((4, 3), -1), ((0,), 0)]:
        case("diag", [normal(*shape)], grad=0 not in shape, diagonal=k)
    for shape, dims in [((4,), [0]), ((2, 3, 4), [0, 2]), ((2, 3), [-1]), ((5, 33), [0, 1]), ((2, 3), []), ((0, 3), [1])]:
        case("flip", [normal(*shape)], grad=0 not in shape, dims=dims)
    case("flip", [whole(0, 9, 7)], dims=[0])
    case("flip", [mask(3, 5)], dims=[0, 1])
    for shape, shifts, dims in [((5,), [2], [0]), ((2, 3), [-1], []), ((3, 4), [1, -6], [0, 1]), ((3, 4), [2], [-1]),
                                ((3, 4), [3], [0]), ((3, 4), [1, 1], [1, 1])]:
        case("roll", [normal(*shape)], grad=True, shifts=shifts, dims=dims)
    for shape, repeats in [((3,), [2]), ((2, 3), [2, 3]), ((2, 1), [3, 1, 2]), ((2, 3), [1, 1]), ((2, 3), [0, 2]),
                           ((), [2, 2]), ((1,), [4])]:
        case("repeat", [normal(*shape)], grad=0 not in repeats, repeats=repeats)
    for shape, args in [((3,), dict(repeats=2)), ((2, 3), dict(repeats=3)), ((2, 3), dict(repeats=2, dim=-1)),
                        ((2, 3), dict(repeats=1, dim=0)), ((2, 1), dict(repeats=3, dim=1)), ((), dict(repeats=2))]:
        case("repeat_interleave", [normal(*shape)], grad=True, **args)
    case("repeat_interleave:each", [normal(3), torch.tensor([2, 0, 1])], grad=True)
    case("repeat_interleave:each", [normal(2, 3), torch.tensor([0, 3])], grad=True, dim=0)
    case("repeat_interleave:each", [normal(2, 3), torch.tensor([2])], grad=True, dim=1)
    for shape, args in [((3,), dict(pad=[1, 2], value=7)), ((2, 3), dict(pad=[1, 0, 0, 2])), ((2, 3), dict(pad=[])),
                        ((4, 5), dict(pad=[-1, 2, 1, -2], value=-1)), ((4,), dict(pad=[-2, -2])),
                        ((2, 3), dict(pad=[1, 1], value=INF))]:
        case("pad", [normal(*shape)], grad=True, **args)
    for mode, big in [(1, 2), (2, 5), (3, 3)]:
        case("pad", [normal(1, 3)], grad=True, pad=[big, 1], mode=mode)
        case("pad", [normal(2, 3)], grad=True, pad=[0, 2], mode=mode)
        case("pad", [normal(2, 3, 4)], grad=True, pad=[1, 2, 2, 0], mode=mode)


def splitting():
    for shape, args in [((5, 2), dict(size=2)), ((2, 6), dict(size=3, dim=-1)), ((2, 3), dict(size=9)), ((4,), dict(size=1))]:
        case("split", [normal(*shape)], grad=True, **args)
    case("split:sizes", [normal(5, 2)], grad=True, sizes=[1, 4])
    case("split:sizes", [normal(2, 6)], grad=True, sizes=[3, 0, 1, 2], dim=1)
    for shape, args in [((5, 2), dict(chunks=2)), ((2, 6), dict(chunks=4, dim=-1)), ((3,), dict(chunks=7)),
                        ((10,), dict(chunks=4))]:
        case("chunk", [normal(*shape)], grad=True, **args)
    for shape, args in [((3, 2), {}), ((2, 3, 2), dict(dim=-2)), ((4,), {})]:
        case("unbind", [normal(*shape)], grad=True, **args)
    for shapes in [[(2,), (3,)], [(2,), (3,), (2,)], [(), (3,)], [(3,)]]:
        for xy in [0, 1]:
            if xy and len(shapes) == 1:
                continue  # PyTorch asks for two there
            case("meshgrid", [normal(*s) for s in shapes], grad=True, xy=xy)


def scattering():
    # Without two writes to one place: PyTorch leaves open which of them stays.
    case("scatter", [normal(3, 4), torch.tensor([[0, 1, 2, 0], [1, 0, 0, 2]]), normal(2, 4)], grad=True, dim=0)
    case("scatter", [normal(3, 4), torch.tensor([[3, 0], [1, 2]]), normal(2, 2)], grad=True, dim=-1)
    case("scatter", [normal(3, 4), torch.tensor([[3, 0], [1, 2]]), normal(3, 4)], dim=1)
    case("scatter", [normal(5), torch.tensor([], dtype=torch.int64), normal(2)], dim=0)
    case("scatter", [whole(0, 9, 5), torch.tensor([4, 1]), whole(10, 20, 2)], dim=0)
    case("scatter:value", [normal(3, 4), whole(0, 3, 2, 4)], grad=True, dim=0, value=1.5)
    case("scatter:value", [normal(3, 4), whole(0, 4, 3, 2)], grad=True, dim=1, value=-INF)
    case("scatter_add", [normal(3, 4), whole(0, 3, 2, 4), normal(2, 4)], grad=True, dim=0)
    case("scatter_add", [normal(3, 4), whole(0, 4, 3, 6), normal(3, 6)], grad=True, dim=1)
    case("scatter_add", [normal(2, 3, 4), whole(0, 3, 2, 5, 3), normal(2, 5, 3)], grad=True, dim=-2)
    case("scatter_add", [whole(0, 9, 5), whole(0, 5, 8), whole(0, 9, 8)], dim=0)
    case("take_along_dim", [normal(3, 4), whole(0, 3, 2, 4)], grad=True, dim=0)
    case("take_along_dim", [normal(3, 4), whole(0, 4, 3, 1)], grad=True, dim=-1)
    case("take_along_dim", [normal(1, 4), whole(0, 4, 3, 2)], grad=True, dim=1)
    case("take_along_dim", [normal(3, 4), whole(0, 12, 2, 2)], grad=True)
    for a, b in [((3, 4), (3, 4)), ((3, 4), (4,)), ((4,), (3, 1)), ((0,), (0,))]:
        case("masked_select", [normal(*a), mask(*b)], grad=0 not in a)
        case("masked_fill", [normal(*a), mask(*b)], grad=0 not in a)
    case("masked_fill", [f(NAN, INF, 1), torch.tensor([True, True, False])], value=-INF)
    case("masked_fill", [normal(2, 3), mask(2, 3)], grad=True, value=0.5)
    case("one_hot", [whole(0, 3, 4)])
    case("one_hot", [whole(0, 4, 2, 3)], num_classes=6)
    case("one_hot", [torch.tensor(2)], num_classes=3)


EQUATIONS = {
    "ii": [(3, 3)], "ii->i": [(3, 3)], "ij->ji": [(2, 3)], "ba": [(2, 3)], "ij->": [(2, 3)], "i,j->ij": [(2,), (3,)],
    "bi,bi->b": [(2, 3), (2, 3)], "bij,bjk->bik": [(2, 2, 3), (2, 3, 2)], "ij,kj": [(2, 3), (4, 3)],
    "ijk,il,jlm->km": [(2, 3, 2), (2, 2), (3, 2, 2)], "bhqd,bhkd->bhqk": [(1, 2, 3, 2), (1, 2, 2, 2)],
    "...ij,...jk->...ik": [(2, 2, 3), (3, 2)], "i...,i...": [(2, 3), (2, 1)], "iij,jk->ki": [(2, 2, 3), (3, 2)],
}
for equation in EQUATIONS:
    CALLS["einsum." + equation] = lambda x, a, equation=equation: torch.einsum(equation, *x)


def vectors():
    for row, shapes in [("dot", [(3,), (3,)]), ("dot", [(0,), (0,)]), ("outer", [(3,), (2,)]), ("mv", [(2, 3), (3,)]),
                        ("bmm", [(2, 2, 3), (2, 3, 4)]), ("einsum", [(2, 3), (3, 4)]), ("einsum", [(2, 0), (0, 3)])]:
        case(row, [normal(*s) for s in shapes], grad=True)
    for shape, args in [((2, 4), {}), ((4,), dict(beta=0.5, alpha=-2)), ((2, 1), {}), ((), {})]:
        case("addmm", [normal(*shape), normal(2, 3), normal(3, 4)], grad=True, **args)
    case("addmm", [f(NAN, 1, 2, 3), normal(2, 3), normal(3, 4)], beta=0)
    for equation, shapes in EQUATIONS.items():
        case("einsum." + equation, [normal(*s) for s in shapes], grad=True)
    case("einsum.bhqd,bhkd->bhqk", [normal(2, 3, 4, 5), normal(2, 3, 4, 5)])
