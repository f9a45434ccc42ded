#!/usr/bin/env bash
# Builds the Debian packages of the program that `make build` left: deb.sh AUTOQC FOLDER
#
# AUTOQC is the binary in its build folder. FOLDER takes autoqc_VERSION_ARCH.deb, autoqc-dbgsym_VERSION_ARCH.deb (debug symbols) and
# autoqc_VERSION_ARCH.cdx.json (what is in the program). The same build gives the same bytes; all dates are SOURCE_DATE_EPOCH's.
set -euo pipefail
autoqc=$(realpath "$1")
build=$(dirname "$(realpath -s "$1")")
target=$(realpath "$2")
here=$(cd "$(dirname "$0")" && pwd)
version=$("$here/version.sh")
[ "$("$autoqc" --version)" = "autoqc $version" ] || { echo "$autoqc is not version $version: build it again" >&2; exit 1; }
architecture=$(dpkg --print-architecture)
maintainer=$(sed -n 's/^Maintainer: //p' "$here/control/autoqc")
: "${SOURCE_DATE_EPOCH:?is the date of the package: use make deb}"
export LC_ALL=C.UTF-8
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
debug=$work/debug

# Packs a tree of files: package NAME TREE, with a control file of that name beside this script.
package() {
    local name=$1 tree=$2 size
    install -d "$tree/DEBIAN"
    # Sizes as dpkg-gencontrol counts them: whole KiB of each file, and one for everything else. `du` would ask the file system.
    size=$(find "$tree" -path "$tree/DEBIAN" -prune -o -printf '%y %s\n' | awk '{ k += $1 == "f" ? int(($2 + 1023) / 1024) : 1 } END { print k }')
    sed -e "s|@VERSION@|$version|" -e "s|@ARCHITECTURE@|$architecture|" -e "s|@DEPENDS@|${depends:-}|" -e "s|@BUILD_ID@|$id|" \
        -e "s|@SIZE@|$size|" "$here/control/$name" > "$tree/DEBIAN/control"
    (cd "$tree" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum > DEBIAN/md5sums)
    chmod 644 "$tree/DEBIAN/control" "$tree/DEBIAN/md5sums"
    find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --build --root-owner-group -Zxz "$tree" "$target/${name}_${version}_$architecture.deb" > /dev/null
    echo "$target/${name}_${version}_$architecture.deb"
}

make -s -C "$here/.." install DESTDIR="$tree" PREFIX=/usr AUTOQC="$autoqc"
# Debian 12 looks for units below /lib.
install -d "$tree/lib"
mv "$tree/usr/lib/systemd" "$tree/lib/systemd"
install -d "$tree/usr/lib/systemd"
mv "$tree/lib/systemd/catalog" "$tree/usr/lib/systemd/catalog"

# Debuggers find the symbols by the build-id, which the linker took from the whole program.
program=$tree/usr/bin/autoqc
id=$(readelf -n "$program" | sed -n 's/.*Build ID: //p')
symbols=$debug/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug
install -d "$(dirname "$symbols")"
objcopy --only-keep-debug --compress-debug-sections "$program" "$symbols"
chmod 644 "$symbols"
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$program"
objcopy --add-gnu-debuglink="$symbols" "$program"

# A path of this folder would make the package another one in every folder (`SAME` in the Makefile keeps them out).
root=$(realpath "$here/..")
! LC_ALL=C grep -aoE "$root/(Sources|[.]build)/[ -~]*" "$program" >&2 || { echo "$autoqc has these paths of its build folder in it" >&2; exit 1; }

# Debian's zsh looks for completions of packages there.
mv "$tree/usr/share/zsh/site-functions" "$tree/usr/share/zsh/vendor-completions"
find "$tree/usr/share/man" -type f -exec gzip -9n {} +
install -d "$tree/etc/autoqc" "$tree/usr/share/doc/autoqc" "$tree/usr/share/lintian/overrides"
install -m 644 "$here/../examples/autoqc.yaml" "$tree/etc/autoqc/plate.yaml"
install -m 644 "$here/copyright" "$tree/usr/share/doc/autoqc/copyright"
gzip -9n < "$here/../CHANGELOG.md" > "$tree/usr/share/doc/autoqc/CHANGELOG.md.gz"
printf 'autoqc (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz.\n\n -- %s  %s\n' "$version" "$maintainer" \
    "$(date -uR -d "@$SOURCE_DATE_EPOCH")" | gzip -9n > "$tree/usr/share/doc/autoqc/changelog.gz"
install -d "$debug/usr/share/doc"
ln -s autoqc "$debug/usr/share/doc/autoqc-dbgsym"
install -m 644 "$here/lintian-overrides" "$tree/usr/share/lintian/overrides/autoqc"
bom=$target/autoqc_${version}_$architecture.cdx.json
"$here/sbom.py" "$version" "$build" "$program" "$tree/usr/share/autoqc/complexeye.safetensors" "$bom" "$work/licences"
install -m 644 "$bom" "$tree/usr/share/doc/autoqc/autoqc.cdx.json"
gzip -9n < "$work/licences" > "$tree/usr/share/doc/autoqc/licences.gz"

# dpkg-shlibdeps wants a source package around it.
mkdir -p "$work/debian"
printf 'Source: autoqc\n\nPackage: autoqc\nArchitecture: any\n' > "$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O "$program" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
install -d "$tree/DEBIAN"
for script in postinst prerm postrm; do install -m 755 "$here/$script" "$tree/DEBIAN/$script"; done
printf '/etc/autoqc/plate.yaml\n' > "$tree/DEBIAN/conffiles"
chmod 644 "$tree/DEBIAN/conffiles"

package autoqc "$tree"
package autoqc-dbgsym "$debug"
echo "$bom"
