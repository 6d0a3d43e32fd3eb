#!/usr/bin/env python3
"""Writes tests/data/attention_layers.json: what PyTorch's attention and transformer layers answer, each pair of options
at least once.

Usage: python3 tools/reference/attention_layers.py        (made with torch 1.13, Debian's python3-torch)

One case: the layer, its options, its parameters, its inputs and masks, its output, the attention weights if they were
asked for, and the gradients of sum(output * cotangent) + sum(weights * weights_cotangent).
"""
import itertools
import json
import math
import os
import random

import torch
from torch import nn

torch.manual_seed(7)
random.seed(7)
torch.set_default_dtype(torch.float64)

E, HEADS, BATCH = 4, 2, 2


def encode(t):
    if t is None:
        return None
    values = (t.long() if t.dtype == torch.bool else t.detach()).reshape(-1).tolist()
    kind = "bool" if t.dtype == torch.bool else "float"
    return {"kind": kind, "shape": list(t.shape), "values": ["-inf" if v == -math.inf else v for v in values]}


def grid(*shape):
    """Exact in float32, too."""
    return torch.round(torch.randn(shape) * 32) / 32


def pairwise(**factors):
    """Combinations in which each pair of values of two factors occurs; the next one has the most new pairs of fifty."""
    names = list(factors)
    missing = {((a, i), (b, j)) for a, b in itertools.combinations(names, 2)
               for i in range(len(factors[a])) for j in range(len(factors[b]))}
    rows = []
    while missing:
        seed = dict(random.choice(sorted(missing)))
        best, best_new = None, -1
        for _ in range(50):
            row = {n: seed.get(n, random.randrange(len(factors[n]))) for n in names}
            new = sum(((a, row[a]), (b, row[b])) in missing for a, b in itertools.combinations(names, 2))
            if new > best_new:
                best, best_new = row, new
        missing -= {((a, best[a]), (b, best[b])) for a, b in itertools.combinations(names, 2)}
        rows.append({n: factors[n][best[n]] for n in names})
    return rows


def prepared(layer):
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(grid(*p.shape))
    return layer


def boolean_mask(*shape):
    """True where not to look; the first key is never masked."""
    mask = torch.rand(shape) < 0.4
    mask[..., 0] = False
    return mask


def make_mask(kind, shape):
    if kind is None:
        return None
    if kind == "bool":
        return boolean_mask(*shape)
    if kind == "causal":
        return torch.ones(shape[-2:], dtype=torch.bool).triu(1)
    return grid(*shape).masked_fill(boolean_mask(*shape), -math.inf)


def finish(case, layer, inputs, output, weights=None):
    cotangent = grid(*output.shape)
    loss = (output * cotangent).sum()
    if weights is not None:
        case["weights"], case["weights_cotangent"] = encode(weights), encode(grid(*weights.shape))
        w = torch.tensor(case["weights_cotangent"]["values"]).reshape(weights.shape)
        loss = loss + (weights * w).sum()
    loss.backward()
    case.update(parameters={k: encode(p) for k, p in layer.named_parameters()}, inputs=[encode(x) for x in inputs],
                y=encode(output), cotangent=encode(cotangent),
                grads=[encode(x.grad) for x in [*inputs, *layer.parameters()]])
    return case


def layout(batch_first, batched, positions, width):
    if not batched:
        return (positions, width)
    return (BATCH, positions, width) if batch_first else (positions, BATCH, width)


def mha_case(o):
    options = {k: o[k] for k in ["bias", "batch_first"]} | o["dims"]
    layer = prepared(nn.MultiheadAttention(E, HEADS, **options))
    self_attention = o["inputs"] == "self" and not o["dims"]
    queries, keys = 3, 3 if self_attention else 4
    def make(positions, width): return grid(*layout(o["batch_first"], o["batched"], positions, width)).requires_grad_()
    inputs = [make(queries, E)]
    if not self_attention:
        inputs += [make(keys, options.get("kdim", E)), make(keys, options.get("vdim", E))]
    batch = BATCH if o["batched"] else 1
    three = o["mask"] is not None and o["mask"].endswith("3")
    mask = make_mask(o["mask"] and o["mask"].rstrip("3"), (batch * HEADS, queries, keys) if three else (queries, keys))
    padding = boolean_mask(*((BATCH, keys) if o["batched"] else (keys,))) if o["padding"] else None
    q, k, v = inputs * 3 if self_attention else inputs
    y, weights = layer(q, k, v, key_padding_mask=padding, attn_mask=mask, need_weights=o["weights"] is not None,
                       average_attn_weights=o["weights"] != "heads")
    case = {"layer": "MultiheadAttention", "options": options, "average": o["weights"] != "heads",
            "is_causal": o["mask"] == "causal", "mask": None if o["mask"] == "causal" else encode(mask),
            "padding": encode(padding)}
    return finish(case, layer, inputs, y, weights)


def layer_case(o):
    options = {k: o[k] for k in ["activation", "batch_first", "norm_first", "layer_norm_eps"]}
    layer = nn.TransformerEncoderLayer(E, HEADS, dim_feedforward=3, dropout=0.0, **options)
    if o["depth"]:
        layer = nn.TransformerEncoder(layer, o["depth"], nn.LayerNorm(E) if o["norm"] else None)
    prepared(layer)
    x = grid(*layout(o["batch_first"], o["batched"], 3, E)).requires_grad_()
    mask = make_mask(o["mask"], (3, 3))
    padding = boolean_mask(*((BATCH, 3) if o["batched"] else (3,))) if o["padding"] else None
    y = layer(x, mask, src_key_padding_mask=padding)
    case = {"layer": "TransformerEncoder" if o["depth"] else "TransformerEncoderLayer", "options": options,
            "depth": o["depth"], "norm": o["norm"], "is_causal": o["mask"] == "causal",
            "mask": None if o["mask"] == "causal" else encode(mask), "padding": encode(padding)}
    return finish(case, layer, [x], y)


def cases():
    flags = [False, True]
    for o in pairwise(bias=flags, batch_first=flags, batched=flags, padding=flags,
                      dims=[{}, {"kdim": 3, "vdim": 5}, {"vdim": 2}], inputs=["self", "cross"],
                      mask=[None, "bool", "float", "bool3", "float3", "causal"], weights=[None, "mean", "heads"]):
        yield mha_case(o)
    for o in pairwise(activation=["relu", "gelu"], batch_first=flags, norm_first=flags, layer_norm_eps=[1e-5, 0.125],
                      batched=flags, padding=flags, mask=[None, "bool", "float", "causal"], depth=[0], norm=[False]):
        yield layer_case(o)
    for norm_first, norm in itertools.product(flags, flags):
        yield layer_case(dict(activation="gelu", batch_first=True, norm_first=norm_first, layer_norm_eps=1e-5, batched=True,
                              padding=True, mask="causal", depth=2, norm=norm))


def rounded(o):
    if isinstance(o, float):
        return float(f"{o:.13g}") if o != int(o) else int(o)
    if isinstance(o, dict):
        return {k: rounded(v) for k, v in o.items()}
    return [rounded(v) for v in o] if isinstance(o, list) else o


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "data", "attention_layers.json")
    record = rounded(list(cases()))
    with open(path, "w") as out:
        out.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in record) + "\n]\n")
    print(f"{len(record)} cases, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
