// Group normalisation and softmax over NHWC activations.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t batch, pixels, channels, groups;  // groups divide channels
    float epsilon;
    bool silu;  // whether SiLU follows
} aqc_group_norm_shape;

// Floats of scratch that the two functions below need.
size_t aqc_group_norm_scratch(aqc_group_norm_shape shape);

// y = silu((norm(x) * weight + bias) * (1 + scale) + shift), norm(x) having mean 0 and variance 1 over each group of
// channels and all pixels of an image. weight and bias are [c]; modulation is [n, 2c], the scales of an image before
// its shifts, or NULL. statistics becomes [n, groups, 2]: mean and 1 / deviation.
void aqc_group_norm(
    aqc_group_norm_shape shape, const float *x, const float *weight, const float *bias, const float *modulation,
    float *y, float *statistics, float *scratch);

// The gradients of all inputs of aqc_group_norm from that of its output; of_modulation may be NULL with modulation.
void aqc_group_norm_gradient(
    aqc_group_norm_shape shape, const float *x, const float *weight, const float *bias, const float *modulation,
    const float *statistics, const float *upstream, float *of_x, float *of_weight, float *of_bias,
    float *of_modulation, float *scratch);

// Each row of x becomes exp(scale * x) over its sum; and the gradient of that, in place of the upstream gradient:
// g = scale * p * (g - sum(g * p)).
void aqc_softmax(float *x, size_t rows, size_t columns, float scale);
void aqc_softmax_gradient(const float *p, float *g, size_t rows, size_t columns, float scale);

// y[r, y_offset + c] = x[r, x_offset + c] for c < width: rows of different lengths.
void aqc_copy_columns(
    const float *x, size_t x_width, size_t x_offset, float *y, size_t y_width, size_t y_offset, size_t rows,
    size_t width);

#ifdef __cplusplus
}
#endif
