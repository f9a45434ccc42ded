#!/usr/bin/env bash
# Builds the release of the last commit again and compares it with a published one: reproduce.sh FOLDER
#
# FOLDER has the published files. The second build lies in another folder (in BUILD, if that is given) and has another umask, language
# and time zone. Every difference is shown by diffoscope.
set -euo pipefail
cd "$(dirname "$0")/.."
published=$(realpath "$1")
[ -e "$published/SHA256SUMS" ] || { echo "$published has no SHA256SUMS: make release first, or give PUBLISHED=FOLDER" >&2; exit 1; }
work=${BUILD:-$(mktemp -d)}
[ -n "${BUILD:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work/a-folder-with-another-name"
(umask 077 && BUILD=$work/a-folder-with-another-name LC_ALL=C TZ=Asia/Tokyo RELEASE_KEY='' packaging/release.sh "$work/again")
same=0
while read -r _ name; do
    if cmp -s "$published/$name" "$work/again/$name"; then echo "the same: $name"; else
        same=1
        echo "DIFFERENT: $name"
        diffoscope --text - "$published/$name" "$work/again/$name" || true
    fi
done < "$published/SHA256SUMS"
exit $same
