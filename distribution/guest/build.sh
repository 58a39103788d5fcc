#!/bin/sh
# Makes the guest of the demo and of the system tests: OUTDIR/vmlinuz and OUTDIR/initrd, from Debian packages only.
#
#   distribution/guest/build.sh OUTDIR
#
# Runs on Debian 12 (amd64) as root or as a user. It needs nothing but apt and dpkg: packages are downloaded and unpacked
# below OUTDIR/.cache, never installed. A second run with the same inputs (these files, the candidate versions that apt
# knows) does nothing; PLOVER_GUEST_REBUILD=1 builds anyway.
set -eu

# The cloud kernel suits emulation: few drivers to probe, and an LZ4 payload where the general kernel has a slow XZ one.
KERNEL=${PLOVER_GUEST_KERNEL:-linux-image-cloud-amd64}
MODULES='virtio_pci virtio_mmio virtio_net virtio_blk'
PROGRAMS='redis-server redis-tools busybox-static'
LIBRARIES='libc6 libatomic1 libgcc-s1 libjemalloc2 liblzf1 liblua5.1-0 lua-bitop lua-cjson libssl3 libsystemd0
           libcap2 libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libzstd1 libstdc++6'

here=$(cd "$(dirname "$0")" && pwd)
say() { echo "guest image: $*" >&2; }
die() { say "$*"; exit 1; }

