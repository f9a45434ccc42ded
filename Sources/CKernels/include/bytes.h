// Images of 8-bit numbers, value = scale * byte; channels contiguous. All scales are above 0.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Each cell of b x b pixels of a height x width image becomes one pixel of b * b channels, as bytes: y = round(x / scale),
// kept within -127 ... 127.
void aqc_quantise_cells(const float *x, int8_t *y, size_t height, size_t width, size_t cell, float scale);

// y = round(low_factor * low + factor * y), kept within -127 ... 127, where each pixel of low, [h, w, c], is repeated 2 x 2;
// y is [2h, 2w, c].
void aqc_join_upsampled(
    const int8_t *low, int8_t *y, size_t height, size_t width, size_t channels, float low_factor, float factor);

#ifdef __cplusplus
}
#endif
