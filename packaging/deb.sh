#!/usr/bin/env bash
# Builds a Debian package of the program that `make build` left: deb.sh AUTOQC [FOLDER]
#
# AUTOQC is the binary, FOLDER takes autoqc_VERSION_ARCH.deb (default: the current one).
set -euo pipefail
autoqc=$(realpath "$1")
target=$(realpath "${2:-.}")
here=$(cd "$(dirname "$0")" && pwd)
version=$("$autoqc" --version | cut -d " " -f 2)
architecture=$(dpkg --print-architecture)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
umask 022

make -s -C "$here/.." install DESTDIR="$tree" PREFIX=/usr AUTOQC="$autoqc"
# Debian 12 looks for units below /lib.
install -d "$tree/lib"
mv "$tree/usr/lib/systemd" "$tree/lib/systemd"
install -d "$tree/usr/lib/systemd"
mv "$tree/lib/systemd/catalog" "$tree/usr/lib/systemd/catalog"
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$tree/usr/bin/autoqc"

# Debian's zsh looks for completions of packages there.
mv "$tree/usr/share/zsh/site-functions" "$tree/usr/share/zsh/vendor-completions"
find "$tree/usr/share/man" -type f -exec gzip -9n {} +
install -d "$tree/etc/autoqc" "$tree/usr/share/doc/autoqc"
install -m 644 "$here/../examples/autoqc.yaml" "$tree/etc/autoqc/plate.yaml"
install -m 644 "$here/copyright" "$tree/usr/share/doc/autoqc/copyright"
gzip -9n < "$here/../CHANGELOG.md" > "$tree/usr/share/doc/autoqc/CHANGELOG.md.gz"
maintainer=$(sed -n 's/^Maintainer: //p' "$here/control")
printf 'autoqc (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz.\n\n -- %s  %s\n' "$version" "$maintainer" \
    "$(date -R -r "$here/../CHANGELOG.md")" | gzip -9n > "$tree/usr/share/doc/autoqc/changelog.gz"
# The YAML library of Swift, Yams, brings its own libyaml.
install -d "$tree/usr/share/lintian/overrides"
echo 'autoqc: embedded-library libyaml [usr/bin/autoqc]' > "$tree/usr/share/lintian/overrides/autoqc"

# dpkg-shlibdeps wants a source package around it.
mkdir -p "$work/debian"
printf 'Source: autoqc\n\nPackage: autoqc\nArchitecture: any\n' > "$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O "$tree/usr/bin/autoqc" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')

install -d "$tree/DEBIAN"
for script in postinst prerm postrm; do install -m 755 "$here/$script" "$tree/DEBIAN/$script"; done
printf '/etc/autoqc/plate.yaml\n' > "$tree/DEBIAN/conffiles"
sed -e "s|@VERSION@|$version|" -e "s|@ARCHITECTURE@|$architecture|" -e "s|@DEPENDS@|$depends|" \
    -e "s|@SIZE@|$(du -sk --exclude=DEBIAN "$tree" | cut -f1)|" "$here/control" > "$tree/DEBIAN/control"
(cd "$tree" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum > DEBIAN/md5sums)

package=$target/autoqc_${version}_$architecture.deb
dpkg-deb --build --root-owner-group "$tree" "$package" > /dev/null
echo "$package"
