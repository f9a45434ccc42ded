#!/usr/bin/env bash
# A Micro-Manager core that follows autoqc's advice: run.sh AUTOQC [MODEL]
#
# Makes a virtual environment with what examples/micromanager needs in .build-micromanager, and starts scope.py in it.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
environment=$here/.build-micromanager
[ -x "$environment/bin/python3" ] || python3 -m venv "$environment"
"$environment/bin/pip" install --quiet --disable-pip-version-check -r "$here/examples/micromanager/requirements.txt"
exec "$environment/bin/python3" "$here/Tests/Micromanager/scope.py" "$1" "${2:-$here/examples/models/complexeye.safetensors}"
