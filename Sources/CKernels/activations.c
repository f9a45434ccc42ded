#include "activations.h"

#include <math.h>
#include <string.h>

#include "clones.h"
#include "exponential.h"
#include "parallel.h"

// A part of an elementwise loop below this many values is not worth a second thread.
enum { grain = 16384 };

typedef struct {
    const float *a, *b;
    float *y;
    float p, q;
} elements;

#define ELEMENTWISE(name, expression)                                     \
    AQC_CLONES static void name##_part(void *context, size_t i, size_t end) { \
        const elements e = *(const elements *)context;                    \
        const float *restrict a = e.a, *restrict b = e.b;                 \
        float *restrict y = e.y;                                          \
        const float p = e.p, q = e.q;                                     \
        (void)b; (void)p; (void)q;                                        \
        for (; i < end; i++) y[i] = (expression);                         \
    }

ELEMENTWISE(add, a[i] + b[i])
ELEMENTWISE(multiply, a[i] * b[i])
ELEMENTWISE(affine, p * a[i] + q)
ELEMENTWISE(sigmoid, 1.0f / (1.0f + fast_exp(-a[i])))
ELEMENTWISE(silu, a[i] / (1.0f + fast_exp(-a[i])))
ELEMENTWISE(leaky_gate, a[i] > 0 ? b[i] : p * b[i])

ELEMENTWISE(silu_gradient, b[i] * silu_derivative(a[i]))

void aqc_add(const float *a, const float *b, float *y, size_t count) {
    elements e = {a, b, y, 0, 0};
    aqc_parallel(count, grain, add_part, &e);
}

void aqc_multiply(const float *a, const float *b, float *y, size_t count) {
    elements e = {a, b, y, 0, 0};
    aqc_parallel(count, grain, multiply_part, &e);
}

void aqc_affine(const float *x, float scale, float shift, float *y, size_t count) {
    elements e = {x, x, y, scale, shift};
    aqc_parallel(count, grain, affine_part, &e);
}

void aqc_sigmoid(const float *x, float *y, size_t count) {
    elements e = {x, x, y, 0, 0};
    aqc_parallel(count, grain, sigmoid_part, &e);
}

void aqc_silu(const float *x, float *y, size_t count) {
    elements e = {x, x, y, 0, 0};
    aqc_parallel(count, grain, silu_part, &e);
}

void aqc_silu_gradient(const float *x, const float *upstream, float *y, size_t count) {
    elements e = {x, upstream, y, 0, 0};
    aqc_parallel(count, grain, silu_gradient_part, &e);
}

void aqc_leaky_gate(const float *gate, const float *x, float slope, float *y, size_t count) {
    elements e = {gate, x, y, slope, 0};
    aqc_parallel(count, grain, leaky_gate_part, &e);
}

typedef struct {
    const float *x, *b;
    float *y;
    size_t batch, pixels, channels, height, width, block;
} images;

AQC_CLONES static void add_channels_part(void *context, size_t row, size_t end) {
    const images *m = context;
    for (; row < end; row++) {
        const float *restrict b = m->b + row / m->pixels * m->channels;
        const float *restrict x = m->x + row * m->channels;
        float *restrict y = m->y + row * m->channels;
        for (size_t c = 0; c < m->channels; c++) y[c] = x[c] + b[c];
    }
}

void aqc_add_channels(const float *x, const float *b, float *y, size_t batch, size_t pixels, size_t channels) {
    images m = {.x = x, .b = b, .y = y, .pixels = pixels, .channels = channels};
    aqc_parallel(batch * pixels, grain / channels + 1, add_channels_part, &m);
}

static void spread_channels_part(void *context, size_t row, size_t end) {
    const images *m = context;
    for (; row < end; row++)
        memcpy(m->y + row * m->channels, m->b + row / m->pixels * m->channels, m->channels * sizeof(float));
}

void aqc_spread_channels(const float *b, float *y, size_t batch, size_t pixels, size_t channels) {
    images m = {.b = b, .y = y, .pixels = pixels, .channels = channels};
    aqc_parallel(batch * pixels, grain / channels + 1, spread_channels_part, &m);
}

AQC_CLONES static void sum_pixels_part(void *context, size_t n, size_t end) {
    const images *m = context;
    for (; n < end; n++) {
        float *restrict y = m->y + n * m->channels;
        const float *restrict x = m->x + n * m->pixels * m->channels;
        for (size_t c = 0; c < m->channels; c++) y[c] = 0;
        for (size_t p = 0; p < m->pixels; p++)
            for (size_t c = 0; c < m->channels; c++) y[c] += x[p * m->channels + c];
    }
}

// Split by image and summed in pixel order, so that the sum does not depend on the number of threads.
void aqc_sum_pixels(const float *x, float *y, size_t batch, size_t pixels, size_t channels) {
    images m = {.x = x, .y = y, .pixels = pixels, .channels = channels};
    aqc_parallel(batch, 1, sum_pixels_part, &m);
}

