#!/usr/bin/env python3
"""Writes tests/data/published_optim_reference.json: the rules that torch 1.13 lacks, as their authors published them.

Usage: python3 tools/reference/published_optim.py [output]        (made with torch 1.13, Debian's python3-torch)

Each rule is written down from its paper, or where that leaves a choice from its authors' program, in plain sentences on
whole tensors. Parameters, gradients and problems are those of optim.py, from tests/data/optim_reference.json.

SOAP goes its own way on the problems. The gradient of one sample has rank 1: of the first eigenbasis all but one vector
is then arbitrary, and Adam's steps depend on it. So its second problem is a net with two outputs that sees all samples
at once, and of vectors only those of two elements are preconditioned. What is left, the sign of each eigenvector,
cancels from the steps, but not from Q: only its name is compared.
"""
import json
import math
import os
import sys

import torch

import optim

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "..", "tests", "data")


class Rule:
    """Steps each parameter by `update`, which keeps what it needs in a dict; names with a _ are not of our state."""

    def __init__(self, parameters, options):
        self.parameters, self.kept = parameters, [{"t": 0} for _ in parameters]
        self.maximize = options.pop("maximize", False)
        self.options = options

    @torch.no_grad()
    def step(self, gradients):
        for p, g, kept in zip(self.parameters, gradients, self.kept):
            kept["t"] += 1
            p.copy_(self.update(p.clone(), -g if self.maximize else g.clone(), kept, kept["t"], **self.options))

    def values(self):
        return [x for p in self.parameters for x in p.detach().reshape(-1).tolist()]

    def state(self):
        kept = {k: v for k, v in self.kept[0].items() if k != "t" and not k.startswith("_")}
        return {k: None if k.startswith("Q") else torch.as_tensor(v).reshape(-1).tolist() for k, v in kept.items()}


def average(kept, name, x, beta):
    kept[name] = beta * kept.get(name, torch.zeros_like(x)) + (1 - beta) * x
    return kept[name]


class Adafactor(Rule):
    """As torch.optim.Adafactor (2.5) documents it; variances are means, not sums, along rows and columns."""

    def update(self, p, g, kept, t, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0):
        eps1 = torch.finfo(p.dtype).eps if eps[0] is None else eps[0]
        beta2 = 1 - t ** beta2_decay
        rho = min(lr, 1 / math.sqrt(t))
        alpha = max(eps[1], (p ** 2).mean().sqrt().item()) * rho
        p = p - lr * weight_decay * p
        if g.dim() > 1:
            row = average(kept, "row_var", (g ** 2).mean(-1, keepdim=True), beta2)
            col = average(kept, "col_var", (g ** 2).mean(-2, keepdim=True), beta2)
            v = row @ col / torch.clamp(row.mean(-2, keepdim=True), min=eps1)
        else:
            v = average(kept, "variance", g ** 2, beta2)
        u = g / torch.clamp(v.sqrt(), min=eps1)
        return p - alpha * u / max(1.0, (u ** 2).mean().sqrt().item() / d)


class LAMB(Rule):
    """Algorithm 2 of You et al. 2020, with the identity for phi."""

    def update(self, p, g, kept, t, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0):
        m = average(kept, "exp_avg", g, betas[0]) / (1 - betas[0] ** t)
        v = average(kept, "exp_avg_sq", g ** 2, betas[1]) / (1 - betas[1] ** t)
        u = m / (v.sqrt() + eps) + weight_decay * p
        norms = torch.linalg.norm(p.reshape(-1)).item(), torch.linalg.norm(u.reshape(-1)).item()
        return p - lr * (1.0 if 0 in norms else norms[0] / norms[1]) * u


