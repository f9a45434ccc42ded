#!/usr/bin/env bash
# The main job on real and on simulated frames: demo.sh AUTOQC
#
# The daemon watches an empty folder. Real frames of four wells arrive, then a simulated plate of eight wells with the faults of
# examples/faults.yaml, six times as fast as they come about. Takes less than a minute; results stay in demo-output.
set -euo pipefail
autoqc=$(realpath "${1:-autoqc}")
examples=$(cd "$(dirname "$0")" && pwd)
out=${AUTOQC_DEMO_OUTPUT:-$examples/../demo-output}
rm -rf "$out"
mkdir -p "$out/plate"
out=$(cd "$out" && pwd)

say() { printf '\n== %s\n' "$*"; }
# Waits up to two minutes for a condition; the daemon's messages say why if it does not come true.
wait_for() {
    for _ in $(seq 1200); do
        if eval "$1"; then return; fi
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.1
    done
    echo "the demo did not get as far as: $1" >&2
    cat "$out/messages.log" >&2
    exit 1
}

say "starting the daemon on $out/plate"
"$autoqc" watch --model "$examples/models/complexeye.safetensors" --out "$out/results" "$out/plate" \
    2> "$out/messages.log" &
daemon=$!
trap 'kill $daemon $follower 2>/dev/null || true' EXIT
follower=
wait_for "grep -q 'first listing' '$out/messages.log'"

say "frames arrive: wells A1, A2 and A3 show a normal frame, B1 the one with an air bubble"
mkdir -p "$out/results/01/alarms"
touch "$out/results/01/alarms/B01.log"
tail --pid=$daemon -F "$out/results/01/alarms/B01.log" 2>/dev/null &
follower=$!
for frame in 298 299 300; do
    for well in A1 A2 A3; do
        cp "$examples/frames/01_A1_f300.tiff" "$out/plate/01_${well}_f$frame.tiff"
    done
    # Written under another name and renamed, as careful writers do.
    cp "$examples/frames/01_B1_f100.tiff" "$out/plate/.upload"
    mv "$out/plate/.upload" "$out/plate/01_B1_f$frame.tiff"
done
wait_for "[ \$(grep -c event=FAULT '$out/results/01/alarms/B01.log') -ge 3 ]"

kill $follower
wait $follower 2>/dev/null || true

say "a simulated plate: 8 wells of 12 frames, with the faults of examples/faults.yaml"
logs=()
mkdir -p "$out/results/sim/alarms"
for well in A01 A02 A03 A04 B01 B02 B03 B04; do logs+=("$out/results/sim/alarms/$well.log"); done
touch "${logs[@]}"
tail --pid=$daemon -q -F "${logs[@]}" 2>/dev/null | grep --line-buffered -E 'event=(ONSET|CLEAR)' &
follower=$!
"$autoqc" simulate plate --out "$out/plate/simulated" --truth "$out/truth.csv" --run sim --wells 8 --frames 12 \
    --interval 12 --speed 6 --writer rename --faults "$examples/faults.yaml"

say "all frames are judged"
"$autoqc" sync "$out/results"
kill -TERM $daemon
wait $daemon
wait $follower || true

say "verdicts beside the truth about the simulated plate"
"$autoqc" simulate check --out "$out/results" --truth "$out/truth.csv" --json "$out/check.json"
"$autoqc" review "$out/results" --run sim --html "$out/review.html"

faults() { cat "$out/results/01/alarms/$1"*.log 2>/dev/null | grep -c 'event=FAULT' || true; }
normal=$(faults A)
bubble=$(faults B)
here=$(realpath --relative-to="$PWD" "$out")
program=$(realpath --relative-to="$PWD" "$autoqc")
say "look at it"
row() { printf '%-52s %s\n' "$@"; }
echo "Real frames: $bubble of 3 frames with the air bubble are faulty, and $normal of 9 normal ones."
echo
row "$here/review.html" "the simulated plate: open it in a browser"
row "$here/results/sim/alarms/" "a log of each well"
row "$here/results/sim/masks/" "masks of faulty frames, and their outlines"
echo
row "$program view $here/results" "the live page of the same results"
row "$program tail $here/results --once" "the alarm logs, aligned"
row "$program audit $here/results" "every frame was judged, and its records agree"
row "$program export $here/results --usable" "the frames that can be used"
[ "$bubble" = 3 ] && [ "$normal" = 0 ]
