#!/usr/bin/env bash
# Fuzzes a reader: Tests/Fuzz/run.sh tiff|checkpoint|names|csv SECONDS [BUILD_FOLDER]
#
# libFuzzer and AddressSanitizer around the module that reads, compiled as one module with what feeds it. Seeds are
# AUTOQC_DATA/tiff_corpus (default: ../shared/data), small checkpoints that the fuzzer makes up itself, the pickle in
# AUTOQC_FIXTURES/unet_small.ckpt (default: ../shared/fixtures), the ready patterns with their examples, a few lists, and what
# earlier runs found. Inputs that crash, take longer
# than 10 s or more than 1 GiB at once are kept in BUILD_FOLDER/READER-crashes; the exit status is then not 0.
set -euo pipefail

usage="usage: run.sh tiff|checkpoint|names|csv SECONDS [BUILD_FOLDER]"
reader=${1:?$usage}
seconds=${2:?$usage}
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${3:-$root/.build-fuzz}
data=${AUTOQC_DATA:-$root/../shared/data}
fixtures=${AUTOQC_FIXTURES:-$root/../shared/fixtures}
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
    # SafeTensors lies in there, so the fuzzer shall see its branches, too.
    library Tensors -sanitize=fuzzer,address
    fuzzer CheckpointsFuzz "$sources"/Checkpoints/*.swift "$root"/Tests/CheckpointsTests/TorchFile.swift \
        "$root/Tests/Fuzz/CheckpointFuzz.swift" -lTensors -ldnnl -lopenblas -lswiftSynchronization
    AUTOQC_FUZZ_SEEDS=$seeds "$build/checkpoint-fuzz" -runs=0
    if [ -f "$fixtures/unet_small.ckpt" ]; then
        { printf '\001'; unzip -p "$fixtures/unet_small.ckpt" '*/data.pkl'; } > "$seeds/published-pickle"
    fi ;;
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
*)
    echo "$usage" >&2
    exit 2 ;;
esac

exec "$build/$reader-fuzz" "$found" "$seeds" -max_total_time="$seconds" -max_len=65536 \
    -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=1024 -artifact_prefix="$crashes/" \
    -print_final_stats=1
