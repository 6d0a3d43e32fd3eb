#!/usr/bin/env python3
"""Writes tests/data/schedules_reference.json: PyTorch's learning rates over 500 steps (tests/schedules_test.cpp).

Usage: python3 tools/reference/schedules.py [output]        (made with torch 1.13, Debian's python3-torch)

Most of PyTorch's schedules change the rate that they find, and so drift. Where PyTorch has its own closed form as well
(_get_closed_form_lr), that is what is written, after a look at whether the run agrees with it but for drift: to 1e-9 of
the largest rate. The chained and sequential cases are runs. What PyTorch lacks is the published formula, written here
once more. Of each case: the rates (and momenta) of both groups at some of the times, and their sums over all.
"""
import json
import math
import os
import sys
import warnings

import torch
from torch.optim import SGD, Adam
from torch.optim import lr_scheduler as lrs
from torch.optim.swa_utils import SWALR

STEPS = 500
TIMES = sorted(set(range(12)) | set(range(12, 500, 17)) | {29, 30, 31, 99, 100, 101, 199, 200, 201, 299, 300, 301, 498, 499, 500})
BASES = [0.5, 0.02]

warnings.filterwarnings("ignore")


def wave(t):
    return 1 / (1 + 0.1 * (t % 20))


def shrink(t):
    return 0.9 if t % 10 == 0 else 1.001


def sequence(o):
    return lrs.SequentialLR(o, [lrs.LinearLR(o, start_factor=0.1, total_iters=20), lrs.StepLR(o, 30, gamma=0.7),
                                lrs.CosineAnnealingLR(o, 300)], milestones=[20, 200])


def chain(o):
    return lrs.ChainedScheduler([lrs.ConstantLR(o, factor=0.5, total_iters=40), lrs.ExponentialLR(o, 0.995),
                                 lrs.MultiStepLR(o, [100, 300], gamma=0.5)])


CASES = {
    "LambdaLR": lambda o: lrs.LambdaLR(o, wave),
    "LambdaLR/per group": lambda o: lrs.LambdaLR(o, [wave, lambda t: 0.98 ** t]),
    "MultiplicativeLR": lambda o: lrs.MultiplicativeLR(o, shrink),
    "StepLR": lambda o: lrs.StepLR(o, 30),
    "StepLR/gamma": lambda o: lrs.StepLR(o, 7, gamma=0.9),
    "MultiStepLR": lambda o: lrs.MultiStepLR(o, [30, 80, 80, 300], gamma=0.3),
    "ConstantLR": lambda o: lrs.ConstantLR(o),
    "ConstantLR/options": lambda o: lrs.ConstantLR(o, factor=0.25, total_iters=100),
    "LinearLR": lambda o: lrs.LinearLR(o),
    "LinearLR/down": lambda o: lrs.LinearLR(o, start_factor=1.0, end_factor=0.05, total_iters=300),
    "ExponentialLR": lambda o: lrs.ExponentialLR(o, 0.99),
    "PolynomialLR": lambda o: lrs.PolynomialLR(o),
    "PolynomialLR/power": lambda o: lrs.PolynomialLR(o, total_iters=400, power=2.5),
    "CosineAnnealingLR": lambda o: lrs.CosineAnnealingLR(o, 100),
    "CosineAnnealingLR/eta_min": lambda o: lrs.CosineAnnealingLR(o, 170, eta_min=0.001),
    "CosineAnnealingWarmRestarts": lambda o: lrs.CosineAnnealingWarmRestarts(o, 30),
    "CosineAnnealingWarmRestarts/T_mult": lambda o: lrs.CosineAnnealingWarmRestarts(o, 10, T_mult=3, eta_min=0.002),
    "CyclicLR": lambda o: lrs.CyclicLR(o, 0.001, 0.1, step_size_up=20),
    "CyclicLR/triangular2": lambda o: lrs.CyclicLR(
        o, [0.001, 0.01], [0.1, 0.2], step_size_up=30, step_size_down=45, mode="triangular2", base_momentum=0.7,
        max_momentum=0.95),
    "CyclicLR/exp_range": lambda o: lrs.CyclicLR(o, 0.001, 0.1, step_size_up=25, mode="exp_range", gamma=0.995,
                                                 cycle_momentum=False),
    "CyclicLR/scale_fn": lambda o: lrs.CyclicLR(o, 0.001, 0.1, step_size_up=25, scale_fn=lambda c: 1 / (1 + c)),
    "OneCycleLR": lambda o: lrs.OneCycleLR(o, 0.1, total_steps=501),
    "OneCycleLR/linear": lambda o: lrs.OneCycleLR(o, [0.1, 0.3], epochs=3, steps_per_epoch=167, pct_start=0.2,
                                                  anneal_strategy="linear", div_factor=10.0, final_div_factor=100.0),
    "OneCycleLR/three_phase": lambda o: lrs.OneCycleLR(o, 0.1, total_steps=501, three_phase=True, base_momentum=0.8,
                                                       max_momentum=0.9),
    "OneCycleLR/betas": lambda o: lrs.OneCycleLR(o, 0.1, total_steps=501, pct_start=0.25),
    "SequentialLR": sequence,
    "ChainedScheduler": chain,
}


def half_cosine(x):
    return 0.5 * (1 + math.cos(math.pi * x))


