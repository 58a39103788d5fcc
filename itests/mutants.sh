#!/usr/bin/env bash
# Plants faults in the core, one at a time, and looks whether the simulations find them: mutants.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."

schedules=2000
seed=1
names=()
while [ $# -gt 0 ]; do
  case $1 in
    --help|-h) cat <<'HELP'
usage: mutants.sh [--schedules N] [--seed S] [NAME ...]
  Every patch in itests/mutants plants one fault. It is applied to a copy of the sources it names; then schedules of whole groups
  run (as itests/simulate.sh), and schedules of consensus alone if the fault is there, until a rule is broken. What both leave
  unseen is looked for by the tests that drive the cores by hand.
  --schedules N   at most so many schedules for each fault and simulation (default 2000)
  --seed S        the first seed (default 1)
  NAME            only these faults; "none" is the code as it is, which must keep every rule
One line for each: found or NOT FOUND, by which simulation or the tests, seed, number of schedules (or tests) it took, what was said.
Exits with 1 if a fault was not found although it should be ("Not found:" in its patch says why another is not), if a patch does not
apply any more, or if the code as it is broke a rule.
HELP
      exit 0 ;;
    --schedules) schedules=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    -*) echo "mutants: unknown option $1; see --help" >&2; exit 2 ;;
    *) names+=("$1"); shift ;;
  esac
done

mvn -q -B -ntp -pl bundles/replication -am test-compile >/dev/null || { echo "mutants: the build failed" >&2; exit 1; }
logging=$(find ~/.m2/repository -name 'slf4j-api-2*.jar' -o -name 'junit-4*.jar' -o -name 'hamcrest-*.jar' | sort | tr '\n' ':')
classes=$(for module in api linux replication consensus-paxos gate-epoch policy-idle; do printf '%s:' "$PWD/bundles/$module/target/classes"; done)
tests=$PWD/bundles/replication/target/test-classes:$PWD/bundles/consensus-paxos/target/test-classes
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -XX:+UseSerialGC -Xmx700m -cp "$tests:$classes$logging" org.plover.replication.core.Mutants \
  "$PWD" "$scratch" "$seed" "$schedules" ${names[@]+"${names[@]}"}
