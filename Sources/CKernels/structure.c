#include <string.h>

#include "clones.h"
#include "pixels.h"

// The image is 0 beyond its border.
enum { taps = 5, reach = 2, statistics = 4, derivatives = 3 };

#define INLINE static inline __attribute__((always_inline))

// Several images ('lanes') pass the window together, row by row; a row comes out `reach` rows after it went
// in.
typedef struct {
    float *padded;  // lanes x (width + 4): the rows going in, with zeros at both ends
    float *ring;    // lanes x 5 x width: the last five rows, filtered along the row
    float *out;     // lanes x width: the row coming out
    size_t lanes, width;
} window;

INLINE size_t window_size(size_t lanes, size_t width) {
    return lanes * ((width + 2 * reach) + (taps + 1) * width);
}

INLINE window open_window(float *memory, size_t lanes, size_t width) {
    memset(memory, 0, window_size(lanes, width) * sizeof(float));
    float *ring = memory + lanes * (width + 2 * reach);
    return (window){memory, ring, ring + lanes * taps * width, lanes, width};
}

INLINE float *entry(const window *w, size_t lane) {
    return w->padded + lane * (w->width + 2 * reach) + reach;
}

INLINE float *slot(const window *w, size_t lane, size_t row) {
    return w->ring + (lane * taps + row % taps) * w->width;
}

INLINE void push(const window *w, size_t row) {
    const float middle = aqc_structure_middle, inner = aqc_structure_inner, outer = aqc_structure_outer;
    for (size_t lane = 0; lane < w->lanes; lane++) {
        const float *restrict in = entry(w, lane) - reach;
        float *restrict line = slot(w, lane, row);
        for (size_t i = 0; i < w->width; i++)
            line[i] = middle * in[i + 2] + inner * (in[i + 1] + in[i + 3]) + outer * (in[i] + in[i + 4]);
    }
}

INLINE void push_nothing(const window *w, size_t row) {
    for (size_t lane = 0; lane < w->lanes; lane++) memset(slot(w, lane, row), 0, w->width * sizeof(float));
}

// Filters down the rows row - 4 ... row, which gives the row row - reach.
INLINE void pull(const window *w, size_t row) {
    const float middle = aqc_structure_middle, inner = aqc_structure_inner, outer = aqc_structure_outer;
    for (size_t lane = 0; lane < w->lanes; lane++) {
        const float *restrict a = slot(w, lane, row + 1), *restrict b = slot(w, lane, row + 2);
        const float *restrict c = slot(w, lane, row + 3), *restrict d = slot(w, lane, row + 4);
        const float *restrict e = slot(w, lane, row);
        float *restrict line = w->out + lane * w->width;
        for (size_t i = 0; i < w->width; i++)
            line[i] = middle * c[i] + inner * (b[i] + d[i]) + outer * (a[i] + e[i]);
    }
}

INLINE void enter_statistics(const window *w, const float *restrict x, const float *restrict y) {
    float *restrict mean = entry(w, 0), *restrict shift = entry(w, 1);
    float *restrict power = entry(w, 2), *restrict change = entry(w, 3);
    for (size_t i = 0; i < w->width; i++) {
        float d = y[i] - x[i];
        mean[i] = x[i];
        shift[i] = d;
        power[i] = x[i] * x[i] + y[i] * y[i];
        change[i] = d * d;
    }
}

// With d = y - x, SSIM = (1 - light) (1 - texture), where light = mean(d)^2 / (mean(x)^2 + mean(y)^2 + c1)
// and texture = var(d) / (var(x) + var(y) + c2). This is SSIM rewritten so that equal images give exactly 1.
typedef struct {
    float light, texture, shift, y_mean, light_scale, texture_scale;
} pixel;

INLINE pixel compare(float x_mean, float shift, float power, float change) {
    const float c1 = aqc_structure_c1, c2 = aqc_structure_c2;
    float y_mean = x_mean + shift;
    float means = x_mean * x_mean + y_mean * y_mean;
    float light_scale = 1.0f / (means + c1), texture_scale = 1.0f / (power - means + c2);
    float light = shift * shift * light_scale, texture = (change - shift * shift) * texture_scale;
    return (pixel){light, texture, shift, y_mean, light_scale, texture_scale};
}

INLINE float magnitude(float d) { return d < 0 ? -d : d; }

size_t aqc_structure_scratch(size_t width) {
    return window_size(statistics, width) + window_size(derivatives, width);
}

