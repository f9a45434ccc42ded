// Loops over the pixels of single images. All images are row-major, height x width; no pointer may alias
// another where it is not said. All run on the calling thread and keep nothing: any number of threads may call at once.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Vertices of the lattice (a, b) of OpenSimplex noise lie at x = a + (a + b) squish, y = b + (a + b) squish; x and y have
// the lattice coordinates x + (x + y) stretch, y + (x + y) stretch.
static const double aqc_simplex_squish = 0.366025403784438646764, aqc_simplex_stretch = -0.211324865405187117745;
// What the sum over vertices is multiplied by.
static const double aqc_simplex_norm = 1.0 / 47.0;

// The slope of a vertex by its number from the permutation: along x in slope[0], along y in slope[1].
void aqc_simplex_slope(uint8_t number, double *slope);

// Adds one octave of OpenSimplex noise to field: field[i][j] += amplitude * noise2(j / frequency, i /
// frequency). permutation has 256 entries.
void aqc_simplex_octave(
    const uint8_t *permutation, double *field, size_t height, size_t width, double frequency,
    double amplitude);

// The window of SSIM: five taps of a Gaussian of sigma 1.5, normalised; and the constants beside means and variances.
static const float aqc_structure_middle = 0.29208171f, aqc_structure_inner = 0.23388075f, aqc_structure_outer = 0.12007839f;
static const float aqc_structure_c1 = 0.01f * 0.01f, aqc_structure_c2 = 0.03f * 0.03f;

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

// 5 x 5 median; the border repeats its own pixel (d c b a | a b c d). In place. scratch holds
// aqc_median_scratch(width) values.
void aqc_median5(float *x, size_t height, size_t width, float *scratch);

// Values of scratch that aqc_median5 needs for an image of this width.
size_t aqc_median_scratch(size_t width);

// One explicit step of curvature flow, y = x + step * (level-set curvature of x); the border is replicated.
void aqc_curvature_step(const float *x, float *y, size_t height, size_t width, float step);

// Mean over a square window around each pixel, clipped at the border: from window / 2 before it to the rest behind it.
// Below 0, where sums of doubles may round to, it is 0. scratch holds aqc_window_scratch(width, window) values.
void aqc_window_mean(const float *x, float *y, size_t height, size_t width, size_t window, double *scratch);

// 1 where the mean above, the same to the last bit, is greater than limit, 0 elsewhere; same scratch.
void aqc_window_mask(
    const float *x, uint8_t *mask, size_t height, size_t width, size_t window, float limit, double *scratch);

// Values of scratch that the two functions above need.
size_t aqc_window_scratch(size_t width, size_t window);

// The largest value, the mean, and the largest mean of a window of 16 x 16 that starts at multiples of 8 and lies
// wholly inside; in an image too small for one, the mean again.
typedef struct {
    double maximum, mean, patch;
} aqc_scores_result;

// scratch holds aqc_scores_scratch(width) values.
void aqc_scores(const float *x, size_t height, size_t width, aqc_scores_result *scores, double *scratch);

// Values of scratch that aqc_scores needs for an image of this width.
size_t aqc_scores_scratch(size_t width);

// y = (x - shift) * scale; y may be x.
void aqc_shift_scale(const float *x, float *y, size_t count, float shift, float scale);

// y = (round(x * factor) - shift) * scale, halves to the even number; y may be x.
void aqc_step_scale(const float *x, float *y, size_t count, float factor, float shift, float scale);

// y = y_scale * y + x_scale * x.
void aqc_mix(const float *x, float *y, size_t count, float x_scale, float y_scale);

// map = |x - y|.
void aqc_absolute_difference(const float *x, const float *y, float *map, size_t count);

// map = (x - y)^2.
void aqc_squared_difference(const float *x, const float *y, float *map, size_t count);

// mask = 1 where x > limit, 0 elsewhere.
void aqc_above(const float *x, uint8_t *mask, size_t count, float limit);

// The stretches of values other than 0 in a row: first and one past the last column of each, in order; returns how
// many there are. runs holds width + 1 values. Rows of up to 2^31 - 1 pixels.
size_t aqc_runs(const uint8_t *row, size_t width, int32_t *runs);
