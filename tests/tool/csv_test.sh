#!/usr/bin/env bash
# csv_test.sh PROGRAM: tables as they come, learnt from and predicted.
source "$(dirname "$0")/testing.sh" "$1"

# Labels are words, one of them quoted; line ends are those of Windows, and there is a byte order mark.
{
  printf '\xEF\xBB\xBFkind,"the, width",height\r\n'
  for i in $(seq 40); do printf '"small, flat",%d.5,%d\r\nlarge,%d,%d\r\n' $((i % 5)) $((i % 3)) $((20 + i % 5)) $((9 + i % 3)); done
} >shapes.csv
"$program" train shapes.csv --target kind --epochs 20 --lr 0.03 --report run -q --json >summary
grep -q '"valid_accuracy": 1.0' summary || fail "did not learn what is plain: $(cat summary)"
"$program" predict run/model.safetensors shapes.csv >predictions 2>score
grep -q '80 samples: accuracy 1.0000' score || fail "$(cat score)"
[ "$(sed -n 2p predictions | cut -d, -f1,2)" = '"small, flat"' ] || fail "$(head -2 predictions)"
# Without the target, with columns in another order and one more.
printf 'name,height,"the, width"\nx,10,22\n' >new.csv
"$program" predict run/model.safetensors new.csv --probabilities 2>score | tail -1 >line
grep -q '^large,' line || fail "$(cat line)"
[ ! -s score ] || fail "there is no truth to compare with: $(cat score)"
printf 'height\n10\n' >less.csv
refuses "there is no column 'the, width'; known are height" predict run/model.safetensors less.csv
printf 'a,b\n1,2\n3,x\n' >bad.csv
refuses "bad.csv:3: column b: not a finite number: 'x'" train bad.csv --target a --task regression
printf 'a,b\n1,2\n3\n' >ragged.csv
refuses 'ragged.csv:3: rows differ in length: 1 cells, the first row has 2' train ragged.csv

# A header is seen where numbers are names; what could be a sample is one, and --header decides.
features() { "$program" train "$1" --epochs 1 -q --target "$2" --task classification "${@:3}" 2>&1 | head -1; }
samples() { for i in $(seq 12); do echo "$i,$((i % 5)),$((i % 3)),$((i % 2))"; done; }
for header in id,2019,2020,y 0,1,2,3 1,2,3,y; do
  { echo "$header"; samples; } >numbers.csv
  features numbers.csv 4 | grep -q ' 10 samples to train on, 2 held out' || fail "$header: $(features numbers.csv 4)"
done
features numbers.csv 4 --header no | grep -q "column 4, 10 samples to train on, 3 held out" || fail "took the header"
{ echo '?,1,2,1'; samples; } >missing.csv
refuses "missing.csv:1: column 1: not a finite number: '?'" train missing.csv
{ echo '7,1,2,1'; samples; } >named.csv
features named.csv 4 --header no | grep -q "of column 4, " || fail "$(features named.csv 4 --header no)"
# The target must not be a feature as well.
{ echo 'x,y,y'; samples | cut -d, -f2-; } >twice.csv
refuses "twice.csv:1: two columns have the name 'y'" train twice.csv --target y
# What no report could hold is refused before the work.
printf 'x,gr\xF6\xDFe\n1,2\n' >latin.csv
refuses 'latin.csv:1: is not UTF-8' train latin.csv
