// Loops over the pixels of single images. All images are row-major, height x width; no pointer may alias
// another.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Adds one octave of OpenSimplex noise to field: field[i][j] += amplitude * noise2(j / frequency, i /
// frequency). permutation has 256 entries.
void aqc_simplex_octave(
    const uint8_t *permutation, double *field, size_t height, size_t width, double frequency,
    double amplitude);

// map = structure * DSSIM(x, y) + absolute * |x - y|, per pixel of count images, one after another. scratch
// holds aqc_structure_scratch(width) values.
void aqc_structure_map(
    const float *x, const float *y, float *map, size_t count, size_t height, size_t width, float structure,
    float absolute, float *scratch);

// gradient[q] = sum over pixels p of upstream[p] * d map[p] / d y[q], for the map above; same scratch.
void aqc_structure_gradient(
    const float *x, const float *y, const float *upstream, float *gradient, size_t count, size_t height,
    size_t width, float structure, float absolute, float *scratch);

// Values of scratch that the two functions above need for images of this width.
size_t aqc_structure_scratch(size_t width);

// 5 x 5 median; the border repeats its own pixel (d c b a | a b c d). scratch holds 5 * (width + 4) values.
void aqc_median5(const float *x, float *y, size_t height, size_t width, float *scratch);

// One explicit step of curvature flow, y = x + step * (level-set curvature of x); the border is replicated.
void aqc_curvature_step(const float *x, float *y, size_t height, size_t width, float step);

// Mean over a square window around each pixel, clipped at the border: from window / 2 before it to the rest behind it.
// scratch holds 2 * width values of double.
void aqc_window_mean(const float *x, float *y, size_t height, size_t width, size_t window, double *scratch);
