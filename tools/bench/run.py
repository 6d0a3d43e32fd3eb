#!/usr/bin/env python3
"""Times gradus, libtorch (where it is installed) and the floor alternately, and prints the medians side by side.

One process measures one workload; a round runs each program once, so that a drifting machine touches all of them alike.
What counts is the ratio within one run."""

import argparse
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ["gradus", "torch", "floor"]

# Smallest libtorch / ours, one thread, that the project asks of itself.
GOALS = {
    "xor_2-16-1_b4_sgd": 15,
    "digits_64-64-10_b32_adam": 6,
    "mnist_784-256-128-10_b64_adam": 2,
    "deep_64x20layers_b32_adam": 4,
    "wide_784-1024-1024-10_b256_sgdm": 1,
    "lenet_28x28_b64_adam": 1,
    "bnconv_3x32x32_b64_sgdm": 1,
    "lstm_128_T64_b32_adam": 1.3,
    "chargpt_L4_d128_T64_b16_adamw": 1.2,
    "adam_step_only_10M": 5,
    "adam_step_only_2000x64": 10,
    "chain_100_mul_8x8_fwd_bwd": 8,
    "bcast_softmax_512x512_fwd_bwd": 2.5,
}
FIGURES = {"median": "median_us", "min": "min_us", "cpu": "cpu_us"}
WIDE = "wide_784-1024-1024-10_b256_sgdm"
WIDE_OVER_FLOOR = 1.15
TWO_THREADS = {WIDE: 1.6, "bnconv_3x32x32_b64_sgdm": 1.6, "lstm_128_T64_b32_adam": 1.6,
               "chargpt_L4_d128_T64_b16_adamw": 1.6}  # how much faster than one, at least
COPY = "copy_10M"  # reads one array and writes one
STEP_SHARE = 0.8  # of the copy's bandwidth
# The arrays that a step reads (parameter, gradient, state) and writes (parameter, state).
ARRAYS_MOVED = {"adam": 7, "adamw": 7, "sgdm": 5, "rmsprop": 5, "adagrad": 5, "lion": 5}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds and samples: a first look")
    parser.add_argument("--workload", action="append", metavar="NAME", help="only workloads whose name contains NAME")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="default: 1 2")
    parser.add_argument("--rounds", type=int, metavar="N", help="default: 5, with --quick 2")
    parser.add_argument("--by", choices=FIGURES, default="median",
                        help="which figure of a process counts; on a busy machine the fastest sample (min) or, with one "
                             "thread, the processor time (cpu) say more than the median")
    parser.add_argument("--json", metavar="FILE", help="write every measurement to FILE")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", metavar="DIR",
                        help="build directory, default build/release")
    return parser.parse_args()


def find_programs(build):
    found = {name: build / "tools/bench" / f"bench_{name}" for name in PROGRAMS}
    for name in ("gradus", "floor"):
        if not found[name].exists():
            sys.exit(f"{found[name]} is missing: run ./tools/dev bench, or build the target 'bench' with "
                     "-DGRADUS_BUILD_BENCH=ON")
    if not found["torch"].exists():
        print("libtorch is not installed (Debian: apt install libtorch-dev): measuring gradus and the floor only\n")
        del found["torch"]
    return found


def workloads_of(program):
    return subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()