// `row` counts the blocks' rows over the batch; `into_depth` is chosen by the caller below.
static void move_blocks(const images *m, size_t row, size_t end, int into_depth) {
    size_t columns = m->width / m->block, run = m->block * m->channels, depth = m->block * run;
    for (; row < end; row++)
        for (size_t column = 0; column < columns; column++)
            for (size_t i = 0; i < m->block; i++) {
                size_t space = ((row * m->block + i) * m->width + column * m->block) * m->channels;
                size_t packed = (row * columns + column) * depth + i * run;
                memcpy(
                    m->y + (into_depth ? packed : space), m->x + (into_depth ? space : packed),
                    run * sizeof(float));
            }
}

static void into_depth_part(void *context, size_t row, size_t end) { move_blocks(context, row, end, 1); }
static void into_space_part(void *context, size_t row, size_t end) { move_blocks(context, row, end, 0); }

void aqc_pixel_unshuffle(
    const float *x, float *y, size_t batch, size_t height, size_t width, size_t channels, size_t block) {
    images m = {.x = x, .y = y, .width = width, .channels = channels, .block = block};
    aqc_parallel(batch * height / block, 8, into_depth_part, &m);
}

void aqc_pixel_shuffle(
    const float *x, float *y, size_t batch, size_t height, size_t width, size_t channels, size_t block) {
    images m = {.x = x, .y = y, .width = width, .channels = channels, .block = block};
    aqc_parallel(batch * height / block, 8, into_space_part, &m);
}

static void upsample_part(void *context, size_t row, size_t end) {
    const images *m = context;
    size_t bytes = m->channels * sizeof(float), line = 2 * m->width * m->channels;
    for (; row < end; row++) {
        float *y = m->y + 2 * row * line;
        const float *x = m->x + row * m->width * m->channels;
        for (size_t column = 0; column < m->width; column++) {
            memcpy(y + 2 * column * m->channels, x + column * m->channels, bytes);
            memcpy(y + (2 * column + 1) * m->channels, x + column * m->channels, bytes);
        }
        memcpy(y + line, y, line * sizeof(float));
    }
}

void aqc_upsample(const float *x, float *y, size_t batch, size_t height, size_t width, size_t channels) {
    images m = {.x = x, .y = y, .width = width, .channels = channels};
    aqc_parallel(batch * height, 4, upsample_part, &m);
}

// Two neighbours of one row get the same pixel.
AQC_CLONES static void add_upsampled_part(void *context, size_t row, size_t end) {
    const images *m = context;
    const size_t line = 2 * m->width * m->channels;
    for (; row < end; row++)
        for (size_t column = 0; column < 2 * m->width; column++) {
            const float *restrict x = m->x + (row / 2 * m->width + column / 2) * m->channels;
            const float *restrict b = m->b + row * line + column * m->channels;
            float *restrict y = m->y + row * line + column * m->channels;
            for (size_t c = 0; c < m->channels; c++) y[c] = x[c] + b[c];
        }
}

// Height is even in every image, so rows of the result are counted over the batch.
void aqc_add_upsampled(
    const float *x, const float *b, float *y, size_t batch, size_t height, size_t width, size_t channels) {
    images m = {.x = x, .b = b, .y = y, .width = width, .channels = channels};
    aqc_parallel(batch * 2 * height, 8, add_upsampled_part, &m);
}

AQC_CLONES static void sum_pool_part(void *context, size_t row, size_t end) {
    const images *m = context;
    size_t channels = m->channels, line = 2 * m->width * channels;
    for (; row < end; row++) {
        const float *restrict top = m->x + 2 * row * line, *restrict bottom = top + line;
        float *restrict y = m->y + row * m->width * channels;
        for (size_t column = 0; column < m->width; column++)
            for (size_t c = 0; c < channels; c++) {
                size_t left = 2 * column * channels + c, right = left + channels;
                y[column * channels + c] = (top[left] + top[right]) + (bottom[left] + bottom[right]);
            }
    }
}

void aqc_sum_pool(const float *x, float *y, size_t batch, size_t height, size_t width, size_t channels) {
    images m = {.x = x, .y = y, .width = width, .channels = channels};
    aqc_parallel(batch * height, 4, sum_pool_part, &m);
}

AQC_CLONES void aqc_adam(
    float *parameter, float *first, float *second, const float *gradient, size_t count, aqc_adam_constants k) {
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i];
        first[i] = k.beta1 * first[i] + (1 - k.beta1) * g;
        second[i] = k.beta2 * second[i] + (1 - k.beta2) * g * g;
        parameter[i] -= k.step_size * first[i] / (sqrtf(second[i]) * k.correction + k.epsilon);
    }
}

AQC_CLONES void aqc_blend(float *average, const float *x, float decay, size_t count) {
    for (size_t i = 0; i < count; i++) average[i] = decay * average[i] + (1 - decay) * x[i];
}
