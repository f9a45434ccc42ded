#!/usr/bin/env bash
# A plate with everybody who listens at once: run.sh AUTOQC [MODEL [TABLE]]
#
# Makes a virtual environment with what examples/micromanager needs and the library of Standard Webhooks in .build-micromanager, and
# starts plate.py in it. Needs curl, mosquitto and mosquitto-clients.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
environment=$here/.build-micromanager
[ -x "$environment/bin/python3" ] || python3 -m venv "$environment"
"$environment/bin/pip" install --quiet --disable-pip-version-check -r "$here/examples/micromanager/requirements.txt" standardwebhooks==1.1.0
exec "$environment/bin/python3" "$here/Tests/Rehearsal/plate.py" "$1" "${2:-$here/examples/models/complexeye.safetensors}" ${3:+"$3"}
