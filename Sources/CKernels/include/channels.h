// Loops that treat every channel of an image apart; images are [n, p, c], channels contiguous.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// y[n, p, c] = x[n, p, c] * scale[n, c] + shift[n, c]; without a shift (NULL), only the product.
void aqc_affine_channels(
    const float *x, const float *scale, const float *shift, float *y, size_t batch, size_t pixels,
    size_t channels);
// y[n, c] = sum over p of a[n, p, c] * b[n, p, c]
void aqc_dot_pixels(
    const float *a, const float *b, float *y, size_t batch, size_t pixels, size_t channels);

#ifdef __cplusplus
}
#endif
