#!/usr/bin/env bash
# files_test.sh PROGRAM: what could not be written, or belongs to a run before, is told or taken away.
source "$(dirname "$0")/testing.sh" "$1"

# A run without --resume leaves no state of another one behind.
"$program" train iris --epochs 2 --report run --resume -q >/dev/null
[ -f run/state.safetensors ] || fail "--resume kept no state"
"$program" train iris --epochs 1 --report run -q >/dev/null
[ ! -e run/state.safetensors ] || fail "the state of an earlier run is left"

# Nor does a run that is refused take the state of the one before, and one that goes on needs its own settings.
"$program" train iris --epochs 2 --report run --resume -q >/dev/null
refuses 'clip_grad_norm must be positive' train iris --report run --clip -1 -q
[ -f run/state.safetensors ] || fail "a run that was refused took the state away"
refuses 'is the state of another run: setting --lr was default, is 0.1' train iris --report run --resume -q --lr 0.1
refuses 'is the state of another run: model was' train iris --report run --resume -q --activation tanh
for i in $(seq 20); do echo "$i,$((i % 2))"; done >data.csv
"$program" train data.csv --epochs 1 --report other --resume -q >/dev/null
sed -i 's/^3,1/3,0/' data.csv
refuses 'is the state of another run: setting data was' train data.csv --report other --resume -q

# What diverged is no success, and answers nothing.
status=0
"$program" train diabetes --optimizer sgd --lr 1e9 --epochs 2 -q --report burst >/dev/null || status=$?
[ "$status" = 1 ] || fail "exit status $status after a loss that is not finite"
refuses 'outputs are not finite' predict burst/model.safetensors diabetes
refuses 'cannot be written: there is no folder /nowhere' compare --on iris --svg /nowhere/race.svg

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
