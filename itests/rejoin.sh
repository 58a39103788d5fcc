#!/usr/bin/env bash
# Rejoin: a large disk is copied to a backup, the link is cut in the middle, and the copy goes on where it was.
# Installs what it needs (Debian 12, as root), builds what has changed, then runs; 'rejoin.sh --help' lists the options.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
me=rejoin
# shellcheck source=distribution/prepare.sh
. "$root/distribution/prepare.sh"
need_root

only_help=false
for argument in "$@"; do
  case $argument in -h | --help) only_help=true ;; esac
done
if [ "$only_help" = false ] || [ -z "$(built_distribution)" ]; then
  need_kernel
  install_packages
  build
fi
guest=$root/distribution/target/guest
[ "$only_help" = true ] || "$root"/distribution/guest/build.sh "$guest" disk || die "the guest image could not be made"

plover=$(built_distribution)
[ -n "$plover" ] || die "no distribution in $root/distribution/target"
work=$root/distribution/target/rejoin/$(date +%Y%m%d-%H%M%S)-$$
# Its disks are large, and of no use afterwards.
trap 'rm -f "$work"/data.img "$work"/*/disks/*.img' EXIT
status=0
"$java" -XX:+UseSerialGC -Xmx128m -cp "$(classpath_of "$plover")" org.plover.demo.cluster.Rejoin \
  --plover "$plover" --guest "$guest" --work "$work" "$@" || status=$?
exit $status
