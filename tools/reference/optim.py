#!/usr/bin/env python3
"""Writes tests/data/optim_reference.json: how PyTorch's optimizers move parameters (tests/optimizer_table.cpp).

Usage: python3 tools/reference/optim.py [output]        (made with torch 1.13, Debian's python3-torch)

First two parameters by a fixed list of gradients, exactly representable in float32, so that each optimizer is tested
alone: some are tiny, some large, some zero. A trajectory has the parameters' values, joined, after each of the steps in
"steps", and "state" what the optimizer holds of the first parameter in the end.

Then 300 steps on two problems, minimized or, by an optimizer that maximizes, their negatives maximized: Rosenbrock's
function and a small net, one sample a step. (On all samples many rules end at the edge of stability, where a trajectory
is chaos: the last bit of a start moves its end by percents. The options of the cases are such that it does not, here.)
"""
import inspect
import json
import os
import random
import sys

import torch
from torch.optim import Adadelta, Adagrad, Adam, Adamax, AdamW, ASGD, NAdam, RAdam, RMSprop, Rprop, SGD

SHAPES = [(2, 3), (4,)]
UPDATES = 20
STEPS = [1, 2, 3, 5, 10, 20]
PROBLEM_STEPS = 300

torch.set_default_dtype(torch.float64)  # of the numbers that some optimizers keep
torch.set_num_threads(1)

class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al. 2023, which PyTorch lacks."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False, foreach=False):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay, maximize=maximize))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                g = -p.grad if group["maximize"] else p.grad
                update = torch.sign(beta1 * m + (1 - beta1) * g)
                p -= group["lr"] * (update + group["weight_decay"] * p)
                m.mul_(beta2).add_(g, alpha=1 - beta2)


