"""Reference cases of the losses."""
import itertools
import math

import torch
import torch.nn.functional as F

from cases import *  # noqa: F403

REDUCTIONS = ["none", "mean", "sum", "batchmean"]


def reduction(a):
    return REDUCTIONS[integer(a, "reduction", 1)]


def reduced(loss, a):
    return {"none": lambda: loss, "mean": loss.mean, "sum": loss.sum}[reduction(a)]()


def nth(x, i):
    return x[i] if len(x) > i else None


def named(x, a, first, names):
    """Optional tensors stand behind the inputs, in the order of their names; an argument says that one is there."""
    rest = iter(x[first:])
    return {name: next(rest) for name in names if name in a}


def signs(x, a):
    """Targets are written as 0 and 1, and mean -1 and 1."""
    target = 2 * x[-1] - 1
    return target.to(x[0].dtype) if "floating" in a else target


def cross_entropy(x, a):
    return F.cross_entropy(x[0], x[1], nth(x, 2), reduction=reduction(a),
                           ignore_index=integer(a, "ignore_index", -100), label_smoothing=one(a, "label_smoothing", 0.0))


def bce_with_logits(x, a):
    return F.binary_cross_entropy_with_logits(x[0], x[1], reduction=reduction(a),
                                              **named(x, a, 2, ["weight", "pos_weight"]))


# The losses that PyTorch lacks, from their formulas.

def quantile(x, a):
    q, e = one(a, "quantile", 0.5), x[1] - x[0]
    return reduced(torch.where(e > 0, q * e, torch.where(e < 0, (q - 1) * e, 0 * e)), a)


def expectile(x, a):
    q, e = one(a, "expectile", 0.5), x[1] - x[0]
    return reduced(torch.abs(q - (e <= 0).to(e.dtype)) * e * e, a)


def linex(x, a):
    d = one(a, "a", 1.0) * (x[0] - x[1])
    return reduced(torch.exp(d) - d - 1, a)


def peak_weighted(x, a):
    missed = (x[1] > one(a, "threshold", 0.0)) & (x[0] < x[1])
    factor = 1 + (one(a, "weight", 2.0) - 1) * missed.to(x[0].dtype)
    return reduced(factor * (x[0] - x[1]) ** 2, a)


CALLS.update({
    "mse_loss": lambda x, a: F.mse_loss(x[0], x[1], reduction=reduction(a)),
    "l1_loss": lambda x, a: F.l1_loss(x[0], x[1], reduction=reduction(a)),
    "cross_entropy": cross_entropy,
    "nll_loss": lambda x, a: F.nll_loss(x[0], x[1], nth(x, 2), reduction=reduction(a),
                                        ignore_index=integer(a, "ignore_index", -100)),
    "binary_cross_entropy": lambda x, a: F.binary_cross_entropy(x[0], x[1], nth(x, 2), reduction=reduction(a)),
    "binary_cross_entropy_with_logits": bce_with_logits,
    "kl_div": lambda x, a: F.kl_div(x[0], x[1], reduction=reduction(a), log_target="log_target" in a),
    "gaussian_nll_loss": lambda x, a: F.gaussian_nll_loss(x[0], x[1], x[2], full="full" in a,
                                                          eps=one(a, "eps", 1e-6), reduction=reduction(a)),
    "huber_loss": lambda x, a: F.huber_loss(x[0], x[1], reduction=reduction(a), delta=one(a, "delta", 1.0)),
    "smooth_l1_loss": lambda x, a: F.smooth_l1_loss(x[0], x[1], reduction=reduction(a), beta=one(a, "beta", 1.0)),
    "quantile_loss": quantile,
    "expectile_loss": expectile,
    "linex_loss": linex,
    "peak_weighted_mse_loss": peak_weighted,
    "hinge_embedding_loss": lambda x, a: F.hinge_embedding_loss(x[0], signs(x, a), margin=one(a, "margin", 1.0),
                                                                reduction=reduction(a)),
    "multi_margin_loss": lambda x, a: F.multi_margin_loss(x[0], x[1], p=integer(a, "p", 1), weight=nth(x, 2),
                                                          margin=one(a, "margin", 1.0), reduction=reduction(a)),
    "cosine_embedding_loss": lambda x, a: F.cosine_embedding_loss(x[0], x[1], signs(x, a), reduction=reduction(a),
                                                                  margin=one(a, "margin", 0.0)),
    "triplet_margin_loss": lambda x, a: F.triplet_margin_loss(
        *x, margin=one(a, "margin", 1.0), p=one(a, "p", 2.0), eps=one(a, "eps", 1e-6), swap="swap" in a,
        reduction=reduction(a)),
})
FROM_DOUBLE |= {"quantile_loss", "expectile_loss", "linex_loss", "peak_weighted_mse_loss", "gaussian_nll_loss",
                "cosine_embedding_loss", "triplet_margin_loss"}


