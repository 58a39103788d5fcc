#!/bin/sh
# Makes the guests of the demo and of the system tests, from Debian packages only.
#
#   distribution/guest/build.sh OUTDIR [FLAVOUR]
#
#   memory       OUTDIR/vmlinuz, initrd                           Redis, everything in memory (the default)
#   disk         OUTDIR/disk/vmlinuz, initrd, root.img            Redis that fsyncs every write, on an ext4 disk
#   postgresql   OUTDIR/postgresql/vmlinuz, initrd, root.img      PostgreSQL on an ext4 disk; client/pgbench, client/psql for this machine
#
# Runs on Debian 12 (amd64) as root or as a user; 'postgresql' as root. It needs nothing but apt and dpkg: packages are
# downloaded and unpacked below OUTDIR/.cache, never installed. A second run with the same inputs (these files, the candidate
# versions that apt knows) does nothing; PLOVER_GUEST_REBUILD=1 builds anyway.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
say() { echo "guest image: $*" >&2; }
die() { say "$*"; exit 1; }

[ $# -eq 1 ] || [ $# -eq 2 ] || die "usage: $0 OUTDIR [memory|disk|postgresql]"
[ "$(dpkg --print-architecture)" = amd64 ] || die "amd64 needed, this machine is $(dpkg --print-architecture)"
flavour=${2:-memory}

# The cloud kernel suits emulation: few drivers to probe, and an LZ4 payload where the general kernel has a slow XZ one.
KERNEL=${PLOVER_GUEST_KERNEL:-linux-image-cloud-amd64}
MODULES='virtio_pci virtio_mmio virtio_net virtio_blk'
LIBRARIES='libc6 libgcc-s1 libstdc++6 libssl3 libsystemd0 libcap2 libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libzstd1'
REDIS_PACKAGES='redis-server redis-tools libatomic1 libjemalloc2 liblzf1 liblua5.1-0 lua-bitop lua-cjson'
POSTGRESQL_PACKAGES='postgresql-15 postgresql-client-15 tzdata libpq5 libicu72 libxml2 libpam0g libselinux1 libuuid1 zlib1g
    libgssapi-krb5-2 libk5crypto3 libkrb5-3 libkrb5support0 libcom-err2 libkeyutils1 libldap-2.5-0 libsasl2-2 libgnutls30
    libp11-kit0 libidn2-0 libunistring2 libtasn1-6 libnettle8 libhogweed6 libgmp10 libffi8 libaudit1 libcap-ng0 libpcre2-8-0
    libreadline8 libtinfo6'
# mkfs.ext4 fills a file system from a directory: no loop device, no mount, no root.
EXT4_PACKAGES='e2fsprogs libext2fs2 libcom-err2 libblkid1 libuuid1 libss2'
EXT4_MODULES='ext4 crc32c_generic'
POSTGRESQL_UID=70

disk_mebibytes=0
case $flavour in
    memory) packages=$REDIS_PACKAGES ;;
    disk) packages="$REDIS_PACKAGES $EXT4_PACKAGES" disk_mebibytes=512 ;;
    postgresql)
        packages="$POSTGRESQL_PACKAGES $EXT4_PACKAGES" disk_mebibytes=1536
        [ "$(id -u)" = 0 ] || die "postgresql needs root: its initdb runs in a chroot" ;;
    *) die "no flavour '$flavour': memory, disk or postgresql wanted" ;;
esac
[ "$disk_mebibytes" = 0 ] || MODULES="$MODULES $EXT4_MODULES"

mkdir -p "$1"
base=$(cd "$1" && pwd)
case $flavour in memory) out=$base ;; *) out=$base/$flavour ;; esac
debs=$base/.cache/debs
cache=$base/.cache/$flavour
mkdir -p "$out" "$debs" "$cache"

# Two builds into one OUTDIR at the same time would tear each other's work; the second waits and then finds all done.
exec 9>"$base/.cache/lock"
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
packages=$(printf '%s\n' "$kernel_package" busybox-static $LIBRARIES $packages | awk '!seen[$0]++')