CASES = {
    "SGD": (SGD, dict(lr=1e-3)),
    "SGD/lr": (SGD, dict(lr=0.25)),
    "SGD/weight_decay": (SGD, dict(lr=0.1, weight_decay=0.05)),
    "SGD/maximize": (SGD, dict(lr=0.1, weight_decay=0.05, maximize=True)),
    "SGD/momentum": (SGD, dict(lr=0.1, momentum=0.9)),
    "SGD/dampening": (SGD, dict(lr=0.1, momentum=0.9, dampening=0.3)),
    "SGD/nesterov": (SGD, dict(lr=0.1, momentum=0.8, nesterov=True)),
    "SGD/momentum,weight_decay": (SGD, dict(lr=0.1, momentum=0.5, dampening=0.1, weight_decay=0.1)),
    "SGD/nesterov,weight_decay,maximize": (
        SGD, dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.02, maximize=True)),
    "Adam": (Adam, dict()),
    "Adam/lr": (Adam, dict(lr=0.1)),
    "Adam/betas": (Adam, dict(lr=0.01, betas=(0.7, 0.99))),
    "Adam/betas of 0": (Adam, dict(lr=0.05, betas=(0.0, 0.0))),
    "Adam/eps": (Adam, dict(lr=0.05, eps=0.5)),
    "Adam/weight_decay": (Adam, dict(lr=0.05, weight_decay=0.1)),
    "Adam/weight_decay,maximize": (Adam, dict(lr=0.05, weight_decay=0.1, maximize=True)),
    "Adam/amsgrad": (Adam, dict(lr=0.05, betas=(0.8, 0.9), amsgrad=True)),
    "Adam/amsgrad,weight_decay,maximize": (Adam, dict(lr=0.02, weight_decay=0.1, amsgrad=True, maximize=True)),
    "AdamW": (AdamW, dict()),
    "AdamW/lr,weight_decay": (AdamW, dict(lr=0.1, weight_decay=0.3)),
    "AdamW/weight_decay of 0": (AdamW, dict(lr=0.1, weight_decay=0.0)),
    "AdamW/betas,eps,maximize": (AdamW, dict(lr=0.01, betas=(0.8, 0.95), eps=1e-3, maximize=True)),
    "AdamW/amsgrad": (AdamW, dict(lr=0.05, betas=(0.8, 0.9), amsgrad=True)),
    "RMSprop": (RMSprop, dict()),
    "RMSprop/alpha,eps": (RMSprop, dict(lr=0.02, alpha=0.8, eps=1e-2)),
    "RMSprop/momentum": (RMSprop, dict(lr=0.01, momentum=0.9)),
    "RMSprop/centered": (RMSprop, dict(lr=0.02, centered=True)),
    "RMSprop/weight_decay,maximize": (RMSprop, dict(lr=0.01, weight_decay=0.1, maximize=True)),
    "RMSprop/alpha,weight_decay,momentum,centered": (
        RMSprop, dict(lr=0.01, alpha=0.9, eps=1e-3, weight_decay=0.05, momentum=0.7, centered=True)),
    "Adagrad": (Adagrad, dict()),
    "Adagrad/lr_decay": (Adagrad, dict(lr=0.2, lr_decay=0.05)),
    "Adagrad/initial_accumulator_value": (Adagrad, dict(lr=0.1, initial_accumulator_value=0.5)),
    "Adagrad/eps": (Adagrad, dict(lr=0.1, eps=0.1)),
    "Adagrad/all": (Adagrad, dict(lr=0.1, lr_decay=0.01, weight_decay=0.1, initial_accumulator_value=0.1, eps=1e-3,
                                  maximize=True)),
    "Lion": (Lion, dict()),
    "Lion/lr": (Lion, dict(lr=0.01)),
    "Lion/betas,weight_decay": (Lion, dict(lr=0.005, betas=(0.95, 0.98), weight_decay=0.5)),
    "Lion/betas of 0": (Lion, dict(lr=0.003, betas=(0.0, 0.0))),
    "Lion/weight_decay,maximize": (Lion, dict(lr=0.01, weight_decay=0.1, maximize=True)),
    "Adadelta": (Adadelta, dict()),
    "Adadelta/lr,rho": (Adadelta, dict(lr=0.5, rho=0.7)),
    "Adadelta/eps": (Adadelta, dict(lr=0.5, eps=1e-3)),
    "Adadelta/weight_decay": (Adadelta, dict(weight_decay=0.1)),
    "Adadelta/rho,weight_decay,maximize": (Adadelta, dict(rho=0.95, weight_decay=0.05, maximize=True)),
    "Adamax": (Adamax, dict()),
    "Adamax/lr": (Adamax, dict(lr=0.05)),
    "Adamax/betas": (Adamax, dict(lr=0.01, betas=(0.5, 0.98))),
    "Adamax/eps,weight_decay": (Adamax, dict(lr=0.05, eps=0.1, weight_decay=0.1)),
    "Adamax/weight_decay,maximize": (Adamax, dict(lr=0.02, weight_decay=0.05, maximize=True)),
    "NAdam": (NAdam, dict()),
    "NAdam/lr,momentum_decay": (NAdam, dict(lr=0.05, momentum_decay=0.1)),
    "NAdam/betas": (NAdam, dict(lr=0.01, betas=(0.6, 0.99))),
    "NAdam/eps,weight_decay": (NAdam, dict(lr=0.05, eps=0.1, weight_decay=0.1)),
    "NAdam/weight_decay,momentum_decay,maximize": (
        NAdam, dict(lr=0.02, weight_decay=0.05, momentum_decay=0.0, maximize=True)),
    "RAdam": (RAdam, dict()),
    "RAdam/lr": (RAdam, dict(lr=0.05)),
    "RAdam/betas": (RAdam, dict(lr=0.01, betas=(0.6, 0.99))),
    "RAdam/always plain": (RAdam, dict(lr=0.02, betas=(0.9, 0.6))),
    "RAdam/eps,weight_decay": (RAdam, dict(lr=0.05, eps=0.1, weight_decay=0.1)),
    "RAdam/weight_decay,maximize": (RAdam, dict(lr=0.02, weight_decay=0.05, maximize=True)),
    "Rprop": (Rprop, dict()),
    "Rprop/lr": (Rprop, dict(lr=0.1)),
    "Rprop/etas": (Rprop, dict(lr=0.02, etas=(0.3, 1.5))),
    "Rprop/step_sizes": (Rprop, dict(step_sizes=(0.005, 0.03))),
    "Rprop/weight_decay,maximize": (Rprop, dict(weight_decay=0.1, maximize=True)),
    "ASGD": (ASGD, dict()),
    "ASGD/lr": (ASGD, dict(lr=0.1)),
    "ASGD/lambd,alpha": (ASGD, dict(lr=0.1, lambd=0.1, alpha=0.5)),
    "ASGD/t0": (ASGD, dict(lr=0.05, lambd=0.01, t0=5)),
    "ASGD/weight_decay,maximize": (ASGD, dict(lr=0.05, t0=0, weight_decay=0.1, maximize=True)),
}


def numbers(rng, count):
    """Multiples of 1/1024 times a power of two between 2^-12 and 2^6, a few of them zero."""
    return [rng.choice([0] + 9 * [1]) * rng.randint(-2048, 2047) / 1024 * 2.0 ** rng.randint(-12, 6)
            for _ in range(count)]


