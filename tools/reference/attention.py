"""Attention and rotary positions."""
import math

import torch

from cases import *  # noqa: F403


def attention(x, a):
    """PyTorch 1.13 has none: the formula of later versions, in which a row without any key is 0 (2.5)."""
    q, k, v = x[:3]
    scores = q @ k.transpose(-2, -1) * one(a, "scale", 1 / math.sqrt(q.shape[-1]))
    allowed = torch.ones(scores.shape, dtype=torch.bool)
    if integer(a, "is_causal", 0):
        allowed = allowed.tril()
    if len(x) > 3 and x[3].dtype == torch.bool:
        allowed = allowed & x[3]
    elif len(x) > 3:
        allowed = allowed & (x[3] > -INF)
        scores = scores + torch.where(x[3] > -INF, x[3], torch.zeros_like(x[3]))
    dead = ~allowed.any(-1, keepdim=True)
    weights = torch.softmax(scores.masked_fill(~allowed & ~dead, -INF), -1).masked_fill(dead, 0)
    return weights @ v


def rotary(x, a):
    positions, half = x[0].shape[-2], x[0].shape[-1] // 2
    angle = torch.outer(torch.arange(positions).double() + integer(a, "offset", 0),
                        one(a, "base", 10000.0) ** (-torch.arange(half).double() / half))
    turn = torch.polar(torch.ones_like(angle), angle)
    y = torch.complex(x[0][..., :half].double(), x[0][..., half:].double()) * turn
    return torch.cat([y.real, y.imag], -1)


CALLS.update({"scaled_dot_product_attention": attention, "rotary_embedding": rotary})
FROM_DOUBLE.update(["scaled_dot_product_attention", "rotary_embedding"])


def with_holes(*shape):
    """An added mask, -inf in many places and in all of its first row."""
    t = normal(*shape).masked_fill(mask(*shape), -INF)
    t[..., 0, :] = -INF
    return t


def attentions():
    row = "scaled_dot_product_attention"
    # (query, key and value without their widths), masks that fit
    shapes = [((3,), (4,), [(3, 4), (4,), (1, 1)]),
              ((2, 4), (2, 3), [(2, 4, 3), (4, 1)]),
              ((2, 3, 5), (2, 3, 5), [(2, 1, 1, 5), (5, 5)]),
              ((2, 1, 3), (3, 2), [(2, 3, 3, 2)])]
    for queries, keys, masks in shapes:
        def qkv(): return [normal(*queries, 2), normal(*keys, 2), normal(*keys, 1)]
        case(row, qkv(), grad=True)
        case(row, qkv(), grad=True, is_causal=1, scale=0.75)
        for shape in masks:
            case(row, qkv() + [mask(*shape)], grad=True)
            # What is added to all keys alike changes nothing: its gradient is rounding.
            case(row, qkv() + [normal(*shape)], grad=shape[-1] > 1, scale=0.75)
            if len(shape) > 1 and shape[-1] > 1:
                case(row, qkv() + [with_holes(*shape)], grad=True)
    # More queries than are computed at a time.
    case(row, [normal(70, 1), normal(35, 1), normal(35, 1)], grad=True, is_causal=1)
    case(row, [normal(35, 1), normal(70, 1), normal(70, 1)], grad=True, is_causal=1)
    case(row, [normal(133, 1), normal(9, 1), normal(9, 1)], grad=True)
    for shape in [(3, 4), (2, 5, 2), (2, 3, 4, 6)]:
        case("rotary_embedding", [normal(*shape)], grad=True)
        case("rotary_embedding", [normal(*shape)], grad=True, offset=7, base=100.0)


FAMILIES = {"attention": attentions}
