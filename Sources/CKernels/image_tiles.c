#include "image_tiles.h"

#include <math.h>

#include "blocks.h"
#include "clones.h"

// Everything but the first pass over the pixels happens at a quarter of the resolution: blocks of 4 x 4 pixels, 8 x 8 of
// them to a tile.
enum { side = aqc_tile_side / block };

typedef struct {
    size_t rows, columns;  // tiles
} grid;

// A mean over tiles around each, the border repeated.
static void around(const float *x, float *y, grid g, long reach) {
    const long rows = (long)g.rows, columns = (long)g.columns;
    for (long row = 0; row < rows; row++)
        for (long column = 0; column < columns; column++) {
            float sum = 0;
            for (long r = row - reach; r <= row + reach; r++)
                for (long c = column - reach; c <= column + reach; c++) {
                    const long inside = r < 0 ? 0 : r < rows ? r : rows - 1;
                    sum += x[inside * columns + (c < 0 ? 0 : c < columns ? c : columns - 1)];
                }
            y[row * columns + column] = sum / (float)((2 * reach + 1) * (2 * reach + 1));
        }
}

// Halves an image: means of 2 x 2 values and the variances within.
static void halve(const float *x, float *means, float *variances, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows / 2; row++)
        for (size_t i = 0; i < columns / 2; i++) {
            const float *top = x + 2 * row * columns + 2 * i, *bottom = top + columns;
            const float mean = ((top[0] + top[1]) + (bottom[0] + bottom[1])) / 4;
            const float a = top[0] - mean, b = top[1] - mean, c = bottom[0] - mean, d = bottom[1] - mean;
            means[row * (columns / 2) + i] = mean;
            variances[row * (columns / 2) + i] = ((a * a + b * b) + (c * c + d * d)) / 4;
        }
}

// Means over squares of n x n values.
static void pool(const float *x, float *y, grid g, size_t n) {
    for (size_t tile = 0; tile < g.rows * g.columns; tile++) {
        const float *first = x + (tile / g.columns * n) * g.columns * n + tile % g.columns * n;
        float sum = 0;
        for (size_t r = 0; r < n; r++)
            for (size_t c = 0; c < n; c++) sum += first[r * g.columns * n + c];
        y[tile] = sum / (float)(n * n);
    }
}

// The products of the gradient of the logarithm of q, averaged over tiles.
static void structure(const float *q, float *xx, float *yy, float *xy, grid g, float floor) {
    const size_t rows = g.rows * side, columns = g.columns * side;
    for (size_t tile = 0; tile < g.rows * g.columns; tile++) xx[tile] = yy[tile] = xy[tile] = 0;
    for (size_t row = 0; row < rows; row++) {
        const float *here = q + row * columns;
        const float *above = row > 0 ? here - columns : here, *below = row + 1 < rows ? here + columns : here;
        const size_t first = row / side * g.columns;
        for (size_t i = 0; i < columns; i++) {
            const float left = here[i > 0 ? i - 1 : i], right = here[i + 1 < columns ? i + 1 : i];
            const float x = (right - left) / fmaxf(right + left, floor);
            const float y = (below[i] - above[i]) / fmaxf(below[i] + above[i], floor);
            xx[first + i / side] += x * x;
            yy[first + i / side] += y * y;
            xy[first + i / side] += x * y;
        }
    }
    for (size_t tile = 0; tile < g.rows * g.columns; tile++) {
        xx[tile] /= side * side;
        yy[tile] /= side * side;
        xy[tile] /= side * side;
    }
}

// How much one direction outweighs the other, 0 to 1: hairs have one, cells have none.
static void coherence(const float *xx, const float *yy, const float *xy, float *out, float *spare, grid g, long reach) {
    const size_t tiles = g.rows * g.columns;
    float *a = spare, *b = a + tiles, *c = b + tiles;
    around(xx, a, g, reach);
    around(yy, b, g, reach);
    around(xy, c, g, reach);
    for (size_t i = 0; i < tiles; i++) {
        const float difference = a[i] - b[i];
        out[i] = sqrtf(difference * difference + 4 * c[i] * c[i]) / (a[i] + b[i] + 1e-4f);
    }
}

// The largest mean of 16 x 16 pixels that begins in the tile, at steps of 8; q are means of 8 x 8 pixels.
static float largest_window(const float *q, size_t row, size_t column, size_t rows, size_t columns) {
    float largest = 0;
    for (size_t r = row; r < row + side / 2 && r + 1 < rows; r++)
        for (size_t c = column; c < column + side / 2 && c + 1 < columns; c++) {
            const float *top = q + r * columns + c, *bottom = top + columns;
            const float sum = (top[0] + top[1]) + (bottom[0] + bottom[1]);
            largest = sum > largest ? sum : largest;
        }
    return largest / 4;
}

