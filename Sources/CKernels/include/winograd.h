// 3 x 3 convolutions of many channels by minimal filtering (Winograd 1980; Lavin and Gray 2016, F(4 x 4, 3 x 3)): a quarter
// of the multiplications, in float32. For stride 1 and a border of one zero, on CPUs with AVX-512.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t batch, height, width;  // of the images and of the result
    size_t inputs, outputs;       // channels
} aqc_winograd_shape;

// Whether there is a kernel for these channels on this CPU, and few enough zeros are computed at the edges.
bool aqc_winograd_fits(aqc_winograd_shape shape);

// Floats of the transformed weights.
size_t aqc_winograd_packed_size(aqc_winograd_shape shape);

// Transforms weights [outputs, 3, 3, inputs]. For the gradient of the images the weights are [inputs, 3, 3, outputs], those
// of the convolution itself: its result has the inputs' place in `shape` and the other way round.
void aqc_winograd_pack(aqc_winograd_shape shape, const float *weights, bool for_gradient, float *packed);

// Floats of scratch that a convolution on so many threads needs.
size_t aqc_winograd_scratch(aqc_winograd_shape shape, size_t threads);

// y = x * weights + bias + addend; bias [outputs] and addend [n, h, w, outputs] may be NULL, and addend may be y.
void aqc_winograd(
    aqc_winograd_shape shape, const float *packed, const float *x, const float *bias, const float *addend, float *y,
    float *scratch, size_t threads);

// Floats of scratch that a gradient of weights needs.
size_t aqc_winograd_gradient_scratch(aqc_winograd_shape shape);

// The gradient of weights [outputs, 3, 3, inputs] from the images and the gradient of the result. Sums are taken in the same
// order on any number of threads.
void aqc_winograd_weight_gradient(
    aqc_winograd_shape shape, const float *x, const float *upstream, float *of_weights, float *scratch);

#ifdef __cplusplus
}
#endif
