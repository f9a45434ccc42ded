#!/usr/bin/env bash
# Fuzzes a reader: Tests/Fuzz/run.sh tiff|checkpoint|onnx|names|csv|ledger|numbers SECONDS [BUILD_FOLDER]
#
# libFuzzer and AddressSanitizer around the module that reads, compiled as one module with what feeds it. Seeds are
# AUTOQC_DATA/tiff_corpus (default: ../shared/data), small checkpoints that the fuzzer makes up itself, the pickle in
# AUTOQC_FIXTURES/unet_small.ckpt and in lightning/ (default: ../shared/fixtures), the ready patterns with their examples, a few lists, and what
# earlier runs found. GRDB and swift-log for the ledger are those that `swift build` fetched. Inputs that crash, take longer
# than 10 s or more than 1 GiB at once are kept in BUILD_FOLDER/READER-crashes; the exit status is then not 0.
set -euo pipefail

usage="usage: run.sh tiff|checkpoint|onnx|names|csv|ledger|numbers SECONDS [BUILD_FOLDER]"
reader=${1:?$usage}
seconds=${2:?$usage}
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${3:-$root/.build-fuzz}
data=${AUTOQC_DATA:-$root/../shared/data}
fixtures=${AUTOQC_FIXTURES:-$root/../shared/fixtures}
further=()
found=$build/$reader-found seeds=$build/$reader-seeds crashes=$build/$reader-crashes
mkdir -p "$found" "$seeds" "$crashes" "$build/kernels"

sources=$root/Sources
flags=(-O -g -swift-version 6 -package-name autoqc -module-cache-path "$build/cache" -parse-as-library -I "$build"
    -Xcc "-fmodule-map-file=$build/kernels/module.modulemap"
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility
    -enable-upcoming-feature InternalImportsByDefault)
for name in CTIFF CPNG CZlib CZip COpenBLAS COneDNN; do flags+=(-I "$sources/$name"); done
for flag in $(pkg-config --cflags-only-I libpng libtiff-4 libzip openblas); do flags+=(-Xcc "$flag"); done

