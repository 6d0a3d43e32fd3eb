#!/usr/bin/env python3
"""No function compiled for AVX may be taken for another: usage: one_definition.py <build folder>

The kernels are compiled once per instruction set. A template or inline function that is not in the namespace of its
instruction set becomes one weak symbol with several definitions, of which the linker keeps any: code with AVX-512 could
then run on every machine. The same goes for code that runs at load time, before anyone asked what the processor has.
"""

import pathlib
import subprocess
import sys

ISAS = ["sse2", "avx2", "avx512"]
HARMLESS = ("DW.ref.",)  # a pointer to the exception handler, the same in all


def defined_symbols(objects):
    """(name, type) of the external symbols that the object files define."""
    listing = subprocess.run(["nm", "--defined-only", "--extern-only", "--no-demangle", "--format=posix", *objects],
                             check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) >= 2 and not fields[0].startswith(HARMLESS):
            yield fields[0], fields[1]


def has_load_time_code(path: str) -> bool:
    sections = subprocess.run(["objdump", "--section-headers", path], check=True, capture_output=True, text=True).stdout
    return ".init_array" in sections or ".ctors" in sections


def demangle(symbol: str) -> str:
    return subprocess.run(["c++filt", symbol], check=True, capture_output=True, text=True).stdout.strip()


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1])
    problems, checked = [], 0
    for isa in ISAS:
        objects = [str(p) for p in sorted((build / "CMakeFiles" / f"gradus_kernels_{isa}.dir").rglob("*.o"))]
        if not objects:
            continue
        mangled_namespace = f"{len(isa)}{isa}"
        for name, kind in defined_symbols(objects):
            checked += 1
            if mangled_namespace not in name:
                problems.append(f"{isa}: {demangle(name)} ({kind}) is not in the namespace of its instruction set")
        problems += [f"{isa}: {path} runs code at load time" for path in objects if has_load_time_code(path)]
    if not checked:
        print(f"one definition: {build} has a single set of kernels")
        return 0
    print("\n".join(problems) if problems else f"one definition: {checked} symbols, each of one instruction set")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
