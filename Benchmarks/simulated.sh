#!/usr/bin/env bash
# A model on simulated frames: simulated.sh AUTOQC [MODEL] [NORMAL] [FAULTY] [SEED]
#
# Simulates a labelled set, judges its test frames with `autoqc score` and prints false alarms on normal frames and recall
# per class and strength, as a table in Markdown.
set -euo pipefail
autoqc=$(realpath "${1:-autoqc}")
here=$(cd "$(dirname "$0")" && pwd)
model=${2:-$here/../examples/models/complexeye.safetensors}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$autoqc" simulate set --out "$work/set" --train 0 --normal "${3:-100}" --faulty "${4:-200}" --folds 5 --seed "${5:-1}"
"$autoqc" score --model "$model" "$work"/set/test/*.tiff > "$work/scores.csv"
# Each test frame is in the validation list of just one fold.
awk -F, '
    function share(part, whole) { return whole ? sprintf("%d of %d", part, whole) : "-" }
    FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    FILENAME ~ /scores.csv$/ { n = split($1, path, "/"); flagged[path[n]] = $column["verdict"] == "faulty"; next }
    {
        n = split($1, path, "/"); hit = flagged[path[n]]
        if ($3 == 0) { normal++; alarms += hit; next }
        step = $5 >= 0.75 ? 4 : $5 >= 0.5 ? 3 : $5 >= 0.25 ? 2 : 1
        frames[$4, step]++; frames[$4, 5]++; found[$4, step] += hit; found[$4, 5] += hit
    }
    END {
        printf "false alarms: %s normal frames\n\n", share(alarms, normal)
        print "| found, at strength | below 0.25 | 0.25 to 0.5 | 0.5 to 0.75 | 0.75 and more | all |"
        print "|---|---|---|---|---|---|"
        count = split("air-bubble artifact z-shift illumination contamination", kinds, " ")
        for (row = 1; row <= count; row++) {
            kind = kinds[row]
            printf "| %s |", kind
            for (step = 1; step <= 5; step++) printf " %s |", share(found[kind, step], frames[kind, step])
            print ""
        }
    }' "$work/scores.csv" "$work"/set/splits/test_val_fold*.csv
