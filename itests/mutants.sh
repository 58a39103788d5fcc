#!/usr/bin/env bash
# Plants faults in the core, one at a time, and looks whether the simulations find them: mutants.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'HELP'
usage: mutants.sh [--schedules N] [--seed S] [NAME ...]
  Every patch in itests/mutants plants one fault. It is applied to a copy of the sources it names; then schedules of whole groups
  run (itests/simulate.sh), and schedules of consensus alone if the fault is there, until a rule is broken.
  --schedules N   at most so many schedules for each fault and simulation (default 4000)
  --seed S        the first seed (default 1)
  NAME            only these faults; "none" is the code as it is, which must keep every rule
One line for each: found or NOT FOUND, by which simulation, seed, number of schedules it took, what was said.
Exits with 1 if a fault was not found although it should be, or the code as it is broke a rule.
HELP
}

schedules=4000
seed=1
names=()
while [ $# -gt 0 ]; do
  case $1 in
    --help|-h) usage; exit 0 ;;
    --schedules) schedules=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    -*) echo "mutants: unknown option $1; see --help" >&2; exit 2 ;;
    *) names+=("$1"); shift ;;
  esac
done
if [ ${#names[@]} -eq 0 ]; then
  names=(none)
  for patch in itests/mutants/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi

mvn -q -B -ntp -pl bundles/replication -am test-compile >/dev/null || { echo "mutants: the build failed" >&2; exit 1; }
root=$PWD
logging=$(find ~/.m2/repository/org/slf4j -name 'slf4j-api-2*.jar' | sort | tail -n 1)
sources=$(for module in api linux replication consensus-paxos gate-epoch policy-idle; do printf '%s:' "$root/bundles/$module/target/classes"; done)$logging
tests="$root/bundles/replication/target/test-classes:$root/bundles/consensus-paxos/target/test-classes"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Prints "broken|kept|hung <tab> seed <tab> schedules <tab> schedules that did not come back <tab> what was said".
simulate() { # folder of the changed classes, main class and its arguments
  local changed=$1 said=0
  shift
  timeout 600 "${JAVA_HOME:+$JAVA_HOME/bin/}java" -XX:+UseSerialGC -Xmx512m -cp "$changed:$tests:$sources" "$@" >"$scratch/said" 2>"$scratch/errors" || said=$?
  if ! grep -P '^(broken|kept)\t' "$scratch/said" | tail -n 1 | grep .; then
    printf 'hung\t-\t-\t-\tended with %s: %s\n' "$said" "$(grep -v SLF4J "$scratch/errors" | head -n 1)"
  fi
}

plant() { # name; leaves the classes in $scratch/classes
  local patch=$root/itests/mutants/$1.patch file files
  rm -rf "$scratch/tree" "$scratch/classes"
  mkdir -p "$scratch/tree" "$scratch/classes"
  [ "$1" != none ] || return 0
  files=$(sed -n 's|^+++ b/||p' "$patch")
  for file in $files; do
    mkdir -p "$scratch/tree/$(dirname "$file")"
    cp "$root/$file" "$scratch/tree/$file"
  done
  (cd "$scratch/tree" && git apply --whitespace=nowarn "$patch" && javac --release 17 -nowarn -cp "$sources" -d "$scratch/classes" $files)
}

missed=0
printf '%-32s %-10s %-10s %8s %10s  %s\n' fault result by seed schedules 'what was said'
for name in "${names[@]}"; do
  expected=found
  if [ "$name" = none ]; then
    expected=kept
  elif grep -q '^Not found:' "itests/mutants/$name.patch"; then
    expected=either
  fi
  plant "$name" || { echo "mutants: $name does not apply to these sources any more; renew it" >&2; missed=$((missed + 1)); continue; }
  result=kept
  by=group
  line=$(simulate "$scratch/classes" org.plover.replication.core.Simulate --planted --seed "$seed" --schedules "$schedules")
  if [ "${line%%$'\t'*}" = kept ] && { [ "$name" = none ] || grep -q '^+++ b/bundles/consensus-paxos' "itests/mutants/$name.patch"; }; then
    group=$line
    line=$(simulate "$scratch/classes" org.plover.consensus.paxos.sim.ChaosRun "$seed" "$schedules" planted)
    [ "${line%%$'\t'*}" = kept ] && line=$group$' (nor by consensus alone: '"$(cut -f4 <<<"$line")"' did not go on)' || by=consensus
  fi
  IFS=$'\t' read -r result at count stuck what <<<"$line"
  case $result in
    broken) shown=found ;;
    kept) shown='NOT FOUND'; what="$stuck did not come back $what"; by=- ;;
    *) shown=$result ;;
  esac
  [ "$name" != none ] || { shown=$result; }
  printf '%-32s %-10s %-10s %8s %10s  %s\n' "$name" "$shown" "$by" "$at" "$count" "${what:0:170}"
  case $expected-$result in
    kept-broken|kept-hung|found-kept) missed=$((missed + 1)) ;;
  esac
done
[ "$missed" -eq 0 ] || { echo "$missed not as they should be"; exit 1; }
