#!/usr/bin/env bash
# Trains and calibrates the shipped model from the MIT-licensed frames in AUTOQC_DATA; takes some fifteen minutes on two cores.
# The last third of hsc_brightfield (f020 to f029) stays unseen: tests and the README's figures use it.
set -euo pipefail
autoqc=${1:-autoqc}
here=$(cd "$(dirname "$0")" && pwd)
data=${AUTOQC_DATA:-$here/../../../shared/data}
normal=("$data/complexeye/01_A1_f300.tiff" "$data"/hsc_brightfield/hsc_f0[01]?.tiff)
model=$here/complexeye.safetensors
"$autoqc" train --normal "${normal[@]}" --out "$model" --seed 1
# That int8 loses next to nothing was measured on simulated faults (docs/performance.md).
"$autoqc" calibrate "$model" --normal "${normal[@]}" --variations 4 --prefer int8
