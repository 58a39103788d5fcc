#!/bin/sh
# Makes the guest of the disk benchmark, OUTDIR/vmlinuz and OUTDIR/initrd: the demo's guest with fio laid over it.
#
#   benchmarks/guest/build.sh OUTDIR
#
# Needs what distribution/guest/build.sh needs. Packages are downloaded and unpacked below OUTDIR/.fio, never installed. A second run
# with the same inputs does nothing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
say() { echo "benchmark guest: $*" >&2; }
die() { say "$*"; exit 1; }

[ $# -eq 1 ] || die "usage: $0 OUTDIR"
mkdir -p "$1"
out=$(cd "$1" && pwd)
"$here/../../distribution/guest/build.sh" "$out/demo"

cache=$out/.fio
mkdir -p "$cache/debs"
exec 9>"$cache/lock"
flock 9

# fio is linked with every storage there is; what it needs apart from libraries is for its scripts.
packages=$(LC_ALL=C apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
                  --no-enhances fio | grep -E '^(fio|lib|zlib1g)' | grep -vE '^lib(python|perl|.*-perl$|pam|semanage|newt|slang)' | sort -u)
[ -n "$packages" ] || die "apt knows no package fio: run 'apt-get update' as root first"
# shellcheck disable=SC2086 # a list of words
key=$( (cat "$here/build.sh" "$here/init" "$out/demo/.cache/key"; apt-cache policy $packages | grep Candidate) | sha256sum | cut -d ' ' -f 1)
if [ -s "$out/initrd" ] && [ -s "$out/vmlinuz" ] && [ "$(cat "$cache/key" 2>/dev/null)" = "$key" ]; then
    say "$out is up to date"
    exit 0
fi
rm -f "$cache/key"

say "downloading fio and its libraries"
# shellcheck disable=SC2086
(cd "$cache/debs" && rm -f ./*.deb && apt-get -qq -o APT::Sandbox::User="$(id -un)" download $packages) \
    || die "download failed: check the network, or run 'apt-get update' if the archive has moved on"
unpacked=$cache/unpacked
root=$cache/root
rm -rf "$unpacked" "$root"
mkdir -p "$unpacked" "$root/bin" "$root/usr/lib"
for deb in "$cache/debs"/*.deb; do dpkg-deb -x "$deb" "$unpacked" || die "$deb is damaged: run again"; done

cp "$unpacked/usr/bin/fio" "$root/bin/fio"
loader=$(readlink -f "$unpacked/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
path=$(find "$unpacked" -type d -name x86_64-linux-gnu -o -type d -name ceph -path '*x86_64-linux-gnu*' | tr '\n' ':')
libraries=$("$loader" --inhibit-cache --library-path "$path" --list "$root/bin/fio") \
    || die "the libraries of fio cannot be resolved: $libraries"
echo "$libraries" | sed -n 's/^[[:space:]]*\(lib[^ ]*\) => \(.*\) (0x.*/\1 \2/p' > "$cache/libraries"
while read -r name file; do
    case $file in
        "$unpacked"/*) cp -L "$file" "$root/usr/lib/$name" ;;
        *) die "fio needs $name, which no package of its dependencies holds" ;;
    esac
done < "$cache/libraries"
cp "$here/init" "$root/init"
chmod 755 "$root/init" "$root/bin/fio"

# The kernel unpacks archives that follow each other, later files over earlier ones.
find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) > "$cache/overlay" || die "cpio failed: is the disk full?"
cat "$out/demo/initrd" "$cache/overlay" > "$out/.initrd.new"
cp "$out/demo/vmlinuz" "$out/.vmlinuz.new"
mv "$out/.vmlinuz.new" "$out/vmlinuz"
mv "$out/.initrd.new" "$out/initrd"
rm -rf "$unpacked" "$root" "$cache/overlay"
echo "$key" > "$cache/key"
say "initrd with fio, $(stat -c %s "$out/initrd") bytes, in $out"
