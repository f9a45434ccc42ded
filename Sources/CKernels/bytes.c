#include "bytes.h"

#include "clones.h"

// Adding and taking away 1.5 * 2^23 leaves the nearest whole number, ties to even, and vectorises everywhere.
static inline float nearest(float x) {
    const float magic = 12582912.0f;
    float kept = x < 0.0f ? 0.0f : (x > 255.0f ? 255.0f : x);
    return (kept + magic) - magic;
}

// One line of a cell: `count` pixels and, `depth` bytes behind them, what their rounding leaves.
static inline void quantise_line(
    const float *restrict x, uint8_t *restrict y, size_t count, size_t depth, float factor, float zero, float finer) {
    for (size_t i = 0; i < count; i++) {
        const float exact = x[i] * factor + zero, whole = nearest(exact);
        y[i] = (uint8_t)whole;
        y[depth + i] = (uint8_t)nearest(finer * (exact - whole) + zero);
    }
}

AQC_CLONES void aqc_quantise_cells(
    const float *x, uint8_t *y, size_t height, size_t width, size_t cell, float step, int32_t zero, float finer) {
    const float factor = 1 / step, offset = (float)zero;
    const size_t columns = width / cell, depth = cell * cell;
    for (size_t row = 0; row < height; row++) {
        const float *line = x + row * width;
        uint8_t *packed = y + row / cell * columns * 2 * depth + row % cell * cell;
        // Lines of a known length are unrolled.
        if (cell == 4)
            for (size_t column = 0; column < columns; column++)
                quantise_line(line + column * 4, packed + column * 32, 4, 16, factor, offset, finer);
        else
            for (size_t column = 0; column < columns; column++)
                quantise_line(line + column * cell, packed + column * 2 * depth, cell, depth, factor, offset, finer);
    }
}

AQC_CLONES void aqc_join_upsampled(
    const uint8_t *low, uint8_t *y, size_t height, size_t width, size_t channels, float low_factor, float factor,
    float offset) {
    for (size_t row = 0; row < 2 * height; row++)
        for (size_t column = 0; column < 2 * width; column++) {
            const uint8_t *restrict from = low + (row / 2 * width + column / 2) * channels;
            uint8_t *restrict to = y + (row * 2 * width + column) * channels;
            for (size_t c = 0; c < channels; c++)
                to[c] = (uint8_t)nearest(low_factor * (float)from[c] + factor * (float)to[c] + offset);
        }
}
