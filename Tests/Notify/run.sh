#!/usr/bin/env bash
# Real receivers of events: run.sh AUTOQC [MODEL]
#
# Makes a virtual environment with the library of Standard Webhooks in .build-notify, and starts receivers.py in it. Needs
# curl, mosquitto and mosquitto-clients.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
environment=$here/.build-notify
[ -x "$environment/bin/python3" ] || python3 -m venv "$environment"
"$environment/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0
exec "$environment/bin/python3" "$here/Tests/Notify/receivers.py" "$1" "${2:-$here/examples/models/complexeye.safetensors}"
