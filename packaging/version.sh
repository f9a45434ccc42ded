#!/usr/bin/env bash
# Prints the version, which has to be the same wherever it stands.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/.*static let version = "\(.*\)"/\1/p' Sources/Reporting/ProcessFigures.swift)
for file in python/pyproject.toml examples/fractal/pyproject.toml; do
    grep -qx "version = \"$version\"" "$file" || { echo "$file has another version than Sources/Reporting/ProcessFigures.swift ($version)" >&2; exit 1; }
done
echo "$version"
