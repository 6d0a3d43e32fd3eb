#!/usr/bin/env python3
"""The house has floors; a file may include files of its own floor and of those below. Names each file that does not."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Lowest first. `name` stands for include/gradus/name.hpp, include/gradus/name/, src/name.cpp, src/name.hpp and src/name/.
FLOORS = [
    ("storage", ["error", "dtype", "shape", "memory", "threads", "storage", "common"]),
    ("kernels", ["kernels"]),
    ("tensor", ["tensor", "factory", "random", "print", "io", "xtensor"]),
    ("autograd", ["autograd", "anomaly", "custom_op", "function", "checkpoint", "graph"]),
    ("ops", ["ops"]),
    ("functional", ["functional", "linalg"]),
    ("nn", ["nn"]),
    ("optim", ["optim"]),
    ("problems", ["problems"]),
    ("gradcheck", ["gradcheck"]),
    ("data", ["data"]),
    ("plot", ["plot"]),
    ("train", ["train"]),
    ("facade", ["gradus"]),
]
# These use the public headers only.
USERS = ["examples", "tools"]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def floor_of(path: pathlib.PurePath):
    """The number of a file's floor; None for a file that no line of the table knows."""
    parts = path.parts[2:] if path.parts[0] == "include" else path.parts[1:]
    name = parts[0].split(".")[0]
    for number, (_, names) in enumerate(FLOORS):
        if name in names:
            return number
    return None


def resolve(including: pathlib.Path, spelled: str):
    """The project's file that an include names, relative to the root; None for other libraries' headers."""
    for base in (including.parent, ROOT / "include", ROOT / "src"):
        candidate = (base / spelled).resolve()
        if candidate.is_file() and candidate.is_relative_to(ROOT):
            return candidate.relative_to(ROOT)
    return None


def includes(path: pathlib.Path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match[2]


def sources(*folders: str):
    for folder in folders:
        yield from sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in (".hpp", ".cpp"))


def main() -> int:
    problems = []
    for path in sources("include", "src"):
        here = path.relative_to(ROOT)
        floor = floor_of(here)
        if floor is None:
            problems.append(f"{here}: belongs to no floor; add it to the table in tools/check/floors.py")
            continue
        for line, spelled in includes(path):
            target = resolve(path, spelled)
            if target is None:
                continue
            below = floor_of(target)
            if below is not None and below > floor:
                problems.append(
                    f"{here}:{line}: {FLOORS[floor][0]} must not include {target}, which is {FLOORS[below][0]}")
    for path in sources(*USERS):
        here = path.relative_to(ROOT)
        for line, spelled in includes(path):
            target = resolve(path, spelled)
            # tools/bench also times single kernels.
            allowed = ("include", here.parts[0]) if here.parts[:2] != ("tools", "bench") else ("include", "tools", "src")
            # The op table uses public headers only, and `gradus gradcheck` walks it.
            is_table = target is not None and target.parts[:2] == ("tests", "ops")
            if target is not None and target.parts[0] not in allowed and not is_table:
                problems.append(f"{here}:{line}: {here.parts[0]} must not include {target}: public headers only")
    print("\n".join(problems) if problems else "floors: every include goes to the same floor or down")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
