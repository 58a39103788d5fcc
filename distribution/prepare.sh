# shellcheck shell=bash
# Sourced by demo.sh and chaos.sh, which set $root and $me: installs what is missing (Debian 12, as root), builds what has changed.
# Knows no options.

packages="qemu-system-x86 libxxhash0 iproute2 procps redis-tools e2fsprogs maven openjdk-17-jdk-headless ${more_packages:-}"
programs="qemu-system-x86_64 ip sysctl redis-benchmark e2fsck mvn javac ${more_programs:-}"

die() { echo "$me: $*" >&2; exit 1; }
need_root() { [ "$(id -u)" = 0 ] || die "needs root: it makes network namespaces, bridges and taps. Run it with sudo"; }

need_kernel() {
  # PAGEMAP_SCAN and asynchronous write protection, with which dirty pages are found.
  [ "$(printf '6.7\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.7 ] \
    || die "this kernel is $(uname -r); dirty pages are found with calls of Linux 6.7 or newer. Debian 12 has one in its backports"
  modprobe tun 2>/dev/null || [ -c /dev/net/tun ] || die "/dev/net/tun is missing: load the kernel module 'tun'"
}

install_packages() {
  local missing="" program
  for program in $programs; do
    command -v "$program" >/dev/null || missing="$missing $program"
  done
  ldconfig -p | grep -F libxxhash.so.0 >/dev/null || missing="$missing libxxhash"
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || die "missing:$missing; install them (on Debian: $packages)"
  echo "$me: installing$missing" >&2
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
  echo "$me: building" >&2
  (cd "$root" && mvn -q -B -ntp -Dmaven.test.skip=true -pl '!itests,!benchmarks' package) || die "the build failed"
  touch "$stamp"
}

built_distribution() { find "$root/distribution/target" -maxdepth 1 -type d -name 'plover-[0-9]*' 2>/dev/null | head -n 1; }

java=${JAVA_HOME:+$JAVA_HOME/bin/}java

# What the programs of tools/demo need of a distribution.
classpath_of() {
  find "$1/demo" "$1/lib" "$1"/system -name "*.jar" \
    \( -path "*/demo/*" -o -path "*/lib/*" -o -name "jakarta.json-*" \) | tr "\n" ":"
}
