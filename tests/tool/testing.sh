# To be sourced, with PROGRAM: what the tests of the program begin with. They work in a folder that goes with them.
set -euo pipefail
program=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() { echo "$1"; exit 1; }

# refuses MESSAGE ARGUMENTS...: the program fails and says so.
refuses() {
  local message=$1
  shift
  "$program" "$@" >out 2>&1 && fail "took $*"
  grep -qF "$message" out || fail "$(cat out)"
}
