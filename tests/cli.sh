#!/usr/bin/env bash
# Runs the gradus program as users do: cli.sh GRADUS SOURCE_DIR. Statuses, streams, results on disk. The last line counts.
set -u
gradus=$(readlink -f "$1") source=$(readlink -f "$2")
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here" || exit 1
passed=0 failed=0

# expect STATUS TEXT COMMAND…: the status, and a text that stdout or stderr contains.
expect() {
  local status=$1 text=$2 out got
  shift 2
  out=$("$@" 2>&1 </dev/null)
  got=$?
  if [ $got = "$status" ] && [[ $out == *"$text"* ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAIL: %s\n  status %s (expected %s), expected text: %s\n  output: %s\n' "$*" $got "$status" "$text" "${out:0:600}"
  fi
}
# same NAME A B: two texts are equal.
same() {
  if [ "$2" = "$3" ]; then passed=$((passed + 1)); else
    failed=$((failed + 1)); printf 'FAIL: %s\n--- %s\n--- %s\n' "$1" "${2:0:600}" "${3:0:600}"; fi
}

cat > line.loss <<'LOSS'
data  x[n], y[n]
param a, b
const lambda = 0.5
loss = mean((a*x + b - y)^2) + lambda*a^2
LOSS
cat > classes.loss <<'LOSS'
data  X[n, d]
data  c[n] : index(k)
param W[d, k]
loss = cross_entropy(X @ W, c)
output P = softmax(X @ W)
LOSS

# The command line.
expect 2 'a command is missing' "$gradus"
expect 2 "did you mean grad?" "$gradus" gard line.loss
expect 2 '--ass' "$gradus" grad line.loss --ass latex
expect 2 'numpy' "$gradus" grad line.loss --as matlab
expect 2 '--order 0' "$gradus" grad line.loss --order 0
expect 1 'not supported yet: --order 2' "$gradus" grad line.loss --order 2
expect 1 'not supported yet: --as numpy' "$gradus" grad line.loss --as numpy
expect 1 'not supported yet: --steps' "$gradus" grad line.loss --steps
expect 1 'not supported yet: --hessian' "$gradus" eval line.loss --hessian x='[1]' y='[1]' a=1 b=1
expect 2 'nowhere.loss' "$gradus" check nowhere.loss
expect 2 'is a directory' "$gradus" check .
expect 2 'a formula is missing' "$gradus" check
expect 2 'is too much' "$gradus" check line.loss x=1
expect 2 "is too much" "$gradus" check -- line.loss x=1
expect 0 'bce(p, y)' "$gradus" check --prelude
expect 2 'no input and no size named q' "$gradus" eval line.loss q=1
expect 2 'b is given twice' "$gradus" eval line.loss b=1 b=2
expect 2 'name=value' "$gradus" eval line.loss b
expect 2 '--wrt c' "$gradus" grad classes.loss --wrt c
expect 2 'did you mean W?' "$gradus" grad classes.loss --wrt w
expect 2 '--loss nll' "$gradus" grad line.loss --loss nll
expect 2 '--threads 0x' "$gradus" eval line.loss --threads 0x
expect 2 '-o PATH' "$gradus" build line.loss
expect 2 "'elf' cannot be emitted" "$gradus" build line.loss -o line --emit elf
expect 2 'the last part' "$gradus" build line.loss -o out/
expect 0 'gradus 0.' "$gradus" --version
expect 0 'gradus 0.' "$gradus" eval --version
expect 0 'Usage' "$gradus" grad --help
expect 2 '"severity": "error"' "$gradus" check nowhere.loss --diagnostics=json
expect 2 '"severity": "error"' "$gradus" --diagnostics json gard
expect 1 $'\x1b[' "$gradus" check -e 'loss = q @ ' --color=always

# check, grad, fmt
expect 0 'X     [n, d]' "$gradus" check classes.loss
expect 0 'index(k)' "$gradus" check classes.loss
expect 0 'loss' bash -c '"$0" check - < line.loss' "$gradus"
expect 0 'grad_a' "$gradus" grad line.loss
expect 0 'grad_x' "$gradus" grad -e 'sin(x)^2*y'
expect 0 'outer(x, x)' "$gradus" grad -e 'x @ A @ x' --let 'data A[n,n], x[n]' --wrt A --as text
expect 0 'A     [n, n]' "$gradus" check -e 'x @ A @ x' --let 'A[n,n], data x[n]'
expect 1 '<expression>:2:14: note: x is declared here' "$gradus" check -e 'x @ A @ x' --let 'A[n,n], data x[m]'
expect 0 '-x^2 + y' "$gradus" fmt -e '-x^2+ y'
expect 1 'loss' "$gradus" grad -e 'data x[n]; z = x + 1; loss'
"$gradus" check line.loss > /dev/full 2> full.txt
same 'output that cannot be written has status 1' "$?" 1

# eval
expect 0 'loss = 0.5' "$gradus" eval line.loss x='[0, 1]' y='[0, 1]' a=1 b=0
expect 0 'grad_b = 0' "$gradus" eval line.loss x='[0, 1]' y='[0, 1]' a=1 b=0 --grad
expect 0 'loss = 0' "$gradus" eval line.loss x='[0, 1]' y='[0, 1]' a=1 b=0 lambda=0
expect 0 '{"loss": 0.5, "grad": {"a": 1, "b": 0}, "dims": {"n": 2}}' "$gradus" eval line.loss x='[0, 1]' y='[0, 1]' a=1 b=0 --grad --json
expect 0 '{"loss": 0.5, "dims": {"n": 2}}' "$gradus" eval line.loss x='[0, 1]' y='[0, 1]' a=1 b=0 --json
expect 0 '"nan"' "$gradus" eval line.loss x='[nan, 1]' y='[0, 1]' a=1 b=0 --json
expect 0 'loss = 5' "$gradus" eval -e 'a^2 + b' a=2 b=1
expect 1 'no value is given for y[n]' "$gradus" eval line.loss x='[0, 1]' a=1 b=0
expect 1 'y has length 3' "$gradus" eval line.loss x='[0, 1]' y='[0, 1, 2]' a=1 b=0
expect 1 'c[1] is 3' "$gradus" eval classes.loss X='[1, 2; 3, 4]' c='[0, 3]' W='[1, 2; 3, 4]'
expect 0 '"P": [[' "$gradus" eval classes.loss X='[1, 2; 3, 4]' c='[0, 1]' W='[1, 2; 3, 4]' --json
printf 'x,y,name\n0,0,first\n1,1,second\n' > t.csv
expect 0 'loss = 0.5' "$gradus" eval line.loss --table t.csv a=1 b=0
expect 0 'loss = 0.5' "$gradus" eval line.loss x=@t.csv:x y=@t.csv:y a=1 b=0
expect 1 "t.csv:2:5: error: 'first' in column 'name'" "$gradus" eval line.loss x=@t.csv:x y=@t.csv:name a=1 b=0
one=$("$gradus" eval classes.loss X=normal c=uniform W=normal n=5000 d=7 k=3 --grad --json --threads 1)
same 'threads do not change a bit' "$one" "$("$gradus" eval classes.loss X=normal c=uniform W=normal n=5000 d=7 k=3 --grad --json --threads 3)"
same 'another seed gives other values' "$([ "$one" = "$("$gradus" eval classes.loss X=normal c=uniform W=normal n=5000 d=7 k=3 --grad --json --seed 1)" ]; echo $?)" 1

# The text form of grad is a program that gives the same gradient.
"$gradus" grad line.loss > gradient.loss
expect 0 'grad_a = 1' "$gradus" eval gradient.loss x='[0, 1]' y='[0, 1]' a=1 b=0

# fmt
printf '# head\nparam w # the weight\nloss=w^2\n' > odd.loss
printf '# head\nparam w  # the weight\nloss = w^2\n' > canonical.loss
expect 3 'is not in canonical form' "$gradus" fmt --check odd.loss
expect 3 'gradus fmt --in-place odd.loss' "$gradus" fmt --check odd.loss --diagnostics=json
expect 0 '' "$gradus" fmt --check canonical.loss
same 'fmt keeps comments' "$("$gradus" fmt odd.loss)" "$(cat canonical.loss)"
chmod 640 odd.loss
expect 0 '' "$gradus" fmt --in-place odd.loss
same 'fmt --in-place writes the canonical form' "$(cat odd.loss; stat -c %a odd.loss)" "$(cat canonical.loss; echo 640)"
expect 2 'exclude each other' "$gradus" fmt --in-place --check odd.loss
expect 2 'needs a FILE' "$gradus" fmt --in-place -e 'x'
expect 1 'nothing follows' "$gradus" fmt -e 'x +'

# The parts of section 8 that the commands share.
cat > two.loss <<'LOSS'
data  x[n]
param w, v
loss a = sum(x)*w^2
loss b = w*v
output p = x*w
LOSS
expect 0 'output grad_a_w' "$gradus" grad two.loss
expect 0 'output grad_b_v' "$gradus" grad two.loss
expect 0 'output grad_v = w' "$gradus" grad two.loss --loss b
same '--loss leaves the others out' "$("$gradus" grad two.loss --loss b | grep -c grad_a)" 0
same '--wrt leaves the others out' "$("$gradus" grad two.loss --wrt v | grep -c '_w =')" 0
expect 0 'output grad_x' "$gradus" grad two.loss --wrt x,w --loss b
expect 0 '"losses": {"a": 12, "b": 6}' "$gradus" eval two.loss x='[1, 2]' w=2 v=3 --json
expect 0 '"grad": {"a": {"w": 12, "v": 0}, "b": {"w": 3, "v": 2}}' "$gradus" eval two.loss x='[1, 2]' w=2 v=3 --json --grad
expect 0 '"outputs": {"p": [2, 4]}' "$gradus" eval two.loss x='[1, 2]' w=2 v=3 --json
expect 0 '"jacobians": {"p": {"w": [1, 2], "v": [0, 0]}}' "$gradus" eval two.loss x='[1, 2]' w=2 v=3 --json --grad
expect 0 'grad_w = 3' "$gradus" eval two.loss x='[1, 2]' w=2 v=3 --grad --loss b
expect 2 'the losses are a, b' "$gradus" grad two.loss --loss c
expect 2 "a name is missing beside a ','" "$gradus" grad two.loss --wrt 'w,'
expect 2 '--wrt needs a value' "$gradus" grad two.loss --wrt ''
expect 2 '--loss needs a value' "$gradus" grad two.loss --loss=
expect 2 "'x=3' is too much" "$gradus" grad two.loss x=3
expect 0 'const  t     scalar = 3' "$gradus" check -e 'sum(y)*t*x' --let 'data y[n]; const t = 3; x'
expect 0 'c     [n] : index(k)' "$gradus" check -e 'sum(E[c])' --let 'E[k], data c[n] : index(k)'
expect 2 "is too much" "$gradus" grad -e 'x^2' two.loss
expect 2 "is too much" "$gradus" check -- line.loss x=1
expect 2 '--as needs a value' "$gradus" grad two.loss --as
expect 2 '--color sometimes' "$gradus" check two.loss --color=sometimes
expect 2 '--limit 0' "$gradus" eval two.loss --limit 0
expect 1 'the limit is 600' "$gradus" eval -e 'x*sum[i in 0..n, j in 0..n](sin(i*j*x))' --let 'z[n]' x=1 z=zeros n=20000000
expect 1 'cannot be written' bash -c '"$0" grad two.loss > /dev/full' "$gradus"
expect 1 'cannot be written' bash -c '"$0" eval two.loss x="[1]" w=1 v=1 --json > /dev/full' "$gradus"
expect 1 'cannot be written' bash -c '"$0" --help > /dev/full' "$gradus"
expect 0 'taken as scalar parameters: x, y' "$gradus" check -e 'x^2*y'
expect 0 'the number e is exp(1)' "$gradus" check -e 'e^x'
expect 0 'a transpose is X.T' "$gradus" check -e 'T*x'
same 'a note alone is no object' "$("$gradus" check -e 'x^2*y' --diagnostics=json 2>&1 > /dev/null)" ''
printf 'c,v\n0,1\n1.5,2\n' > index.csv
printf 'data c[n] : index(k)\nparam E[k]\nloss = sum(E[c])\n' > index.loss
expect 1 "index.csv:3:1: error: c[1] is 1.5" "$gradus" eval index.loss c=@index.csv:c E='[1, 2]'
expect 1 "index.csv:3:1: error: c[1] is 1.5" "$gradus" eval index.loss --table index.csv E='[1, 2]'
for command in check grad eval verify build bench fmt; do
  expect 0 '--diagnostics' "$gradus" $command --help
done
expect 0 'verify' "$gradus" --help
same 'colours only where asked for' "$("$gradus" check -e 'q @ ' 2>&1 | grep -c $'\x1b')" 0
same 'the same seed gives the same values' "$("$gradus" eval index.loss c=uniform E=normal n=9 k=4 --seed 3)" "$("$gradus" eval index.loss c=uniform E=normal n=9 k=4 --seed 3)"

# verify
expect 0 'passed' "$gradus" verify line.loss
expect 0 'passed' "$gradus" verify classes.loss
expect 0 'at 1 point' "$gradus" verify line.loss x='[0, 1]' y='[0, 1]' a=1 b=0
expect 3 'FAILED' "$gradus" verify classes.loss --tolerance 0
expect 1 'positive' "$gradus" verify -e 'param a : positive; loss = log(a)' a=-1
expect 2 '--tolerance x' "$gradus" verify line.loss --tolerance x

# bench
expect 0 '"grad_s"' "$gradus" bench line.loss x=normal y=normal n=1000 a=1 b=1 --json --seconds 0.01
expect 0 'rows/s' "$gradus" bench line.loss x=normal y=normal n=1000 a=1 b=1 --seconds 0.01

# build: what the header declares compiles as C99 and C++ without a warning, links with libm only, and gives eval's bits.
expect 0 '' "$gradus" build classes.loss -o out/classes --emit obj,header,static,shared,cmake,llvm,asm
for file in classes.o classes.h libclasses.a libclasses.so classes-config.cmake classes.ll classes.s; do
  expect 0 '' test -s out/$file
done
cat > main.c <<'C'
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "out/classes.h"
int main(void) {
  const double X[4] = {1, 2, 3, 4}, W[4] = {0.1, 0.2, -0.3, 0.4};
  const int64_t c[2] = {0, 1}, bad[2] = {0, 2};
  double loss = -7, grad[4], P[4];
  void *workspace = malloc(classes_workspace(2, 2, 2) + 64);
  if (classes_grad(2, 2, 2, X, bad, W, &loss, grad, workspace) != classes_SUBSCRIPT_OUTSIDE || loss != -7) return 2;
  if (classes_grad(-1, 2, 2, X, c, W, &loss, grad, workspace) != classes_BAD_SIZE || loss != -7) return 3;
  if (classes_grad(2, 2, 2, X, c, W, NULL, NULL, workspace) != classes_OK) return 4;
  if (classes_grad(2, 2, 2, X, c, W, &loss, grad, workspace) != classes_OK) return 5;
  if (classes_output_P(2, 2, 2, X, c, W, P, workspace) != classes_OK) return 6;
  printf("%.17g %.17g %.17g %.17g %.17g %.17g\n", loss, grad[0], grad[1], grad[2], grad[3], P[1]);
  if (classes_loss(2, 2, 2, X, c, W, &P[0], workspace) != classes_OK) return 7;
  free(workspace);
  return P[0] == loss ? 0 : 8;
}
C
cp main.c main.cpp
numbers=$("$gradus" eval classes.loss X='[1, 2; 3, 4]' c='[0, 1]' W='[0.1, 0.2; -0.3, 0.4]' --grad --json | python3 -c '
import json, sys
r = json.load(sys.stdin)
g = r["grad"]["W"]
print(*("%.17g" % v for v in [r["loss"], *g[0], *g[1], r["outputs"]["P"][0][1]]))')
expect 0 '' cc -std=c99 -Wall -Wextra -pedantic -Werror main.c out/classes.o -lm -o main_c
expect 0 "$numbers" ./main_c
expect 0 '' c++ -std=c++11 -Wall -Wextra -pedantic -Werror main.cpp out/libclasses.a -lm -o main_cpp
expect 0 "$numbers" ./main_cpp
expect 0 '' cc -std=c99 main.c out/libclasses.so -Wl,-rpath,"$here/out" -lm -o main_so
expect 0 "$numbers" ./main_so
mkdir again
expect 0 '' "$gradus" build classes.loss -o again/classes
same 'the same input gives the same object' "$(cat again/classes.o | md5sum)" "$(cat out/classes.o | md5sum)"
same 'the same input gives the same header' "$(cat again/classes.h)" "$(cat out/classes.h)"
expect 1 'cannot be written' "$gradus" build classes.loss -o /proc/nowhere/classes

# Running sums and products take one step an element; with native code beside the reference, forwards and backwards.
expect 0 'loss = 500000500000' "$gradus" eval -e 'sum(cumsum(x))' --let 'x[n]' x=ones n=1000000
for formula in 'sum(cumsum(X, axis=0)^2)' 'sum(cumprod(X, axis=1)*X)' 'sum[i](y[i]*log(sum[j : j >= i](exp(x[j]))))' \
  'sum[i](y[i]*prod[j : j < i](x[j]))' 'sum[i, k](X[i,k]*sum[j, l : j > i](X[j,l]))' \
  'sum[i](y[i]*sum[j : j <= i and x[j] > 0](x[j]))'; do
  expect 0 'passed' "$gradus" verify -e "$formula" --let 'x[n], y[n], X[n, m]' n=19 m=11
done

# Examples on their data.
cd "$source" || exit 1
expect 0 'loss = ' "$gradus" eval examples/logistic.loss X=@examples/data/breast_cancer.csv:mean_radius..worst_fractal_dimension y=@examples/data/breast_cancer.csv:target w=zeros b=0
expect 0 'loss = ' "$gradus" eval examples/softmax.loss X=@examples/data/digits.csv:pixel_0_0..pixel_7_7 c=@examples/data/digits.csv:target W=zeros b=zeros k=10
expect 0 'loss = ' "$gradus" eval examples/huber.loss X=@examples/data/diabetes.csv:age..s6 y=@examples/data/diabetes.csv:target w=zeros b=0

echo "$passed passed, $failed failed"
[ $failed = 0 ]
