#!/usr/bin/env bash
# The main job on real and on simulated frames: demo.sh AUTOQC
#
# Starts the daemon on an empty folder, lets real frames of four wells arrive in it as a microscope would write them, and
# follows the alarm log of the well with the air bubble. Then a simulated microscope writes a plate of eight wells with the
# faults of examples/faults.yaml, slowly enough for two old cores; what the daemon found is held against the truth.
# Takes some three minutes; results stay in demo-output.
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

say "a simulated plate: 8 wells, 12 frames each, one every 12 s, with the faults of examples/faults.yaml"
logs=()
mkdir -p "$out/results/sim/alarms"
for well in A01 A02 A03 A04 B01 B02 B03 B04; do logs+=("$out/results/sim/alarms/$well.log"); done
touch "${logs[@]}"
tail --pid=$daemon -q -F "${logs[@]}" 2>/dev/null | grep --line-buffered -E 'event=(ONSET|CLEAR)' &
follower=$!
"$autoqc" simulate plate --out "$out/plate/simulated" --truth "$out/truth.csv" --run sim --wells 8 --frames 12 \
    --interval 12 --writer rename --faults "$examples/faults.yaml"

say "stopping the daemon"
kill -TERM $daemon
wait $daemon
wait $follower || true
say "judging what a slow machine has not come to yet"
# Judges what a slow machine had not come to yet; a frame that is judged already is left alone.
"$autoqc" watch --once --model "$examples/models/complexeye.safetensors" --out "$out/results" "$out/plate" \
    2>> "$out/messages.log"

say "what came out"
(cd "$out/results" && find . -type f -size +0 ! -name '.*' ! -name 'ledger*' ! -name '*.geojson' ! -name '*.scores.tiff' | sort)
say "what the daemon found, and the truth"
"$autoqc" simulate check --out "$out/results" --truth "$out/truth.csv" --json "$out/check.json"
echo
echo "The shipped model is calibrated on real frames. Calibrated on this microscope's own frames, it would find more:"
echo "docs/quality.md has its recall by class and strength."
faults() { cat "$out/results/01/alarms/$1"*.log 2>/dev/null | grep -c 'event=FAULT' || true; }
normal=$(faults A)
bubble=$(faults B)
say "summary"
grep 'frames seen' "$out/messages.log" | sed '1s/^/first start: /; 2s/^/second start: /'
echo "real frames: FAULT lines for $bubble of 3 frames with the air bubble, $normal of 9 normal frames"
[ "$bubble" = 3 ] && [ "$normal" = 0 ]
