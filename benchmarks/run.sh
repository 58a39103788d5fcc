#!/bin/sh
# Runs benchmarks: benchmarks/run.sh [digest transport consensus disk ...]; all of them if none is named. Builds first if a source is newer than the last build.
set -eu
cd "$(dirname "$0")/.."

jar=benchmarks/target/plover-benchmarks-0.1.0-SNAPSHOT.jar
built=benchmarks/target/built
if [ ! -e "$built" ] || [ -n "$(find pom.xml bundles benchmarks -name target -prune -o -type f -newer "$built" -print | head -n 1)" ]; then
    mvn -q -pl benchmarks -am package -DskipTests
    touch "$built"
fi

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
flags="--enable-native-access=ALL-UNNAMED"
if "$java" --sun-misc-unsafe-memory-access=allow -version >/dev/null 2>&1; then
    flags="$flags --sun-misc-unsafe-memory-access=allow"
fi
# shellcheck disable=SC2086 # the flags are words of their own
exec "$java" $flags -cp "$jar:benchmarks/target/lib/*" org.plover.benchmarks.Benchmarks "$@"
