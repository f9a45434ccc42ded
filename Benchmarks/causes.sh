#!/usr/bin/env bash
# Which causes a model names: causes.sh AUTOQC MODEL SET...
#
# Judges the test frames of labelled sets (`autoqc simulate set` or `inject`) and prints, as a table in Markdown, how often
# each cause is named for frames of each class; frames that are not found have none.
set -euo pipefail
autoqc=$(realpath "$1")
model=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for set in "$@"; do
    "$autoqc" score --model "$model" "$set"/test > "$work/scores.csv"
    awk -F, '
        FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
        FILENAME ~ /scores.csv$/ { n = split($1, path, "/"); verdict[path[n]] = $column["verdict"]; cause[path[n]] = $column["cause"]; next }
        { n = split($1, path, "/"); print ($3 == 0 ? "normal" : $4), verdict[path[n]] == "faulty" ? cause[path[n]] : "normal" }
    ' "$work/scores.csv" "$set"/splits/test_val_fold*.csv
done | awk '
    { count[$1, $2]++; all[$1]++ }
    END {
        names = "air-bubble artifact contamination illumination z-shift blank unknown normal"
        columns = split(names, name, " ")
        printf "| class, frames |"
        for (i = 1; i <= columns; i++) printf " %s |", name[i] == "normal" ? "not found" : name[i]
        printf "\n|---|"
        for (i = 1; i <= columns; i++) printf "---|"
        print ""
        rows = split("air-bubble artifact contamination illumination z-shift normal", class, " ")
        for (r = 1; r <= rows; r++) {
            printf "| %s, %d |", class[r], all[class[r]]
            for (i = 1; i <= columns; i++) printf " %d |", count[class[r], name[i]]
            print ""
        }
    }'
