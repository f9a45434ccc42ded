#include "bytes.h"

#include "clones.h"

// Adding and taking away 1.5 * 2^23 leaves the nearest whole number, ties to even, and vectorises everywhere.
static inline int8_t nearest_byte(float x) {
    const float magic = 12582912.0f;
    float kept = x < -127.0f ? -127.0f : (x > 127.0f ? 127.0f : x);
    return (int8_t)((kept + magic) - magic);
}

AQC_CLONES void aqc_quantise_cells(
    const float *x, int8_t *y, size_t height, size_t width, size_t cell, float scale) {
    const float factor = 1 / scale;
    const size_t columns = width / cell, depth = cell * cell;
    for (size_t row = 0; row < height; row++) {
        const float *restrict line = x + row * width;
        int8_t *restrict packed = y + row / cell * columns * depth + row % cell * cell;
        if (cell == 4)
            for (size_t column = 0; column < columns; column++)
                for (size_t i = 0; i < 4; i++) packed[column * 16 + i] = nearest_byte(line[column * 4 + i] * factor);
        else
            for (size_t column = 0; column < columns; column++)
                for (size_t i = 0; i < cell; i++)
                    packed[column * depth + i] = nearest_byte(line[column * cell + i] * factor);
    }
}

AQC_CLONES void aqc_join_upsampled(
    const int8_t *low, int8_t *y, size_t height, size_t width, size_t channels, float low_factor, float factor) {
    for (size_t row = 0; row < 2 * height; row++)
        for (size_t column = 0; column < 2 * width; column++) {
            const int8_t *restrict from = low + (row / 2 * width + column / 2) * channels;
            int8_t *restrict to = y + (row * 2 * width + column) * channels;
            for (size_t c = 0; c < channels; c++)
                to[c] = nearest_byte(low_factor * (float)from[c] + factor * (float)to[c]);
        }
}
