#!/usr/bin/env bash
# The demo: a real Redis or PostgreSQL in a real virtual machine, protected by three appliances, survives the death of its host.
# Installs what it needs (Debian 12, as root), builds what has changed, then runs; 'demo.sh --help' lists the options.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
me=demo
# shellcheck source=distribution/prepare.sh
. "$here/prepare.sh"
need_root

# The options are the Java program's; whoever only asks for them need not wait for more than is missing.
only_help=false
flavour=memory
previous=""
for argument in "$@"; do
  case $previous$argument in
    -h | --help) only_help=true ;;
    --disk) [ "$flavour" != memory ] || flavour=disk ;;
    --service=[pP]* | --service[pP]*) flavour=postgresql ;;
  esac
  # An option's value is looked at together with its name.
  case $argument in --service) previous=--service ;; *) previous="" ;; esac
done
if [ "$only_help" = false ] || [ -z "$(built_distribution)" ]; then
  need_kernel
  install_packages
  build
fi
guest=$root/distribution/target/guest
[ "$only_help" = true ] || "$here"/guest/build.sh "$guest" "$flavour" || die "the guest image could not be made"

plover=$(built_distribution)
[ -n "$plover" ] || die "no distribution in $root/distribution/target"
work=$root/distribution/target/demo/$(date +%Y%m%d-%H%M%S)-$$
exec "$java" -XX:+UseSerialGC -Xmx128m -XX:TieredStopAtLevel=1 -cp "$(classpath_of "$plover")" org.plover.demo.cluster.Demo \
  --plover "$plover" --guest "$guest" --work "$work" "$@"
