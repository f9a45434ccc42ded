#!/usr/bin/env bash
# Results in other engines: run.sh AUTOQC [MODEL]
#
# Judges a simulated plate. MultiQC draws its sections, and a headless Chromium takes a picture of the report. The Fractal task judges the
# same plate as OME-Zarr, and has to say of each well what the daemon said. Needs python3-venv and chromium. Python packages go into
# .build-engines, pictures to PICTURES.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
autoqc=$(realpath "$1")
model=$(realpath "${2:-$here/examples/models/complexeye.safetensors}")
tools=$here/.build-engines
pictures=${PICTURES:-$here/.build/pictures}
mkdir -p "$pictures"
pictures=$(cd "$pictures" && pwd)

for part in multiqc fractal; do
    [ -x "$tools/$part/bin/python3" ] || python3 -m venv "$tools/$part"
    "$tools/$part/bin/pip" install --quiet --disable-pip-version-check -r "$here/Tests/Engines/requirements-$part.txt"
done
"$tools/fractal/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall "$here/examples/fractal"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for run in first second; do
    "$autoqc" simulate plate --out "$work/plate" --truth "$work/$run.csv" --run "$run" --wells 24 --frames 12 --speed 100000 \
        --width 640 --height 480 --seed "${#run}" --faults "$here/examples/faults.yaml" 2> /dev/null
done
printf 'II*\0 and no picture' > "$work/plate/second_A1_f12.tiff"
"$autoqc" watch --once --model "$model" --out "$work/out" "$work/plate" 2> "$work/messages.log" ||
    { cat "$work/messages.log" >&2; exit 1; }

"$autoqc" export "$work/out" --multiqc "$work/sections"
"$tools/multiqc/bin/multiqc" --strict --no-ansi --outdir "$work/report" "$work/sections" > "$work/multiqc.log" 2>&1 ||
    { cat "$work/multiqc.log" >&2; exit 1; }
"$tools/multiqc/bin/python3" "$here/Tests/Engines/report.py" "$work/report"
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,2600 --virtual-time-budget=20000 \
    --screenshot="$pictures/multiqc.png" "file://$work/report/multiqc_report.html" 2> /dev/null
echo "picture of the report: $pictures/multiqc.png"

(cd "$here/examples/fractal" && "$tools/fractal/bin/fractal-manifest" check --package autoqc-fractal 2> "$work/manifest.log") ||
    { cat "$work/manifest.log" >&2; exit 1; }
echo "ok: the manifest is that of the task"
"$autoqc" export "$work/out" --run first --ome-zarr "$work/first.zarr"
"$autoqc" export "$work/out" --run first > "$work/first.csv"
"$tools/fractal/bin/python3" "$here/Tests/Engines/fractal.py" "$work" "$autoqc" "$model"
