#!/usr/bin/env python3
"""Writes tests/data/recurrent_layers.json: what PyTorch's RNN, LSTM, GRU and their cells answer.

Usage: python3 tools/reference/recurrent_layers.py        (made with torch 1.13, Debian's python3-torch)

One case: the layer with its options, its parameters by name, the input, lengths and first state if there are any, the
output and the last states, and the gradients of sum(every result * its cotangent) by parameters, input and first state.
Any three options occur together with any of their values in some case.
"""
import itertools
import json
import os
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)

OPTIONS = {
    "layer": ["RNN", "RNN relu", "LSTM", "GRU"],
    "num_layers": [1, 2],
    "bidirectional": [False, True],
    "batch_first": [False, True],
    "bias": [True, False],
    "lengths": [None, [2, 4, 1]],
    "state": [True, False],
}
STEPS, BATCH, INPUT, HIDDEN = 4, 3, 2, 2


def covering(options, strength):
    """Few combinations, among which any `strength` options have all of their values together."""
    names, chance = list(options), random.Random(7)
    everything = [dict(zip(names, values)) for values in itertools.product(*options.values())]

    def covered_by(row):
        return {tuple((n, repr(row[n])) for n in some) for some in itertools.combinations(names, strength)}
    missing, rows = set().union(*(covered_by(row) for row in everything)), []
    while missing:
        chance.shuffle(everything)
        best = max(everything, key=lambda row: len(covered_by(row) & missing))
        rows.append(best)
        missing -= covered_by(best)
    return rows


def encode(t):
    return {"shape": list(t.shape), "values": t.detach().reshape(-1).tolist()}


def grid(*shape):
    """Exact in float32, too."""
    return torch.round(torch.randn(shape) * 32) / 64


def with_gradients(case, results, leaves):
    cotangents = [grid(*t.shape) for t in results]
    sum((t * c).sum() for t, c in zip(results, cotangents)).backward()
    case["results"] = [encode(t) for t in results]
    case["cotangents"] = [encode(t) for t in cotangents]
    case["grads"] = [encode(t.grad) for t in leaves]
    return case


def make(layer, *sizes, **options):
    kind, *relu = layer.split()
    module = getattr(nn, kind)(*sizes, **options, **({"nonlinearity": "relu"} if relu else {}))
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(grid(*p.shape))
    return module


def layer_case(row, batched=True):
    options = {k: row[k] for k in ["num_layers", "bidirectional", "batch_first", "bias"]}
    module = make(row["layer"], INPUT, HIDDEN, **options)
    is_lstm = row["layer"] == "LSTM"
    batch = [BATCH] if batched else []
    x = grid(*([BATCH, STEPS] if options["batch_first"] and batched else [STEPS, *batch]), INPUT).requires_grad_()
    passes = options["num_layers"] * (2 if options["bidirectional"] else 1)
    state = [grid(passes, *batch, HIDDEN).requires_grad_() for _ in range(2 if is_lstm else 1)] if row["state"] else []
    hx = (tuple(state) if is_lstm else state[0]) if state else None
    if row["lengths"]:
        packed = pack_padded_sequence(x, torch.tensor(row["lengths"]), options["batch_first"], enforce_sorted=False)
        out, last = module(packed, hx)
        out = pad_packed_sequence(out, options["batch_first"], total_length=STEPS)[0]
    else:
        out, last = module(x, hx)
    case = {**row, "params": {k: encode(p) for k, p in module.named_parameters()}, "x": encode(x),
            "first": [encode(s) for s in state]}
    return with_gradients(case, [out, *(last if is_lstm else [last])], [*module.parameters(), x, *state])


def cell_case(layer, bias, with_state, batched):
    module = make(layer, INPUT, HIDDEN, bias=bias)
    batch = [BATCH] if batched else []
    x = grid(*batch, INPUT).requires_grad_()
    is_lstm = layer == "LSTMCell"
    state = [grid(*batch, HIDDEN).requires_grad_() for _ in range(2 if is_lstm else 1)] if with_state else []
    last = module(x, (tuple(state) if is_lstm else state[0]) if state else None)
    case = {"layer": layer, "bias": bias, "params": {k: encode(p) for k, p in module.named_parameters()},
            "x": encode(x), "first": [encode(s) for s in state]}
    return with_gradients(case, list(last) if is_lstm else [last], [*module.parameters(), x, *state])


def rounded(o):
    if isinstance(o, float):
        return int(o) if o == int(o) else float(f"{o:.13g}")
    if isinstance(o, dict):
        return {k: rounded(v) for k, v in o.items()}
    return [rounded(v) for v in o] if isinstance(o, list) else o


def main():
    rows = covering(OPTIONS, 3)
    layers = [layer_case(row) for row in rows]
    unbatched = {"num_layers": 2, "bidirectional": True, "batch_first": True, "bias": True, "lengths": None}
    layers += [layer_case({"layer": layer, "state": with_state, **unbatched}, batched=False)
               for layer, with_state in zip(OPTIONS["layer"], [True, False, True, True])]
    cells = [cell_case(layer, bias, with_state, batched)
             for layer in ["RNNCell", "RNNCell relu", "LSTMCell", "GRUCell"]
             for bias, with_state, batched in [(True, True, True), (False, False, True), (True, True, False)]]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "data", "recurrent_layers.json")
    with open(path, "w") as out:
        json.dump(rounded({"layers": layers, "cells": cells}), out, separators=(",", ":"))
        out.write("\n")
    print(f"{len(layers)} layers, {len(cells)} cells, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
