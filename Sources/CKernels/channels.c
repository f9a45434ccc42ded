#include "channels.h"

#include "clones.h"
#include "parallel.h"

// A part of a loop below this many values is not worth a second thread.
enum { grain = 16384 };

typedef struct {
    const float *a, *b, *shift;
    float *y;
    size_t pixels, channels;
} images;

AQC_CLONES static void affine_channels_part(void *context, size_t row, size_t end) {
    const images *m = context;
    for (; row < end; row++) {
        const size_t at = row / m->pixels * m->channels;
        const float *restrict x = m->a + row * m->channels, *restrict scale = m->b + at;
        float *restrict y = m->y + row * m->channels;
        if (m->shift) {
            const float *restrict shift = m->shift + at;
            for (size_t c = 0; c < m->channels; c++) y[c] = x[c] * scale[c] + shift[c];
        } else {
            for (size_t c = 0; c < m->channels; c++) y[c] = x[c] * scale[c];
        }
    }
}

void aqc_affine_channels(
    const float *x, const float *scale, const float *shift, float *y, size_t batch, size_t pixels,
    size_t channels) {
    images m = {.a = x, .b = scale, .shift = shift, .y = y, .pixels = pixels, .channels = channels};
    aqc_parallel(batch * pixels, grain / channels + 1, affine_channels_part, &m);
}

AQC_CLONES static void dot_pixels_part(void *context, size_t n, size_t end) {
    const images *m = context;
    for (; n < end; n++) {
        const size_t start = n * m->pixels * m->channels;
        const float *restrict a = m->a + start, *restrict b = m->b + start;
        float *restrict y = m->y + n * m->channels;
        for (size_t c = 0; c < m->channels; c++) y[c] = 0;
        for (size_t p = 0; p < m->pixels; p++)
            for (size_t c = 0; c < m->channels; c++)
                y[c] += a[p * m->channels + c] * b[p * m->channels + c];
    }
}

// Split by image and summed in pixel order, so that the sum does not depend on the number of threads.
void aqc_dot_pixels(
    const float *a, const float *b, float *y, size_t batch, size_t pixels, size_t channels) {
    images m = {.a = a, .b = b, .y = y, .pixels = pixels, .channels = channels};
    aqc_parallel(batch, grain / (pixels * channels) + 1, dot_pixels_part, &m);
}
