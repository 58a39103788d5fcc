#!/usr/bin/env bash
# Random schedules of faults on simulated groups: simulate.sh --help. Builds what it needs first.
set -euo pipefail
cd "$(dirname "$0")/.."
mvn -q -B -ntp -pl bundles/replication -am test-compile -DskipTests >/dev/null || { echo "simulate: the build failed" >&2; exit 1; }
logging=$(find ~/.m2/repository/org/slf4j -name 'slf4j-api-2*.jar' | sort | tail -n 1)
classes=$(for module in api linux replication consensus-paxos gate-epoch policy-idle; do printf '%s:' "bundles/$module/target/classes"; done)
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" -XX:+UseSerialGC -Xmx512m -XX:TieredStopAtLevel=4 \
  -cp "bundles/replication/target/test-classes:$classes$logging" org.plover.replication.core.Simulate "$@"
