#!/usr/bin/env bash
# The tests of the Python package: run.sh AUTOQC [PYTEST OPTION ...]
#
# Python packages go into .build-python. Needs python3-venv, xvfb, and what Qt needs of X. A picture of napari stays in PICTURES.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
AUTOQC=$(realpath "$1")
shift
PICTURES=${PICTURES:-$here/.build/pictures}
mkdir -p "$PICTURES"
PICTURES=$(cd "$PICTURES" && pwd)
export AUTOQC PICTURES
tools=$here/.build-python

[ -x "$tools/bin/python3" ] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check -r "$here/python/tests/requirements.txt"
# Built as users build it, and tested as it is installed.
"$tools/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall "$here/python"
xvfb-run --auto-servernum --server-args "-screen 0 1400x900x24" \
    "$tools/bin/python3" -m pytest -q -p no:cacheprovider -W ignore::DeprecationWarning "$@" "$here/python/tests"
