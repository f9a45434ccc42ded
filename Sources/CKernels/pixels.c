#include "pixels.h"

#include <string.h>

#include "clones.h"

#define INLINE static inline __attribute__((always_inline))

INLINE float lesser(float a, float b) { return a < b ? a : b; }
INLINE float greater(float a, float b) { return a < b ? b : a; }

INLINE void order(float *a, float *b) {
    float low = lesser(*a, *b), high = greater(*a, *b);
    *a = low;
    *b = high;
}

INLINE void sort5(float *v) {
    order(v + 0, v + 3), order(v + 1, v + 4);
    order(v + 0, v + 2), order(v + 1, v + 3);
    order(v + 0, v + 1), order(v + 2, v + 4);
    order(v + 1, v + 2), order(v + 3, v + 4);
    order(v + 2, v + 3);
}

// Drops the least and the greatest of five, then of the rest and a sixth, then takes the middle with the
// seventh.
INLINE float median7(float *v) {
    order(v + 0, v + 1), order(v + 2, v + 3);
    order(v + 0, v + 2), order(v + 1, v + 3);
    order(v + 0, v + 4), order(v + 4, v + 3);
    order(v + 1, v + 2), order(v + 4, v + 5);
    order(v + 1, v + 4), order(v + 2, v + 5);
    order(v + 2, v + 4);
    return greater(v[2], lesser(v[4], v[6]));
}

// The median of 25 values whose columns are sorted downwards, whose rows are a to e.
//
// Sorting every row too makes each value at least as large as those above and to the left of it. Counting
// those leaves 13 candidates: the antidiagonals row + column = 3, 4 and 5. Of the first only the largest has
// no more than twelve values above it, of the last only the smallest no more than twelve below, so the median
// of seven remains. The compiler drops what the sorts compute for nothing.
INLINE float median25(
    const float *restrict a, const float *restrict b, const float *restrict c, const float *restrict d,
    const float *restrict e) {
    float v[5][5] = {
        {a[0], a[1], a[2], a[3], a[4]}, {b[0], b[1], b[2], b[3], b[4]}, {c[0], c[1], c[2], c[3], c[4]},
        {d[0], d[1], d[2], d[3], d[4]}, {e[0], e[1], e[2], e[3], e[4]},
    };
    sort5(v[0]), sort5(v[1]), sort5(v[2]), sort5(v[3]), sort5(v[4]);
    float low = greater(greater(v[0][3], v[1][2]), greater(v[2][1], v[3][0]));
    float high = lesser(lesser(v[1][4], v[2][3]), lesser(v[3][2], v[4][1]));
    float rest[7] = {low, high, v[0][4], v[1][3], v[2][2], v[3][1], v[4][0]};
    return median7(rest);
}

// The index that a border pixel repeats: ... 1 0 | 0 1 ... n-1 | n-1 n-2 ..., as often as a small image
// needs.
INLINE size_t reflected(long i, size_t size) {
    const long n = (long)size, period = 2 * n;
    const long folded = ((i % period) + period) % period;
    return (size_t)(folded < n ? folded : period - 1 - folded);
}

// The last five rows of the image stay in a ring, as the result takes the image's place.
size_t aqc_median_scratch(size_t width) { return 5 * (width + 4) + 5 * width; }

INLINE void sort_columns(const float *ring, size_t height, size_t width, size_t row, float *restrict sorted) {
    const size_t line = width + 4;
    const float *restrict in[5];
    for (long k = 0; k < 5; k++) in[k] = ring + reflected((long)row + k - 2, height) % 5 * width;
    for (size_t i = 0; i < width; i++) {
        float v[5] = {in[0][i], in[1][i], in[2][i], in[3][i], in[4][i]};
        sort5(v);
        for (size_t k = 0; k < 5; k++) sorted[k * line + 2 + i] = v[k];
    }
    for (size_t k = 0; k < 5; k++) {
        float *row_start = sorted + k * line + 2;
        for (long edge = 1; edge <= 2; edge++) {
            row_start[-edge] = row_start[reflected(-edge, width)];
            row_start[(long)width - 1 + edge] = row_start[reflected((long)width - 1 + edge, width)];
        }
    }
}

INLINE void median_row(const float *restrict sorted, float *restrict out, size_t width) {
    const size_t line = width + 4;
    const float *restrict a = sorted, *restrict b = a + line, *restrict c = b + line, *restrict d = c + line;
    const float *restrict e = d + line;
    for (size_t i = 0; i < width; i++) out[i] = median25(a + i, b + i, c + i, d + i, e + i);
}

AQC_CLONES void aqc_median5(float *x, size_t height, size_t width, float *scratch) {
    const size_t line = width + 4;
    float *ring = scratch + 5 * line;
    size_t entered = 0;
    for (size_t row = 0; row < height; row++) {
        for (; entered < height && entered <= row + 2; entered++)
            memcpy(ring + entered % 5 * width, x + entered * width, width * sizeof(float));
        sort_columns(ring, height, width, row, scratch);
        median_row(scratch, x + row * width, width);
    }
}

// The speed of the level set through one pixel, of three rows and the columns left, middle and right.
INLINE double curvature(
    const float *restrict up, const float *restrict mid, const float *restrict down, size_t l, size_t m,
    size_t r) {
    const double x = 0.5 * ((double)mid[r] - mid[l]), y = 0.5 * ((double)down[m] - up[m]);
    const double xx = (double)mid[r] + mid[l] - 2.0 * mid[m], yy = (double)down[m] + up[m] - 2.0 * mid[m];
    const double xy = 0.25 * ((double)down[r] - down[l] - up[r] + up[l]);
    const double slope = x * x + y * y;
    const double bend = yy * x * x + xx * y * y - 2.0 * x * y * xy;
    return slope < 1e-9 ? 0.0 : bend / slope;
}

AQC_CLONES void aqc_curvature_step(const float *x, float *y, size_t height, size_t width, float step) {
    const size_t last = width - 1;
    for (size_t row = 0; row < height; row++) {
        const float *restrict mid = x + row * width;
        const float *restrict up = row > 0 ? mid - width : mid;
        const float *restrict down = row + 1 < height ? mid + width : mid;
        float *restrict out = y + row * width;
        out[0] = (float)(mid[0] + step * curvature(up, mid, down, 0, 0, last > 0 ? 1 : 0));
        for (size_t i = 1; i < last; i++)
            out[i] = (float)(mid[i] + step * curvature(up, mid, down, i - 1, i, i + 1));
        if (last > 0) out[last] = (float)(mid[last] + step * curvature(up, mid, down, last - 1, last, last));
    }
}
