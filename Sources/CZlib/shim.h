#pragma once
#include <string.h>
#include <zlib.h>

// deflateInit2 is a macro with the size of a structure in it, which Swift cannot call. Returns the bytes written, 0 for
// a target that is too small. The header holds no time: the same input gives the same bytes.
static inline size_t aqc_gzip(const void *source, size_t count, void *target, size_t capacity, int level) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    stream.next_in = (Bytef *)source;
    stream.avail_in = (uInt)count;
    stream.next_out = (Bytef *)target;
    stream.avail_out = (uInt)capacity;
    int status = deflate(&stream, Z_FINISH);
    size_t written = stream.total_out;
    deflateEnd(&stream);
    return status == Z_STREAM_END ? written : 0;
}

static inline size_t aqc_gzip_bound(size_t count) { return compressBound((uLong)count) + 64; }
