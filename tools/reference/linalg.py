"""torch.linalg. Matrices are made well conditioned and signs removed as in tests/ops/rows/linalg.cpp."""
import torch
import torch.linalg as LA

from cases import *  # noqa: F403


def dominant(x):
    return x + 4 * torch.eye(*x.shape[-2:], dtype=x.dtype)


def spread_out(x):
    m, n = x.shape[-2:]
    steps = (2 * torch.arange(m, dtype=x.dtype) + 3).reshape(m, 1)
    return 0.5 * x + steps * torch.eye(m, n, dtype=x.dtype)


def symmetric(x):
    return 0.5 * (x + x.mT)


def positive_definite(x):
    return symmetric(dominant(x)) + 2 * torch.eye(x.shape[-1], dtype=x.dtype)


def column_signs(x):
    return torch.sign(torch.diagonal(x, 0, -2, -1)).unsqueeze(-2)


def without_signs(columns):
    return columns[..., :min(columns.shape[-2:])] * column_signs(columns)


def qr_r(x, a):
    q, r = LA.qr(dominant(x[0]))
    return r * column_signs(q).mT


def svd_full(x, a):
    u, s, vh = LA.svd(spread_out(x[0]))
    k = s.shape[-1]
    return (u[..., :k] * s.sqrt().unsqueeze(-2)) @ vh[..., :k, :]


def least_squares(x):
    """PyTorch's driver gelsd, which also finds solutions of least norm, with its derivative; residuals spelled out."""
    a, b = dominant(x[0]), x[1]
    vector = b.dim() == a.dim() - 1
    b = b.unsqueeze(-1) if vector else b
    solution = LA.lstsq(a, b, driver="gelsd").solution
    residuals = (a @ solution - b).square().sum(-2)
    return (solution.squeeze(-1), residuals.squeeze(-1)) if vector else (solution, residuals)


CALLS.update({
    "solve": lambda x, a: LA.solve(dominant(x[0]), x[1], left=bool(one(a, "left", 1))),
    "inv": lambda x, a: LA.inv(dominant(x[0])),
    "det": lambda x, a: LA.det(dominant(x[0])),
    "slogdet": lambda x, a: LA.slogdet(dominant(x[0])).logabsdet,
    "slogdet.sign": lambda x, a: LA.slogdet(x[0]).sign,
    "cholesky": lambda x, a: LA.cholesky(positive_definite(x[0]), upper=bool(one(a, "upper", 0))),
    "qr": lambda x, a: without_signs(LA.qr(dominant(x[0])).Q),
    "qr.R": qr_r,
    "eigh": lambda x, a: LA.eigh(symmetric(spread_out(x[0]))).eigenvalues,
    "eigh.eigenvectors": lambda x, a: without_signs(LA.eigh(symmetric(spread_out(x[0]))).eigenvectors),
    "eigvalsh": lambda x, a: LA.eigvalsh(symmetric(spread_out(x[0]))),
    "svd": lambda x, a: LA.svd(spread_out(x[0])).S,
    "svd.U": lambda x, a: without_signs(LA.svd(spread_out(x[0]), full_matrices=False).U),
    "svd.Vh": lambda x, a: without_signs(LA.svd(spread_out(x[0]), full_matrices=False).Vh.mT),
    "svd.full": svd_full,
    "svdvals": lambda x, a: LA.svdvals(spread_out(x[0])),
    "pinv": lambda x, a: LA.pinv(dominant(x[0])),
    "lstsq": lambda x, a: least_squares(x)[0],
    "lstsq.residuals": lambda x, a: least_squares(x)[1],
})
# Rounding errors grow with the condition of the matrix: the float32 answer is the rounded float64 one.
FROM_DOUBLE.update(["solve", "inv", "det", "slogdet", "cholesky", "qr", "qr.R", "eigh", "eigh.eigenvectors", "eigvalsh",
                    "svd", "svd.U", "svd.Vh", "svd.full", "svdvals", "pinv", "lstsq", "lstsq.residuals"])

SQUARE = [(3, 3), (1, 1), (5, 5), (2, 3, 3), (2, 1, 2, 2), (0, 2, 2), (0, 0)]
ANY = [(3, 3), (4, 2), (2, 4), (2, 3, 2), (2, 2, 3), (1, 1), (1, 3), (3, 1), (6, 5)]


def linalg():
    for shape in SQUARE:
        for row in ["inv", "det", "slogdet", "eigh", "eigh.eigenvectors", "eigvalsh"]:
            case(row, [normal(*shape)], grad=0 not in shape)
        case("slogdet.sign", [normal(*shape)])
        if 0 not in shape:
            case("cholesky", [normal(*shape)], grad=True)
    case("cholesky", [normal(3, 3)], grad=True, upper=1)
    case("cholesky", [normal(2, 2, 2)], grad=True, upper=1)
    case("inv", [normal(24, 24)])
    for shape in ANY:
        for row in ["qr", "qr.R", "svd", "svd.U", "svd.Vh", "svd.full", "svdvals", "pinv"]:
            case(row, [normal(*shape)], grad=True)
    for a, b in [((3, 3), (3, 2)), ((3, 3), (3,)), ((2, 3, 3), (2, 3)), ((2, 3, 3), (2, 3, 1)), ((3, 3), (2, 3, 2)),
                 ((2, 1, 3, 3), (1, 3, 3, 2)), ((2, 2), (2, 0)), ((1, 1), (1, 1))]:
        case("solve", [normal(*a), normal(*b)], grad=0 not in b)
    case("solve", [normal(3, 3), normal(2, 3)], grad=True, left=0)
    case("solve", [normal(2, 3, 3), normal(2, 1, 3)], grad=True, left=0)
    for a, b in [((4, 2), (4, 3)), ((3, 3), (3, 1)), ((2, 4), (2, 2)), ((4, 2), (4,)), ((2, 4, 2), (2, 4, 1)),
                 ((2, 4, 2), (2, 4)), ((7, 3), (7, 2))]:
        case("lstsq", [normal(*a), normal(*b)], grad=True)
        if a[-2] > a[-1]:
            case("lstsq.residuals", [normal(*a), normal(*b)], grad=True)