class Muon(Rule):
    """As torch.optim.Muon (2.9) documents it, in the parameter's precision; what is no matrix goes to AdamW."""

    def update(self, p, g, kept, t, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True,
               ns_coefficients=(3.4445, -4.7750, 2.0315), eps=1e-7, ns_steps=5, match_rms_adamw=False, adamw_scale=1.0,
               adamw_betas=(0.9, 0.999), adamw_eps=1e-8, adamw_weight_decay=1e-2):
        if p.dim() != 2:
            return self.adamw(p, g, kept, t, lr * adamw_scale, adamw_betas, adamw_eps, adamw_weight_decay)
        b = average(kept, "momentum_buffer", g, momentum)
        x = (1 - momentum) * g + momentum * b if nesterov else b
        x = x / max(torch.linalg.norm(x).item(), eps)
        c1, c2, c3 = ns_coefficients
        for _ in range(ns_steps):  # on the other side of the paper's product: x (x^T x) = (x x^T) x
            x = c1 * x + c2 * x @ (x.T @ x) + c3 * x @ (x.T @ x) @ (x.T @ x)
        m, n = p.shape
        adjustment = 0.2 * math.sqrt(max(m, n)) if match_rms_adamw else math.sqrt(max(1, m / n))
        return p - lr * weight_decay * p - lr * adjustment * x

    def adamw(self, p, g, kept, t, lr, betas, eps, weight_decay):
        m = average(kept, "exp_avg", g, betas[0]) / (1 - betas[0] ** t)
        v = average(kept, "exp_avg_sq", g ** 2, betas[1]) / (1 - betas[1] ** t)
        return p - lr * weight_decay * p - lr * m / (v.sqrt() + eps)


class ScheduleFree(Rule):
    """Defazio et al. 2024, with all three of x, y and z; the weights of the average are their program's."""

    def points(self, y, u, kept, t, lr, beta, warmup_steps, r, weight_lr_power):
        rate = lr * min(1, t / warmup_steps) if warmup_steps else lr
        kept["lr_max"] = max(rate, kept.get("lr_max", -1.0))
        weight = t ** r * kept["lr_max"] ** weight_lr_power
        kept["weight_sum"] = kept.get("weight_sum", 0.0) + weight
        kept["train_mode"] = 1.0
        x, z = kept.get("_x", y), kept.get("z", y)
        c = weight / kept["weight_sum"] if kept["weight_sum"] else 0
        kept["z"] = z - rate * u
        kept["_x"] = (1 - c) * x + c * kept["z"]
        return (1 - beta) * kept["z"] + beta * kept["_x"]


class ScheduleFreeAdamW(ScheduleFree):
    def update(self, p, g, kept, t, lr=0.0025, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, warmup_steps=0, r=0.0,
               weight_lr_power=2.0):
        v = average(kept, "exp_avg_sq", g ** 2, betas[1]) / (1 - betas[1] ** t)
        u = g / (v.sqrt() + eps) + weight_decay * p
        return self.points(p, u, kept, t, lr, betas[0], warmup_steps, r, weight_lr_power)


class ScheduleFreeSGD(ScheduleFree):
    def update(self, p, g, kept, t, lr=1.0, momentum=0.9, weight_decay=0.0, warmup_steps=0, r=0.0, weight_lr_power=2.0):
        return self.points(p, g + weight_decay * p, kept, t, lr, momentum, warmup_steps, r, weight_lr_power)