static void extremes(const float *eighths, grid g, size_t tile, float *low, float *high) {
    const size_t columns = g.columns * 2;
    const float *top = eighths + tile / g.columns * 2 * columns + tile % g.columns * 2, *bottom = top + columns;
    *low = fminf(fminf(top[0], top[1]), fminf(bottom[0], bottom[1]));
    *high = fmaxf(fmaxf(top[0], top[1]), fmaxf(bottom[0], bottom[1]));
}

size_t aqc_tile_scratch(size_t height, size_t width) {
    const size_t tiles = (height / aqc_tile_side) * (width / aqc_tile_side);
    return 2 * width + 2 * tiles * side * side + tiles * (16 + 16 + 4 + 4 + 1) + 18 * tiles;
}

void aqc_measure_tiles(
    const float *x, const float *map, float *values, size_t height, size_t width, float unit, float *scratch) {
    const grid g = {height / aqc_tile_side, width / aqc_tile_side};
    const size_t tiles = g.rows * g.columns, rows = g.rows * side, columns = g.columns * side;
    float *lines = scratch, *q = lines + 2 * width, *fine = q + rows * columns;
    float *half = fine + rows * columns, *half_fine = half + 16 * tiles, *quarter = half_fine + 16 * tiles,
          *quarter_fine = quarter + 4 * tiles, *spare = quarter_fine + 4 * tiles;
    float *mean = spare + 3 * tiles, *energy = mean + tiles, *wide = energy + 4 * tiles, *wider = wide + tiles,
          *widest = wider + tiles, *gradients = widest + tiles, *residual = gradients + 3 * tiles,
          *window = residual + tiles;
    measure_blocks(x, q, fine, rows, columns, width, lines);
    pool(fine, energy, g, side);
    halve(q, half, half_fine, rows, columns);
    pool(half_fine, energy + tiles, g, side / 2);
    halve(half, quarter, quarter_fine, rows / 2, columns / 2);
    pool(quarter_fine, energy + 2 * tiles, g, side / 4);
    halve(quarter, mean, energy + 3 * tiles, rows / 4, columns / 4);
    structure(q, gradients, gradients + tiles, gradients + 2 * tiles, g, 6 * unit);
    around(mean, wide, g, 1);
    around(mean, wider, g, 2);
    around(mean, widest, g, 3);
    for (size_t i = 0; i < tiles; i++) {
        const float level = fmaxf(mean[i], unit), square = fmaxf(mean[i], 3 * unit) * fmaxf(mean[i], 3 * unit);
        values[aqc_tile_level * tiles + i] = logf(level / unit);
        for (size_t band = 0; band < 4; band++) {
            energy[band * tiles + i] = energy[band * tiles + i] / square + 1e-6f;
            values[(aqc_tile_detail_4 + band) * tiles + i] = logf(energy[band * tiles + i]);
        }
        float low, high;
        extremes(quarter, g, i, &low, &high);
        const float background = fmaxf(wider[i], 2 * unit);
        values[aqc_tile_darkest * tiles + i] = logf(fmaxf(low, 2 * unit) / background);
        values[aqc_tile_brightest * tiles + i] = logf(fmaxf(high, 2 * unit) / background);
        values[aqc_tile_contrast_3 * tiles + i] = logf(level / fmaxf(wide[i], unit));
        values[aqc_tile_contrast_7 * tiles + i] = logf(level / fmaxf(widest[i], unit));
    }
    coherence(gradients, gradients + tiles, gradients + 2 * tiles, values + aqc_tile_direction_3 * tiles, spare, g, 1);
    coherence(gradients, gradients + tiles, gradients + 2 * tiles, values + aqc_tile_direction_5 * tiles, spare, g, 2);
    for (size_t band = 0; band < 3; band++) {
        around(energy + band * tiles, wide, g, 1);
        for (size_t i = 0; i < tiles; i++) values[(aqc_tile_around_4 + band) * tiles + i] = logf(wide[i]);
    }
    // The map takes the place of the frame: its means of 4 x 4, 8 x 8 and of whole tiles.
    measure_blocks(map, q, fine, rows, columns, width, lines);
    halve(q, half, half_fine, rows, columns);
    pool(half, residual, g, side / 2);
    for (size_t i = 0; i < tiles; i++)
        window[i] = largest_window(
            half, i / g.columns * (side / 2), i % g.columns * (side / 2), rows / 2, columns / 2);
    around(residual, wide, g, 1);
    for (size_t i = 0; i < tiles; i++) {
        values[aqc_tile_residual * tiles + i] = logf(residual[i] + 1e-5f);
        values[aqc_tile_residual_window * tiles + i] = logf(window[i] + 1e-5f);
        values[aqc_tile_residual_around * tiles + i] = logf(wide[i] + 1e-5f);
    }
}

// Points that go through a loop together.
enum { chunk = 64 };

