#!/usr/bin/env bash
# Models in other tools: run.sh AUTOQC [MODEL]
#
# The graph of a model is checked by onnx and run by onnxruntime, beside `autoqc score --maps`, on the frames of examples/ and of AUTOQC_DATA.
# The bioimage.io package is tested by bioimageio.core. Needs python3-venv. Python packages go into .build-models.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
autoqc=$(realpath "$1")
model=$(realpath "${2:-$here/examples/models/complexeye.safetensors}")
data=${AUTOQC_DATA:-$here/../shared/data}
tools=$here/.build-models

[ -x "$tools/bin/python3" ] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check -r "$here/Tests/Models/requirements.txt"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sample=$here/examples/frames/01_B1_f100.tiff
"$autoqc" export-model "$model" --onnx "$work/model.onnx" --bioimageio "$work/package" --sample "$sample"
"$autoqc" import "$work/model.onnx" --out "$work/back.safetensors"
cmp "$model" "$work/back.safetensors"
echo "imported again, the model has the same bytes"

"$tools/bin/python3" "$here/Tests/Models/graph.py" "$autoqc" "$model" "$work" "$here/examples/frames" "$data"

# Nothing is fetched: all sources are in the package.
export BIOIMAGEIO_CACHE_PATH=$work/cache
"$tools/bin/bioimageio" test "$work/package" --weight_format onnx
# Packed as one file, too.
"$tools/bin/bioimageio" package "$work/package" "$work/package.zip" --weight-format onnx 2> "$work/messages.log" ||
    { cat "$work/messages.log" >&2; exit 1; }
"$tools/bin/bioimageio" test "$work/package.zip" --weight_format onnx > "$work/messages.log" 2>&1 ||
    { cat "$work/messages.log" >&2; exit 1; }
"$tools/bin/python3" "$here/Tests/Models/blocks.py" "$work/package" "$sample"
echo "models run in other tools"
