#!/usr/bin/env python3
"""Writes tests/data/lbfgs_reference.json: how PyTorch's LBFGS minimizes (tests/lbfgs_test.cpp).

Usage: python3 tools/reference/lbfgs.py [output]        (made with torch 1.13, Debian's python3-torch)

For each case and problem: the parameters, joined, after each of the calls of step(closure) in "steps", and what the
optimizer had counted by then. A trajectory ends where the loss is at its minimum: what is left there is rounding.
"""
import json
import os
import sys

import torch

from optim import INPUTS, TARGETS, rosenbrock

STEPS = [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 60, 70, 100, 200, 300]

CASES = {
    "default": dict(),
    "lr,max_iter": dict(lr=0.3, max_iter=1),
    "history_size": dict(lr=0.5, max_iter=2, history_size=3),
    "tolerances": dict(lr=0.7, max_iter=5, tolerance_grad=1e-4, tolerance_change=1e-6),
    "strong_wolfe": dict(line_search_fn="strong_wolfe"),
    "strong_wolfe,max_iter": dict(line_search_fn="strong_wolfe", max_iter=1, history_size=2),
    "strong_wolfe,lr,max_eval": dict(line_search_fn="strong_wolfe", lr=0.05, max_iter=4, max_eval=6),
    "strong_wolfe,tolerance_change": dict(line_search_fn="strong_wolfe", lr=5, max_iter=4, tolerance_change=0.1),
    "strong_wolfe,long steps": dict(line_search_fn="strong_wolfe", lr=20, max_iter=3),
}

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def net(parameters, _):
    """The net of optim.py on all of its samples, which contradict each other: the least loss is not zero."""
    w1, b1, w2, b2 = parameters
    return torch.nn.functional.mse_loss(torch.tanh(INPUTS @ w1.T + b1) @ w2.T + b2, TARGETS) / 4


def steep(parameters, step):
    """Rosenbrock's function, 100 times: a coarse tolerance_change does not end it before its line searches narrow."""
    return 1e5 * rosenbrock(parameters, step)


def solve(options, loss, shapes, initial):
    parameters = [torch.tensor(v).reshape(s).requires_grad_() for v, s in zip(initial, shapes)]
    optimizer = torch.optim.LBFGS(parameters, **options)

    def closure():
        optimizer.zero_grad()
        value = loss(parameters, 0)
        value.backward()
        return value

    seen = []
    for step in range(1, STEPS[-1] + 1):
        optimizer.step(closure)
        steepest = max(p.grad.abs().max().item() for p in parameters)
        if step in STEPS:
            state = optimizer.state[parameters[0]]
            values = [x for p in parameters for x in p.detach().reshape(-1).tolist()]
            seen.append({"step": step, "values": [float(f"{x:.13g}") for x in values],
                         "n_iter": state["n_iter"], "func_evals": state["func_evals"]})
        if steepest < 1e-6:
            break
    return seen


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    default = os.path.join(here, "..", "..", "tests", "data", "lbfgs_reference.json")
    with open(os.path.join(here, "..", "..", "tests", "data", "optim_reference.json")) as file:
        problems = json.load(file)["problems"]
    cases = {}
    for name, options in CASES.items():
        cases[name] = {}
        for problem, loss in [("rosenbrock", rosenbrock), ("net", net), ("steep", steep)]:
            if (problem == "steep") != (name == "strong_wolfe,tolerance_change"):
                continue
            data = problems["rosenbrock" if problem == "steep" else problem]
            cases[name][problem] = solve(options, loss, data["shapes"], data["initial"])
    with open(sys.argv[1] if len(sys.argv) > 1 else default, "w") as out:
        json.dump({"cases": cases}, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
