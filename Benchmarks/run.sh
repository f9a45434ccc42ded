#!/usr/bin/env bash
# What the main job costs on this machine, beside the machine's own speed: run.sh AUTOQC [OPTIONS OF MEASURE]
#
# Bare convolutions of oneDNN without any of our code, then every group of `autoqc measure` with the shipped model. Quote ratios
# of one run.
set -euo pipefail
autoqc=$(realpath "${1:-autoqc}")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -O2 "$here/convolution.c" -o "$work/convolution" -ldnnl
lscpu | grep 'Model name'
"$work/convolution"
# Waiting threads sleep: frames are judged side by side, each on a core.
OMP_WAIT_POLICY=passive "$autoqc" measure --model "$here/../examples/models/complexeye.safetensors" "${@:2}"