def measure(program, name, workload, threads, quick):
    """One process; its line of JSON, or None after telling what went wrong."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
                       MKL_NUM_THREADS=str(threads))
    if name == "floor":
        # Its OpenMP threads must not spin on the processors that OpenBLAS's threads need.
        environment["OMP_WAIT_POLICY"] = "passive"
    amount = ["--samples", "7", "--min-time", "0.01"] if quick else []
    command = [str(program), "--workload", workload, "--threads", str(threads), *amount]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{' '.join(command)}\nfailed: {done.stderr.strip() or done.returncode}", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def run_rounds(programs, workload, threads, rounds, quick):
    """The measurements of each program; a program that fails once is not run again."""
    results = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            if results[name] is None:
                continue
            line = measure(program, name, workload, threads, quick)
            results[name] = None if line is None else results[name] + [line]
    return results


def agree(results):
    """Whether gradus and libtorch computed the same: losses at two steps, or values and gradient sums."""
    ours, theirs = results.get("gradus"), results.get("torch")
    if not ours or not theirs:
        return True
    pairs = zip(ours[0]["check"], theirs[0]["check"], strict=True)
    return all(math.isclose(a, b, rel_tol=1e-3) for a, b in pairs)


def time_of(results, name, key):
    lines = results.get(name)
    return statistics.median(line[key] for line in lines) if lines else None


def show(value, unit=""):
    if value is None:
        return "-"
    digits = 2 if value < 10 else 1 if value < 1000 else 0
    return f"{value:.{digits}f}{unit}"


def over(a, b):
    return a / b if a is not None and b is not None else None


def print_row(workload, times, threads):
    ratio = over(times["torch"], times["gradus"])
    goal = GOALS.get(workload) if threads == 1 and ratio is not None else None
    verdict = "" if goal is None else f">= {goal:g}" + (" MISSED" if ratio < goal else "")
    print(f"{workload:34}{show(times['gradus']):>10}{show(times['torch']):>12}{show(ratio):>8}"
          f"{show(times['floor']):>11}{show(over(times['gradus'], times['floor'])):>12}   {verdict}".rstrip(), flush=True)


def print_steps(times, copies):
    for (workload, threads), t in times.items():
        rule, kind, _ = workload.partition("_step_only_10M")
        if kind and copies[threads] and t["gradus"]:
            share = copies[threads] / 2 * ARRAYS_MOVED[rule] / t["gradus"]
            verdict = "" if share >= STEP_SHARE else " MISSED"
            print(f"{rule}, {threads} thread{'s' * (threads > 1)}: {share:.0%} of a plain copy's bandwidth "
                  f"(goal: at least {STEP_SHARE:.0%}){verdict}")


def print_wide(times):
    if (one := times.get((WIDE, 1))) and (factor := over(one["gradus"], one["floor"])):
        print(f"{WIDE}, one thread: {factor:.2f} times its floor (goal: at most {WIDE_OVER_FLOOR})")


def print_speedups(times):
    for workload, goal in TWO_THREADS.items():
        one, two = times.get((workload, 1)), times.get((workload, 2))
        if one and two and (speedup := over(one["gradus"], two["gradus"])):
            print(f"{workload}, two threads: {speedup:.2f} times as fast as with one (goal: at least {goal}; "
                  f"libtorch {show(over(one['torch'], two['torch']))}, floor {show(over(one['floor'], two['floor']))})")


def print_fit(build, quick):
    program = build / "tools/bench/bench_fit"
    if program.exists():
        print("\ntrain::fit beside the loop written by hand, 64-64-10 on the digits (goal: at most +3 %)")
        print(subprocess.run([program, "11" if quick else "41"], capture_output=True, text=True, check=True).stdout, end="")


def main():
    arguments = parse_arguments()
    programs = find_programs(arguments.build)
    known = {name: workloads_of(program) for name, program in programs.items()}
    listed = known["gradus"]
    workloads = [w for w in listed if not arguments.workload or any(part in w for part in arguments.workload)]
    if not workloads:
        sys.exit("no such workload; there are: " + " ".join(listed))
    rounds = arguments.rounds or (2 if arguments.quick else 5)
    key = FIGURES[arguments.by]

    print(f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; microseconds per step, "
          f"{arguments.by} of each process, median of {rounds} rounds")
    times, copies, record, failed = {}, {}, [], False
    for threads in arguments.threads:
        print(f"\n{f'{threads} thread' + 's' * (threads > 1):34}{'gradus us':>10}{'libtorch us':>12}{'ratio':>8}"
              f"{'floor us':>11}{'ours/floor':>12}" + ("   goal" if threads == 1 else ""))
        copies[threads] = time_of(run_rounds({"floor": programs["floor"]}, COPY, threads, rounds, arguments.quick),
                                  "floor", key)
        for workload in workloads:
            able = {name: program for name, program in programs.items() if workload in known[name]}
            results = run_rounds(able, workload, threads, rounds, arguments.quick)
            times[workload, threads] = {name: time_of(results, name, key) for name in PROGRAMS}
            print_row(workload, times[workload, threads], threads)
            record += [line for lines in results.values() for line in lines or []]
            failed |= None in results.values()
            if not agree(results):
                failed = True
                print(f"  gradus and libtorch disagree: {results['gradus'][0]['check']}, {results['torch'][0]['check']}")
    print()
    print_steps(times, copies)
    print_wide(times)
    print_speedups(times)
    if not arguments.workload:
        print_fit(arguments.build, arguments.quick)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(record, indent=1) + "\n")
        print(f"measurements: {arguments.json}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
