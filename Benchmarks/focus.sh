#!/usr/bin/env bash
# From which shift of the focus on a well's own past tells it: focus.sh AUTOQC OUT [MODEL]
#
# Plays a plate in which the focus of some wells moves after 20 frames, by so many um up or down, while `autoqc watch` judges,
# and prints as a table in Markdown how a frame's change and severity rank shifted frames above others, how many of them pass
# the limits, and in how many wells SHIFT is told and how soon. SEED makes another plate, SPEED lets frames come faster.
set -euo pipefail

: "${SHIFTS:=10 15 20 30}"              # um; each in as many wells of WELLS as there are, and as many wells without
: "${WELLS:=60}" "${FRAMES:=60}" "${SEED:=1}" "${SPEED:=2}"
: "${ONSET:=20}" "${INTERVAL:=8}"

here=$(cd "$(dirname "$0")" && pwd)
autoqc=$(realpath "${1:?the program}")
model=$(realpath "${3:-$here/../examples/models/complexeye.safetensors}")
mkdir -p "${2:?a folder for everything}"
cd "$2"
rm -rf plate results
mkdir plate

# The wells that the microscope scans, and the faults of each group.
"$autoqc" simulate plate --out names --truth names.csv --wells "$WELLS" --frames 1 --speed 1000 --width 64 --height 64 2> simulate.log
mapfile -t wells < <(awk -F, 'NR > 1 { print $3 }' names.csv)
rm -rf names
group=$((WELLS / ($(wc -w <<< "$SHIFTS") + 1)))
{
    echo "faults:"
    first=0
    for shift in $SHIFTS; do
        IFS=,
        echo "  - {kind: z-shift, wells: [${wells[*]:first:group}], onset: $ONSET, shift: $shift}"
        unset IFS
        first=$((first + group))
    done
} > faults.yaml

daemon=
trap '[ -z "$daemon" ] || kill "$daemon" 2> /dev/null || true; rm -rf plate' EXIT
OMP_WAIT_POLICY=passive "$autoqc" watch --model "$model" --out results plate 2> messages.log &
daemon=$!
until grep -q 'first listing' messages.log 2> /dev/null; do
    kill -0 "$daemon"
    read -rt 0.1 <> <(:) || true
done
"$autoqc" simulate plate --out plate --truth truth.csv --faults faults.yaml --wells "$WELLS" --frames "$FRAMES" --seed "$SEED" \
    --interval "$INTERVAL" --speed "$SPEED" 2> simulate.log
"$autoqc" sync results 2>> messages.log
kill "$daemon"
wait "$daemon" || true
daemon=
"$autoqc" export results > frames.csv
python3 "$here/focus.py" faults.yaml frames.csv results "$ONSET"
