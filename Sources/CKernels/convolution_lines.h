// What convolutions of bytes and of bfloat16 share: tiles, weights in the order they are read, and a few lines of the source
// with zeros at both ends.
#pragma once

#include "convolutions.h"

// Vectors of 64 bytes hold 16 sums. A unit is what fills whole vectors: one pixel, or two where 8 outputs are left over and
// share the last vector. A tile is as many units as registers hold.
typedef struct {
    size_t vectors, pixels, units;
} aqc_register_tile;

// Outputs of a convolution, and vectors and pixels of a unit, and units of a tile for them.
#define AQC_TILES(X) X(16, 1, 1, 16) X(24, 3, 2, 8) X(32, 2, 1, 10) X(48, 3, 1, 8) X(64, 4, 1, 5)

// The tile of so many outputs; no vectors for those without a kernel.
static inline aqc_register_tile aqc_register_tile_of(size_t outputs) {
#define CASE(outputs, vectors, pixels, units) \
    case outputs: return (aqc_register_tile){vectors, pixels, units};
    switch (outputs) {
        AQC_TILES(CASE)
    default: return (aqc_register_tile){0, 0, 0};
    }
#undef CASE
}

// The output that lane `lane` of vector `vector` of a unit sums.
static inline size_t aqc_register_tile_output(size_t outputs, size_t vector, size_t lane) {
    if (outputs != 24) return vector * 16 + lane;
    return vector < 2 ? lane : 16 + lane % 8;
}

static inline size_t aqc_output_length(const aqc_direct_shape *s, size_t length) {
    return (length + 2 * s->padding - s->kernel) / s->stride + 1;
}

// Whether a shape suits tiles whose numbers come in groups of `group` to a lane of 32 bits.
int aqc_register_tiles_fit(const aqc_direct_shape *s, size_t group);

// A loop over rows of the result. `fill` writes one line of the source, `line` bytes long with both ends; `tiles` one row.
typedef struct aqc_line_job {
    aqc_direct_shape shape;
    const void *plan, *source, *bias, *addend;
    void *destination;
    size_t line;
    int silu;
    void (*fill)(const struct aqc_line_job *job, ptrdiff_t row, char *line);
    void (*tiles)(const struct aqc_line_job *job, size_t row, const char *const *lines);
} aqc_line_job;

void aqc_run_lines(const aqc_line_job *job);
