#!/usr/bin/env bash
# Two microscopes on one machine: two-plates.sh AUTOQC [MODEL]
#
# Plays two plates at RATE frames a second each, for MINUTES, beside a daemon each, on the cores that this machine has. Frames are simulated
# beforehand and played again and again, as simulating them takes what judging needs. Prints for both daemons what was judged and how long a
# frame took from its file's end to its judgement. Exits with 1 where a frame was missed.
set -euo pipefail
RATE=${RATE:-8}
WELLS=${WELLS:-64}
MINUTES=${MINUTES:-10}
AHEAD=${AHEAD:-4} # frames of each well that are simulated

here=$(cd "$(dirname "$0")" && pwd)
autoqc=$(realpath "${1:-autoqc}")
model=$(realpath "${2:-$here/../examples/models/complexeye.safetensors}")
work=$(mktemp -d)
# As the service has it.
export OMP_WAIT_POLICY=passive
daemons=() players=()
stop() {
    for process in "${players[@]}" "${daemons[@]}"; do kill "$process" 2> /dev/null || true; done
    wait
    rm -rf "$work"
}
trap stop EXIT

for plate in a b; do
    mkdir -p "$work/$plate/plate"
    "$autoqc" simulate plate --out "$work/$plate/ahead" --truth "$work/$plate/ahead.csv" --run "$plate" --wells "$WELLS" \
        --frames "$AHEAD" --interval "$(awk -v w="$WELLS" -v r="$RATE" 'BEGIN { print w / r }')" --speed 100000 \
        --seed "$(printf '%d' "'$plate")" --faults "$here/../examples/faults.yaml" 2> /dev/null
done
for plate in a b; do
    "$autoqc" watch --model "$model" --out "$work/$plate/results" "$work/$plate/plate" 2> "$work/$plate/messages.log" &
    daemons+=($!)
done
for plate in a b; do
    until grep -q 'first listing' "$work/$plate/messages.log"; do
        grep -q . < <(jobs -r) || { cat "$work/$plate/messages.log" >&2; exit 2; }
        sleep 0.1
    done
done
for plate in a b; do
    python3 "$here/replay.py" "$work/$plate/ahead" "$work/$plate/ahead.csv" "$work/$plate/plate" "$work/$plate/truth.csv" \
        "$RATE" "$(awk -v m="$MINUTES" 'BEGIN { print m * 60 }')" 2> "$work/$plate/player.log" &
    players+=($!)
done
for player in "${players[@]}"; do wait "$player"; done
players=()
# Works off what waits.
for daemon in "${daemons[@]}"; do kill -TERM "$daemon"; done
for daemon in "${daemons[@]}"; do wait "$daemon"; done
daemons=()

status=0
for plate in a b; do
    "$autoqc" simulate check --out "$work/$plate/results" --truth "$work/$plate/truth.csv" --json "$work/$plate/check.json" \
        > /dev/null || status=1
done
python3 - "$RATE" "$work"/a/check.json "$work"/b/check.json << 'EOS'
import json
import sys

print(f"{'plate':<8}{'frames':>8}{'missed':>8}{'p50 s':>8}{'p99 s':>8}{'longest s':>11}")
for name, path in zip("ab", sys.argv[2:]):
    with open(path) as file:
        check = json.load(file)
    latency = check["close_to_judged"]
    frames = check["frames"]
    print(f"{name:<8}{frames['written']:>8}{len(frames['missed']):>8}", end="")
    print(f"{latency['p50']:>8.2f}{latency['p99']:>8.2f}{latency['maximum']:>11.2f}")
EOS
exit $status
