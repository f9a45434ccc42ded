#include <string.h>

#include "clones.h"
#include "simulation.h"

#define INLINE static inline __attribute__((always_inline))

// Rows of a patch are whole numbers of these, so that loops have no ends.
enum { STEP = 16 };

size_t aqc_patch_stride(size_t half) { return (2 * half + STEP) / STEP * STEP; }

INLINE float floored(float value) {
    const float whole = (float)(int32_t)value;
    return value < whole ? whole - 1 : whole;
}

// Smooth noise between the points of a lattice of 3 pixels.
INLINE float grain(const float *granules, float x, float y) {
    const float u = x / 3, v = y / 3, left = floored(u), top = floored(v);
    const float a = u - left, b = v - top;
    const int32_t last = aqc_granule_side - 1;
    const int32_t column = (int32_t)left & last, row = (int32_t)top & last;
    const int32_t right = (column + 1) & last, below = (row + 1) & last;
    const float upper = granules[row * aqc_granule_side + column] * (1 - a) + granules[row * aqc_granule_side + right] * a;
    const float lower = granules[below * aqc_granule_side + column] * (1 - a) + granules[below * aqc_granule_side + right] * a;
    return upper * (1 - b) + lower * b;
}

INLINE float lobe_power(const aqc_cell *cell, int lobe, float along, float across) {
    const float x = along - cell->along[lobe], y = across - cell->across[lobe];
    const float square = cell->reach[lobe] * cell->reach[lobe] - x * x - y * y;
    const float inside = square < 0 ? 0 : square;
    return inside * inside;
}

INLINE float delay(const aqc_cell *cell, const float *granules, float down, float right) {
    const float along = (right * cell->cosine + down * cell->sine) / cell->stretch;
    const float across = (down * cell->cosine - right * cell->sine) * cell->stretch;
    const float power = (lobe_power(cell, 0, along, across) + lobe_power(cell, 1, along, across))
        + (lobe_power(cell, 2, along, across) + lobe_power(cell, 3, along, across));
    // The fourth power joins half spheres without a crease.
    const float thickness = __builtin_elementwise_sqrt(__builtin_elementwise_sqrt(power)) / cell->radius;
    const float value = grain(granules, along + cell->flow_along, across + cell->flow_across);
    // A cell above the focal plane is a lens that gathers light at its middle.
    const float lens = thickness * (1 - cell->gathering + cell->gathering * thickness * thickness);
    return cell->phase * lens * (1 + cell->granularity * value);
}

AQC_CLONES void aqc_cell_phase(const aqc_cell *cell, const float *granules, float *phase) {
    // Copies that no store into the patch can change: otherwise pixels cannot be worked on together.
    const aqc_cell kept = *cell;
    float grains[256];
    memcpy(grains, granules, sizeof grains);
    const size_t size = 2 * kept.half + 1, stride = aqc_patch_stride(kept.half), width = 2 * kept.inner + 1;
    const size_t first = kept.half - kept.inner;
    memset(phase, 0, size * stride * sizeof *phase);
    for (size_t row = first; row < first + width; row++) {
        const float down = (float)((int32_t)row - (int32_t)kept.half) - kept.row;
        float *restrict line = phase + row * stride + first;
        for (int32_t i = 0; i < (int32_t)width; i++)
            line[i] = delay(&kept, grains, down, (float)(i - (int32_t)kept.inner) - kept.column);
    }
}

// y[i] = sum over k of kernel[k] * x[i + k * step], in order, for one step of a row.
INLINE void weighted_sum(const float *restrict x, size_t step, const float *restrict kernel, size_t count, float *restrict y) {
    float sum[STEP] = {0};
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < STEP; i++) sum[i] += kernel[k] * x[k * step + i];
    memcpy(y, sum, sizeof sum);
}

// Around the cell the patch is empty as far as the kernel reaches: what a row takes from beyond its ends is 0.
AQC_CLONES void aqc_cell_blur(const aqc_cell *cell, const float *kernel, const float *phase, float *across, float *y) {
    const size_t size = 2 * cell->half + 1, stride = aqc_patch_stride(cell->half);
    const size_t radius = cell->half - cell->inner - 1;
    const size_t first = cell->half - cell->inner, end = cell->half + cell->inner + 1;
    for (size_t row = first; row < end; row++)
        for (size_t i = 0; i < stride; i += STEP)
            weighted_sum(phase + row * stride + i - radius, 1, kernel, 2 * radius + 1, across + row * stride + i);
    for (size_t row = 0; row < size; row++) {
        const size_t from = row > first + radius ? row - radius : first;
        const size_t to = row + radius + 1 < end ? row + radius + 1 : end;
        for (size_t i = 0; i < stride; i += STEP)
            weighted_sum(
                across + from * stride + i, stride, kernel + from + radius - row, to > from ? to - from : 0,
                y + row * stride + i);
    }
}

// Light is not negative, and a cell is no perfect lens.
INLINE float factor(const aqc_cell_optics *optics, float centre, float west, float east, float north, float south) {
    const float curvature = west + east + north + south - 4 * centre;
    const float right = (east - west) / 2, down = (south - north) / 2;
    const float scattered = 0.2f * (right * right + down * down), share = centre / optics->absorbing_phase;
    const float absorbed = optics->absorption * (share > 1 ? 1 : share);
    const float change = -optics->focusing * curvature - scattered - absorbed + optics->slant_right * right
        + optics->slant_down * down;
    return change > 0 ? 1 + change / (1 + change / 2.5f) : 1 / (1 - change);
}

AQC_CLONES void aqc_cell_light(
    const aqc_cell_optics *optics, const float *blurred, size_t stride, size_t rows, size_t columns, float *light, uint8_t *marks,
    size_t width) {
    const aqc_cell_optics kept = *optics;
    for (size_t row = 0; row < rows; row++, blurred += stride) {
        const float *north = blurred - stride, *south = blurred + stride;
        float *restrict line = light + row * width;
        uint8_t *restrict marked = marks ? marks + row * width : NULL;
        for (size_t i = 0; i < columns; i++) {
            const float change = factor(&kept, blurred[i], blurred[i - 1], blurred[i + 1], north[i], south[i]);
            line[i] *= change;
            if (marked) marked[i] |= (change - 1 > aqc_visible_change) | (1 - change > aqc_visible_change);
        }
    }
}