# shellcheck disable=SC2086 # a list of words
candidates $packages > "$cache/candidates"
inputs="build.sh init init-disk service-redis service-postgresql redis.conf redis-disk.conf postgresql.conf"
# shellcheck disable=SC2086 # a list of words
key=$( (echo "$flavour"; cd "$here"; cat $inputs "$cache/candidates") | sha256sum | cut -d ' ' -f 1)
if [ -z "${PLOVER_GUEST_REBUILD:-}" ] && [ -s "$out/vmlinuz" ] && [ -s "$out/initrd" ] \
        && { [ "$disk_mebibytes" = 0 ] || [ -s "$out/root.img" ]; } && [ "$(cat "$cache/key" 2>/dev/null)" = "$key" ]; then
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
    stem="$debs/${p}_$(echo "$version" | sed 's/:/%3a/g')"
    deb=${stem}_amd64.deb
    [ ! -e "${stem}_all.deb" ] || deb=${stem}_all.deb
    if ! dpkg-deb --info "$deb" >/dev/null 2>&1; then
        rm -f "$debs/${p}"_*.deb
        say "downloading $p $version"
        (cd "$debs" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$p=$version") \
            || die "download of $p $version failed: check the network, or run 'apt-get update' if the archive has moved on"
        [ ! -e "${stem}_all.deb" ] || deb=${stem}_all.deb
    fi
    dpkg-deb -x "$deb" "$unpacked" || die "$deb is damaged: remove it and run again"
done
busybox=$unpacked/bin/busybox
kernel_version=${kernel_package#linux-image-}
loader=$(readlink -f "$unpacked/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
library_path=$unpacked/lib/x86_64-linux-gnu:$unpacked/usr/lib/x86_64-linux-gnu

# The loader itself says which libraries a program needs: "NAME FILE" for each, from the unpacked packages only.
libraries_of() {
    listed=$("$loader" --inhibit-cache --library-path "$library_path" --list "$1") || die "the libraries of $1 cannot be resolved: $listed"
    echo "$listed" | sed -n 's/^[[:space:]]*\(lib[^ ]*\) => \(.*\) (0x.*/\1 \2/p'
}
# Copies the libraries of a program into a directory.
copy_libraries() {
    libraries_of "$1" > "$cache/libraries"
    while read -r name file; do
        case $file in
            "$unpacked"/*) [ -e "$2/$name" ] || cp -L "$file" "$2/$name" ;;
            *) die "${1##*/} needs $name, which no listed package holds: add its package to the list in $here/build.sh" ;;
        esac
    done < "$cache/libraries"
}

# --- what every guest has ---------------------------------------------------------------------------------------------
busybox_into() {
    mkdir -p "$1/bin" "$1/dev" "$1/proc" "$1/sys"
    cp "$busybox" "$1/bin/busybox"
    for applet in $("$busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
    done
    ln -s bin "$1/sbin"
}
busybox_into "$root"
mkdir -p "$root/etc" "$root/run" "$root/tmp" "$root/root" "$root/lib64" "$root/usr/lib" "$root/var/www"
chmod 1777 "$root/tmp"
for link in usr/bin usr/sbin; do ln -s /bin "$root/$link"; done
ln -s usr/lib "$root/lib"
cp "$loader" "$root/lib64/ld-linux-x86-64.so.2"
cp "$here/init" "$root/init"
echo 'root::0:0:root:/root:/bin/sh' > "$root/etc/passwd"
echo 'root:x:0:' > "$root/etc/group"
echo 'Plover demo guest' > "$root/var/www/index.html"

# --- the service ------------------------------------------------------------------------------------------------------
redis_into_root() {
    # Debian's redis-server is a link into redis-tools: copy what it points to.
    cp "$(readlink -f "$unpacked/usr/bin/redis-server")" "$root/bin/redis-server"
    chmod 755 "$root/bin/redis-server"
    copy_libraries "$root/bin/redis-server" "$root/usr/lib"
    cp "$here/service-redis" "$root/service"
    cp "$here/redis.conf" "$root/etc/redis.conf"
    if [ "$flavour" = disk ]; then
        mkdir -p "$root/var/lib/redis"
        cat "$here/redis-disk.conf" >> "$root/etc/redis.conf"
    fi
}

postgresql_into_root() {
    programs=usr/lib/postgresql/15
    mkdir -p "$root/$programs/bin" "$root/$programs/lib" "$root/usr/share/postgresql" "$root/var/lib/postgresql"
    for program in postgres initdb pg_ctl pg_isready pg_amcheck pg_checksums psql; do
        cp "$unpacked/$programs/bin/$program" "$root/$programs/bin/"
        copy_libraries "$root/$programs/bin/$program" "$root/usr/lib"
    done
    # Not the compiler of queries (llvmjit), which is larger than all the rest.
    for module in plpgsql dict_snowball amcheck; do
        cp "$unpacked/$programs/lib/$module.so" "$root/$programs/lib/"
        copy_libraries "$root/$programs/lib/$module.so" "$root/usr/lib"
    done
    cp "$unpacked/$programs/lib"/*_and_*.so "$root/$programs/lib/"
    cp -a "$unpacked/usr/share/postgresql/15" "$root/usr/share/postgresql/15"
    cp -a "$unpacked/usr/share/zoneinfo" "$root/usr/share/zoneinfo"
    echo "postgres:x:$POSTGRESQL_UID:$POSTGRESQL_UID:postgres:/var/lib/postgresql:/bin/sh" >> "$root/etc/passwd"
    echo "postgres:x:$POSTGRESQL_UID:" >> "$root/etc/group"
    cp "$here/service-postgresql" "$root/service"
    cp "$here/postgresql.conf" "$root/etc/postgresql.conf"
    chown $POSTGRESQL_UID:$POSTGRESQL_UID "$root/var/lib/postgresql"
    # With its own libraries, whatever this machine has; the mount is seen by these commands only and ends with them.
    data=/var/lib/postgresql/data
    # shellcheck disable=SC2016 # the inner shell expands these
    unshare --mount sh -euc 'mount --bind /dev "$1/dev"
        exec chroot --userspec="$2:$2" "$1" /usr/bin/env -i PATH=/bin HOME=/var/lib/postgresql TZ=UTC \
            /usr/lib/postgresql/15/bin/initdb -D "$3" -U postgres -k --no-locale -E UTF8 --auth=trust --no-instructions --no-sync' \
        initdb "$root" $POSTGRESQL_UID $data > "$cache/initdb.log" 2>&1 || die "initdb failed, see $cache/initdb.log"
    echo "include '/etc/postgresql.conf'" >> "$root$data/postgresql.conf"
    echo 'host all all 0.0.0.0/0 trust' >> "$root$data/pg_hba.conf"
}

# Programs for this machine that bring their own libraries.
postgresql_clients() {
    client=$out/client
    rm -rf "$client"
    mkdir -p "$client/programs" "$client/lib"
    cp "$loader" "$client/lib/ld-linux-x86-64.so.2"
    for program in pgbench psql; do
        cp "$unpacked/usr/lib/postgresql/15/bin/$program" "$client/programs/$program"
        copy_libraries "$client/programs/$program" "$client/lib"
        cat > "$client/$program" <<WRAPPER
#!/bin/sh
here=\$(dirname "\$(readlink -f "\$0")")
exec "\$here/lib/ld-linux-x86-64.so.2" --library-path "\$here/lib" "\$here/programs/$program" "\$@"
WRAPPER
        chmod 755 "$client/$program"
    done
}

case $flavour in
    postgresql) postgresql_into_root; postgresql_clients ;;
    *) redis_into_root ;;
esac
chmod 755 "$root/init" "$root/service"

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
modules_into() {
    mkdir -p "$1/modules"
    # Names of modules are written with '_', those of their files with either.
    for m in $MODULES; do closure "$(echo "$m" | sed 's/_/[-_]/g')"; done | awk '!seen[$0]++' > "$cache/modules"
    while read -r file; do
        cp "$tree/$file" "$1/modules/"
        # Loaded by plain insmod in this order: quicker at boot than modprobe, which would read and parse an index each time.
        basename "$file"
    done < "$cache/modules" > "$1/modules/order"
}

# --- image ------------------------------------------------------------------------------------------------------------
find "$root" -exec touch -h -d @0 {} +
initrd=$root
if [ "$disk_mebibytes" != 0 ]; then
    rm -f "$out/.root.img.new"
    # Everything is initialised now: the guest would do it later, in the background, and call it idle time.
    MKE2FS_CONFIG=$unpacked/etc/mke2fs.conf "$loader" --inhibit-cache --library-path "$library_path" "$unpacked/sbin/mke2fs" \
        -q -F -t ext4 -L plover-root -m 0 -J size=16 -d "$root" \
        -E lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0 "$out/.root.img.new" "${disk_mebibytes}M" \
        || die "mkfs.ext4 could not write $out/.root.img.new: is the disk full?"
    initrd=$cache/initrd
    rm -rf "$initrd"
    busybox_into "$initrd"
    mkdir -p "$initrd/newroot"
    cp "$here/init-disk" "$initrd/init"
    chmod 755 "$initrd/init"
fi
modules_into "$initrd"
find "$initrd" -exec touch -h -d @0 {} +
# Not compressed: unpacking would be the emulated CPU's work.
(cd "$initrd" && find . | LC_ALL=C sort | "$busybox" cpio --quiet -o -H newc -R 0:0) > "$out/.initrd.new" \
    || die "cpio could not write $out/.initrd.new: is the disk full?"
cp "$unpacked/boot/vmlinuz-$kernel_version" "$out/.vmlinuz.new"
mv "$out/.vmlinuz.new" "$out/vmlinuz"
mv "$out/.initrd.new" "$out/initrd"
[ "$disk_mebibytes" = 0 ] || mv "$out/.root.img.new" "$out/root.img"
rm -rf "$unpacked" "$root" "$initrd"
echo "$key" > "$cache/key"
say "$flavour: kernel $kernel_version ($(stat -c %s "$out/vmlinuz") bytes), initrd $(stat -c %s "$out/initrd") bytes in $out"
