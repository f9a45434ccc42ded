#!/usr/bin/env bash
# Curation: about 100 normal frames of a study are chosen by hand, all others are ranked: curation.sh AUTOQC OUT
#
# Two studies of whole frames, a simulated one and one of real frames (AUTOQC_DATA) with faults put on, and the real frames
# as they are. The shipped model, the same calibrated on the curated frames, and the same trained on as well rank the rest.
# docs/curation.md explains the steps. It can be stopped; the same command goes on where it was.
set -euo pipefail

: "${MODELS:=shipped calibrated trained}"
: "${NORMAL:=380}" "${FAULTY:=20}" "${STEPS:=300}" "${SEED:=9100}"
curated=111 # a tenth of it is for validation, 100 are left

autoqc=$(realpath "${1:?the program}")
here=$(cd "$(dirname "$0")" && pwd)
data=$(realpath "${AUTOQC_DATA:-$here/../../shared/data}")
shipped=$here/../examples/models/complexeye.safetensors
mkdir -p "${2:?a folder for everything}"
cd "$2"

# finished FILE COMMAND...: writes FILE with --out, once and whole.
finished() {
    [ -e "$1" ] && return
    rm -rf "$1".part*
    "${@:2}" --out "$1.part"
    mv "$1.part" "$1"
}

# ranked STUDY MODEL FRAMES...
ranked() {
    [ -e "$1/$2.csv" ] && return
    "$autoqc" score --ranked --model "$1/$2.safetensors" "${@:3}" > "$1/part"
    mv "$1/part" "$1/$2.csv"
}

# made STUDY MODEL CURATED
made() {
    case $2 in
        shipped) cp "$shipped" "$1/shipped.safetensors" ;;
        calibrated) finished "$1/$2.safetensors" "$autoqc" calibrate "$shipped" --normal "$3" ;;
        trained) finished "$1/$2.safetensors" "$autoqc" train --from "$shipped" --normal "$3" --steps "$STEPS" ;;
    esac
}

mkdir -p simulated injected real
composition=(--normal "$NORMAL" --faulty "$FAULTY" --folds 2 --seed "$SEED")
finished simulated/set "$autoqc" simulate set --train "$curated" "${composition[@]}"
finished injected/set "$autoqc" simulate inject --train "$data"/hsc_brightfield/hsc_f0[01]?.tiff \
    --test "$data"/hsc_brightfield/hsc_f02?.tiff --copies "$curated" "${composition[@]}"
{ echo img_path,seg_path,label; printf '%s,,0\n' "$data"/hsc_brightfield/hsc_f0[01]?.tiff; } > real/curated.csv
others=("$data"/hsc_brightfield/hsc_f02?.tiff "$data"/complexeye/01_*.tiff)
{
    echo img_path,seg_path,label
    for frame in "${others[@]}"; do echo "$frame,,$([[ $frame == */01_B1_f100.tiff ]] && echo 1 || echo 0)"; done
} > real/labels.csv

for model in $MODELS; do
    made real "$model" real/curated.csv
    ranked real "$model" "${others[@]}"
    for name in simulated injected; do
        made "$name" "$model" "$name/set/splits/normal_train.csv"
        ranked "$name" "$model" "$name/set/test"
    done
done

echo "| study | model | frames | faulty | average precision | faulty among as many first | recall in the first 5 % |" \
    "first 10 % | frames to find 90 % | all | first 5 | 10 | 20 | 40 | 80 |" > ranking.md
echo "|$(printf -- '---|%.0s' {1..15})" >> ranking.md
for name in simulated injected real; do
    lists=("$name"/set/splits/test_val_fold?.csv)
    [ -e "${lists[0]}" ] || lists=(real/labels.csv)
    for model in $MODELS; do
        echo "| $name | $model $(awk -f "$here/ranking.awk" "${lists[@]}" "$name/$model.csv")" >> ranking.md
    done
done
