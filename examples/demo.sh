#!/usr/bin/env bash
# The main job on real frames: demo.sh AUTOQC
#
# Starts the daemon on an empty folder, lets frames of four wells arrive in it as a microscope would write them, follows the
# alarm log of the well with the air bubble, and stops the daemon, which sums up. Results stay in demo-output.
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

say "stopping the daemon"
kill -TERM $daemon
wait $daemon
wait $follower

say "what came out"
(cd "$out/results" && find . -type f ! -name '.*' ! -name 'ledger*' | sort)
faults() { cat "$out/results/01/alarms/$1"*.log 2>/dev/null | grep -c 'event=FAULT' || true; }
normal=$(faults A)
bubble=$(faults B)
say "summary"
grep 'frames seen' "$out/messages.log"
echo "FAULT lines: $bubble of 3 frames with the air bubble, $normal of 9 normal frames"
[ "$bubble" = 3 ] && [ "$normal" = 0 ]