def losses():
    for row in ["mse_loss", "l1_loss"]:
        for shape in [(4,), (2, 3), (), (35, 2)]:
            for how in [0, 1, 2]:
                case(row, [normal(*shape), normal(*shape)], grad=math.prod(shape) < 30, reduction=how)
        case(row, [normal(0, 2), normal(0, 2)], reduction=2)
        case(row, [normal(0, 2), normal(0, 2)], reduction=1)
        case(row, [f(1, NAN), f(0, 0)], reduction=2)
    for shape in [(4,), (2, 3), (), (0,), (33,)]:
        for how in [0, 1, 2]:
            target = torch.randint(0, 5, shape).double() / 4
            case("binary_cross_entropy_with_logits", [signed(*shape) * 2, target], grad=math.prod(shape) < 30, reduction=how)
    case("binary_cross_entropy_with_logits", [f(1000, -1000, 1000, -1000, 0, 100, -100, 40), f(1, 0, 0, 1, 0.5, 0, 1, 0)],
         reduction=0, grad=True)
    case("binary_cross_entropy_with_logits", [f(NAN, 1), f(1, 0)], reduction=0)

    row = "cross_entropy"
    for how in [0, 1, 2]:
        x, t, w = normal(4, 5), torch.tensor([0, 4, 2, 2]), positive(5)
        case(row, [x, t], grad=True, reduction=how)
        case(row, [x, t, w], reduction=how)
        case(row, [x, torch.tensor([0, -100, 2, -100])], grad=True, reduction=how)
        case(row, [x, torch.tensor([0, 1, 2, 1])], reduction=how, ignore_index=1)
        case(row, [x, t], grad=True, reduction=how, label_smoothing=0.125)
        case(row, [x, torch.tensor([0, -100, 2, -100]), w], reduction=how, label_smoothing=0.25)
        case(row, [x, torch.tensor([0, 3, 2, 3]), w], reduction=how, ignore_index=3)
        case(row, [x, t], reduction=how, label_smoothing=1.0)
        case(row, [normal(5), torch.tensor(3)], grad=True, reduction=how)
        case(row, [normal(0, 5), torch.tensor([], dtype=torch.int64)], reduction=how)
        case(row, [normal(2, 3), torch.tensor([-100, -100])], reduction=how)
        case(row, [f(1e4, -1e4, 0, 1e4, 1e4, -1e4, -1e4, -1e4, -1e4).reshape(3, 3), torch.tensor([0, 2, 1])], grad=True,
             reduction=how)
    case(row, [normal(33, 10), whole(0, 10, 33)])
    case(row, [normal(3, 1), torch.tensor([0, 0, 0])], reduction=0)
    case(row, [f(0, INF, 1, 0, -INF, 1, NAN, 0, 1, 0, 1, -INF).reshape(4, 3), torch.tensor([0, 0, 1, 0])], reduction=0)


def probability(*shape):
    return torch.round(torch.rand(shape, dtype=torch.float64) * 200 + 28) / 256


def crossed(**options):
    """Every combination without reduction, and each reduction (the first option) with each other option. One that is
    None is left out of the call."""
    for values in itertools.product(*options.values()):
        if values[0] == 0 or sum(value is not None for value in values[1:]) < 2:
            yield {name: value for name, value in zip(options, values) if value is not None}


def likelihoods():
    logits, w = normal(4, 3), positive(3)
    soft = torch.tensor([[0.5, 0.25, 0.25], [0, 1, 0], [0.125, 0.125, 0.75], [0, 0.5, 0.5]]).double()
    # The weight is no leaf of PyTorch's: it has no gradient there.
    for o in crossed(reduction=[0, 1, 2], label_smoothing=[None, 0.25], weighted=[None, 1]):
        weight = [w] if o.pop("weighted", None) else []
        case("cross_entropy", [logits, soft] + weight, grad=not weight, **o)
        case("cross_entropy", [normal(2, 3, 2), torch.rand(2, 3, 2).double().mul(8).round() / 8] + weight, **o)
        spatial = whole(0, 3, 2, 2, 3)
        case("cross_entropy", [normal(2, 3, 2, 3), spatial] + weight, grad=not weight, **o)
        spatial[0, 1] = -100
        case("cross_entropy", [normal(2, 3, 2, 3), spatial] + weight, grad=not weight, **o)
        case("cross_entropy", [normal(2, 3, 4), whole(0, 3, 2, 4)] + weight, ignore_index=1, **o)
        case("cross_entropy", [normal(3), soft[0]] + weight, grad=not weight, **o)
    for o in crossed(reduction=[0, 1, 2], ignore_index=[None, 1], weighted=[None, 1]):
        weight = [w] if o.pop("weighted", None) else []
        case("nll_loss", [normal(4, 3), torch.tensor([0, 1, 2, 2])] + weight, grad=not weight, **o)
        case("nll_loss", [normal(4, 3), torch.tensor([0, -100, 2, -100] if "ignore_index" not in o else [0, 1, 2, 1])] +
             weight, **o)
        case("nll_loss", [normal(2, 3, 2, 2), whole(0, 3, 2, 2, 2)] + weight, grad=not weight, **o)
        case("nll_loss", [normal(3), torch.tensor(2)] + weight, **o)
    for how in [0, 1, 2]:
        case("binary_cross_entropy", [probability(2, 3), probability(2, 3)], grad=True, reduction=how)
        case("binary_cross_entropy", [probability(2, 3), probability(2, 3), positive(3)], reduction=how)
        case("binary_cross_entropy", [f(0, 1, 1, 0, 0.5), f(0, 1, 0, 1, 1)], reduction=how)
        case("binary_cross_entropy", [probability(0), probability(0)], reduction=how)
    for o in crossed(reduction=[0, 1, 2], weight=[None, 1], pos_weight=[None, 1]):
        extra = [positive(2, 3)] if "weight" in o else []
        extra += [positive(3)] if "pos_weight" in o else []
        case("binary_cross_entropy_with_logits", [normal(2, 3), probability(2, 3)] + extra, grad=not extra, **o)
    for o in crossed(reduction=[0, 1, 2, 3], log_target=[None, 1]):
        target = normal(4, 3) if "log_target" in o else soft
        case("kl_div", [normal(4, 3), target], grad="log_target" in o, **o)
        case("kl_div", [normal(4, 3), positive(4, 3)], grad=True, **o)
    for o in crossed(reduction=[0, 1, 2], full=[None, 1], eps=[None, 0.5]):
        for var in [positive(2, 3), positive(2), positive(2, 1), f(0.0, 0.25)]:
            case("gaussian_nll_loss", [normal(2, 3), normal(2, 3), var], grad="eps" in o or var[0].sum() > 0, **o)


