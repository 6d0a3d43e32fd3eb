#!/usr/bin/env bash
# files_test.sh PROGRAM: what could not be written, or belongs to a run before, is told or taken away.
source "$(dirname "$0")/testing.sh" "$1"

# A run without --resume leaves no state of another one behind.
"$program" train iris --epochs 2 --report run --resume -q >/dev/null
[ -f run/state.safetensors ] || fail "--resume kept no state"
"$program" train iris --epochs 1 --report run -q >/dev/null
[ ! -e run/state.safetensors ] || fail "the state of an earlier run is left"

if [ -w /dev/full ]; then
  for command in "predict run/model.safetensors iris" "train --help" "data list"; do
    status=0
    "$program" $command >/dev/full 2>err || status=$?
    [ "$status" = 2 ] || fail "$command: exit status $status on a full disk"
    grep -qx 'gradus: standard output cannot be written' <(grep gradus: err) || fail "$command: $(cat err)"
  done
fi

mkdir taken
"$program" lr-find iris --csv taken >out 2>&1 && fail "wrote over a folder"
grep -q '^gradus: save_csv: taken: cannot be written: ' out || fail "$(cat out)"
[ "$(echo taken*)" = taken ] || fail "left a file behind: $(echo taken*)"

# Half a run is nothing to examine. (Without --foreground two signals come, and the second one kills.)
status=0
timeout --foreground --preserve-status -s INT 3 "$program" diagnose iris --after 100000000 >out 2>&1 || status=$?
[ "$status" = 2 ] || fail "exit status $status after an interruption: $(cat out)"
grep -qx 'gradus: interrupted' out || fail "$(cat out)"