AQC_CLONES void aqc_mixture_densities(
    const float *points, size_t count, size_t dimensions, const float *means, const float *factors,
    const float *logs, size_t components, float *log_densities) {
    for (size_t start = 0; start < count; start += chunk) {
        const size_t length = count - start < chunk ? count - start : chunk;
        for (size_t k = 0; k < components; k++) {
            const float *mean = means + k * dimensions, *factor = factors + k * dimensions * dimensions;
            float distance[chunk] = {0};
            for (size_t row = 0; row < dimensions; row++) {
                float solved[chunk] = {0};
                for (size_t column = 0; column <= row; column++) {
                    const float weight = factor[row * dimensions + column], centre = mean[column];
                    const float *restrict x = points + column * count + start;
                    for (size_t i = 0; i < length; i++) solved[i] += weight * (x[i] - centre);
                }
                for (size_t i = 0; i < length; i++) distance[i] += solved[i] * solved[i];
            }
            float *out = log_densities + k * count + start;
            for (size_t i = 0; i < length; i++) out[i] = logs[k] - 0.5f * distance[i];
        }
    }
}

AQC_CLONES void aqc_weighted_moments(
    const float *points, const float *weights, size_t count, size_t dimensions, double *sum, double *products) {
    for (size_t i = 0; i < dimensions; i++) sum[i] = 0;
    for (size_t i = 0; i < dimensions * dimensions; i++) products[i] = 0;
    for (size_t start = 0; start < count; start += chunk) {
        const size_t length = count - start < chunk ? count - start : chunk;
        const float *restrict w = weights + start;
        for (size_t row = 0; row < dimensions; row++) {
            const float *restrict a = points + row * count + start;
            float weighted[chunk] = {0}, total = 0;
            for (size_t i = 0; i < length; i++) weighted[i] = w[i] * a[i];
            for (size_t i = 0; i < length; i++) total += weighted[i];
            sum[row] += total;
            for (size_t column = 0; column <= row; column++) {
                const float *restrict b = points + column * count + start;
                // Sixteen sums at once, in a fixed order.
                float lanes[16] = {0}, product = 0;
                size_t i = 0;
                for (; i + 16 <= length; i += 16)
                    for (size_t lane = 0; lane < 16; lane++) lanes[lane] += weighted[i + lane] * b[i + lane];
                for (; i < length; i++) product += weighted[i] * b[i];
                for (size_t lane = 0; lane < 16; lane++) product += lanes[lane];
                products[row * dimensions + column] += product;
            }
        }
    }
}

AQC_CLONES void aqc_linear_layer(
    const float *points, size_t count, size_t inputs, const float *weights, const float *bias, size_t outputs,
    int rectify, float *out) {
    for (size_t start = 0; start < count; start += chunk) {
        const size_t length = count - start < chunk ? count - start : chunk;
        for (size_t row = 0; row < outputs; row++) {
            float sums[chunk];
            for (size_t i = 0; i < length; i++) sums[i] = bias[row];
            for (size_t column = 0; column < inputs; column++) {
                const float weight = weights[row * inputs + column];
                const float *restrict x = points + column * count + start;
                for (size_t i = 0; i < length; i++) sums[i] += weight * x[i];
            }
            float *restrict y = out + row * count + start;
            for (size_t i = 0; i < length; i++) y[i] = rectify && sums[i] < 0 ? 0 : sums[i];
        }
    }
}

// Where a pixel lies between the centres of tiles.
static size_t place(size_t pixel, size_t count, float *share) {
    const float position = ((float)pixel + 0.5f) / aqc_tile_side - 0.5f;
    const float inside = position < 0 ? 0 : position < (float)(count - 1) ? position : (float)(count - 1);
    const size_t first = (size_t)inside < count - 1 ? (size_t)inside : count - 1;
    *share = inside - (float)first;
    return first;
}

static void weight_row(
    const float *restrict x, float *restrict y, size_t width, const float *restrict line, size_t columns) {
    // Half a tile before the first centre, whole ones between centres, the rest behind the last.
    size_t start = 0;
    while (start < width) {
        float share;
        const size_t tile = place(start, columns, &share);
        const size_t next = start < aqc_tile_side / 2 ? aqc_tile_side / 2 : start + aqc_tile_side;
        const size_t end = next < width ? next : width;
        const float left = line[tile], step = tile + 1 < columns ? line[tile + 1] - left : 0;
        if (start < aqc_tile_side / 2)
            for (size_t i = start; i < end; i++) y[i] = x[i] * left;
        else
            for (size_t i = start; i < end; i++)
                y[i] = x[i] * (left + step * (share + (float)(i - start) / aqc_tile_side));
        start = end;
    }
}

void aqc_weight_tiles(
    const float *x, float *y, size_t height, size_t width, const float *weights, size_t rows, size_t columns,
    float *line) {
    for (size_t row = 0; row < height; row++) {
        float share;
        const size_t tile = place(row, rows, &share);
        const float *top = weights + tile * columns, *bottom = tile + 1 < rows ? top + columns : top;
        for (size_t i = 0; i < columns; i++) line[i] = top[i] + share * (bottom[i] - top[i]);
        weight_row(x + row * width, y + row * width, width, line, columns);
    }
}
