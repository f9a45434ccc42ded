// What is measured in each tile of a frame, and the mixture of Gaussians that says how common it is. All run on the calling
// thread and keep nothing: any number of threads may call at once.
#pragma once

#include <stddef.h>

// Side of a tile in pixels, and figures measured in each. Detection.TileTable.Channel says which they are.
enum { aqc_tile_side = 32, aqc_tile_channels = 17 };

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
void aqc_weigh_tiles(
    const float *x, float *y, size_t height, size_t width, const float *weights, size_t rows, size_t columns,
    float *line);