def distances():
    for o in crossed(reduction=[0, 1, 2], delta=[None, 0.5, 3]):
        case("huber_loss", [normal(3, 4), normal(3, 4)], grad=True, **o)
        case("huber_loss", [f(0.5, -0.5, 1, -1, 3, 0), f(0, 0, 0, 0, 0, 0)], grad=True, **o)
    for o in crossed(reduction=[0, 1, 2], beta=[None, 0.5, 0]):
        case("smooth_l1_loss", [normal(3, 4), normal(3, 4)], grad=True, **o)
        # PyTorch's derivative at the kink that beta 0 makes is no subgradient: the same for both inputs.
        last = 0.25 if o.get("beta") == 0 else 0
        case("smooth_l1_loss", [f(0.5, -0.5, 1, -1, 3, last), f(0, 0, 0, 0, 0, 0)], grad=True, **o)
    rows = [("quantile_loss", {"quantile": [None, 0.9, 0.125]}), ("expectile_loss", {"expectile": [None, 0.9, 0.125]}),
            ("linex_loss", {"a": [None, -0.5, 2]}),
            ("peak_weighted_mse_loss", {"threshold": [None, 0.5], "weight": [None, 0, 5]})]
    for row, options in rows:
        for o in crossed(reduction=[0, 1, 2], **options):
            case(row, [normal(3, 4), normal(3, 4)], grad=True, **o)
        case(row, [f(0, 1, -1, 2), f(0, 1, -1, 2)], grad=True, reduction=0)
        case(row, [normal(2, 3), normal(3)], grad=True)


def margins():
    for o in crossed(reduction=[0, 1, 2], margin=[None, 0.25], floating=[None, 1]):
        case("hinge_embedding_loss", [signed(3, 4), whole(0, 2, 3, 4)], grad=True, **o)
        case("hinge_embedding_loss", [f(1, 0.25, -3), torch.tensor([0, 0, 0])], grad=True, **o)
        case("cosine_embedding_loss", [normal(5, 3), normal(5, 3), whole(0, 2, 5)], grad=True, **o)
        case("cosine_embedding_loss", [normal(3), normal(3), torch.tensor(1)], grad=True, **o)
    # Without gradient, which shows that PyTorch's epsilon is a float32.
    case("cosine_embedding_loss", [f(0, 0).reshape(1, 2), f(0, 1).reshape(1, 2), torch.tensor([1])])
    for o in crossed(reduction=[0, 1, 2], p=[None, 2], margin=[None, 0.25], weighted=[None, 1]):
        weight = [positive(3)] if o.pop("weighted", None) else []
        case("multi_margin_loss", [normal(5, 3), whole(0, 3, 5)] + weight, grad=not weight, **o)
        case("multi_margin_loss", [normal(3), torch.tensor(1)] + weight, **o)
    for o in crossed(reduction=[0, 1, 2], p=[None, 1, 3], margin=[None, 0.25], swap=[None, 1]):
        case("triplet_margin_loss", [normal(5, 3), normal(5, 3), normal(5, 3)], grad=True, **o)
    case("triplet_margin_loss", [normal(3), normal(3), normal(3)], grad=True, eps=0.5)
    same = normal(2, 3)
    case("triplet_margin_loss", [same, same, same], grad=True)


def loss_options():
    likelihoods()
    distances()
    margins()
