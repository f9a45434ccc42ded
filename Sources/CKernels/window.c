#include <string.h>

#include "clones.h"
#include "pixels.h"

#define INLINE static inline __attribute__((always_inline))

// How far a window reaches along a line: `before` pixels to the left, `after` to the right, its own counted there.
typedef struct {
    size_t before, after;
} span;

// A window wider than the line is clipped at once, so that scratch does not grow with it.
INLINE span span_of(size_t window, size_t width) {
    const size_t before = window / 2, after = window - before;
    return (span){before < width ? before : width, after < width ? after : width};
}

typedef struct {
    double *columns;   // width + before + after: sums down the columns, 0 beyond the border
    double *units[2];  // as long each: sums of 4, 16, 64 ... columns, alternately
    double *line;      // width: sums over the window
    double *shares;    // width: 1 / columns of the image in the window
    float *means;      // width
} sums;

size_t aqc_window_scratch(size_t width, size_t window) {
    const span s = span_of(window, width);
    return 3 * (width + s.before + s.after) + 3 * width;
}

INLINE sums open_sums(double *scratch, size_t width, span s) {
    const size_t padded = width + s.before + s.after;
    sums r = {.columns = scratch, .units = {scratch + padded, scratch + 2 * padded}};
    r.line = scratch + 3 * padded;
    r.shares = r.line + width;
    r.means = (float *)(r.shares + width);
    memset(scratch, 0, padded * sizeof(double));
    for (size_t i = 0; i < width; i++) {
        const size_t left = i > s.before ? i - s.before : 0;
        const size_t right = i + s.after < width ? i + s.after : width;
        r.shares[i] = 1.0 / (double)(right - left);
    }
    return r;
}

INLINE void sum_four(const double *restrict in, double *restrict out, size_t count, size_t step) {
    const double *restrict second = in + step, *restrict third = in + 2 * step, *restrict fourth = in + 3 * step;
    for (size_t i = 0; i < count; i++) out[i] = (in[i] + second[i]) + (third[i] + fourth[i]);
}

INLINE void add_to(double *restrict line, const double *restrict in, size_t count, int is_first) {
    if (is_first)
        memcpy(line, in, count * sizeof(double));
    else
        for (size_t i = 0; i < count; i++) line[i] += in[i];
}

// Sums of a window of columns from those of 1, 4, 16 ...: as many passes as the window has digits to the base of 4.
INLINE const double *sum_line(const sums *r, size_t width, span s) {
    const size_t window = s.before + s.after;
    const double *unit = r->columns;
    size_t taken = 0;
    for (size_t step = 1, next = 0; step <= window; step *= 4, next ^= 1) {
        if (step > 1) {
            sum_four(unit, r->units[next], width + window - step, step / 4);
            unit = r->units[next];
        }
        if (step == window) return unit;
        for (size_t digit = window / step % 4; digit > 0; digit--, taken += step)
            add_to(r->line, unit + taken, width, taken == 0);
    }
    return r->line;
}

// Column sums go down the image with the window, in double, which does not drift.
INLINE void move_down(
    double *restrict columns, const float *restrict x, size_t row, size_t height, size_t width, size_t window) {
    const size_t before = window / 2, after = window - before;
    for (size_t enters = row == 0 ? 0 : row + after - 1; enters < row + after && enters < height; enters++)
        for (size_t i = 0; i < width; i++) columns[i] += x[enters * width + i];
    if (row > before)
        for (size_t i = 0; i < width; i++) columns[i] -= x[(row - before - 1) * width + i];
}

INLINE void mean_row(
    const sums *r, const float *x, float *restrict means, size_t row, size_t height, size_t width, size_t window,
    span s) {
    const size_t before = window / 2, after = window - before;
    move_down(r->columns + s.before, x, row, height, width, window);
    const size_t first = row > before ? row - before : 0;
    const size_t last = after < height - row ? row + after : height;
    const double share = 1.0 / (double)(last - first);
    const double *restrict line = sum_line(r, width, s), *restrict shares = r->shares;
    for (size_t i = 0; i < width; i++) {
        const double mean = line[i] * (share * shares[i]);
        means[i] = (float)(mean > 0 ? mean : 0);
    }
}

AQC_CLONES void aqc_window_mean(
    const float *x, float *y, size_t height, size_t width, size_t window, double *scratch) {
    const span s = span_of(window, width);
    const sums r = open_sums(scratch, width, s);
    for (size_t row = 0; row < height; row++) mean_row(&r, x, y + row * width, row, height, width, window, s);
}

INLINE void compare_row(const float *restrict means, uint8_t *restrict mask, size_t width, float limit) {
    for (size_t i = 0; i < width; i++) mask[i] = means[i] > limit ? 1 : 0;
}

AQC_CLONES void aqc_window_mask(
    const float *x, uint8_t *mask, size_t height, size_t width, size_t window, float limit, double *scratch) {
    const span s = span_of(window, width);
    const sums r = open_sums(scratch, width, s);
    for (size_t row = 0; row < height; row++) {
        mean_row(&r, x, r.means, row, height, width, window, s);
        compare_row(r.means, mask + row * width, width, limit);
    }
}