AQC_CLONES static void map_image(
    const float *x, const float *y, float *map, size_t height, size_t width, float structure, float absolute,
    float *scratch) {
    const window w = open_window(scratch, statistics, width);
    for (size_t row = 0; row < height + reach; row++) {
        if (row < height) {
            enter_statistics(&w, x + row * width, y + row * width);
            push(&w, row);
        } else {
            push_nothing(&w, row);
        }
        if (row < reach) continue;
        pull(&w, row);
        const size_t start = (row - reach) * width;
        const float *restrict mean = w.out, *restrict shift = mean + width;
        const float *restrict power = shift + width, *restrict change = power + width;
        const float *restrict left = x + start, *restrict right = y + start;
        float *restrict line = map + start;
        for (size_t i = 0; i < width; i++) {
            pixel p = compare(mean[i], shift[i], power[i], change[i]);
            float loss = p.light + p.texture - p.light * p.texture;
            loss = loss < 0 ? 0 : (loss > 1 ? 1 : loss);
            line[i] = structure * 0.5f * loss + absolute * magnitude(left[i] - right[i]);
        }
    }
}

// By the chain rule through the window's three means that y enters: of d, of x^2 + y^2 and of d^2.
INLINE void enter_derivatives(
    const window *in, const window *out, const float *restrict upstream, float structure, size_t width) {
    const float *restrict mean = in->out, *restrict shift = mean + width;
    const float *restrict power = shift + width, *restrict change = power + width;
    float *restrict of_shift = entry(out, 0), *restrict of_power = entry(out, 1);
    float *restrict of_change = entry(out, 2);
    for (size_t i = 0; i < width; i++) {
        pixel p = compare(mean[i], shift[i], power[i], change[i]);
        float loss = p.light + p.texture - p.light * p.texture;
        float g = loss >= 0 && loss <= 1 ? 0.5f * structure * upstream[i] : 0;
        float of_light = g * (1 - p.texture) * p.light_scale;
        float of_texture = g * (1 - p.light) * p.texture_scale;
        of_shift[i] =
            2 * of_light * (p.shift - p.light * p.y_mean) + 2 * of_texture * (p.texture * p.y_mean - p.shift);
        of_power[i] = -of_texture * p.texture;
        of_change[i] = of_texture;
    }
}

INLINE void leave_gradient(
    const window *w, const float *restrict x, const float *restrict y, const float *restrict upstream,
    float *restrict gradient, float absolute) {
    const float *restrict of_shift = w->out, *restrict of_power = of_shift + w->width;
    const float *restrict of_change = of_power + w->width;
    for (size_t i = 0; i < w->width; i++) {
        float d = y[i] - x[i];
        float sign = d > 0 ? 1.0f : (d < 0 ? -1.0f : 0.0f);
        gradient[i] =
            of_shift[i] + 2 * y[i] * of_power[i] + 2 * d * of_change[i] + absolute * sign * upstream[i];
    }
}

AQC_CLONES static void gradient_image(
    const float *x, const float *y, const float *upstream, float *gradient, size_t height, size_t width,
    float structure, float absolute, float *scratch) {
    const window forward = open_window(scratch, statistics, width);
    const window backward = open_window(scratch + window_size(statistics, width), derivatives, width);
    for (size_t row = 0; row < height + 2 * reach; row++) {
        if (row < height) {
            enter_statistics(&forward, x + row * width, y + row * width);
            push(&forward, row);
        } else {
            push_nothing(&forward, row);
        }
        if (row < reach) continue;
        if (row < height + reach) {
            pull(&forward, row);
            enter_derivatives(&forward, &backward, upstream + (row - reach) * width, structure, width);
            push(&backward, row);
        } else {
            push_nothing(&backward, row);
        }
        if (row < 2 * reach) continue;
        pull(&backward, row);
        const size_t start = (row - 2 * reach) * width;
        leave_gradient(&backward, x + start, y + start, upstream + start, gradient + start, absolute);
    }
}

void aqc_structure_map(
    const float *x, const float *y, float *map, size_t count, size_t height, size_t width, float structure,
    float absolute, float *scratch) {
    for (size_t at = 0; at < count * height * width; at += height * width)
        map_image(x + at, y + at, map + at, height, width, structure, absolute, scratch);
}

void aqc_structure_gradient(
    const float *x, const float *y, const float *upstream, float *gradient, size_t count, size_t height,
    size_t width, float structure, float absolute, float *scratch) {
    for (size_t at = 0; at < count * height * width; at += height * width)
        gradient_image(
            x + at, y + at, upstream + at, gradient + at, height, width, structure, absolute, scratch);
}