class SOAP(Rule):
    """Algorithms 3 and 4 of Vyas et al. 2024; what happens first, and the order of the columns, are their program's.

    L and R are GG.0 and GG.1, Q_L and Q_R are Q.0 and Q.1. A side that is not preconditioned has an identity.
    """

    def update(self, p, g, kept, t, lr=3e-3, betas=(0.95, 0.95), shampoo_beta=-1.0, eps=1e-8, weight_decay=0.01,
               precondition_frequency=10, max_precond_dim=10000, precondition_1d=False):
        shape, is_matrix = g.shape, g.dim() == 2
        g, theta = [x if is_matrix else x.reshape(-1, 1) for x in (g, p)]
        sides = [k for k in ((0, 1) if is_matrix else (0,) if precondition_1d else ()) if shape[k] <= max_precond_dim]
        beta = betas[1] if shampoo_beta < 0 else shampoo_beta

        def average_sides():
            for k in sides:
                average(kept, f"GG.{k}", g @ g.T if k == 0 else g.T @ g, beta)

        if t == 1:
            kept["exp_avg"] = kept["exp_avg_sq"] = torch.zeros_like(g)
            average_sides()
            for k in sides:
                kept[f"Q.{k}"] = torch.linalg.eigh(kept[f"GG.{k}"])[1].flip(1)
            return p

        t = t - 1
        left, right = [kept.get(f"Q.{k}", torch.eye(n, dtype=g.dtype)) for k, n in enumerate(g.shape)]
        m = average(kept, "exp_avg", g, betas[0])
        v = average(kept, "exp_avg_sq", (left.T @ g @ right) ** 2, betas[1])
        step = left @ ((left.T @ m @ right) / (v.sqrt() + eps)) @ right.T
        theta = theta - lr * math.sqrt(1 - betas[1] ** t) / (1 - betas[0] ** t) * step
        theta = theta - lr * weight_decay * theta
        average_sides()
        if t % precondition_frequency == 0:
            for k in sides:
                gg, q = kept[f"GG.{k}"], kept[f"Q.{k}"]
                order = torch.argsort(torch.diag(q.T @ gg @ q), descending=True)
                kept["exp_avg_sq"] = kept["exp_avg_sq"].index_select(k, order)
                kept[f"Q.{k}"] = torch.linalg.qr(gg @ q[:, order])[0]
        return theta.reshape(shape)


CASES = {
    "Adafactor": (Adafactor, dict()),
    "Adafactor/lr": (Adafactor, dict(lr=0.1)),
    "Adafactor/beta2_decay,d": (Adafactor, dict(lr=0.05, beta2_decay=-0.5, d=2.0)),
    "Adafactor/eps": (Adafactor, dict(lr=0.05, eps=(0.03, 2.0))),
    "Adafactor/weight_decay": (Adafactor, dict(lr=0.05, weight_decay=0.1)),
    "Adafactor/weight_decay,maximize": (Adafactor, dict(lr=0.02, weight_decay=0.05, maximize=True)),
    "LAMB": (LAMB, dict()),
    "LAMB/lr": (LAMB, dict(lr=0.02)),
    "LAMB/betas,eps": (LAMB, dict(lr=0.01, betas=(0.7, 0.99), eps=0.1)),
    "LAMB/weight_decay": (LAMB, dict(lr=0.02, weight_decay=0.1)),
    "LAMB/weight_decay,maximize": (LAMB, dict(lr=0.01, weight_decay=0.05, maximize=True)),
    "Muon": (Muon, dict()),
    "Muon/lr,adamw_scale": (Muon, dict(lr=0.02, adamw_scale=0.5)),
    "Muon/match_rms_adamw": (Muon, dict(lr=0.01, match_rms_adamw=True)),
    "Muon/momentum of 0": (Muon, dict(lr=0.01, momentum=0.0, nesterov=False, weight_decay=0.0)),
    "Muon/ns_coefficients,eps,ns_steps": (
        Muon, dict(lr=0.02, momentum=0.8, nesterov=False, ns_coefficients=(2.0, -1.5, 0.5), eps=0.1, ns_steps=9)),
    "Muon/adamw,maximize": (
        Muon, dict(lr=0.005, adamw_betas=(0.8, 0.95), adamw_eps=1e-3, adamw_weight_decay=0.1, maximize=True)),
    "ScheduleFreeAdamW": (ScheduleFreeAdamW, dict()),
    "ScheduleFreeAdamW/lr,betas": (ScheduleFreeAdamW, dict(lr=0.05, betas=(0.95, 0.99))),
    "ScheduleFreeAdamW/warmup_steps": (ScheduleFreeAdamW, dict(lr=0.05, warmup_steps=12)),
    "ScheduleFreeAdamW/r,weight_lr_power": (
        ScheduleFreeAdamW, dict(lr=0.02, warmup_steps=5, r=1.5, weight_lr_power=1.0)),
    "ScheduleFreeAdamW/eps,weight_decay,maximize": (
        ScheduleFreeAdamW, dict(lr=0.02, eps=0.1, weight_decay=0.1, maximize=True)),
    "ScheduleFreeSGD": (ScheduleFreeSGD, dict()),
    "ScheduleFreeSGD/lr,momentum": (ScheduleFreeSGD, dict(lr=0.1, momentum=0.6)),
    "ScheduleFreeSGD/warmup_steps": (ScheduleFreeSGD, dict(lr=0.2, warmup_steps=12)),
    "ScheduleFreeSGD/r,weight_lr_power": (ScheduleFreeSGD, dict(lr=0.1, warmup_steps=5, r=1.5, weight_lr_power=1.0)),
    "ScheduleFreeSGD/weight_decay,maximize": (ScheduleFreeSGD, dict(lr=0.05, weight_decay=0.1, maximize=True)),
    "SOAP": (SOAP, dict()),
    "SOAP/lr,betas": (SOAP, dict(lr=0.02, betas=(0.9, 0.99))),
    "SOAP/shampoo_beta,precondition_frequency": (
        SOAP, dict(lr=0.01, shampoo_beta=0.9, precondition_frequency=4, weight_decay=0.0)),
    "SOAP/max_precond_dim": (SOAP, dict(lr=0.01, max_precond_dim=2)),
    "SOAP/precondition_1d": (SOAP, dict(lr=0.01, max_precond_dim=2, precondition_1d=True, precondition_frequency=3)),
    "SOAP/eps,weight_decay,maximize": (SOAP, dict(lr=0.005, eps=1e-3, weight_decay=0.1, maximize=True)),
}

