#!/usr/bin/env bash
# contest_test.sh PROGRAM: every optimizer that the program knows goes down a bowl.
source "$(dirname "$0")/testing.sh" "$1"
names=$("$program" compare --on beale --optimizers no_such 2>&1 | sed 's/.*known are //; s/, /,/g') || true
table=$("$program" compare --on "bowl(1, 4)" --steps 200 --optimizers "$names" 2>/dev/null)
echo "$table"
[ "$(wc -l <<<"$table")" -gt 20 ] || fail "optimizers are missing"
start=$("$program" compare --on "bowl(1, 4)" --steps 1 --optimizers sgd:0 2>/dev/null | awk 'NR > 1 {print $2}')
worse=$(awk -v start="$start" 'NR > 1 && !($2 < start) {print $1}' <<<"$table")
[ -z "$worse" ] || fail "did not descend: $worse"
