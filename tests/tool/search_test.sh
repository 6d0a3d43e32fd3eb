#!/usr/bin/env bash
# search_test.sh PROGRAM: a search that was killed goes on, and ends as one that was not.
source "$(dirname "$0")/testing.sh" "$1"
# All but the seconds, which differ.
table() { sed -E 's/ +[0-9.e-]+$//'; }

for method in random grid halving; do
  search=("$program" search iris --lr 1e-3:1e-1:log --hidden 4,16 --epochs 9 --method "$method" --trials 6 --points 2)
  "${search[@]}" --state whole.jsonl 2>/dev/null | table >whole
  "${search[@]}" 2>/dev/null | table >without
  cmp whole without || fail "$method: the state changes the result"
  # Killed in the middle of the fourth trial's line.
  head -n 4 whole.jsonl >cut.jsonl
  sed -n 5p whole.jsonl | head -c 20 >>cut.jsonl
  "${search[@]}" --state cut.jsonl 2>log | table >resumed
  cmp whole resumed || fail "$method: the resumed search ends otherwise"
  grep -q '^3 trials are in cut.jsonl already' log || fail "$method: it began anew"
  [ "$(wc -l <cut.jsonl)" = "$(wc -l <whole.jsonl)" ] || fail "$method: trials are missing, or there twice"
  "${search[@]}" --seed 1 --state whole.jsonl >out 2>&1 && fail "$method: took up another search's state"
  grep -q 'is of another search' out || fail "$method: $(cat out)"
  rm whole.jsonl
done

# A file that is no state stays as it is.
printf '{"a": 1' >mine.json
"$program" search iris --lr 0.1 --state mine.json >out 2>&1 && fail "took up any file"
[ "$(cat mine.json)" = '{"a": 1' ] || fail "changed a file that it refused"

# Nor does a search take up trials that it did not choose, or those of data that were different.
for i in $(seq 20); do echo "$i,$((i % 2))"; done >data.csv
one=("$program" search data.csv --lr 0.1,0.2 --method grid --epochs 1)
"${one[@]}" --state state.jsonl >/dev/null 2>&1
for trial in '0,"choice":[]' '7,"choice":["0.1"]' '-1,"choice":["0.1"]' '0,"choice":["0.3"]'; do
  { head -1 state.jsonl; echo "{\"trial\":$trial,\"epochs\":1,\"score\":0.9,\"loss\":1,\"seconds\":0}"; } >damaged.jsonl
  "${one[@]}" --state damaged.jsonl >out 2>&1 && fail "took $trial"
  grep -q 'is not one of this search' out || fail "$trial: $(cat out)"
done
sed -i 's/^3,1/3,0/' data.csv
"${one[@]}" --state state.jsonl >out 2>&1 && fail "took up the trials of other data"
grep -q 'is of another search' out || fail "$(cat out)"
