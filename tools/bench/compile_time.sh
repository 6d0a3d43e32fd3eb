#!/usr/bin/env bash
# What a user waits for: compiling a one-file training program against the installed library, starting a program that
# makes one tensor, and the size of the shared library. Builds an own shared library and installs it to a temporary folder.
#
#   tools/bench/compile_time.sh [prefix]    with a prefix: measure what is installed there instead
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cxx=${CXX:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

install_shared() {
  local build=$root/build/shared launcher=()
  if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON -DGRADUS_BUILD_TESTS=OFF \
    -DGRADUS_BUILD_EXAMPLES=OFF "${launcher[@]}" >"$work/log" || { cat "$work/log" >&2; exit 1; }
  cmake --build "$build" -j "$(nproc)" >"$work/log" || { cat "$work/log" >&2; exit 1; }
  cmake --install "$build" --prefix "$1" --strip >"$work/log" || { cat "$work/log" >&2; exit 1; }
}

# The shortest of several runs, since the others measure the neighbours: milliseconds, and those of processor time.
fastest() {
  local runs=$1
  shift
  python3 - "$runs" "$@" <<'PY'
import resource, subprocess, sys, time
runs, command = int(sys.argv[1]), sys.argv[2:]
wall, cpu = [], []
for _ in range(runs):
    start, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall.append(time.perf_counter() - start)
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu.append(now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)
print(f"{min(wall) * 1000:.1f} ms ({min(cpu) * 1000:.1f} ms of processor time)")
PY
}

prefix=${1:-$work/prefix}
if [[ $# -eq 0 ]]; then install_shared "$prefix"; fi
library=$(find "$prefix" -name libgradus.so | head -n 1)
if [[ -z $library ]]; then echo "no libgradus.so under $prefix" >&2; exit 1; fi
lib=$(dirname "$library")

cat >"$work/start.cpp" <<'CPP'
#include <gradus/gradus.hpp>
int main() { return gradus::ones({2, 2}).numel() == 4 ? 0 : 1; }
CPP
# A program's whole command line: compile and link.
build=("$cxx" -std=c++20 -O2 "-I$prefix/include" "-L$lib" "-Wl,-rpath,$lib" -o "$work/program")
compile_time=$(fastest 3 "${build[@]}" "$root/examples/train_digits.cpp" -lgradus)
"${build[@]}" "$work/start.cpp" -lgradus
start_time=$(fastest 20 "$work/program")
megabytes=$(stat -L -c %s "$library" | awk '{printf "%.2f", $1 / 1e6}')

echo "compile and link examples/train_digits.cpp, -O2: $compile_time (goal: under 2000)"
echo "start a program that makes one tensor and exits: $start_time (goal: under 10)"
echo "shared library: $megabytes MB (goal: under 6)"
