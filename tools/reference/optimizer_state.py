#!/usr/bin/env python3
"""Loads an optimizer's state that Gradus has saved into PyTorch's optimizer of the same rule, and prints it.

Usage: python3 tools/reference/optimizer_state.py Adam optimizer.safetensors

Gradus saves rates and momenta, which schedules change; the other options are the program's, in PyTorch as in Gradus.
The parameters are not in the file: here they are zeros of the shapes of their state. (Made with torch 1.13.)
"""
import sys

import torch

import safetensors


def load_state(optimizer, path):
    """optimizer.load_state_dict() of a file: its keys are "state.<parameter>.<name>" and "param_groups.<group>.<name>"."""
    state = optimizer.state_dict()
    for key, value in safetensors.read(path).items():
        kind, index, name = key.split(".", 2)
        if kind == "state":
            state["state"].setdefault(int(index), {})[name] = value.float() if name == "step" else value
        else:
            state["param_groups"][int(index)][name] = value.tolist()
    optimizer.load_state_dict(state)


def shape_of(parameter, state):
    """The shape of what the rule keeps about it: that of the parameter, or () for a number."""
    return max((value.shape for key, value in state.items() if key.startswith(f"state.{parameter}.")), key=len)


def main():
    rule, path = sys.argv[1:]
    state = safetensors.read(path)
    groups = []
    while f"param_groups.{len(groups)}.params" in state:
        indices = state[f"param_groups.{len(groups)}.params"].tolist()
        groups.append({"params": [torch.zeros(shape_of(i, state), requires_grad=True) for i in indices]})
    optimizer = getattr(torch.optim, rule)(groups, lr=1.0)
    load_state(optimizer, path)
    for group in optimizer.param_groups:
        print({name: value for name, value in group.items() if name != "params"})
        for parameter in group["params"]:
            print(tuple(parameter.shape), {name: value.tolist() for name, value in optimizer.state[parameter].items()})


if __name__ == "__main__":
    main()
