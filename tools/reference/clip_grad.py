#!/usr/bin/env python3
"""Prints rows of tests/clip_grad_test.cpp: norms and clipped gradients by torch.nn.utils, and adaptively clipped ones.

Usage: python3 tools/reference/clip_grad.py        (made with torch 1.13, Debian's python3-torch)
"""
import math

import torch

GRADIENTS = [[[3.0, -4.0, 0.0], [0.5, 1.25, -2.0]], [[-12.0, 0.125]]]

for norm_type in (2.0, 1.0, 3.0, 0.5, math.inf):
    for max_norm in (1.0, 100.0):
        parameters = [torch.zeros(len(g), len(g[0]), dtype=torch.float64, requires_grad=True) for g in GRADIENTS]
        for p, g in zip(parameters, GRADIENTS):
            p.grad = torch.tensor(g, dtype=torch.float64)
        norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type=norm_type)
        values = ", ".join(repr(v) for p in parameters for v in p.grad.reshape(-1).tolist())
        print(f"{{{norm_type}, {max_norm}, {norm.item()!r}, {{{values}}}}},".replace("inf", "INFINITY"))


# Adaptive clipping as timm.utils.agc does it, after Brock et al. 2021.
def unitwise_norm(x, norm_type):
    return x.norm(norm_type) if x.ndim <= 1 else x.norm(norm_type, dim=tuple(range(1, x.ndim)), keepdim=True)


def adaptively_clipped(weight, gradient, clip_factor, eps, norm_type):
    largest = unitwise_norm(weight, norm_type).clamp(min=eps) * clip_factor
    norm = unitwise_norm(gradient, norm_type)
    return torch.where(norm < largest, gradient, gradient * (largest / norm.clamp(min=1e-6)))


WEIGHT = torch.arange(-6.0, 6.0, dtype=torch.float64).reshape(3, 2, 2) / 8
GRADIENT = torch.tensor([0.001, -0.002, 0.0, 0.001, 3.0, -4.0, 0.5, 1.25, -12.0, 0.125, 0.0, 1.0], dtype=torch.float64)
for norm_type in (2.0, 1.0, math.inf):
    for clip_factor, eps in ((0.01, 1e-3), (0.5, 3.0)):
        units = adaptively_clipped(WEIGHT, GRADIENT.reshape(3, 2, 2), clip_factor, eps, norm_type)
        whole = adaptively_clipped(WEIGHT.reshape(-1), GRADIENT, clip_factor, eps, norm_type)
        values = ", ".join(repr(v) for x in (units, whole) for v in x.reshape(-1).tolist())
        print(f"{{{norm_type}, {clip_factor}, {eps}, {{{values}}}}},".replace("inf", "INFINITY"))