# The kernels as SwiftPM builds them; the module map as it makes one.
(cd "$build/kernels" && clang -c -O3 -g -ffp-contract=off -I "$sources/CKernels/include" "$sources"/CKernels/*.c &&
    rm -f libCKernels.a && ar rc libCKernels.a ./*.o)
printf 'module CKernels {\n    umbrella header "%s"\n    export *\n}\n' "$sources/CKernels/include/CKernels.h" \
    > "$build/kernels/module.modulemap"

# A module of its own, built as a library; further arguments are the compiler's.
library() {
    local name=$1
    shift
    swiftc "${flags[@]}" "$@" -emit-module -emit-library -static -module-name "$name" \
        -emit-module-path "$build/$name.swiftmodule" -o "$build/lib$name.a" "$sources/$name"/*.swift
}

# The fuzzer itself: name of the module, then files and further arguments.
fuzzer() {
    swiftc "${flags[@]}" -sanitize=fuzzer,address -module-name "$@" -L "$build" -L "$build/kernels" -lCKernels -lgomp \
        -o "$build/$reader-fuzz"
}

case $reader in
tiff)
    library Plate
    fuzzer FramesFuzz "$sources"/Frames/*.swift "$root/Tests/Fuzz/TIFFFuzz.swift" -lPlate
    # Texts that become the metadata of a small stack; of odd and of even length, as that decides how it is stored.
    printf 'ImageJ=1.54f\nimages=3\nchannels=1\nslices=3\nframes=1\nhyperstack=true\n' > "$seeds/imagej"
    printf 'ImageJ=1.54f\nimages=3\nframes=3\nloop=false\n' > "$seeds/imagej-time"
    printf '{"ChannelIndex": 0, "SliceIndex": 1, "FrameIndex": 2, "Channel": "BF", "a": [{"b": "}"}]}' > "$seeds/micromanager"
    printf '{"shape": [3, 1, 4, 4], "axes": "TCYX"}' > "$seeds/shape"
    printf 'M%.0s' $(seq 72) > "$seeds/metamorph"
    printf '%s' '<OME UUID="u"><Image><Pixels DimensionOrder="XYCZT" SizeX="4" SizeY="4" SizeC="1" SizeZ="1" SizeT="3"' \
        '><Channel Name="BF"/><TiffData IFD="0" FirstT="1" PlaneCount="1"><UUID FileName="f">u</UUID></TiffData>' \
        '<TiffData IFD="1"/></Pixels></Image></OME>' > "$seeds/ome"
    printf '%s ' "$(cat "$seeds/ome")" > "$seeds/ome-even"
    printf '%s' '<OME><BinaryOnly MetadataFile="x" UUID="v"/></OME>' > "$seeds/ome-companion"
    # libFuzzer takes plain names; large frames would only slow it down.
    if [ -d "$data/tiff_corpus" ]; then
        find "$data/tiff_corpus" -type f -size -64k | while read -r file; do
            cp "$file" "$seeds/$(sha1sum < "$file" | cut -c1-16)"
        done
    else
        echo "no seeds: set AUTOQC_DATA to the folder of real frames" >&2
    fi ;;
checkpoint)
    library Plate
    library Files
    # SafeTensors lies in there, so the fuzzer shall see its branches, too.
    library Tensors -sanitize=fuzzer,address
    fuzzer CheckpointsFuzz "$sources"/Checkpoints/*.swift "$root"/Tests/CheckpointsTests/TorchFile.swift \
        "$root/Tests/Fuzz/CheckpointFuzz.swift" -lTensors -lFiles -lPlate -ldnnl -lopenblas -lswiftSynchronization
    AUTOQC_FUZZ_SEEDS=$seeds "$build/checkpoint-fuzz" -runs=0
    if [ -f "$fixtures/unet_small.ckpt" ]; then
        { printf '\001'; unzip -p "$fixtures/unet_small.ckpt" '*/data.pkl'; } > "$seeds/published-pickle"
    fi
    for file in "$fixtures"/lightning/*.ckpt "$fixtures"/lightning/*/*.pth; do
        [ -f "$file" ] || continue
        { printf '\001'; unzip -p "$file" '*/data.pkl'; } > "$seeds/published-$(basename "$file")"
    done ;;
onnx)
    library Plate
    library Files
    library Tensors -sanitize=fuzzer,address
    fuzzer ONNXFuzz "$sources"/ONNX/*.swift "$root/Tests/Fuzz/ONNXFuzz.swift" -lTensors -lFiles -lPlate -ldnnl -lopenblas \
        -lswiftSynchronization
    AUTOQC_FUZZ_SEEDS=$seeds "$build/onnx-fuzz" -runs=0 ;;
names)
    library Plate
    fuzzer NamesFuzz "$sources"/Acquisition/{FramePattern,PatternParser,NameMatcher}.swift "$root/Tests/Fuzz/NamesFuzz.swift" \
        -lPlate
    AUTOQC_FUZZ_SEEDS=$seeds "$build/names-fuzz" -runs=0 ;;
csv)
    fuzzer ListsFuzz "$sources"/Tables/*.swift "$root/Tests/Fuzz/ListsFuzz.swift"
    printf 'img_path;label\r\n"a ""b"".tif";1\r\n' > "$seeds/semicolon"
    printf 'sep=,\nimg_path,label\na.tif,0\n' > "$seeds/separator"
    printf '\377\376i\0m\0g\0\t\0l\0\n\0' > "$seeds/utf16" ;;
ledger)
    packages=$root/.build/checkouts
    library Plate
    flags+=(-I "$packages/GRDB.swift/Sources/GRDBSQLite")
    swiftc -O -suppress-warnings -swift-version 6 -module-cache-path "$build/cache" -parse-as-library -emit-module \
        -emit-library -static -I "$packages/GRDB.swift/Sources/GRDBSQLite" -D SQLITE_ENABLE_FTS5 -D SQLITE_DISABLE_SNAPSHOT -module-name GRDB \
        -emit-module-path "$build/GRDB.swiftmodule" -o "$build/libGRDB.a" \
        $(find "$packages/GRDB.swift/GRDB" -name '*.swift')
    swiftc -O -swift-version 6 -module-cache-path "$build/cache" -parse-as-library -emit-module -emit-library -static \
        -package-name swift-log -module-name Logging -emit-module-path "$build/Logging.swiftmodule" -o "$build/libLogging.a" \
        $(find "$packages/swift-log/Sources/Logging" -name '*.swift')
    fuzzer LedgerFuzz "$sources"/Ledger/*.swift "$root/Tests/Fuzz/LedgerFuzz.swift" -lPlate -lGRDB -lLogging -lsqlite3 \
        -lswiftSynchronization
    further=(-len_control=0 -max_len=512)
    # One column after another, set to numbers at which something ends.
    for column in $(seq 0 39); do
        printf '\x01\x00\x%02x\x05\x%02x\x01' "$column" $((column % 10 * 8)) > "$seeds/column$column"
    done ;;
numbers)
    library Plate
    # What the commands' library gives to the check of numbers.
    printf 'package struct ValidationError: Error { package init(_ message: String) {} }\n' > "$build/ArgumentParser.swift"
    swiftc "${flags[@]}" -emit-module -emit-library -static -module-name ArgumentParser \
        -emit-module-path "$build/ArgumentParser.swiftmodule" -o "$build/libArgumentParser.a" "$build/ArgumentParser.swift"
    fuzzer NumbersFuzz "$sources"/Reporting/Timestamp+ISO8601.swift "$sources"/Monitoring/Configuration/Duration+Unit.swift \
        "$sources"/autoqc/NumberOption.swift "$root/Tests/Fuzz/NumbersFuzz.swift" -lPlate -lArgumentParser
    for text in 1.5m 0 500ms 1h 2026-11-22T10:00:01.123Z 1e300 nan -inf 0x1p4 9223372036854775808 B01 s2_z3_cDAPI; do
        printf '\x7f\xf0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0%s' "$text" > "$seeds/$text"
    done ;;
*)
    echo "$usage" >&2
    exit 2 ;;
esac

exec "$build/$reader-fuzz" "$found" "$seeds" -max_total_time="$seconds" -max_len=65536 \
    -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=1024 -artifact_prefix="$crashes/" \
    -print_final_stats=1 ${further[@]+"${further[@]}"}