MORE_TARGETS = torch.cat([optim.TARGETS, torch.tensor([[0.5], [-1.0], [1.0], [0.25], [-0.5], [1.5]])], 1)


def two_outputs(parameters, step):
    w1, b1, w2, b2 = parameters
    return torch.nn.functional.mse_loss(torch.tanh(optim.INPUTS @ w1.T + b1) @ w2.T + b2, MORE_TARGETS) / 4


LOSSES = {"rosenbrock": optim.rosenbrock, "net": optim.net, "two_outputs": two_outputs}


def make(name, values, shapes, dtype):
    rule, options = CASES[name]
    return rule([torch.tensor(v, dtype=dtype).reshape(s).requires_grad_() for v, s in zip(values, shapes)],
                dict(options))


def trajectory(name, data, dtype):
    rule = make(name, data["initial"], data["shapes"], dtype)
    seen = []
    for step, gradients in enumerate(data["gradients"], 1):
        rule.step([torch.tensor(g, dtype=dtype).reshape(s) for g, s in zip(gradients, data["shapes"])])
        if step in data["steps"]:
            seen.append(rule.values())
    return seen, rule.state()


def solve(name, loss, steps, problem):
    rule = make(name, problem["initial"], problem["shapes"], torch.float64)
    seen = []
    for step in range(1, steps + 1):
        rule.step(torch.autograd.grad(loss(rule.parameters, step) * (-1 if rule.maximize else 1), rule.parameters))
        if step % problem["every"] == 0:
            seen.append([float(f"{x:.13g}") for x in rule.values()])
    return seen


def main():
    with open(os.path.join(DATA, "optim_reference.json")) as source:
        data = json.load(source)
    w1, b1, w2, b2 = data["problems"]["net"]["initial"]
    problems = {"two_outputs": {"shapes": [(3, 2), (3,), (2, 3), (2,)],
                                "initial": [w1, b1, w2 + [0.5, -0.25, 0.75], b2 + [0.125]], "every": 75}}
    cases = {}
    for name, (rule, options) in CASES.items():
        double, state = trajectory(name, data, torch.float64)
        single, _ = trajectory(name, data, torch.float32)
        cases[name] = {"maximize": options.get("maximize", False), "float64": double,
                       "float32": [[float(f"{x:.9g}") for x in row] for row in single], "state": state}
        for problem in ("rosenbrock", "two_outputs" if rule is SOAP else "net"):
            setting = {**data["problems"], **problems}[problem]
            cases[name][problem] = solve(name, LOSSES[problem], data["problem_steps"], setting)
    default = os.path.join(DATA, "published_optim_reference.json")
    with open(sys.argv[1] if len(sys.argv) > 1 else default, "w") as out:
        json.dump({"problems": problems, "cases": cases}, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
