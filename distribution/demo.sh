#!/usr/bin/env bash
# The demo: a real Redis in a real virtual machine, protected by three appliances, survives the death of its host.
# Installs what it needs (Debian 12, as root), builds what has changed, then runs; 'demo.sh --help' lists the options.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
packages="qemu-system-x86 libxxhash0 iproute2 procps redis-tools maven openjdk-17-jdk-headless"
programs="qemu-system-x86_64 ip sysctl redis-benchmark mvn javac"

die() { echo "demo: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "needs root: it makes network namespaces, bridges and taps. Run it with sudo"

install_packages() {
  local missing="" program
  for program in $programs; do
    command -v "$program" >/dev/null || missing="$missing $program"
  done
  ldconfig -p | grep -F libxxhash.so.0 >/dev/null || missing="$missing libxxhash"
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || die "missing:$missing; install them (on Debian: $packages)"
  echo "demo: installing$missing" >&2
  local wanted="" package
  for package in $packages; do
    # A JDK or Maven that is there already need not come from a package.
    case $package in
      maven) command -v mvn >/dev/null && continue ;;
      openjdk-*) command -v javac >/dev/null && continue ;;
    esac
    wanted="$wanted $package"
  done
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update || die "apt-get update failed; check the package sources and the network"
  # shellcheck disable=SC2086 # a list of words
  apt-get -qq install -y --no-install-recommends $wanted >/dev/null || die "could not install:$wanted"
}

# Builds only if a source is newer than the last build.
build() {
  local stamp=$root/distribution/target/demo-built
  if [ -f "$stamp" ] && [ -z "$(find "$root"/pom.xml "$root"/bundles "$root"/features "$root"/config "$root"/tools "$root"/distribution \
      -newer "$stamp" -type f -not -path '*/target/*' -print -quit)" ]; then
    return 0
  fi
  echo "demo: building" >&2
  (cd "$root" && mvn -q -B -ntp -Dmaven.test.skip=true -pl '!itests,!benchmarks' package) || die "the build failed"
  touch "$stamp"
}

built_distribution() { find "$root/distribution/target" -maxdepth 1 -type d -name 'plover-[0-9]*' 2>/dev/null | head -n 1; }

# The options are the Java program's; whoever only asks for them need not wait for more than is missing.
only_help=false
for argument in "$@"; do
  case $argument in -h | --help) only_help=true ;; esac
done
if [ "$only_help" = false ] || [ -z "$(built_distribution)" ]; then
  # PAGEMAP_SCAN and asynchronous write protection, with which dirty pages are found.
  [ "$(printf '6.7\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.7 ] \
    || die "this kernel is $(uname -r); dirty pages are found with calls of Linux 6.7 or newer. Debian 12 has one in its backports"
  modprobe tun 2>/dev/null || [ -c /dev/net/tun ] || die "/dev/net/tun is missing: load the kernel module 'tun'"
  install_packages
  build
fi
guest=$root/distribution/target/guest
[ "$only_help" = true ] || "$here"/guest/build.sh "$guest" || die "the guest image could not be made"

plover=$(built_distribution)
[ -n "$plover" ] || die "no distribution in $root/distribution/target"
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
classpath=$(find "$plover/demo" "$plover/lib" "$plover"/system -name "*.jar" \
  \( -path "*/demo/*" -o -path "*/lib/*" -o -name "jakarta.json-*" \) | tr "\n" ":")
work=$root/distribution/target/demo/$(date +%Y%m%d-%H%M%S)-$$
exec "$java" -XX:+UseSerialGC -Xmx128m -XX:TieredStopAtLevel=1 -cp "$classpath" org.plover.demo.cluster.Demo \
  --plover "$plover" --guest "$guest" --work "$work" "$@"
