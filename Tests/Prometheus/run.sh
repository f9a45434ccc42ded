#!/usr/bin/env bash
# Alert rules and dashboard against the real things: run.sh AUTOQC [MODEL]
#
# promtool checks and tests the rules. Then a daemon judges some frames, a Prometheus scrapes it with examples/prometheus, and
# scrape.py asks both whether they understand each other. Needs prometheus (2.42 or later).
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
autoqc=$(realpath "$1")
model=$(realpath "${2:-$here/examples/models/complexeye.safetensors}")
cd "$here/examples/prometheus"
promtool check config prometheus.yml
promtool test rules autoqc.rules.test.yml
exec python3 "$here/Tests/Prometheus/scrape.py" "$autoqc" "$model"
