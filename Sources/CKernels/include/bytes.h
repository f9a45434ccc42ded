// Images of bytes, value = step * (byte - zero); channels contiguous. All steps are above 0.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Pixel unshuffle (Shi et al. 2016): each square of b x b pixels (b = `unshuffle`) of a height x width image becomes one
// position of 2 * b * b channels, as bytes kept within 0 ... 255:
// first y = round(x / step + zero) of all, then round(finer * (what that leaves of x / step + zero) + zero) of all.
void aqc_quantise_unshuffled(
    const float *x, uint8_t *y, size_t height, size_t width, size_t unshuffle, float step, int32_t zero, float finer);

// y = round(low_factor * low + factor * y + offset), kept within 0 ... 255, where each pixel of low, [h, w, c], is repeated
// 2 x 2; y is [2h, 2w, c].
void aqc_join_upsampled(
    const uint8_t *low, uint8_t *y, size_t height, size_t width, size_t channels, float low_factor, float factor,
    float offset);

#ifdef __cplusplus
}
#endif
