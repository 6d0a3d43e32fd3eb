#!/usr/bin/env python3
"""The documents can't rot: their code is the compiled code, and the paths that they name exist."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)\)")
PATH = re.compile(r"`((?:include|src|tests|examples|tools)/[\w./-]*)`")

# Every block of these languages is, character for character, part of a file that CI builds.
COMPILED = {"cpp": ["examples", "tests", "src", "include"], "cmake": ["tests/consumer"]}
SUFFIXES = {"cpp": [".cpp", ".hpp"], "cmake": [".txt"]}


def compiled_texts(language: str):
    for folder in COMPILED[language]:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES[language]:
                yield path.read_text()


def problems_of(document: str):
    text = (ROOT / document).read_text()
    for indent, language, code in BLOCK.findall(text):
        code = re.sub(f"^{indent}", "", code, flags=re.MULTILINE)
        if language in COMPILED and not any(code in compiled for compiled in compiled_texts(language)):
            first = next(line for line in code.splitlines() if line.strip())
            yield f"{document}: the {language} block that begins with `{first}` is in no file of {COMPILED[language]}"
    prose = BLOCK.sub("", text)
    for path in PATH.findall(prose) + LINK.findall(prose):
        if "://" not in path and not (ROOT / path).exists():
            yield f"{document}: names {path}, which does not exist"


def main() -> int:
    problems = [p for document in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md") for p in problems_of(document)]
    program = (ROOT / "examples/train_digits.cpp").read_text()
    if f"```cpp\n{program}```" not in (ROOT / "README.md").read_text():
        problems.append("README.md: its training program is not examples/train_digits.cpp")
    print("\n".join(problems) if problems else "readme: all code is compiled code, all paths exist")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
