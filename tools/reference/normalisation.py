"""The norms, dropout and embedding."""
import torch
import torch.nn.functional as F

from cases import *  # noqa: F403


def given(x, i):
    return x[i] if i < len(x) else None


def rms_norm(x, a):
    """PyTorch 1.13 has none: the formula of later versions."""
    eps = one(a, "eps", torch.finfo(x[0].dtype).eps)
    over = list(range(-len(a["shape"]), 0))
    y = x[0] * torch.rsqrt(x[0].square().mean(over, keepdim=True) + eps)
    return y if len(x) < 2 else y * x[1]


def batch_norm(x, a):
    eps = one(a, "eps", 1e-5)
    if integer(a, "training", 0):
        return F.batch_norm(x[0], None, None, given(x, 1), given(x, 2), training=True, eps=eps)
    return F.batch_norm(x[0], x[1].detach(), x[2].detach(), given(x, 3), given(x, 4), eps=eps)


def instance_norm(x, a):
    if integer(a, "use_input_stats", 1):
        return F.instance_norm(x[0], None, None, given(x, 1), given(x, 2), eps=one(a, "eps", 1e-5))
    return F.instance_norm(x[0], x[1].detach(), x[2].detach(), given(x, 3), given(x, 4),
                           use_input_stats=False)


def updated(norm):
    def call(x, a):
        mean, var = x[1].clone(), x[2].clone()
        norm(x[0], mean, var, one(a, "momentum", 0.1))
        return torch.stack([mean, var])
    return call


def dropped(op):
    """Masks are drawn otherwise: only what does not depend on them."""
    return lambda x, a: op(x[0], one(a, "p", 0.5), bool(one(a, "training", 1)))


CALLS.update({
    "layer_norm": lambda x, a: F.layer_norm(x[0], ints(a, "shape"), given(x, 1), given(x, 2), one(a, "eps", 1e-5)),
    "rms_norm": rms_norm,
    "batch_norm": batch_norm,
    "batch_norm.running": updated(lambda x, m, v, momentum: F.batch_norm(x, m, v, training=True, momentum=momentum)),
    "group_norm": lambda x, a: F.group_norm(x[0], integer(a, "groups"), given(x, 1), given(x, 2), one(a, "eps", 1e-5)),
    "instance_norm": instance_norm,
    "instance_norm.running": updated(lambda x, m, v, momentum: F.instance_norm(x, m, v, momentum=momentum)),
    "dropout": dropped(F.dropout),
    "dropout2d": dropped(F.dropout2d),
    "embedding": lambda x, a: F.embedding(x[0], x[1], padding_idx=integer(a, "padding_idx")),
})


def normalisation():
    for row in ["layer_norm", "rms_norm"]:
        for shape, last in [((3, 4), [4]), ((2, 3, 4), [3, 4]), ((2, 3, 5), [5]), ((6,), [6])]:
            case(row, [normal(*shape)], grad=True, shape=last)
            case(row, [normal(*shape), normal(*last)], grad=True, shape=last, eps=0.125)
            if row == "layer_norm":
                case(row, [normal(*shape), normal(*last), normal(*last)], grad=True, shape=last)
        case(row, [normal(3, 70), normal(70)], shape=[70])
        case(row, [normal(0, 4), normal(4)], shape=[4])
        case(row, [f(1, NAN, 2, 3, 3, 3).reshape(2, 3)], shape=[3])
    case("layer_norm", [normal(4, 33) + 16], shape=[33], only="f64")

    for shape in [(4, 3), (2, 3, 4), (2, 3, 2, 2), (1, 2, 5)]:
        c = shape[1]
        case("batch_norm", [normal(*shape)], grad=True, training=1, eps=0.125)
        case("batch_norm", [normal(*shape), normal(c), normal(c)], grad=True, training=1)
        case("batch_norm", [normal(*shape), normal(c), positive(c)], grad=True)
        case("batch_norm", [normal(*shape), normal(c), positive(c), normal(c), normal(c)], grad=True, eps=0.125)
        for momentum in [0.125, 1.0]:
            case("batch_norm.running", [normal(*shape), normal(c), positive(c)], momentum=momentum)
    case("batch_norm", [normal(10, 35), normal(35), normal(35)], training=1)
    case("batch_norm", [normal(3, 2, 35), normal(2), normal(2)], training=1)
    case("batch_norm", [normal(20, 3) + 16], training=1, only="f64")
    case("batch_norm", [normal(0, 3), normal(3), normal(3)], training=1)

    for shape, groups in [((2, 4, 3), 2), ((2, 4, 3), 4), ((3, 4), 2), ((2, 6, 2, 2), 3), ((2, 4, 2, 2), 1)]:
        case("group_norm", [normal(*shape)], grad=True, groups=groups, eps=0.125)
        case("group_norm", [normal(*shape), normal(shape[1]), normal(shape[1])], grad=True, groups=groups)
    case("group_norm", [normal(2, 4, 35), normal(4), normal(4)], groups=2)

    for shape in [(2, 3, 4), (2, 2, 3, 2)]:
        c = shape[1]
        case("instance_norm", [normal(*shape)], grad=True)
        case("instance_norm", [normal(*shape), normal(c), normal(c)], grad=True, eps=0.125)
        case("instance_norm", [normal(*shape), normal(c), positive(c)], grad=True, use_input_stats=0)
        case("instance_norm", [normal(*shape), normal(c), positive(c), normal(c), normal(c)], grad=True,
             use_input_stats=0)
        for momentum in [0.125, 1.0]:
            case("instance_norm.running", [normal(*shape), normal(c), positive(c)], momentum=momentum)


def dropouts():
    for row in ["dropout", "dropout2d"]:
        case(row, [normal(2, 3, 2, 2)], grad=True, p=0.5, training=0)
        case(row, [normal(2, 3, 2, 2)], grad=True, p=1.0)
        case(row, [normal(2, 3, 2, 2)], grad=True, p=0.0)
    for shape in [(3,), (2, 3), (), (0,)]:
        case("embedding", [whole(0, 5, *shape), normal(5, 3)], grad=True)
        case("embedding", [whole(0, 5, *shape), normal(5, 3)], grad=True, padding_idx=2)
        case("embedding", [whole(0, 5, *shape), normal(5, 3)], grad=True, padding_idx=-1)
    case("embedding", [torch.tensor([1, 1, 2, 1]), normal(3, 2)], grad=True, padding_idx=2)


FAMILIES = {"normalisation": normalisation, "dropout": dropouts}
