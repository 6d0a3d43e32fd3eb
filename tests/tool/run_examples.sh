#!/usr/bin/env bash
# run_examples.sh PROGRAM COMMAND: runs every example of a command's help as it is printed, in an empty folder.
source "$(dirname "$0")/testing.sh" "$1"
command=$2
PATH="$(dirname "$program"):$PATH"
count=0
while read -r line; do
  echo "\$ $line"
  bash -c "$line" </dev/null
  count=$((count + 1))
done < <("$program" "$command" --help | sed -n '/^Examples:/,$p' | grep '^  gradus ')
[ "$count" -gt 0 ] || fail "$command has no examples"
