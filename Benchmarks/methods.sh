#!/usr/bin/env bash
# The published methods, the classical baseline and the daemon's detector on the same frames: methods.sh AUTOQC OUT
#
# Makes two simulated sets and one of real frames with faults put on, trains the five published methods on the normal frames
# of both kinds, and compares all in five folds, on frames of another kind, and on the real air bubble. OUT/methods.md has
# the tables. Real frames come from AUTOQC_DATA. It can be stopped; the same command goes on where it was. The sizes below take
# one or two hours of two free cores (an estimate); each can be set from outside, for example `STEPS=3000 methods.sh ...`.
set -euo pipefail

: "${WIDTH:=320}" "${HEIGHT:=200}"                          # frames: parts of full ones at the same scale
: "${TRAIN:=110}" "${NORMAL:=60}" "${FAULTY:=50}"           # a tenth of TRAIN is for validation
: "${WINDOW:=64}" "${OVERLAP:=0.25}"                        # published: 192, 0.8
: "${CHANNELS:=32}" "${BLOCKS:=1}" "${LATENT:=64}"          # published: 128, 3, 256
: "${STEPS:=600}" "${GAN_STEPS:=1600}" "${RATE:=4e-4}"     # published: 300 epochs of 8233 frames, 1e-4
: "${SEEDS:=21 22}" "${INJECTED_SEED:=31}"
: "${METHODS:=pddpm ddpm ae vae fanogan}"

autoqc=$(realpath "${1:?the program}")
here=$(cd "$(dirname "$0")" && pwd)
data=$(realpath "${AUTOQC_DATA:-$here/../../shared/data}")
shipped=$here/../examples/models/complexeye.safetensors
real=("$data/complexeye/01_A1_f300.tiff" "$data"/hsc_brightfield/hsc_f0[01]?.tiff)
unseen=("$data/complexeye/01_A1_f300.tiff" "$data"/hsc_brightfield/hsc_f02?.tiff)
mkdir -p "${2:?a folder for everything}"
cd "$2"
first=${SEEDS%% *}
composition=(--train "$TRAIN" --normal "$NORMAL" --faulty "$FAULTY" --folds 5)

# finished NAME COMMAND...: makes a folder once and whole.
finished() {
    [ -e "$1" ] && return
    rm -rf "$1".part*
    "${@:2}" --out "$1.part"
    mv "$1.part" "$1"
}

make_sets() {
    for seed in $SEEDS; do
        finished "sets/simulated$seed" "$autoqc" simulate set "${composition[@]}" \
            --width "$WIDTH" --height "$HEIGHT" --seed "$seed"
    done
    finished sets/injected "$autoqc" simulate inject --train "${real[@]}" --test "${unseen[@]}" --copies "$TRAIN" \
        "${composition[@]:2}" --width "$WIDTH" --height "$HEIGHT" --seed "$INJECTED_SEED"
}

# joined LIST: the lists of that name of the first simulated and the injected set in one, relative to sets/.
joined() {
    head -1 "sets/injected/splits/$1"
    for set in "simulated$first" injected; do sed "1d; s|^|$set/|" "sets/$set/splits/$1"; done
}

# Models, one a call; training.csv keeps seconds and, of all cores together, CPU seconds.
train() {
    local model=models/$1.safetensors resume=() TIMEFORMAT=%R,%U
    [ -e "$model" ] && return
    [ -e "$model.checkpoint" ] && resume=(--resume)
    { time "$autoqc" train --method "$1" --profile reference --normal sets/normal_train.csv \
        --validation sets/normal_val.csv --out "$model" --window "$WINDOW" --overlap "$OVERLAP" \
        --channels "$CHANNELS" --blocks "$BLOCKS" --latent "$LATENT" --learning-rate "$RATE" \
        --steps "$([ "$1" = fanogan ] && echo "$GAN_STEPS" || echo "$STEPS")" "${resume[@]}" 2>> training.log; } 2> time
    echo "$1,$(tail -1 time)" >> training.csv
}

# compare NAME DATA SPLITS METHOD...: what is finished is kept from before.
compare() {
    "$autoqc" benchmark --data "$2" --splits "$3" --models models --out "results/$1" --methods "${@:4}" 2>> benchmark.log
}

# compare_sets METHOD...
compare_sets() {
    local seed
    for seed in $SEEDS; do compare "simulated$seed" "sets/simulated$seed" "sets/simulated$seed/splits" "$@"; done
    compare injected sets/injected sets/injected/splits "$@"
}

# Learn what is normal from simulated frames, judge real ones: for methods that learn it from the list.
shift_lists() {
    mkdir -p splits/shift
    local list
    for list in normal_train normal_val; do
        sed "2,\$s|^|simulated$first/|" "sets/simulated$first/splits/$list.csv" > "splits/shift/$list.csv"
    done
    # All that the benchmark wants beside normal frames is a faulty one in each list.
    awk -F, 'NR == 1 { print; next } { print "injected/" $1 "," ($2 == "" ? "" : "injected/" $2) "," $3 "," $4 "," $5 }' \
        sets/injected/splits/test_test_fold0.csv |
        awk -F, 'NR == 1 || $3 == 0 || ++faulty <= 5' > splits/shift/test_test_fold0.csv
    awk -F, 'NR == 1 || $3 == 0 && ++normal <= 1 || $3 == 1 && ++faulty <= 1' splits/shift/test_test_fold0.csv \
        > splits/shift/test_val_fold0.csv
}

# The real air bubble beside stem cells that no model has seen, whole frames.
bubble_lists() {
    mkdir -p splits/bubble
    local header=img_path,seg_path,label,fault
    local bubble=complexeye/01_B1_f100.tiff,complexeye/mask/01_B1_f100.tiff,1,air-bubble
    { echo $header; printf '%s,,0,\n' "${real[@]#"$data"/}"; } > splits/bubble/normal_train.csv
    { echo $header; echo hsc_brightfield/hsc_f019.tiff,,0,; } > splits/bubble/normal_val.csv
    { echo $header; echo hsc_brightfield/hsc_f020.tiff,,0,; echo $bubble; } > splits/bubble/test_val_fold0.csv
    { echo $header; printf 'hsc_brightfield/hsc_f0%s.tiff,,0,\n' 20 23 26 29; echo $bubble; } \
        > splits/bubble/test_test_fold0.csv
}

others=(classical complexeye complexeye+normal)
make_sets
shift_lists
bubble_lists
for list in normal_train normal_val; do joined $list.csv > sets/$list.csv; done
mkdir -p models results
cp "$shipped" models/
compare_sets "${others[@]}"
compare shift sets splits/shift "${others[@]}"
for method in $METHODS; do
    train "$method"
    compare_sets "$method"
done
# From what was kept: tables and plots of all methods together.
compare_sets "${others[@]}" $METHODS
compare bubble "$data" splits/bubble "${others[@]}" $METHODS
python3 "$here/methods.py" . > methods.md
