#!/usr/bin/env bash
# Fuzzes the TIFF reader: Tests/Fuzz/run.sh SECONDS [BUILD_FOLDER]
#
# libFuzzer and AddressSanitizer around Frames, compiled as one module. Seeds come from
# AUTOQC_DATA/tiff_corpus (default: ../shared/data) and from what earlier runs found. Inputs that crash, take
# longer than 10 s or more than 1 GiB at once are kept in BUILD_FOLDER/crashes; the exit status is then not 0.
set -euo pipefail

seconds=${1:?usage: run.sh SECONDS [BUILD_FOLDER]}
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${2:-$root/.build-fuzz}
data=${AUTOQC_DATA:-$root/../shared/data}
mkdir -p "$build/found" "$build/crashes" "$build/seeds"

flags=(-O -g -swift-version 6 -module-cache-path "$build/cache" -parse-as-library
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility
    -enable-upcoming-feature InternalImportsByDefault)
swiftc "${flags[@]}" -emit-module -emit-library -static -module-name Plate \
    -emit-module-path "$build/Plate.swiftmodule" -o "$build/libPlate.a" "$root"/Sources/Plate/*.swift
read -ra headers <<< "$(pkg-config --cflags-only-I libpng libtiff-4)"
swiftc "${flags[@]}" -sanitize=fuzzer,address -module-name FramesFuzz -I "$build" \
    -I "$root/Sources/CTIFF" -I "$root/Sources/CPNG" "${headers[@]}" \
    "$root"/Sources/Frames/*.swift "$root/Tests/Fuzz/TIFFFuzz.swift" -L "$build" -lPlate -o "$build/tiff-fuzz"

# libFuzzer takes plain names; large frames would only slow it down.
if [ -d "$data/tiff_corpus" ]; then
    find "$data/tiff_corpus" -type f -size -64k | while read -r file; do
        cp "$file" "$build/seeds/$(sha1sum < "$file" | cut -c1-16)"
    done
else
    echo "no seeds: set AUTOQC_DATA to the folder of real frames" >&2
fi

exec "$build/tiff-fuzz" "$build/found" "$build/seeds" -max_total_time="$seconds" -max_len=65536 \
    -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=1024 -artifact_prefix="$build/crashes/" \
    -print_final_stats=1
