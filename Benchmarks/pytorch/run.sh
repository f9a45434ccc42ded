#!/usr/bin/env bash
# The same networks in autoqc and in PyTorch, in one run: run.sh AUTOQC
#
# Makes a virtual environment with PyTorch for the CPU (some 900 MB, in VENV), measures both programs in turns on all cores and
# prints PyTorch's time over autoqc's: above 1 autoqc is the faster one. ROUNDS and PASSES say how often. MEASURE says what:
# MEASURE=published is a training step of the published pDDPM. SIDES says how PyTorch runs: eager, channels-last, compiled,
# bf16, bf16-compiled. BATCH is the number of crops of a training step, the same on both sides. On a busy machine the ratios of
# processor time hold, those of the clock do not.
set -euo pipefail
ROUNDS=${ROUNDS:-3}
PASSES=${PASSES:-5}
MEASURE=${MEASURE:-network training}
SIDES=${SIDES:-channels-last}
export BATCH=${BATCH:-8}
TORCH=${TORCH:-torch==2.13.0+cpu}
autoqc=$(realpath "${1:-autoqc}")
here=$(cd "$(dirname "$0")" && pwd)
venv=${VENV:-$here/../../.build-pytorch}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! "$venv/bin/python" -c 'import torch' 2>/dev/null; then
    python3 -m venv "$venv"
    # pip may know wheels of its own (PIP_FIND_LINKS); elsewhere the CPU's wheels are on PyTorch's index only.
    "$venv/bin/pip" install -q "$TORCH" 2>/dev/null ||
        "$venv/bin/pip" install -q --extra-index-url https://download.pytorch.org/whl/cpu "$TORCH"
fi

lscpu | grep 'Model name'
# A benchmark that turns with another one must not find its cores busy with the other's waiting threads.
export OMP_WAIT_POLICY=passive
"$venv/bin/python" -W ignore -c 'import torch; print("PyTorch", torch.__version__)'
for round in $(seq "$ROUNDS"); do
    # Other work that comes and goes within a round moves its ratios: rounds that disagree are not to be quoted.
    echo "round $round, load before it $(cut -d ' ' -f 1 /proc/loadavg)"
    for group in $MEASURE; do
        "$autoqc" measure "$group" --passes "$PASSES" --batch "$BATCH" --json "$work/autoqc-$group-$round.json" > /dev/null
        for side in $SIDES; do
            "$venv/bin/python" -W ignore "$here/realtime.py" "$group" "$work/torch-$group-$side-$round.json" "$PASSES" "$side"
        done
    done
done
"$venv/bin/python" "$here/compare.py" "$work"
