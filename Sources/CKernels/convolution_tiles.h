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
    SUM *sums, const char *const *lines, size_t kernel, size_t run, size_t step, const char *weights, size_t units,
    size_t vectors, size_t pixels) {
    // Known to nobody, or compilers make a permutation of the choice, which waits for the same ports as the products.
    __mmask16 upper = 0xFF00;
    __asm__("" : "+k"(upper));
#pragma clang loop unroll(full)
    for (size_t i = 0; i < units * vectors; i++) sums[i] = SUM_ZERO;
    for (size_t k = 0; k < kernel; k++) {
        const char *data = lines[k];
        for (size_t at = 0; at < run; at += 4, data += 4, weights += 64 * (vectors - (pixels - 1))) {
            const __m512i first = _mm512_loadu_si512(weights);
            __m512i w[4] = {first, first, first, first};
#pragma clang loop unroll(full)
            for (size_t v = 1; v < vectors; v++) w[v] = pixels == 2 && v == 1 ? first : _mm512_loadu_si512(weights + 64 * (v - (pixels - 1)));
#pragma clang loop unroll(full)
            for (size_t u = 0; u < units; u++) {
                const __m512i left = spread(data + u * pixels * step);
                SUM *sum = sums + u * vectors;
                if (pixels == 2) {
                    const __m512i right = spread(data + (u * pixels + 1) * step);
                    sum[0] = MULTIPLY(sum[0], left, w[0]);
                    sum[1] = MULTIPLY(sum[1], right, w[0]);
                    sum[2] = MULTIPLY(sum[2], _mm512_mask_blend_epi32(upper, left, right), w[2]);
                } else {
#pragma clang loop unroll(full)
                    for (size_t v = 0; v < vectors; v++) sum[v] = MULTIPLY(sum[v], left, w[v]);
                }
            }
        }
    }
}

// 16 sums of a pixel as a cell of 4 x 4 pixels of an image of so many columns.
AQC_INLINE void store_cell(float *to, size_t columns, __m512 y) {
    _mm_storeu_ps(to, _mm512_castps512_ps128(y));
    _mm_storeu_ps(to + columns, _mm512_extractf32x4_ps(y, 1));
    _mm_storeu_ps(to + 2 * columns, _mm512_extractf32x4_ps(y, 2));
    _mm_storeu_ps(to + 3 * columns, _mm512_extractf32x4_ps(y, 3));
}
