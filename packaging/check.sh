#!/usr/bin/env bash
# Checks a release before it is signed: check.sh FOLDER. lintian finds nothing in the packages, and the SBOM fits CycloneDX's schema.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
venv=$here/.build-release
lintian --fail-on error,warning -EvIL +pedantic "$1"/*.deb
[ -x "$venv/bin/python3" ] || python3 -m venv "$venv"
"$venv/bin/pip" install -q 'cyclonedx-python-lib[json-validation]==11.12.0'
"$venv/bin/python3" - "$1"/*.cdx.json <<'PYTHON'
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.exit(f"{sys.argv[1]} does not fit CycloneDX 1.6: {wrong}" if wrong else print(f"{sys.argv[1]} fits CycloneDX 1.6"))
PYTHON
