#!/usr/bin/env bash
# The package in a booted Debian 12: container.sh PACKAGE DBGSYM FRAMES [CACHE]
#
# Bootstraps a tree (kept in CACHE, default .build-systemd) with everything that PACKAGE depends on, and boots a copy of it with
# systemd-nspawn. There an earlier version is installed from nothing, the TIFF files of FRAMES arrive, PACKAGE takes its place, and is
# removed, installed again and purged. The container's own tools say what happened. Needs root, debootstrap and systemd-container;
# exits with 77 where they cannot be had.
set -euo pipefail
package=$(realpath "$1")
dbgsym=$(realpath "$2")
frames=$(realpath "$3")
here=$(cd "$(dirname "$0")/../.." && pwd)
cache=${4:-$here/.build-systemd}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

skip() { echo "skipped: $1" >&2; exit 77; }
[ "$(id -u)" = 0 ] || skip "booting a container needs root"
for tool in debootstrap systemd-nspawn; do command -v "$tool" > /dev/null || skip "$tool is not installed"; done

if [ ! -e "$cache/base/.complete" ]; then
    rm -rf "$cache/base"
    mkdir -p "$cache"
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,curl,acl bookworm "$cache/base" "$mirror" > "$cache/debootstrap.log"
    chroot "$cache/base" apt-get clean
    touch "$cache/base/.complete"
fi
tree=$cache/tree
rm -rf "$tree"
cp -a --reflink=auto "$cache/base" "$tree"
cp "$package" "$tree/root/autoqc.deb"
cp "$dbgsym" "$tree/root/autoqc-dbgsym.deb"
# The same as an earlier version, with another configuration.
rm -rf "$cache/earlier"
dpkg-deb -R "$package" "$cache/earlier"
sed -i 's/^Version: .*/&~earlier/' "$cache/earlier/DEBIAN/control"
echo '# as in the earlier version' >> "$cache/earlier/etc/autoqc/plate.yaml"
dpkg-deb --build --root-owner-group "$cache/earlier" "$tree/root/autoqc-earlier.deb" > /dev/null
rm -r "$cache/earlier"
# Only what the package depends on: it is installed in the booted container, which has no network.
cp /etc/resolv.conf "$tree/etc/resolv.conf"
depends=$(dpkg-deb -f "$package" Depends | sed -e 's/ *([^)]*)//g' -e 's/ *|[^,]*//g' -e 's/,//g')
systemd-nspawn --quiet --register=no --keep-unit -D "$tree" --pipe \
    sh -c "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $depends"
mkdir -p "$tree/srv/plate" "$tree/srv/frames"
cp "$frames"/*.tif* "$tree/srv/frames/"
cp "$here/Tests/Systemd/inside.sh" "$tree/root/inside.sh"
port=8764
for name in demo second; do
    sed -e "s|^  listen: off|  listen: 127.0.0.1:$port|" -e "s|^output:.*|output: /var/lib/autoqc/$name|" -e "s|^watch:.*|watch: [/srv/plate]|" \
        -e "s|^  targets: {}|  targets: {keeper: {command: [/usr/local/bin/keep]}}|" \
        -e "s/^  onset: 2/  onset: 1/" -e "s/^  of: 3/  of: 1/" \
        "$here/examples/autoqc.yaml" > "$tree/root/$name.yaml"
    port=$((port + 1))
done
sed -i -e 's|^  listen: 127.0.0.1|  listen: 0.0.0.0|' -e 's|^  token: none|  token: credential|' "$tree/root/second.yaml"
# A receiver of events that keeps what it is told, with the secret that only its unit may read.
printf '#!/bin/sh\n{ cat; cat "$CREDENTIALS_DIRECTORY/notify_word"; } >> /var/lib/autoqc/told\n' > "$tree/usr/local/bin/keep"
chmod 755 "$tree/usr/local/bin/keep"
cat > "$tree/etc/systemd/system/check.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /root/inside.sh
StandardOutput=file:/root/result.log
StandardError=inherit
ExecStopPost=/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
UNIT
systemd-nspawn --quiet --register=no --keep-unit -D "$tree" --pipe systemctl enable check.service
# With a network of its own, so that nothing else on this machine has the page's ports.
timeout 900 systemd-nspawn --quiet --register=no --keep-unit --private-network -D "$tree" --boot > "$cache/boot.log" 2>&1 || true
cat "$tree/root/result.log"
grep -q '^all checks passed$' "$tree/root/result.log"