[ $# -eq 1 ] || die "usage: $0 OUTDIR"
[ "$(dpkg --print-architecture)" = amd64 ] || die "amd64 needed, this machine is $(dpkg --print-architecture)"
mkdir -p "$1"
out=$(cd "$1" && pwd)
cache=$out/.cache
mkdir -p "$cache/debs"

# Two builds into one OUTDIR at the same time would tear each other's work; the second waits and then finds all done.
exec 9>"$cache/lock"
flock 9

# Prints "PACKAGE VERSION" for each; apt needs a second to start, so it is asked for all at once.
candidates() {
    LC_ALL=C apt-cache policy "$@" \
        | sed -n -e 's/^\([^ ].*\):$/\1/;t name' -e 's/^  Candidate: //;t version' -e d \
                 -e ':name' -e h -e d -e ':version' -e 'H;x;s/\n/ /p' \
        | grep -v ' (none)$' || true
}
version_of() { awk -v p="$1" '$1 == p { print $2 }' "$cache/candidates"; }

apt_lists_once() {
    [ -z "$(candidates "$KERNEL")" ] || return 0
    [ "$(id -u)" = 0 ] || die "apt knows no package $KERNEL: run 'apt-get update' as root first"
    say "apt knows no package $KERNEL yet: apt-get update"
    apt-get -qq update || die "apt-get update failed: check /etc/apt/sources.list and the network"
    [ -n "$(candidates "$KERNEL")" ] || die "no package $KERNEL in the configured archives: Debian 12 'main' needed"
}

apt_lists_once
# linux-image-cloud-amd64 is an empty package that names the present kernel.
kernel_package=$(apt-cache depends --important "$KERNEL" | sed -n 's/^  Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "$kernel_package" ] || die "package $KERNEL names no kernel: set PLOVER_GUEST_KERNEL to a linux-image meta package"
packages="$kernel_package $PROGRAMS $LIBRARIES"

# shellcheck disable=SC2086 # a list of words
candidates $packages > "$cache/candidates"
key=$(cat "$here/build.sh" "$here/init" "$here/redis.conf" "$cache/candidates" | sha256sum | cut -d ' ' -f 1)
if [ -z "${PLOVER_GUEST_REBUILD:-}" ] && [ -s "$out/vmlinuz" ] && [ -s "$out/initrd" ] \
        && [ "$(cat "$cache/key" 2>/dev/null)" = "$key" ]; then
    say "$out is up to date"
    exit 0
fi
rm -f "$cache/key"

# --- unpack -----------------------------------------------------------------------------------------------------------
unpacked=$cache/unpacked
root=$cache/root
rm -rf "$unpacked" "$root"
mkdir -p "$unpacked" "$root"
for p in $packages; do
    version=$(version_of "$p")
    [ -n "$version" ] || die "package $p is not in the configured archives: Debian 12 'main' needed"
    # apt writes ':' of an epoch as %3a in the file's name.
    deb="$cache/debs/${p}_$(echo "$version" | sed 's/:/%3a/g')_amd64.deb"
    if ! dpkg-deb --info "$deb" >/dev/null 2>&1; then
        rm -f "$cache/debs/${p}"_*.deb
        say "downloading $p $version"
        (cd "$cache/debs" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$p=$version") \
            || die "download of $p $version failed: check the network, or run 'apt-get update' if the archive has moved on"
    fi
    dpkg-deb -x "$deb" "$unpacked" || die "$deb is damaged: remove it and run again"
done
busybox=$unpacked/bin/busybox
kernel_version=${kernel_package#linux-image-}

# --- programs and libraries -------------------------------------------------------------------------------------------
mkdir -p "$root/bin" "$root/etc" "$root/dev" "$root/proc" "$root/sys" "$root/tmp" "$root/root" "$root/lib64" "$root/usr/lib" \
         "$root/var/www"
cp "$busybox" "$root/bin/busybox"
for applet in $("$busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
for link in sbin usr/bin usr/sbin; do ln -s /bin "$root/$link"; done

# Debian's redis-server is a link into redis-tools: copy what it points to. The loader itself says which libraries it needs.
cp "$(readlink -f "$unpacked/usr/bin/redis-server")" "$root/bin/redis-server"
loader=$(readlink -f "$unpacked/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
cp "$loader" "$root/lib64/ld-linux-x86-64.so.2"
libraries=$("$loader" --inhibit-cache --library-path "$unpacked/lib/x86_64-linux-gnu:$unpacked/usr/lib/x86_64-linux-gnu" \
                      --list "$root/bin/redis-server") \
    || die "the libraries of redis-server cannot be resolved: $libraries"
echo "$libraries" | sed -n 's/^[[:space:]]*\(lib[^ ]*\) => \(.*\) (0x.*/\1 \2/p' > "$cache/libraries"
while read -r name file; do
    case $file in
        "$unpacked"/*) cp -L "$file" "$root/usr/lib/$name" ;;
        *) die "redis-server needs $name, which no listed package holds: add its package to LIBRARIES in $here/build.sh" ;;
    esac
done < "$cache/libraries"
ln -s usr/lib "$root/lib"

cp "$here/init" "$root/init"
cp "$here/redis.conf" "$root/etc/redis.conf"
chmod 755 "$root/init" "$root/bin/redis-server"
echo 'root::0:0:root:/root:/bin/sh' > "$root/etc/passwd"
echo 'root:x:0:' > "$root/etc/group"
echo 'Plover demo guest' > "$root/var/www/index.html"

# --- kernel modules ---------------------------------------------------------------------------------------------------
# modules.dep is made by the kernel package's installation script, which does not run here.
tree=$unpacked/lib/modules/$kernel_version
"$busybox" depmod -b "$unpacked" "$kernel_version" || die "depmod failed for kernel $kernel_version"
closure() {
    line=$(grep "/$1\.ko[^:]*:" "$tree/modules.dep" || true)
    if [ -z "$line" ]; then
        grep -q "/$1\.ko" "$tree/modules.builtin" || die "kernel $kernel_version has no module $1"
        return 0
    fi
    for dependency in ${line#*:}; do closure "$(basename "$dependency" | sed 's/\.ko.*//')"; done
    line=$(grep "/$1\.ko[^:]*:" "$tree/modules.dep")
    echo "${line%%:*}"
}
mkdir -p "$root/modules"
for m in $MODULES; do closure "$(echo "$m" | tr - _)"; done | awk '!seen[$0]++' > "$cache/modules"
while read -r file; do
    cp "$tree/$file" "$root/modules/"
    # Loaded by plain insmod in this order: quicker at boot than modprobe, which would read and parse an index each time.
    basename "$file"
done < "$cache/modules" > "$root/modules/order"

# --- image ------------------------------------------------------------------------------------------------------------
# Not compressed: unpacking would be the emulated CPU's work.
find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | LC_ALL=C sort | "$busybox" cpio --quiet -o -H newc -R 0:0) > "$out/.initrd.new" \
    || die "cpio could not write $out/.initrd.new: is the disk full?"
cp "$unpacked/boot/vmlinuz-$kernel_version" "$out/.vmlinuz.new"
mv "$out/.vmlinuz.new" "$out/vmlinuz"
mv "$out/.initrd.new" "$out/initrd"
rm -rf "$unpacked" "$root"
echo "$key" > "$cache/key"
say "kernel $kernel_version ($(stat -c %s "$out/vmlinuz") bytes), initrd $(stat -c %s "$out/initrd") bytes in $out"
