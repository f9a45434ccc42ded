#!/usr/bin/env bash
# An archive judged by a cluster on which things go wrong: run.sh AUTOQC [MODEL]
#
# Starts a Slurm of one node on loopback, with files of its own in a temporary folder, and lets examples/cluster judge a simulated plate in
# shards: cluster.py has the scenes. Needs slurm-wlm, munge and python3-venv. Snakemake goes into .build-cluster. LOG=FILE keeps what
# Snakemake said.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
tools=$here/.build-cluster
[ -x "$tools/bin/python3" ] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check -r "$here/Tests/Cluster/requirements.txt"
exec "$tools/bin/python3" "$here/Tests/Cluster/cluster.py" "$(realpath "$1")" \
    "$(realpath "${2:-$here/examples/models/complexeye.safetensors}")"
