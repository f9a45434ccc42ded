#!/usr/bin/env bash
# Every form of a run, each opened by the tool that it is for: run.sh AUTOQC [MODEL]
#
# Plays a plate of eight wells, judges it, exports it in every form, and kills one export on the way. Then images.py, records.py and
# rois.ijm (ImageJ) open what came out. Needs python3-venv, imagej, xvfb, and what Qt needs of X. Python packages go into .build-exports,
# in two environments, as their needs contradict each other. Pictures of napari stay in PICTURES.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
autoqc=$(realpath "$1")
model=$(realpath "${2:-$here/examples/models/complexeye.safetensors}")
tools=$here/.build-exports
pictures=${PICTURES:-$here/.build/pictures}
mkdir -p "$pictures"
pictures=$(cd "$pictures" && pwd)

for part in images records; do
    [ -x "$tools/$part/bin/python3" ] || python3 -m venv "$tools/$part"
    "$tools/$part/bin/pip" install --quiet --disable-pip-version-check -r "$here/Tests/Exports/requirements-$part.txt"
done
# The package's source has the official schema of mzQC.
schema=$tools/pymzqc-1.0.3/tests/schema.json
[ -f "$schema" ] || {
    "$tools/records/bin/pip" download --quiet --no-deps --no-binary pymzqc --dest "$tools" pymzqc==1.0.3
    tar -xzf "$tools"/pymzqc-1.0.3.tar.gz -C "$tools"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$autoqc" simulate plate --out "$work/plate" --truth "$work/truth.csv" --run sim --wells 8 --frames 12 --speed 1000 \
    --width 640 --height 480 --faults "$here/examples/faults.yaml" 2> /dev/null
"$autoqc" watch --once --model "$model" --out "$work/out" "$work/plate" 2> "$work/messages.log" ||
    { cat "$work/messages.log" >&2; exit 1; }

# Killed as soon as one image is whole; the second start ends it, with the bytes of one that nobody killed.
"$autoqc" export "$work/out" --ome-zarr "$work/cut" 2> /dev/null &
export=$!
until [ -e "$work/cut/A/1/0/zarr.json" ] || ! kill -0 $export 2> /dev/null; do sleep 0.01; done
kill -KILL $export 2> /dev/null || true
wait $export 2> /dev/null || true
if [ -e "$work/cut/.autoqc-export" ]; then
    echo "killed with $(find "$work/cut" -name zarr.json -path '*/[0-9]/0/zarr.json' | wc -l) of 8 images whole"
    "$autoqc" export "$work/out" --ome-zarr "$work/cut"
fi
"$autoqc" export "$work/out" --ome-zarr "$work/plate.zarr" --label-images "$work/labels" --rois "$work/rois" \
    --crate "$work/crate" --omero "$work/omero"
diff -r "$work/cut" "$work/plate.zarr"
echo "the export that was killed has the same bytes"
"$autoqc" export "$work/out" --record > "$work/record.json"

screen() { xvfb-run --auto-servernum --server-args "-screen 0 1280x900x24" "$@"; }
screen "$tools/images/bin/python3" "$here/Tests/Exports/images.py" "$work" "$pictures"
screen java -cp /usr/share/java/ij.jar ij.ImageJ -batch "$here/Tests/Exports/rois.ijm" "$work/rois/sim" > "$work/rois.txt"
"$tools/records/bin/python3" "$here/Tests/Exports/records.py" "$work" "$schema" "$here/docs/quality-record.schema.json"
echo "all forms are opened by their tools"
