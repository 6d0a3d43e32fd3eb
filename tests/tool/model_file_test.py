"""model_file_test.py PROGRAM: files that look like saved models and are none are refused in one line."""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

FEATURES = ["a", "b", "c", "d"]
SCALER = {"scaler.mean": ([4], [0] * 4), "scaler.scale": ([4], [1] * 4)}


def linear(outputs):
    return {"0.weight": ([outputs, 4], [0.1] * (4 * outputs)), "0.bias": ([outputs], list(range(outputs)))}


def save(path, tensors, meta):
    head, data = {"__metadata__": {"gradus": json.dumps(meta)}}, b""
    for name, (shape, values) in tensors.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        head[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    with tempfile.TemporaryDirectory() as folder:
        check(sys.argv[1], pathlib.Path(folder))


def check(program, folder):
    base = dict(task="classification", input=[4], features=FEATURES, target="t", layers="2", classes=["u", "v"])
    regression = {**base, "task": "regression", "layers": "1", "classes": []}
    target = {"scaler.target_mean": ([1], [0]), "scaler.target_scale": ([1], [1])}
    cases = [
        ("fewer classes", SCALER | linear(5000), {**base, "layers": "5000", "classes": ["only"]}, "has outputs (1, 5000)"),
        ("more classes", SCALER | linear(2), {**base, "classes": [str(i) for i in range(300)]}, "has outputs (1, 2)"),
        ("two outputs", SCALER | target | linear(2), {**regression, "layers": "2"}, "has outputs (1, 2)"),
        ("wide target", SCALER | linear(1) | {name: ([2], [1, 1]) for name in target}, regression, "target_mean is not"),
        ("wide scaler", SCALER | linear(2) | {"scaler.mean": ([9, 1, 4], [0] * 36)}, base, "scaler.mean is not"),
        ("memory", {name: ([1], [1]) for name in SCALER}, {**base, "input": [1, 2, 2], "layers": "conv:1000000:1,conv:1000000:1"}, "weights"),
        ("memory in parts", SCALER, {**base, "layers": "50000000,9,50000000"}, "not from 1 to 1000000"),
        ("sound", SCALER | linear(2), base, None),
    ]
    table, model = folder / "table.csv", folder / "model.safetensors"
    table.write_text("a,b,c,d\n1,2,3,4\n")
    for name, tensors, meta, message in cases:
        save(model, tensors, meta)
        run = subprocess.run([program, "predict", model, table], capture_output=True, text=True, timeout=60)
        expected = (2, 1, True) if message else (0, 0, True)
        got = (run.returncode, run.stderr.count("\n"), (message or "") in run.stderr)
        assert got == expected, (name, run.returncode, run.stdout, run.stderr)


main()
