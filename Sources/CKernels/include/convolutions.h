// Convolutions of channels-last images with few channels, for CPUs that multiply bytes (AVX-512 VNNI) or bfloat16 (AVX-512
// BF16) in vectors of 64 bytes: a line of the source at a time, with bias, addend, activation and rounding at the end of each
// tile. No other CPU and no other shape has them; ask first.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Of the source, [height, width, inputs]; the kernel is square, and as many zeros lie around the image on all sides.
typedef struct {
    size_t height, width, inputs, outputs, kernel, stride, padding;
    // 4 where the kernel unshuffles a float32 source, [4 height, 4 width], into its 16 inputs, or shuffles its 16 outputs into
    // a float32 result of 4 times the height and width. Elsewhere 0.
    size_t unshuffle, shuffle;
} aqc_direct_shape;

// What follows a sum of bytes: y = act(scale * sum + bias + addend_step * addend), where addend is what lies in the destination
// before (addend_step 0: nothing). The result is y itself in float32, or round(unit * y + zero) within 0 ... 255.
typedef struct {
    int silu, to_float;
    float addend_step, unit, zero;
} aqc_direct_finish;

typedef struct aqc_direct_bytes aqc_direct_bytes;

// Whether there is a kernel for this shape on this CPU.
int aqc_direct_bytes_fits(aqc_direct_shape shape);
int aqc_direct_floats_fits(aqc_direct_shape shape);

// Keeps weights, [outputs, kernel, kernel, inputs], as round(weights / scale[output]), for a source of bytes whose `zero` means
// 0; `step` is that of the source. NULL without memory.
aqc_direct_bytes *aqc_direct_bytes_make(
    aqc_direct_shape shape, const float *weights, const float *scale, const float *bias, float step, int32_t zero,
    aqc_direct_finish finish);
void aqc_direct_bytes_run(const aqc_direct_bytes *plan, const uint8_t *source, void *destination);
void aqc_direct_bytes_free(aqc_direct_bytes *plan);

// Bytes of weights rounded to bfloat16, in the order in which they are read; rounds [outputs, kernel, kernel, inputs].
size_t aqc_direct_floats_size(aqc_direct_shape shape);
void aqc_direct_floats_pack(aqc_direct_shape shape, const float *weights, void *packed);
// y = act(sum + bias + addend); sources are rounded to bfloat16, sums and results are float32. Bias and addend may be NULL; the
// addend may be the destination. Packed weights lie at a multiple of 64.
void aqc_direct_floats_run(
    aqc_direct_shape shape, const void *packed, const float *source, const float *bias, const float *addend, int silu,
    float *destination);

#ifdef __cplusplus
}
#endif
