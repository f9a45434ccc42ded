#pragma once

#include <stdint.h>
#include <string.h>

// exp(x) by range reduction to 2^n * 2^f with |f| <= 1/2 and a Taylor polynomial of 2^f; vectorises, as libm's does not.
static inline float fast_exp(float x) {
    float clamped = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
    float scaled = clamped * 1.44269504088896341f;
    float whole = __builtin_floorf(scaled + 0.5f);
    float f = (scaled - whole) * 0.693147180559945309f;
    float p = 1.0f + f * (1.0f + f * (0.5f + f * (1.0f / 6 + f * (1.0f / 24 + f * (1.0f / 120 + f / 720)))));
    uint32_t bits = (uint32_t)((int32_t)whole + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

static inline float silu_derivative(float x) {
    float s = 1.0f / (1.0f + fast_exp(-x));
    return s * (1.0f + x * (1.0f - s));
}
