#!/usr/bin/env bash
# Checks the model of the protocol with spin: intact, which must show no error, and with each guard taken out, which must show one.
# check.sh --deep checks the intact model with one more view as well (long, and some GiB of memory).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
small="-DVIEWS=2 -DCRASHES=1 -DOUTPUTS=1 -DTRANSFERS=2"
failed=0

# name, "no error" or "an error", definitions
check() {
  local name=$1 expected=$2 begun=$SECONDS found
  shift 2
  mkdir -p "$work/$name" && cd "$work/$name" || exit 1
  spin -a "$@" "$here/plover.pml" >spin.out 2>&1 || { cat spin.out; exit 1; }
  gcc -O1 -DSAFETY -DCOLLAPSE -DMEMLIM=12000 -o pan pan.c 2>gcc.out || { cat gcc.out; exit 1; }
  ./pan -m200000 >out 2>&1
  if grep -q 'errors: 0$' out && ! grep -Eq 'max search depth too small|out of memory' out; then found="no error"
  elif grep -q 'assertion violated' out; then found="an error"
  else found="no result"; fi
  printf '%-18s %-60s %12s states %4d s  %s\n' "$name" "$*" "$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' out | head -n 1)" \
    $((SECONDS - begun)) "$found"
  if [ "$found" != "$expected" ]; then
    echo "$name: expected $expected" >&2
    tail -n 20 out >&2
    failed=1
  fi
}

check intact "no error" $small
[ "${1:-}" != --deep ] || check intact-deep "no error" -DVIEWS=3 -DCRASHES=1 -DOUTPUTS=1 -DTRANSFERS=2
for guard in STAGED REMOVAL JOIN_HOLDS IN_SYNC MAJORITY RESTART COLD SESSION; do
  check "$guard" "an error" -DBREAK_$guard $small
done
check ALONE "an error" -DBREAK_ALONE -DVIEWS=3 -DCRASHES=1 -DOUTPUTS=1 -DTRANSFERS=2
check DURABLE_SET "an error" -DBREAK_DURABLE_SET -DVIEWS=2 -DCRASHES=2 -DOUTPUTS=1 -DTRANSFERS=1
exit $failed
