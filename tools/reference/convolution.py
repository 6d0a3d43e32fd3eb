"""Convolutions and pooling."""
import math

import torch
import torch.nn.functional as F

from cases import *  # noqa: F403


def pair(a, key, otherwise):
    values = [int(v) for v in a.get(key, [otherwise])]
    return values * 2 if len(values) == 1 else values


def conv_options(a, *names):
    return dict({name: pair(a, name, 0 if "padding" in name else 1) for name in names}, groups=integer(a, "groups", 1))


def bias(x):
    return x[2] if len(x) > 2 else None


def pool_options(a, *flags):
    return dict(stride=pair(a, "stride", 0) if "stride" in a else None, padding=pair(a, "padding", 0),
                ceil_mode=bool(one(a, "ceil_mode", 0)), **{flag: bool(one(a, flag, 1)) for flag in flags})


def flat(options):
    """Options of one dim: the second number of each pair."""
    return {key: value[1] if isinstance(value, list) else value for key, value in options.items()}




def interpolate(x, a):
    """Of any dtype that PyTorch has; a row has one size and one factor."""
    mode, rows = ["nearest", "linear", "bilinear"][integer(a, "mode", 0)], x[0].dim() == 3
    size = pair(a, "size", 0)[-1 if rows else 0:] if "size" in a else None
    factor = [one(a, "height_factor"), one(a, "width_factor")][1 if rows else 0:] if "width_factor" in a else None
    return F.interpolate(x[0], size, factor, mode, bool(one(a, "align_corners", 0)) if mode != "nearest" else None)


CALLS.update({
    "interpolate": interpolate,
    "conv2d": lambda x, a: F.conv2d(x[0], x[1], bias(x), **conv_options(a, "stride", "padding", "dilation")),
    "conv1d": lambda x, a: F.conv1d(x[0], x[1], bias(x), **flat(conv_options(a, "stride", "padding", "dilation"))),
    "conv_transpose2d": lambda x, a: F.conv_transpose2d(
        x[0], x[1], bias(x), **conv_options(a, "stride", "padding", "output_padding", "dilation")),
    "max_pool2d": lambda x, a: images(F.max_pool2d, x[0], pair(a, "kernel_size", 2), dilation=pair(a, "dilation", 1),
                                      **pool_options(a)),
    "max_pool1d": lambda x, a: F.max_pool1d(x[0], integer(a, "kernel_size", 2), dilation=integer(a, "dilation", 1),
                                            **flat(pool_options(a))),
    "avg_pool2d": lambda x, a: images(F.avg_pool2d, x[0], pair(a, "kernel_size", 2),
                                      **pool_options(a, "count_include_pad")),
    "avg_pool1d": lambda x, a: F.avg_pool1d(x[0], integer(a, "kernel_size", 2),
                                            **flat(pool_options(a, "count_include_pad"))),
    "adaptive_avg_pool2d": lambda x, a: images(F.adaptive_avg_pool2d, x[0], pair(a, "output_size", 1)),
    "adaptive_avg_pool1d": lambda x, a: F.adaptive_avg_pool1d(x[0], integer(a, "output_size", 1)),
})


def images(f, x, *args, **kwargs):
    """Any number of leading dims: PyTorch takes one or two."""
    y = f(x.reshape(1, -1, *x.shape[-2:]), *args, **kwargs)
    return y.reshape(*x.shape[:-2], *y.shape[-2:])


def ranks(*shape):
    """No two elements are equal."""
    count = math.prod(shape)
    return (torch.randperm(count, generator=torch.Generator().manual_seed(count)).double() / 8 - 3).reshape(shape)


