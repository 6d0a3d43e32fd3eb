#!/usr/bin/env bash
# completion_test.sh PROGRAM: asks the script that it prints for bash as bash would.
source "$(dirname "$0")/testing.sh" "$1"
PATH="$(dirname "$program"):$PATH"
eval "$(gradus completion bash)"

# The last word is the one to complete.
complete_words() {
  COMP_WORDS=(gradus "$@")
  COMP_CWORD=$#
  COMPREPLY=()
  _gradus
  echo "${COMPREPLY[*]}"
}
expect() {
  local expected=$1
  shift
  local got
  got=$(complete_words "$@")
  [ "$got" = "$expected" ] || fail "gradus $*: got '$got', not '$expected'"
}
expect "compare completion" comp
expect "train" tr
expect "--epochs" train iris --ep
expect "iris" train ir
expect "adadelta adafactor adagrad adam adamax adamw" train iris --optimizer ada
expect "cosine" train iris --schedule cos
expect "fetch" data f
expect "lamb lion" train iris --optimizer l
expect "lamb lbfgs lion" compare --optimizers l
expect "rosenbrock" compare --on rosenb
expect "rosenbrock" landscape rosenb
expect "bash" completion b
# What help lists, completion knows.
for command in train predict lr-find compare search inspect; do
  for option in $(gradus "$command" --help | grep -oE '^ +(-[a-z],)?--[a-z-]+' | sed 's/^ *//; s/.*,//'); do
    [[ " $(complete_words "$command" -) " == *" $option "* ]] || fail "$command: $option is not completed"
  done
done
