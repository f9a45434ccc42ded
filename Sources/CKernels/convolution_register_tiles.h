// The sums of a tile, included once for each kind of number: MULTIPLY(sum, data, weights) adds, in each of 16 lanes, the
// products of a group of numbers that fills 32 bits. UNITS x VECTORS sums stay in registers.
#include <immintrin.h>

#include "convolution_lines.h"

#define AQC_INLINE static inline __attribute__((always_inline, target(AQC_TARGET)))

// Sums of the largest tile.
enum { most_sums = 24 };

// A group of numbers in every lane; for a shared vector that of one pixel in the lower half, of the next in the upper one.
AQC_INLINE __m512i spread(const char *p) {
    int32_t group;
    __builtin_memcpy(&group, p, sizeof group);
    return _mm512_set1_epi32(group);
}

// `lines` point at the tile's first pixel; `step` is the distance of two pixels, `run` that of a line's taps in bytes.
AQC_INLINE void sum_tile(
    SUM *sums, const char *const *lines, size_t kernel, size_t run, size_t step, const char *weights, aqc_register_tile t) {
    // Known to nobody, or compilers make a permutation of the choice, which waits for the same ports as the products.
    __mmask16 upper = 0xFF00;
    __asm__("" : "+k"(upper));
#pragma clang loop unroll(full)
    for (size_t i = 0; i < t.units * t.vectors; i++) sums[i] = SUM_ZERO;
    for (size_t k = 0; k < kernel; k++) {
        const char *data = lines[k];
        // Both pixels of a unit have the same weights, so they are there once.
        for (size_t at = 0; at < run; at += 4, data += 4, weights += 64 * (t.vectors - (t.pixels - 1))) {
            __m512i w[4];
#pragma clang loop unroll(full)
            for (size_t v = 0; v < t.vectors; v++)
                w[v] = _mm512_loadu_si512(weights + 64 * (v < t.pixels ? 0 : v - (t.pixels - 1)));
#pragma clang loop unroll(full)
            for (size_t u = 0; u < t.units; u++) {
                const __m512i left = spread(data + u * t.pixels * step);
                SUM *sum = sums + u * t.vectors;
                if (t.pixels == 2) {
                    const __m512i right = spread(data + (2 * u + 1) * step);
                    sum[0] = MULTIPLY(sum[0], left, w[0]);
                    sum[1] = MULTIPLY(sum[1], right, w[1]);
                    sum[2] = MULTIPLY(sum[2], _mm512_mask_blend_epi32(upper, left, right), w[2]);
                } else {
#pragma clang loop unroll(full)
                    for (size_t v = 0; v < t.vectors; v++) sum[v] = MULTIPLY(sum[v], left, w[v]);
                }
            }
        }
    }
}

// Where the unit of a tile at `column` begins in the result.
AQC_INLINE size_t unit_offset(const aqc_direct_shape *s, size_t row, size_t column) {
    return (row * aqc_output_length(s, s->width) + column) * s->outputs;
}

// Vector `v` of a unit in float32; the shared one has 8 numbers of each pixel.
AQC_INLINE void store_floats(float *to, __m512 y, size_t v, aqc_register_tile t) {
    if (t.pixels == 1 || v < 2) {
        _mm512_storeu_ps(to + v * (t.pixels == 1 ? 16 : 24), y);
        return;
    }
    _mm256_storeu_ps(to + 16, _mm512_castps512_ps256(y));
    _mm256_storeu_ps(to + 40, _mm512_extractf32x8_ps(y, 1));
}

// The 16 outputs of a position as a block of 4 x 4 pixels.
AQC_INLINE void store_shuffled(const aqc_direct_shape *s, float *image, __m512 y, size_t row, size_t column) {
    const size_t columns = 4 * aqc_output_length(s, s->width);
    float *to = image + 4 * (row * columns + column);
    _mm_storeu_ps(to, _mm512_castps512_ps128(y));
    _mm_storeu_ps(to + columns, _mm512_extractf32x4_ps(y, 1));
    _mm_storeu_ps(to + 2 * columns, _mm512_extractf32x4_ps(y, 2));
    _mm_storeu_ps(to + 3 * columns, _mm512_extractf32x4_ps(y, 3));
}
