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

"$autoqc" export-model "$model" --onnx "$work/model.onnx" --bioimageio "$work/package" --sample "$here/examples/frames/01_B1_f100.tiff"
"$autoqc" import "$work/model.onnx" --out "$work/back.safetensors"
cmp "$model" "$work/back.safetensors"
echo "imported again, the model has the same bytes"

"$tools/bin/python3" "$here/Tests/Models/graph.py" "$autoqc" "$model" "$work" "$here/examples/frames" "$data"

# Nothing is fetched: all sources are in the package.
export BIOIMAGEIO_CACHE_PATH=$work/cache
(cd "$work" && "$tools/bin/bioimageio" test package --weight_format onnx) 2>&1 | tee "$work/test.log"
(cd "$work" && "$tools/bin/bioimageio" package package package.zip --weight-format onnx) > /dev/null 2>&1
"$tools/bin/python3" "$here/Tests/Models/blocks.py" "$work/package" "$here/examples/frames/01_B1_f100.tiff"
echo "models run in other tools"
