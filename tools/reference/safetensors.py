#!/usr/bin/env python3
"""Writes tests/data/reference.safetensors with torch alone, by the published format, for tests/io_test.cpp.

Usage: python3 tools/reference/safetensors.py            writes it        (torch 1.13, Debian's python3-torch)
       python3 tools/reference/safetensors.py file...    reads files, such as Gradus has saved, and prints them

[https://github.com/huggingface/safetensors, section "Format"]
"""
import json
import os
import struct
import sys

import numpy
import torch

DTYPES = {"F64": torch.float64, "I64": torch.int64, "F32": torch.float32, "BOOL": torch.bool}  # by falling alignment
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def write(path, tensors, metadata):
    order = sorted(tensors, key=lambda name: (list(DTYPES).index(NAMES[tensors[name].dtype]), name))
    header, data = {"__metadata__": metadata}, b""
    for name in order:
        raw = tensors[name].contiguous().numpy().tobytes()
        header[name] = {"dtype": NAMES[tensors[name].dtype], "shape": list(tensors[name].shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    content = open(path, "rb").read()
    length = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8:8 + length]), content[8 + length:]
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = numpy.frombuffer(data[begin:end], dtype=str(DTYPES[entry["dtype"]]).removeprefix("torch."))
            tensors[name] = torch.from_numpy(values.copy()).reshape(entry["shape"])
    return tensors


def main():
    for path in sys.argv[1:]:
        for name, tensor in read(path).items():
            print(name, tensor.dtype, tuple(tensor.shape), tensor.reshape(-1)[:8].tolist())
    if len(sys.argv) == 1:
        here = os.path.dirname(os.path.abspath(__file__))
        tensors = {
            "layer.weight": torch.tensor([[0.5, -1.25, 3e38], [1e-45, float("inf"), -0.0]]),
            "layer.bias": torch.tensor([1 / 3, -2.5], dtype=torch.float64),
            "steps": torch.tensor(-(2 ** 62)),
            "mask": torch.tensor([[True], [False], [True]]),
            "nothing": torch.zeros(0, 4),
            "größe \"x\"": torch.tensor([7], dtype=torch.int64),
        }
        write(os.path.join(here, "..", "..", "tests", "data", "reference.safetensors"), tensors,
              {"epoch": "3", "note": "a \"text\"\n"})


if __name__ == "__main__":
    main()
