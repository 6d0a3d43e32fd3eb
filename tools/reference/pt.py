#!/usr/bin/env python3
"""Writes tests/data/pt/reference.pt, what torch.save makes of a state dict with tensors of every kind, and the small files
that must be refused: a module as a whole, a checkpoint with other things than tensors, ...

Usage: python3 tools/reference/pt.py        (made with torch 1.13, Debian's python3-torch)

The values stand in tests/io_test.cpp.
"""
import os
import zipfile

import torch
from torch import nn

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "data", "pt")


def reference():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(torch.arange(p.numel()).reshape(p.shape) / 4 + i)
    state = model.state_dict()  # an OrderedDict with notes, _metadata
    base = torch.arange(12, dtype=torch.float64).reshape(3, 4)
    state["base"] = base
    state["transposed"] = base.t()
    state["column"] = base[:, 1]
    state["corner"] = base[1:, 2:]
    state["expanded"] = torch.tensor([1.5, -2.0]).expand(3, 2)
    state["empty"] = torch.zeros(0, 4)
    state["half"] = torch.tensor([1.0, -2.5, 6e-8, 65504.0, float("inf"), -0.0], dtype=torch.float16)
    state["bfloat"] = torch.tensor([1.0, -2.5, 3e38, float("-inf")], dtype=torch.bfloat16)
    state["int8"] = torch.tensor([-128, 127], dtype=torch.int8)
    state["uint8"] = torch.tensor([0, 255], dtype=torch.uint8)
    state["int16"] = torch.tensor([-32768, 32767], dtype=torch.int16)
    state["int32"] = torch.tensor([-2**31, 2**31 - 1], dtype=torch.int32)
    state["int64"] = torch.tensor([-2**63, 2**62])
    state["mask"] = torch.tensor([[True], [False]])
    state["parameter"] = nn.Parameter(torch.tensor([0.5]))
    state["größe"] = torch.tensor(7.0)
    return state


def write(name, value, **options):
    path = os.path.join(FOLDER, name)
    torch.save(value, path, **options)
    print(f"{name}: {os.path.getsize(path)} bytes")


def rewrite(name, source, compression=zipfile.ZIP_STORED):
    """The same entries as another zip program has them."""
    path = os.path.join(FOLDER, name)
    with zipfile.ZipFile(os.path.join(FOLDER, source)) as old, zipfile.ZipFile(path, "w", compression) as new:
        for entry in old.infolist():
            new.writestr(zipfile.ZipInfo(entry.filename), old.read(entry), compression)
    print(f"{name}: {os.path.getsize(path)} bytes")


def main():
    write("reference.pt", reference())
    write("module.pt", nn.Linear(1, 1))
    write("checkpoint.pt", {"epoch": 3, "model": {"weight": torch.ones(1)}})
    write("legacy.pt", {"weight": torch.ones(1)}, _use_new_zipfile_serialization=False)
    write("small.pt", {"weight": torch.tensor([0.5, 2.0])})
    rewrite("compressed.pt", "small.pt", zipfile.ZIP_DEFLATED)
    zipfile.ZIP64_LIMIT = 0  # all numbers go where those of files beyond 4 GB are
    rewrite("zip64.pt", "small.pt")
    os.remove(os.path.join(FOLDER, "small.pt"))


if __name__ == "__main__":
    main()
