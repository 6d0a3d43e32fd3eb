#!/usr/bin/env python3
"""Prints rows of tests/clip_grad_test.cpp: norms and clipped gradients by torch.nn.utils.

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