class Case:
    """An optimizer of some parameters. If torch 1.13 lacks weight_decay or maximize, both are done to the gradient."""

    def __init__(self, name, parameters):
        optimizer_class, options = CASES[name]
        self.parameters = parameters
        self.maximize = options.get("maximize", False)
        self.sign, self.decay = 1.0, 0.0
        if not {"maximize", "weight_decay"} <= set(inspect.signature(optimizer_class).parameters):
            options = dict(options)
            self.sign = -1.0 if options.pop("maximize", False) else 1.0
            self.decay = options.pop("weight_decay", 0.0)
        # The loop of torch 1.13's NAdam takes a product of momenta one factor too far; its foreach form does not.
        foreach = optimizer_class is torch.optim.NAdam
        self.optimizer = optimizer_class(parameters, foreach=foreach, **options)

    @torch.no_grad()
    def step(self, gradients):
        for parameter, gradient in zip(self.parameters, gradients):
            parameter.grad = (self.sign * gradient).add(parameter, alpha=self.decay)
        self.optimizer.step()

    def values(self):
        return [x for p in self.parameters for x in p.detach().reshape(-1).tolist()]

    def state(self):
        kept = self.optimizer.state[self.parameters[0]]
        return {k: torch.as_tensor(v).reshape(-1).tolist() for k, v in kept.items() if k != "step" and v is not None}


def trajectory(name, dtype, initial, gradients):
    case = Case(name, [torch.tensor(v, dtype=dtype).reshape(s).requires_grad_() for v, s in zip(initial, SHAPES)])
    seen = []
    for step in range(1, UPDATES + 1):
        case.step([torch.tensor(g, dtype=dtype).reshape(s) for g, s in zip(gradients[step - 1], SHAPES)])
        if step in STEPS:
            seen.append(case.values())
    return seen, case.state()


def rosenbrock(parameters, step):
    """Divided by 1000, so that its curvature suits learning rates as they are usual."""
    x, y = parameters[0]
    return ((1 - x) ** 2 + 100 * (y - x ** 2) ** 2) / 1000


INPUTS = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0], [0.5, -0.25], [0.5, -0.25]])
TARGETS = torch.tensor([[-1.0], [1.0], [1.0], [-1.0], [2.0], [-1.5]])


def net(parameters, step):
    """A net that learns exclusive or, and one sample that contradicts another: not convex, and never at rest."""
    w1, b1, w2, b2 = parameters
    i = step % len(INPUTS)
    hidden = torch.tanh(INPUTS[i : i + 1] @ w1.T + b1)
    return torch.nn.functional.mse_loss(hidden @ w2.T + b2, TARGETS[i : i + 1]) / 4


def solve(name, loss, shapes, initial, every):
    case = Case(name, [torch.tensor(v).reshape(s).requires_grad_() for v, s in zip(initial, shapes)])
    seen = []
    for step in range(1, PROBLEM_STEPS + 1):
        value = loss(case.parameters, step)
        case.step(torch.autograd.grad(-value if case.maximize else value, case.parameters))
        if step % every == 0:
            seen.append([float(f"{x:.13g}") for x in case.values()])
    return seen


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    default = os.path.join(here, "..", "..", "tests", "data", "optim_reference.json")
    rng = random.Random(20240502)
    sizes = [torch.Size(s).numel() for s in SHAPES]
    initial = [[rng.randint(-2048, 2047) / 1024 for _ in range(n)] for n in sizes]
    gradients = [[numbers(rng, n) for n in sizes] for _ in range(UPDATES)]
    weights = [[rng.randint(-1024, 1023) / 1024 for _ in range(n)] for n in [6, 3, 3, 1]]
    problems = {
        "rosenbrock": {"shapes": [(2,)], "initial": [[-1.2, 1.0]], "every": 25},
        "net": {"shapes": [(3, 2), (3,), (1, 3), (1,)], "initial": weights, "every": 75},
    }
    cases = {}
    for name, (_, options) in CASES.items():
        double, state = trajectory(name, torch.float64, initial, gradients)
        single, _ = trajectory(name, torch.float32, initial, gradients)
        cases[name] = {
            "maximize": options.get("maximize", False),
            "float64": double,
            "float32": [[float(f"{x:.9g}") for x in row] for row in single],  # it has nine significant digits
            "state": state,
        }
        for problem, loss in [("rosenbrock", rosenbrock), ("net", net)]:
            cases[name][problem] = solve(name, loss, **problems[problem])
    reference = {"shapes": SHAPES, "initial": initial, "gradients": gradients, "steps": STEPS, "problems": problems,
                 "problem_steps": PROBLEM_STEPS, "cases": cases}
    with open(sys.argv[1] if len(sys.argv) > 1 else default, "w") as out:
        json.dump(reference, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
