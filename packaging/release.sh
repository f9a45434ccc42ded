#!/usr/bin/env bash
# Makes a release of the last commit: release.sh FOLDER
#
# FOLDER takes the packages, the list of what is in the program, the source, what it was built with, their checksums, and the
# checksums' signature by the gpg key RELEASE_KEY. Everything is built in a clean clone, in BUILD if that is given. BUILD_DEPENDS names
# the Debian packages of the build (`make release` does).
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "$1"
target=$(realpath "$1")
version=$(packaging/version.sh)
: "${BUILD_DEPENDS:?use make release}"
refuse() { echo "no release: $1" >&2; exit 1; }

# What is released is what is committed, and its users are told.
[ -z "$(git status --porcelain)" ] || refuse "the tree has changes that are not committed (git status)"
grep -q "^## $version\( \|$\)" CHANGELOG.md || refuse "CHANGELOG.md has no section $version"
! grep -q '^## Unreleased' CHANGELOG.md || refuse "CHANGELOG.md has a section Unreleased beside $version"
[ -z "${RELEASE_KEY:-}" ] || gpg --list-secret-keys "$RELEASE_KEY" > /dev/null || refuse "gpg has no secret key $RELEASE_KEY"
commit=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

work=$(realpath -m "${BUILD:-$(mktemp -d)}")
[ -n "${BUILD:-}" ] || trap 'rm -rf "$work"' EXIT
# The compiler writes the length of a file's path into checks of closures, although not the path: all builds have paths of one length.
clone=$work/autoqc-
while [ ${#clone} -lt 150 ]; do clone+=-; done
[ ${#clone} = 150 ] || refuse "the path of $work is too long"
[ ! -e "$clone" ] || refuse "$clone is there already"
git clone -q . "$clone"
git -C "$clone" checkout -q --detach "$commit"
# The versions of the Swift packages are part of a release; other builds take the newest ones that fit.
cp packaging/swift-packages.json "$clone/Package.resolved"
(cd "$clone" && swift package resolve --force-resolved-versions)
make -C "$clone" deb
packages=$clone/packages
architecture=$(dpkg --print-architecture)
git -C "$clone" archive --format=tar --prefix="autoqc-$version/" HEAD | gzip -9n > "$packages/autoqc-$version.tar.gz"
packaging/buildinfo.sh "$commit" "$packages" > "$packages/autoqc_${version}_$architecture.buildinfo"

packaging/check.sh "$packages"
# Names of this release only, so that an older one in the folder is neither listed nor lost.
(cd "$packages" && LC_ALL=C sha256sum autoqc* > SHA256SUMS)
rm -f "$target/SHA256SUMS.asc"
cp "$packages"/* "$target/"
cd "$target"
if [ -n "${RELEASE_KEY:-}" ]; then
    gpg --local-user "$RELEASE_KEY" --armor --detach-sign --output SHA256SUMS.asc SHA256SUMS
    signed="signed by $RELEASE_KEY: SHA256SUMS.asc"
else
    signed="NOT SIGNED: no RELEASE_KEY was given. To sign: gpg --local-user KEY --armor --detach-sign SHA256SUMS"
fi
echo
echo "autoqc $version, commit $commit, in $target:"
cut -d ' ' -f 3 SHA256SUMS | xargs -d '\n' stat --format '%10s  %n'
echo "$signed"