# Hugging Face's get_cosine_schedule_with_warmup, get_wsd_schedule and get_inverse_sqrt_schedule, as factors of the base.
def warmup_cosine(t, warmup=50, total=400):
    return t / warmup if t < warmup else half_cosine(min((t - warmup) / (total - warmup), 1))


def warmup_stable(t, shape, warmup=40, stable=200, decay=150):
    if t < warmup:
        return t / warmup
    return shape(min(max((t - warmup - stable) / decay, 0), 1))


FORMULAS = {
    "WarmupCosine": warmup_cosine,
    "WarmupStableDecay": lambda t: warmup_stable(t, lambda x: 1 - x),
    "WarmupStableDecay/cosine": lambda t: warmup_stable(t, half_cosine),
    "WarmupStableDecay/one_minus_sqrt": lambda t: warmup_stable(t, lambda x: 1 - math.sqrt(x)),
    "InverseSquareRoot": lambda t: t / 60 if t < 60 else math.sqrt(60 / t),
}

PLATEAUS = {
    "ReduceLROnPlateau": dict(),
    "ReduceLROnPlateau/min_lr": dict(factor=0.5, patience=3, cooldown=5, min_lr=[0.01, 0.0001]),
    "ReduceLROnPlateau/max": dict(mode="max", factor=0.7, patience=20, threshold=0.05, threshold_mode="abs"),
    "ReduceLROnPlateau/max, rel": dict(mode="max", factor=0.7, patience=20, threshold=0.05),
    "ReduceLROnPlateau/eps": dict(mode="min", factor=0.9, patience=2, threshold=0.05, threshold_mode="abs", eps=1e-3),
}
# An exponential decay first, from SWA_START on SWALR.
SWA_START = 100
SWAS = {
    "SWALR": dict(swa_lr=0.05),
    "SWALR/linear": dict(swa_lr=[0.05, 0.3], anneal_epochs=300, anneal_strategy="linear"),
    "SWALR/cos": dict(swa_lr=[0.05, 0.3], anneal_epochs=200),
    "SWALR/at once": dict(swa_lr=0.05, anneal_epochs=0),
}
METRICS = [round(3 * math.exp(-t / 60) + 0.2 * math.sin(1.7 * t) + (0.5 if 200 < t < 260 else 0), 3)
           for t in range(STEPS)]


def optimizer_for(case):
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in BASES]
    return Adam(groups) if case.endswith("/betas") else SGD(groups, lr=1.0, momentum=0.9)


def momentum_of(group):
    return group["betas"][0] if "betas" in group else group["momentum"]


def run(case):
    """[[rate of each group] for t = 0, 1, ... 500], and the same for momenta."""
    optimizer = optimizer_for(case)
    schedule = CASES[case](optimizer)
    rates, momenta = [], []
    for t in range(STEPS + 1):
        if t > 0:
            optimizer.step()
            schedule.step()
        rates.append([g["lr"] for g in optimizer.param_groups])
        momenta.append([momentum_of(g) for g in optimizer.param_groups])
    if hasattr(schedule, "_get_closed_form_lr"):
        closed = []
        for t in range(STEPS + 1):
            schedule.last_epoch = t
            closed.append(schedule._get_closed_form_lr())
        drift = max(abs(a - b) for x, y in zip(rates, closed) for a, b in zip(x, y)) / max(BASES)
        assert drift < 1e-9, (case, drift)
        print(f"{case}: PyTorch's run drifts from its closed form by {drift:.1e}")
        rates = closed
    return rates, momenta


def run_plateau(options):
    optimizer = optimizer_for("")
    schedule = lrs.ReduceLROnPlateau(optimizer, **options)
    rates = [BASES]
    for metric in METRICS:
        schedule.step(metric)
        rates.append([g["lr"] for g in optimizer.param_groups])
    return rates


def run_swa(options):
    optimizer = optimizer_for("")
    decay = lrs.LambdaLR(optimizer, lambda t: 0.99 ** t)  # the same, and without drift
    swa = SWALR(optimizer, **options)
    rates = [[g["lr"] for g in optimizer.param_groups]]
    for t in range(STEPS):
        (decay if t < SWA_START else swa).step()
        rates.append([g["lr"] for g in optimizer.param_groups])
    return rates


def summary(values):
    columns = list(zip(*values))
    return {"at": [values[t] for t in TIMES], "sum": [math.fsum(c) for c in columns]}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    default = os.path.join(here, "..", "..", "tests", "data", "schedules_reference.json")
    cases = {}
    for case in CASES:
        rates, momenta = run(case)
        cases[case] = {"lr": summary(rates)}
        if any(m != momenta[0] for m in momenta):
            cases[case]["momentum"] = summary(momenta)
    for case, factor in FORMULAS.items():
        cases[case] = {"lr": summary([[base * factor(t) for base in BASES] for t in range(STEPS + 1)])}
    plateaus = {case: {"lr": summary(run_plateau(options))} for case, options in PLATEAUS.items()}
    swas = {case: {"lr": summary(run_swa(options))} for case, options in SWAS.items()}
    reference = {"base_lrs": BASES, "steps": STEPS, "times": TIMES, "cases": cases, "metrics": METRICS,
                 "plateaus": plateaus, "swa_start": SWA_START, "swa": swas}
    with open(sys.argv[1] if len(sys.argv) > 1 else default, "w") as out:
        json.dump(reference, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
