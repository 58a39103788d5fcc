#!/usr/bin/env bash
# Chaos: random faults on a protected guest in a real virtual machine, under clients whose histories are checked.
# Installs what it needs (Debian 12, as root), builds what has changed, then runs; 'chaos.sh --help' lists the options.
# With '--plover DIR' it takes that unpacked distribution and builds nothing.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
me=chaos
more_packages="tcpdump nftables e2fsprogs"
more_programs="tcpdump nft tc chattr"
# shellcheck source=distribution/prepare.sh
. "$root/distribution/prepare.sh"
need_root

only_help=false
flavour=memory
given=""
arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help | --list) only_help=true ;;
    --disk) flavour=disk ;;
    --plover) given=$(cd "${2:?--plover needs a directory}" && pwd); shift 2; continue ;;
  esac
  arguments+=("$1")
  shift
done

if [ "$only_help" = false ] && [ -z "$given" ]; then
  need_kernel
  install_packages
fi
if [ -z "$given" ] && { [ "$only_help" = false ] || [ -z "$(built_distribution)" ]; }; then
  build
fi
guest=$root/distribution/target/guest
[ "$only_help" = true ] || "$root"/distribution/guest/build.sh "$guest" "$flavour" || die "the guest image could not be made"

built=${given:-$(built_distribution)}
[ -n "$built" ] || die "no distribution in $root/distribution/target"
work=$root/distribution/target/chaos/$(date +%Y%m%d-%H%M%S)-$$
plover=$built
if [ "$only_help" = false ]; then
  # A copy of its own: a build in the meantime must not change what a long run runs.
  mkdir -p "$work"
  cp -a "$built" "$work/plover"
  plover=$work/plover
fi
exec "$java" -XX:+UseSerialGC -Xmx256m -XX:TieredStopAtLevel=1 -cp "$(classpath_of "$plover")" org.plover.demo.chaos.Chaos \
  --plover "$plover" --guest "$guest" --work "$work" "${arguments[@]}"
