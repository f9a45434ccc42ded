#!/usr/bin/env bash
# A whole plate at the microscope's pace, beside the daemon, on the same cores: soak.sh AUTOQC [MODEL]
#
# Plays WELLS wells, RATE frames a second in all, for MINUTES of real time, while `autoqc watch` judges; samples the daemon's
# memory and open files; stops it with SIGTERM; holds its ledger against the truth. Prints what it measured and exits with 1 if
# a limit does not hold. A full hour writes some 29,000 frames: OUT needs the space (frames are removed at the end, results
# stay). At a pace at which simulating would take what judging needs, AHEAD frames of each well are simulated beforehand and played again
# and again, for ten minutes.
set -euo pipefail

# What is played. FRAMES (of each well) follows from MINUTES unless it is given; with SPEED frames come so many times faster.
WELLS=${WELLS:-64}
RATE=${RATE:-8}
SPEED=${SPEED:-1}
AHEAD=${AHEAD:-$(awk -v r="$RATE" -v s="$SPEED" 'BEGIN { print (r * s > 16 ? 8 : 0) }')}
MINUTES=${MINUTES:-$([ "$AHEAD" -gt 0 ] && echo 10 || echo 60)}
FRAMES=${FRAMES:-}
FAULTS=${FAULTS:-}
WATCH_OPTIONS=${WATCH_OPTIONS:-}        # more options of `autoqc watch`, for example `--learn 6`
# What must hold.
MIN_RATE_SHARE=${MIN_RATE_SHARE:-0.99}  # of the asked rate, both written and judged
MAX_P50=${MAX_P50:-0.5}                 # s from the file's end to its judgement
MAX_P99=${MAX_P99:-2}                   # s
MAX_LATENCY=${MAX_LATENCY:-30}          # s
MAX_SLOPE=${MAX_SLOPE:-4}               # MiB an hour, after WARM_UP
MAX_PEAK=${MAX_PEAK:-600}               # MiB
MAX_MORE_FILES=${MAX_MORE_FILES:-8}     # open files, from after WARM_UP to the end
# How it is measured.
SAMPLE=${SAMPLE:-10}                    # s between samples
WARM_UP=${WARM_UP:-300}                 # s that the slope leaves out
SETTLE=${SETTLE:-5}                     # s between the last frame and SIGTERM

here=$(cd "$(dirname "$0")" && pwd)
autoqc=$(realpath "${1:-autoqc}")
model=$(realpath "${2:-$here/../examples/models/complexeye.safetensors}")
FAULTS=$(realpath "${FAULTS:-$here/../examples/faults.yaml}")
OUT=${OUT:-$here/../soak-output}
interval=$(awk -v w="$WELLS" -v r="$RATE" 'BEGIN { print w / r }')
FRAMES=${FRAMES:-$(awk -v m="$MINUTES" -v i="$interval" -v s="$SPEED" 'BEGIN { printf "%d", m * 60 * s / i + 0.999 }')}

rm -rf "$OUT"
mkdir -p "$OUT/plate"
OUT=$(cd "$OUT" && pwd)
# MiB, at most one a frame; of frames that are played again, those of two minutes lie there.
needed=$(awk -v w="$WELLS" -v f="$FRAMES" -v a="$AHEAD" -v r="$RATE" -v s="$SPEED" 'BEGIN { print a ? w * a + 125 * r * s : w * f }')
free=$(df -Pm "$OUT" | awk 'NR == 2 { print $4 }')
if [ "$free" -lt "$needed" ]; then
    echo "$OUT has $free MiB free; the frames need up to $needed MiB" >&2
    exit 2
fi

if [ "$AHEAD" -gt 0 ]; then
    echo "simulating $AHEAD frames of each of $WELLS wells beforehand"
    "$autoqc" simulate plate --out "$OUT/ahead" --truth "$OUT/ahead.csv" --wells "$WELLS" --frames "$AHEAD" \
        --interval "$interval" --speed 1000 --faults "$FAULTS" 2> "$OUT/plate.log"
    sync
fi

# As the service has it.
export OMP_WAIT_POLICY=passive
daemon= sampler=
stop() {
    for process in $sampler $daemon; do kill "$process" 2>/dev/null || true; done
    rm -rf "$OUT/plate" "$OUT/ahead"
}
trap stop EXIT

# shellcheck disable=SC2086  # several words
"$autoqc" watch --model "$model" --out "$OUT/results" $WATCH_OPTIONS "$OUT/plate" 2> "$OUT/messages.log" &
daemon=$!
for _ in $(seq 600); do
    grep -q 'first listing' "$OUT/messages.log" && break
    kill -0 "$daemon" 2>/dev/null || { cat "$OUT/messages.log" >&2; exit 2; }
    sleep 0.1
done

sample() {
    echo time_s,rss_kib,files
    local start=$SECONDS rss
    while rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status" 2>/dev/null) && [ -n "$rss" ]; do
        echo "$((SECONDS - start)),$rss,$(find "/proc/$daemon/fd" -mindepth 1 2>/dev/null | wc -l)"
        sleep "$SAMPLE"
    done
}
sample > "$OUT/memory.csv" &
sampler=$!

echo "$WELLS wells, $FRAMES frames each, one every $interval s at speed $SPEED; results in $OUT"
if [ "$AHEAD" -gt 0 ]; then
    python3 "$here/replay.py" "$OUT/ahead" "$OUT/ahead.csv" "$OUT/plate" "$OUT/truth.csv" \
        "$(awk -v r="$RATE" -v s="$SPEED" 'BEGIN { print r * s }')" \
        "$(awk -v m="$MINUTES" 'BEGIN { print m * 60 }')" 2>> "$OUT/plate.log"
else
    "$autoqc" simulate plate --out "$OUT/plate" --truth "$OUT/truth.csv" --wells "$WELLS" --frames "$FRAMES" \
        --interval "$interval" --speed "$SPEED" --faults "$FAULTS" 2> "$OUT/plate.log"
fi
tail -n 2 "$OUT/plate.log"

sleep "$SETTLE"
peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$daemon/status")
kill -TERM "$daemon"
status=0
wait "$daemon" || status=$?
daemon=
kill "$sampler" 2>/dev/null || true
sampler=
grep 'frames seen' "$OUT/messages.log" || true

missed=0
"$autoqc" simulate check --out "$OUT/results" --truth "$OUT/truth.csv" --json "$OUT/check.json" || missed=$?
export WELLS RATE SPEED MIN_RATE_SHARE MAX_P50 MAX_P99 MAX_LATENCY MAX_SLOPE MAX_PEAK MAX_MORE_FILES WARM_UP
python3 "$here/soak.py" "$OUT" "$peak" "$status" "$missed"
