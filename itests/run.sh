#!/usr/bin/env bash
# Builds everything and runs every test, unit and integration, on a Debian machine; installs what they need and is missing.
# The last line is "N passed, N failed"; exits with 0 only if nothing failed and nothing was skipped.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

# command or file that tells that it is there | Debian package that brings it
needs=(
  "javac|openjdk-17-jdk-headless"
  "spin|spin"
  "gcc|gcc"
  "mvn|maven"
  "git|git"
  "qemu-system-x86_64|qemu-system-x86"
  "qemu-img|qemu-utils"
  "qemu-io|qemu-utils"
  "qemu-nbd|qemu-utils"
  "qemu-storage-daemon|qemu-system-common"
  "nbdinfo|libnbd-bin"
  "nbdcopy|libnbd-bin"
  "ip|iproute2"
  "nft|nftables"
  "tc|iproute2"
  "tcpdump|tcpdump"
  "chattr|e2fsprogs"
  "mkfs.ext4|e2fsprogs"
  "e2fsck|e2fsprogs"
  "redis-cli|redis-tools"
  "redis-benchmark|redis-tools"
  "redis-server|redis-server"
  "busybox|busybox-static"
  "cpio|cpio"
  "sysctl|procps"
  "unshare|util-linux"
  "flock|util-linux"
  "mount|mount"
  "losetup|mount"
  "chromium|chromium"
  "chromedriver|chromium-driver"
  "libxxhash.so.0|libxxhash0"
)

is_there() {
  case $1 in
    javac) [[ -n ${JAVA_HOME:-} && -x $JAVA_HOME/bin/javac ]] || command -v javac >/dev/null ;;
    lib*) /sbin/ldconfig -p | grep -F "$1" >/dev/null ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
  esac
}

install_missing() {
  local need missing=()
  for need in "${needs[@]}"; do
    is_there "${need%%|*}" || missing+=("${need##*|}")
  done
  ((${#missing[@]})) || return 0
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  echo "installing ${missing[*]}"
  # A service that a package would start is not wanted: the tests start their own.
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || {
    echo "cannot install ${missing[*]}; install them by hand and call this again" >&2
    return 1
  }
}

# One line for each test class, and the sums in passed and failed; a skipped test has failed.
summarise() {
  local report line class tests errors failures skipped
  passed=0 failed=0
  echo
  printf '%-72s %6s %6s %7s\n' "test class" tests failed skipped
  while IFS= read -r -d '' report; do
    line=$(grep -m1 '<testsuite ' "$report")
    class=$(attribute "$line" name) tests=$(attribute "$line" tests) errors=$(attribute "$line" errors)
    failures=$(attribute "$line" failures) skipped=$(attribute "$line" skipped)
    printf '%-72s %6d %6d %7d\n' "$class" "$tests" $((errors + failures)) "$skipped"
    ((failed += errors + failures + skipped, passed += tests - errors - failures - skipped))
  done < <(find . -path '*-reports/TEST-*.xml' -newer "$started" -print0 | sort -z)
  echo
}

attribute() {
  sed -n "s/.* $2=\"\([^\"]*\)\".*/\1/p" <<<"$1"
}

install_missing || exit 1
# The tools of an administrator, for tests that make network namespaces.
export PATH=$PATH:/usr/sbin:/sbin
started=$(mktemp)
trap 'rm -f "$started"' EXIT

# One module's failed test does not keep the others from being run.
mvn -B -ntp --fail-at-end -Dmaven.test.failure.ignore=true verify "$@"
build=$?
summarise
if ((build != 0)); then
  echo "the build itself failed, see above"
  ((failed += 1))
fi
if ((passed == 0 && failed == 0)); then
  echo "no test was run"
  failed=1
fi
echo "$passed passed, $failed failed"
((failed == 0))
