#!/usr/bin/env python3
"""Public headers are quick to compile and need nothing: they include the standard library and each other, only."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
STANDARD = re.compile(r"^[a-z_0-9]+$")  # <vector>, <cstdint>: no folder, no extension
USING_NAMESPACE = re.compile(r"^\s*using\s+namespace\b")

# The bridge is the one header that users include on purpose, with xtensor at hand.
MAY_INCLUDE_XTENSOR = {"include/gradus/xtensor.hpp"}


def is_allowed(header: str, spelled: str) -> bool:
    if STANDARD.match(spelled) or spelled.startswith("gradus/"):
        return True
    return header in MAY_INCLUDE_XTENSOR and spelled.startswith("xtensor/")


def problems_of(path: pathlib.Path):
    header = str(path.relative_to(ROOT))
    lines = path.read_text().splitlines()
    if "#pragma once" not in lines:
        yield f"{header}: has no #pragma once"
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match and not is_allowed(header, match[2]):
            yield f"{header}:{number}: includes {match[2]}: neither the standard library nor a gradus header"
        if USING_NAMESPACE.match(line):
            yield f"{header}:{number}: using namespace in a header"
        if match and match[2] == "gradus/xtensor.hpp":
            yield f"{header}:{number}: only users include the bridge to xtensor"


def main() -> int:
    headers = sorted((ROOT / "include").rglob("*.hpp"))
    problems = [problem for path in headers for problem in problems_of(path)]
    print("\n".join(problems) if problems else f"headers: {len(headers)} public headers are self-sufficient")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
