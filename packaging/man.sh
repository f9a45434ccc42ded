#!/usr/bin/env bash
# Writes the manual pages from the commands' own help: man.sh AUTOQC GENERATE_MANUAL FOLDER
#
# A page for each command (autoqc.1, autoqc-watch.1, ...) and one for the configuration (autoqc.yaml.5). What help does not have,
# files, environment and exit statuses, stands in man/NAME beside this script. Dates are SOURCE_DATE_EPOCH's, else the changelog's.
set -euo pipefail
export LC_ALL=C.UTF-8
autoqc=$(realpath "$1")
generate=$(realpath "$2")
mkdir -p "$3"
target=$(realpath "$3")
here=$(cd "$(dirname "$0")" && pwd)
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y "$here/../CHANGELOG.md")}" '+%B %-d, %Y')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$generate" "$autoqc" --multi-page --output-directory "$work" > /dev/null
rm "$work/autoqc.help.1"

# The commands with what they do.
commands() {
    echo '.Sh COMMANDS'
    echo '.Bl -tag -width 6n'
    for page in "$work"/autoqc.*.1; do
        name=$(basename "$page" .1)
        sed -n "s/^\\.Nd \"\(.*\)\"/.It Xr ${name//./-} 1\n\\1/p" "$page"
    done
    echo '.El'
}

for page in "$work"/*.1; do
    name=$(basename "$page" .1)
    name=${name//./-}
    # A command without sections of its own has those of all.
    more=$here/man/$name
    [ -f "$more" ] || more=$here/man/common
    {
        echo ".Dd $date"
        echo ".Dt ${name^^} 1"
        # Lines of an example keep their breaks, as they do in the help.
        sed -e 1,3d -e '/^\.Sh AUTHORS$/,$d' -e "s/^\.Nm \"autoqc .*\"/.Nm $name/" "$page" | awk -f "$here/man/examples.awk"
        [ "$name" != autoqc ] || commands
        cat "$more"
        echo '.Sh SEE ALSO'
        [ "$name" = autoqc ] || echo '.Xr autoqc 1 ,'
        echo '.Xr autoqc.yaml 5'
    } > "$target/$name.1"
done

{
    echo ".Dd $date"
    sed '/^@KEYS@$/,$d' "$here/man/autoqc.yaml"
    "$autoqc" validate --keys | awk -f "$here/man/keys.awk"
    sed '1,/^@KEYS@$/d' "$here/man/autoqc.yaml"
    echo '.Sh SEE ALSO'
    printf '.Xr autoqc 1 ,\n.Xr autoqc-watch 1 ,\n.Xr autoqc-validate 1\n'
} > "$target/autoqc.yaml.5"
