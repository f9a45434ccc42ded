#include "clones.h"
#include "pixels.h"

#include <math.h>

AQC_CLONES void aqc_shift_scale(const float *x, float *y, size_t count, float shift, float scale) {
    // Safe in place too: each value depends on its own place alone.
#pragma clang loop vectorize(assume_safety)
    for (size_t i = 0; i < count; i++) y[i] = (x[i] - shift) * scale;
}

AQC_CLONES void aqc_step_scale(
    const float *x, float *y, size_t count, float factor, float shift, float scale) {
#pragma clang loop vectorize(assume_safety)
    for (size_t i = 0; i < count; i++) y[i] = (rintf(x[i] * factor) - shift) * scale;
}

AQC_CLONES void aqc_mix(
    const float *restrict x, float *restrict y, size_t count, float x_scale, float y_scale) {
    for (size_t i = 0; i < count; i++) y[i] = y_scale * y[i] + x_scale * x[i];
}

AQC_CLONES void aqc_absolute_difference(
    const float *restrict x, const float *restrict y, float *restrict map, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const float d = x[i] - y[i];
        map[i] = d < 0 ? -d : (d > 0 ? d : 0);
    }
}

AQC_CLONES void aqc_squared_difference(
    const float *restrict x, const float *restrict y, float *restrict map, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const float d = x[i] - y[i];
        map[i] = d * d;
    }
}

AQC_CLONES void aqc_above(const float *restrict x, uint8_t *restrict mask, size_t count, float limit) {
    for (size_t i = 0; i < count; i++) mask[i] = x[i] > limit ? 1 : 0;
}
