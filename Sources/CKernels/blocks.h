// Means and variances of blocks of 4 x 4 pixels, the first pass over the pixels of a frame.
#pragma once

#include <stddef.h>

#include "clones.h"

enum { block = 4 };

// Means and variances of blocks of 4 x 4 pixels; lines hold 2 * width values.
AQC_CLONES static void measure_blocks(
    const float *restrict x, float *restrict means, float *restrict variances, size_t rows, size_t columns,
    size_t width, float *restrict lines) {
    float *restrict sums = lines, *restrict squares = lines + width;
    for (size_t row = 0; row < rows; row++) {
        const float *restrict a = x + row * block * width, *restrict b = a + width, *restrict c = b + width,
                             *restrict d = c + width;
        // Against the first pixel, so that squares do not swallow small differences.
        const float origin = a[0];
        for (size_t i = 0; i < columns * block; i++) {
            const float p = a[i] - origin, q = b[i] - origin, r = c[i] - origin, s = d[i] - origin;
            sums[i] = (p + q) + (r + s);
            squares[i] = (p * p + q * q) + (r * r + s * s);
        }
        for (size_t i = 0; i < columns; i++) {
            const float *four = sums + i * block, *square = squares + i * block;
            const float mean = ((four[0] + four[1]) + (four[2] + four[3])) / (block * block);
            const float variance =
                ((square[0] + square[1]) + (square[2] + square[3])) / (block * block) - mean * mean;
            means[row * columns + i] = mean + origin;
            variances[row * columns + i] = variance > 0 ? variance : 0;
        }
    }
}
