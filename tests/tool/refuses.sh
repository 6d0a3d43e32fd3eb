#!/usr/bin/env bash
# refuses.sh MESSAGE PROGRAM ARGUMENTS...: the program must exit with 2, say nothing on stdout, and one line on stderr
# that has the message in it.
set -uo pipefail
message=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$@" >"$folder/out" 2>"$folder/err" </dev/null
status=$?
cat "$folder/err"
[ "$status" = 2 ] || { echo "exit status $status, not 2"; exit 1; }
[ ! -s "$folder/out" ] || { echo "it printed to stdout"; exit 1; }
[ "$(wc -l <"$folder/err")" = 1 ] || { echo "not one line"; exit 1; }
grep -qF -- "$message" "$folder/err" || { echo "the message is not: $message"; exit 1; }
