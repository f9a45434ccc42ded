#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// y[i] = a[i] + b[i]
void aqc_add(const float *a, const float *b, float *y, size_t count);
// y[i] = a[i] * b[i]
void aqc_multiply(const float *a, const float *b, float *y, size_t count);
// y[i] = scale * x[i] + shift
void aqc_affine(const float *x, float scale, float shift, float *y, size_t count);
// y[i] = 1 / (1 + exp(-x[i])), relative error below 1e-6
void aqc_sigmoid(const float *x, float *y, size_t count);
// y[i] = x[i] * sigmoid(x[i])
void aqc_silu(const float *x, float *y, size_t count);
// y[i] = upstream[i] * d silu(x[i]) / dx
void aqc_silu_gradient(const float *x, const float *upstream, float *y, size_t count);
// y[i] = gate[i] > 0 ? x[i] : slope * x[i]
void aqc_leaky_gate(const float *gate, const float *x, float slope, float *y, size_t count);

// y[n, p, c] = x[n, p, c] + b[n, c]
void aqc_add_channels(
    const float *x, const float *b, float *y, size_t batch, size_t pixels, size_t channels);
// y[n, p, c] = b[n, c]
void aqc_spread_channels(const float *b, float *y, size_t batch, size_t pixels, size_t channels);
// y[n, c] = sum over p of x[n, p, c]
void aqc_sum_pixels(const float *x, float *y, size_t batch, size_t pixels, size_t channels);

// Pixel unshuffle and shuffle (Shi et al. 2016): each square of b x b pixels becomes one position of b * b * channels,
// [n, h, w, c] -> [n, h/b, w/b, b*b*c], and back; height and width are those of the larger image in both.
void aqc_pixel_unshuffle(
    const float *x, float *y, size_t batch, size_t height, size_t width, size_t channels, size_t block);
void aqc_pixel_shuffle(
    const float *x, float *y, size_t batch, size_t height, size_t width, size_t channels, size_t block);
// y = b + x, where each pixel of x, [n, h, w, c], is repeated 2 x 2.
void aqc_add_upsampled(
    const float *x, const float *b, float *y, size_t batch, size_t height, size_t width, size_t channels);
// Each pixel of [n, h, w, c] is repeated 2 x 2; and its adjoint, the sum of each 2 x 2 of [n, 2h, 2w, c].
void aqc_upsample(const float *x, float *y, size_t batch, size_t height, size_t width, size_t channels);
void aqc_sum_pool(const float *x, float *y, size_t batch, size_t height, size_t width, size_t channels);

// One Adam update (Kingma and Ba 2015, algorithm 1) in place. step_size is the learning rate
// over 1 - beta1^t, correction is 1 / sqrt(1 - beta2^t).
typedef struct {
    float beta1, beta2, step_size, correction, epsilon;
} aqc_adam_constants;
void aqc_adam(
    float *parameter, float *first, float *second, const float *gradient, size_t count,
    aqc_adam_constants constants);
// average = decay * average + (1 - decay) * x
void aqc_blend(float *average, const float *x, float decay, size_t count);

#ifdef __cplusplus
}
#endif
