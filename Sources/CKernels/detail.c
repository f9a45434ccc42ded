#include "detail.h"

#include <math.h>

#include "blocks.h"
#include "clones.h"

// Blocks on either side: of a mean that is the background, of cells that moved a little, and of a thing that is new.
enum { background_reach = 16, motion_reach = 3, thing_reach = 2 };

static size_t clamped(long i, size_t count) { return i < 0 ? 0 : (size_t)i < count ? (size_t)i : count - 1; }

// Running means of 2 * background_reach + 1 values, the border repeated.
static void mean_lines(const float *x, float *y, size_t count, size_t length, size_t step, size_t stride) {
    const long reach = background_reach;
    for (size_t line = 0; line < count; line++) {
        const float *from = x + line * stride;
        float *to = y + line * stride;
        double sum = 0;
        for (long i = -reach; i <= reach; i++) sum += from[clamped(i, length) * step];
        for (size_t i = 0; i < length; i++) {
            to[i * step] = (float)(sum / (2 * reach + 1));
            sum += from[clamped((long)i + reach + 1, length) * step] - from[clamped((long)i - reach, length) * step];
        }
    }
}

AQC_CLONES static void stand_out(
    const float *restrict means, const float *restrict backgrounds, const float *restrict variances,
    uint8_t *restrict detail, size_t count, float unit) {
    const float steps = 2 / unit;
    for (size_t i = 0; i < count; i++) {
        const float difference = means[i] - backgrounds[i];
        const float value = sqrtf(variances[i] + difference * difference) * steps;
        detail[i] = (uint8_t)(value < 255 ? value : 255);
    }
}

void aqc_measure_detail(const float *x, uint8_t *detail, size_t height, size_t width, float unit, float *scratch) {
    const size_t rows = height / block, columns = width / block, count = rows * columns;
    float *lines = scratch, *means = lines + 2 * width, *variances = means + count, *across = variances + count,
          *backgrounds = across + count;
    measure_blocks(x, means, variances, rows, columns, width, lines);
    mean_lines(means, across, rows, columns, 1, columns);
    mean_lines(across, backgrounds, columns, rows, columns, 1);
    stand_out(means, backgrounds, variances, detail, count, unit);
}

AQC_CLONES static void larger(const uint8_t *restrict x, uint8_t *restrict y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = x[i] > y[i] ? x[i] : y[i];
}

void aqc_detail_around(const uint8_t *detail, uint8_t *around, size_t rows, size_t columns, uint8_t *scratch) {
    for (size_t i = 0; i < rows * columns; i++) scratch[i] = detail[i];
    for (size_t reach = 1; reach <= motion_reach && reach < columns; reach++)
        for (size_t row = 0; row < rows; row++) {
            const uint8_t *from = detail + row * columns;
            uint8_t *to = scratch + row * columns;
            larger(from, to + reach, columns - reach);
            larger(from + reach, to, columns - reach);
        }
    for (size_t i = 0; i < rows * columns; i++) around[i] = scratch[i];
    for (size_t reach = 1; reach <= motion_reach && reach < rows; reach++) {
        const size_t shift = reach * columns, count = (rows - reach) * columns;
        larger(scratch, around + shift, count);
        larger(scratch + shift, around, count);
    }
}

AQC_CLONES static void difference(
    const uint8_t *restrict x, const uint8_t *restrict y, uint16_t *restrict out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = (uint16_t)(x[i] > y[i] ? x[i] - y[i] : 0);
}

AQC_CLONES static void add(const uint16_t *restrict x, uint16_t *restrict y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = (uint16_t)(y[i] + x[i]);
}

void aqc_detail_excess(
    const uint8_t *detail, const uint8_t *around, uint16_t *excess, size_t rows, size_t columns,
    uint16_t *scratch) {
    difference(detail, around, excess, rows * columns);
    for (size_t i = 0; i < rows * columns; i++) scratch[i] = excess[i];
    for (size_t reach = 1; reach <= thing_reach && reach < columns; reach++)
        for (size_t row = 0; row < rows; row++) {
            const uint16_t *from = excess + row * columns;
            uint16_t *to = scratch + row * columns;
            add(from, to + reach, columns - reach);
            add(from + reach, to, columns - reach);
        }
    for (size_t i = 0; i < rows * columns; i++) excess[i] = scratch[i];
    for (size_t reach = 1; reach <= thing_reach && reach < rows; reach++) {
        const size_t shift = reach * columns, count = (rows - reach) * columns;
        add(scratch, excess + shift, count);
        add(scratch + shift, excess, count);
    }
}