def convolutions():
    for shape, weight, args in [((2, 2, 4, 5), (3, 2, 3, 2), {}), ((2, 4, 5), (3, 2, 3, 2), {}),
                                ((2, 3, 3, 3), (2, 3, 1, 1), {}), ((3, 1, 8, 8), (2, 1, 3, 3), dict(padding=1)),
                                ((1, 4, 5, 4), (6, 2, 3, 3), dict(stride=2, padding=1, groups=2)),
                                ((2, 2, 5, 5), (2, 1, 2, 3), dict(padding=[2, 1], dilation=[2, 1], groups=2)),
                                ((1, 1, 4, 3), (1, 1, 2, 2), dict(stride=[3, 2], padding=[0, 2])),
                                ((2, 4, 6, 6), (4, 4, 3, 3), dict(stride=[1, 2], padding=[3, 1], dilation=[2, 3]))]:
        case("conv2d", [normal(*shape), normal(*weight), normal(weight[0])], grad=True, **args)
        case("conv2d", [normal(*shape), normal(*weight)], **args)
    for args in [{}, dict(stride=2), dict(padding=1), dict(dilation=2), dict(stride=3, padding=2, dilation=2)]:
        case("conv1d", [normal(2, 2, 7), normal(3, 2, 3), normal(3)], grad=True, **args)
    case("conv1d", [normal(2, 4, 6), normal(2, 2, 2)], grad=True, groups=2)
    for weight, args in [((4, 2, 3, 2), {}), ((4, 3, 2, 2), dict(stride=2, groups=2)),
                         ((4, 1, 3, 3), dict(stride=2, padding=1, output_padding=1, groups=4)),
                         ((4, 2, 2, 3), dict(stride=[1, 3], dilation=[2, 1], output_padding=[1, 2]))]:
        channels = weight[1] * args.get("groups", 1)
        case("conv_transpose2d", [normal(2, 4, 3, 2), normal(*weight), normal(channels)], grad=True, **args)


def pools():
    for args in [{}, dict(kernel_size=[2, 3]), dict(kernel_size=3, stride=[1, 2], padding=1),
                 dict(kernel_size=3, stride=2, ceil_mode=1), dict(kernel_size=2, stride=3, padding=1, ceil_mode=1)]:
        case("max_pool2d", [ranks(2, 2, 6, 5)], grad=True, **args)
        for include in [0, 1]:
            case("avg_pool2d", [normal(2, 2, 6, 5)], grad=True, count_include_pad=include, **args)
    case("max_pool2d", [ranks(2, 6, 6)], grad=True, kernel_size=2, stride=1, dilation=2)
    case("max_pool2d", [f(1, NAN, 2, 3, 4, 5, -INF, -INF).reshape(1, 2, 4)])
    for args in [{}, dict(kernel_size=3, stride=2, padding=1), dict(kernel_size=3, stride=2, ceil_mode=1)]:
        case("max_pool1d", [ranks(2, 3, 8)], grad=True, **args)
        case("avg_pool1d", [normal(2, 3, 8)], grad=True, **args)
    for size in [1, [2, 3], 4, [7, 1]]:
        case("adaptive_avg_pool2d", [normal(2, 2, 5, 4)], grad=True, output_size=size)
    for size in [1, 3, 5]:
        case("adaptive_avg_pool1d", [normal(2, 2, 5)], grad=True, output_size=size)


def resizing():
    for mode, corners in [(0, 0), (2, 0), (2, 1)]:
        for size in [[2, 2], [6, 10], [4, 1], [7, 3], [1, 8], [3, 5]]:
            case("interpolate", [normal(1, 2, 3, 5)], grad=True, size=size, mode=mode, align_corners=corners)
        for height, width in [(2, 2), (1.7, 0.6), (0.34, 3.3), (1.1, 2.5)]:
            case("interpolate", [normal(1, 1, 4, 5)], grad=True, height_factor=height, width_factor=width, mode=mode,
                 align_corners=corners)
    for mode, corners in [(0, 0), (1, 0), (1, 1)]:
        for size in [1, 2, 4, 8, 11]:
            case("interpolate", [normal(2, 2, 4)], grad=True, size=size, mode=mode, align_corners=corners)
        for factor in [2, 0.75, 2.6]:
            case("interpolate", [normal(1, 1, 7)], grad=True, height_factor=1, width_factor=factor, mode=mode,
                 align_corners=corners)


FAMILIES = {"resizing": resizing, "convolutions": convolutions, "pools": pools}
