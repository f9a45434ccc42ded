#!/usr/bin/env bash
# Trains and calibrates the shipped model from the MIT-licensed frames in AUTOQC_DATA; takes some twenty minutes on two cores.
# The last third of hsc_brightfield (f020 to f029) stays unseen: tests and the README's figures use it.
#
# train.sh AUTOQC calibrate   leaves the weights as they are.
set -euo pipefail
autoqc=${1:-autoqc}
here=$(cd "$(dirname "$0")" && pwd)
data=${AUTOQC_DATA:-$here/../../../shared/data}
normal=("$data/complexeye/01_A1_f300.tiff" "$data"/hsc_brightfield/hsc_f0[01]?.tiff)
model=$here/complexeye.safetensors
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ "${2:-}" = calibrate ] || "$autoqc" train --normal "${normal[@]}" --out "$model" --seed 1
# The classifier of tiles and causes are fitted to simulated faults, each list against its own normal frames.
"$autoqc" simulate set --out "$work/set" --train 0 --normal 400 --faulty 400 --folds 2 --seed 4100
"$autoqc" simulate inject --out "$work/injected" --train "${normal[@]}" --test "${normal[@]}" \
    --copies 0 --normal 200 --faulty 200 --folds 2 --seed 4100
# What is normal: the real frames, slightly changed copies of the only one of this microscope, and wells of the simulated one.
"$autoqc" simulate inject --out "$work/complexeye" --train "${normal[0]}" --test "${normal[0]}" --changes slight \
    --copies 30 --normal 2 --faulty 0 --folds 2 --seed 4101
"$autoqc" simulate set --out "$work/wells" --train 150 --normal 2 --faulty 0 --folds 2 --seed 4200
# That int8 loses next to nothing was measured on simulated faults (docs/realtime-network.md).
"$autoqc" calibrate "$model" --normal "${normal[@]}" "$work"/{complexeye,wells}/train --false-alarms 0.01 --prefer int8 \
    --causes "$work"/{set,injected}/splits/test_val_fold?.csv
"$autoqc" model set "$model" --name "ComplexEye brightfield" --licence MIT --author "The autoqc authors" --microscope ComplexEye \
    --trained-on "${normal[@]}"
"$autoqc" model show --card "$model" > "${model%.safetensors}.md"
# It shows frames that lie in the folder above, which is gone now.
rm -f "$model.calibration.html"
