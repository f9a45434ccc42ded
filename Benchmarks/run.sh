#!/usr/bin/env bash
# What the main job costs on this machine, beside the machine's own speed: run.sh AUTOQC
#
# Bare convolutions, then one pass of each network, 60 training steps, and whole frames through `autoqc score`. Quote ratios
# of one run.
set -euo pipefail
autoqc=$(realpath "${1:-autoqc}")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -O2 "$here/convolution.c" -o "$work/convolution" -ldnnl
lscpu | grep 'Model name'
"$work/convolution"
"$autoqc" bench network

for run in 1 2 3; do ln -s "$here/../examples/frames/01_A1_f300.tiff" "$work/01_A1_f$run.tiff"; done
"$autoqc" train --normal "$work"/*.tiff --out "$work/model.safetensors" --steps 60 2>&1 | tr '\r' '\n' |
    sed -n 's|.*step 60/60 .*  \([0-9.]*\) frames/s.*|training \1 crops of 192 x 192/s|p'

score() { "$autoqc" score --model "$here/../examples/models/complexeye.safetensors" "$@" > "$work/scores.csv"; }
# Frames named twice are scored once: nine names.
mkdir "$work/frames"
for run in 1 2 3 4 5 6 7 8 9; do ln -s "$here/../examples/frames/01_A1_f300.tiff" "$work/frames/01_A1_f$run.tiff"; done
frames=("$work"/frames/*.tiff)
start=$(date +%s.%N); score "${frames[0]}"; middle=$(date +%s.%N)
score "${frames[@]}"; end=$(date +%s.%N)
# The first run pays for the start; nine frames less one are what a frame costs.
awk -v a="$start" -v b="$middle" -v c="$end" 'BEGIN { printf "score %.0f ms/frame\n", ((c - b) - (b - a)) / 8 * 1000 }'
