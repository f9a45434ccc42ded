// What is measured in each image tile of a frame, the mixture of Gaussians over it, and the layers of the tile classifier. All run
// on the calling thread and keep nothing: any number of threads may call at once.
#pragma once

#include <stddef.h>

// Side of an image tile in pixels.
enum { aqc_tile_side = 32 };

// The figures of a tile, all logarithms but the directions. These numbers are their order in values and in model files; Swift
// takes them from here (Verdict.TileFigures).
enum {
    // Mean grey value, in hundredths of the normal background.
    aqc_tile_level,
    // Variance within blocks of 4, 8, 16 and 32 pixels, over the squared level: out of focus the fine ones fall.
    aqc_tile_detail_4,
    aqc_tile_detail_8,
    aqc_tile_detail_16,
    aqc_tile_detail_32,
    // The darkest and the brightest 16 x 16 pixels against the mean of 5 x 5 tiles.
    aqc_tile_darkest,
    aqc_tile_brightest,
    // The level against the mean of 3 x 3 and of 7 x 7 tiles.
    aqc_tile_contrast_3,
    aqc_tile_contrast_7,
    // How much one direction outweighs the other in 3 x 3 and in 5 x 5 tiles, 0 to 1: hairs have one, cells have none.
    aqc_tile_direction_3,
    aqc_tile_direction_5,
    // The first three details in 3 x 3 tiles.
    aqc_tile_around_4,
    aqc_tile_around_8,
    aqc_tile_around_16,
    // The residual: mean, largest window of 16 x 16 pixels, mean of 3 x 3 tiles.
    aqc_tile_residual,
    aqc_tile_residual_window,
    aqc_tile_residual_around,
    // Number of figures.
    aqc_tile_channels
};

// Measures the whole tiles of an image of height x width; there is at least one. What is left at the right and at the bottom
// of an image that is no multiple of a tile is not looked at. unit is one hundredth of the normal background, in grey
// units. values are channel by channel, each (height / 32) x (width / 32), row by row.
void aqc_measure_tiles(
    const float *x, const float *map, float *values, size_t height, size_t width, float unit, float *scratch);

// Values of scratch that the function above needs.
size_t aqc_tile_scratch(size_t height, size_t width);

// log_densities[k * count + n] = logs[k] - 0.5 |factor_k (point_n - mean_k)|^2. points are channel by channel, each count
// long; means are components x dimensions, factors components x dimensions x dimensions, lower triangles.
void aqc_mixture_densities(
    const float *points, size_t count, size_t dimensions, const float *means, const float *factors,
    const float *logs, size_t components, float *log_densities);

// out[o * count + n] = bias[o] + sum over i of weights[o * inputs + i] points[i * count + n], and 0 instead of less if
// rectify is not 0. points and out are channel by channel.
void aqc_linear_layer(
    const float *points, size_t count, size_t inputs, const float *weights, const float *bias, size_t outputs,
    int rectify, float *out);

// The weighted sum of the points (sum, dimensions values) and of their products (products, dimensions x dimensions, the
// lower triangle), points as above.
void aqc_weighted_moments(
    const float *points, const float *weights, size_t count, size_t dimensions, double *sum, double *products);

// y = x times the weight of its place: weights of rows x columns tiles, read linearly between the tiles' centres. line holds
// columns values.
void aqc_weight_tiles(
    const float *x, float *y, size_t height, size_t width, const float *weights, size_t rows, size_t columns,
    float *line);
