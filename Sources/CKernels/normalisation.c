#include "normalisation.h"

#include <math.h>
#include <string.h>

#include "clones.h"
#include "exponential.h"
#include "parallel.h"

// Pixels whose sums are kept in float before they join a sum in double; also what one thread takes at a time, so
// that results do not depend on the number of threads.
enum { block = 64 };

static size_t blocks(size_t pixels) { return (pixels + block - 1) / block; }

typedef struct {
    aqc_group_norm_shape shape;
    const float *x, *upstream, *coefficients;
    float *y, *partial;
} normalisation;

// Rows of coefficients for one image: x is centred, scaled and shifted; a gradient has three more.
enum { centre, scale, shift, of_upstream, of_x, of_one, coefficient_rows };

size_t aqc_group_norm_scratch(aqc_group_norm_shape s) {
    return s.batch * s.channels * (2 * blocks(s.pixels) + coefficient_rows + 2);
}

static const float *row_of(const normalisation *m, size_t image, size_t row) {
    return m->coefficients + (image * coefficient_rows + row) * m->shape.channels;
}

static size_t pixels_in(const normalisation *m, size_t part) {
    size_t first = part % blocks(m->shape.pixels) * block;
    return m->shape.pixels - first < block ? m->shape.pixels - first : block;
}

static size_t offset(const normalisation *m, size_t part) {
    size_t count = blocks(m->shape.pixels);
    return (part / count * m->shape.pixels + part % count * block) * m->shape.channels;
}

// Per block and channel the mean, then the sum of squared deviations from that mean: nothing cancels.
AQC_CLONES static void statistics_part(void *context, size_t part, size_t end) {
    const normalisation *m = context;
    const size_t channels = m->shape.channels;
    for (; part < end; part++) {
        const float *x = m->x + offset(m, part);
        const size_t count = pixels_in(m, part);
        float *restrict mean = m->partial + 2 * part * channels, *restrict square = mean + channels;
        for (size_t c = 0; c < channels; c++) mean[c] = square[c] = 0;
        for (size_t p = 0; p < count; p++) {
            const float *restrict pixel = x + p * channels;
            for (size_t c = 0; c < channels; c++) mean[c] += pixel[c];
        }
        for (size_t c = 0; c < channels; c++) mean[c] /= (float)count;
        for (size_t p = 0; p < count; p++) {
            const float *restrict pixel = x + p * channels;
            for (size_t c = 0; c < channels; c++) {
                float d = pixel[c] - mean[c];
                square[c] += d * d;
            }
        }
    }
}

// Joins the blocks and channels of one group (Chan, Golub and LeVeque 1983, equation 2.1) in double.
static void join_group(const normalisation *m, size_t image, size_t group, float *statistics) {
    const size_t channels = m->shape.channels, width = channels / m->shape.groups;
    double count = 0, mean = 0, square = 0;
    for (size_t b = 0; b < blocks(m->shape.pixels); b++) {
        const size_t part = image * blocks(m->shape.pixels) + b;
        const float *means = m->partial + 2 * part * channels, *squares = means + channels;
        const double more = (double)pixels_in(m, part);
        for (size_t c = group * width; c < (group + 1) * width; c++) {
            const double d = means[c] - mean, total = count + more;
            mean += d * more / total;
            square += squares[c] + d * d * count * more / total;
            count = total;
        }
    }
    statistics[0] = (float)mean;
    statistics[1] = (float)(1 / sqrt(square / count + m->shape.epsilon));
}

static void set_coefficients(
    aqc_group_norm_shape s, const float *weight, const float *bias, const float *modulation,
    const float *statistics, float *coefficients) {
    const size_t channels = s.channels, width = channels / s.groups;
    for (size_t n = 0; n < s.batch; n++) {
        float *rows = coefficients + n * coefficient_rows * channels;
        for (size_t c = 0; c < channels; c++) {
            const float *group = statistics + 2 * (n * s.groups + c / width);
            const float factor = modulation ? 1 + modulation[2 * n * channels + c] : 1;
            const float addend = modulation ? modulation[(2 * n + 1) * channels + c] : 0;
            rows[centre * channels + c] = group[0];
            rows[scale * channels + c] = group[1] * weight[c] * factor;
            rows[shift * channels + c] = bias[c] * factor + addend;
        }
    }
}

AQC_CLONES static void apply_part(void *context, size_t part, size_t end) {
    const normalisation *m = context;
    const size_t channels = m->shape.channels;
    for (; part < end; part++) {
        const size_t image = part / blocks(m->shape.pixels), start = offset(m, part);
        const float *restrict centres = row_of(m, image, centre), *restrict scales = row_of(m, image, scale);
        const float *restrict shifts = row_of(m, image, shift);
        for (size_t p = 0; p < pixels_in(m, part); p++) {
            const float *restrict x = m->x + start + p * channels;
            float *restrict y = m->y + start + p * channels;
            if (m->shape.silu)
                for (size_t c = 0; c < channels; c++) {
                    float u = (x[c] - centres[c]) * scales[c] + shifts[c];
                    y[c] = u / (1.0f + fast_exp(-u));
                }
            else
                for (size_t c = 0; c < channels; c++) y[c] = (x[c] - centres[c]) * scales[c] + shifts[c];
        }
    }
}

void aqc_group_norm(
    aqc_group_norm_shape s, const float *x, const float *weight, const float *bias, const float *modulation,
    float *y, float *statistics, float *scratch) {
    const size_t parts = s.batch * blocks(s.pixels);
    float *coefficients = scratch + 2 * parts * s.channels;
    normalisation m = {.shape = s, .x = x, .y = y, .partial = scratch, .coefficients = coefficients};
    aqc_parallel(parts, 1, statistics_part, &m);
    for (size_t n = 0; n < s.batch; n++)
        for (size_t g = 0; g < s.groups; g++) join_group(&m, n, g, statistics + 2 * (n * s.groups + g));
    set_coefficients(s, weight, bias, modulation, statistics, coefficients);
    aqc_parallel(parts, 1, apply_part, &m);
}

// The gradient before SiLU into y; per block and channel its sum, and its sum times the centred x.
AQC_CLONES static void upstream_part(void *context, size_t part, size_t end) {
    const normalisation *m = context;
    const size_t channels = m->shape.channels;
    for (; part < end; part++) {
        const size_t image = part / blocks(m->shape.pixels), start = offset(m, part);
        const float *restrict centres = row_of(m, image, centre), *restrict scales = row_of(m, image, scale);
        const float *restrict shifts = row_of(m, image, shift);
        float *restrict sum = m->partial + 2 * part * channels, *restrict moment = sum + channels;
        for (size_t c = 0; c < channels; c++) sum[c] = moment[c] = 0;
        for (size_t p = 0; p < pixels_in(m, part); p++) {
            const float *restrict x = m->x + start + p * channels;
            const float *restrict upstream = m->upstream + start + p * channels;
            float *restrict y = m->y + start + p * channels;
            for (size_t c = 0; c < channels; c++) {
                const float centred = x[c] - centres[c];
                const float u = centred * scales[c] + shifts[c];
                const float g = m->shape.silu ? upstream[c] * silu_derivative(u) : upstream[c];
                y[c] = g;
                sum[c] += g;
                moment[c] += g * centred;
            }
        }
    }
}

// sums becomes [n, 2, c]: the sum over pixels of the gradient, and of the gradient times the normalised x.
static void join_sums(const normalisation *m, const float *statistics, float *sums) {
    const aqc_group_norm_shape s = m->shape;
    const size_t count = blocks(s.pixels);
    for (size_t n = 0; n < s.batch; n++)
        for (size_t c = 0; c < s.channels; c++) {
            double sum = 0, moment = 0;
            for (size_t b = 0; b < count; b++) {
                const float *at = m->partial + 2 * (n * count + b) * s.channels + c;
                sum += at[0];
                moment += at[s.channels];
            }
            const float rate = statistics[2 * (n * s.groups + c / (s.channels / s.groups)) + 1];
            sums[2 * n * s.channels + c] = (float)sum;
            sums[(2 * n + 1) * s.channels + c] = (float)(moment * rate);
        }
}

static void set_parameter_gradients(
    aqc_group_norm_shape s, const float *sums, const float *weight, const float *bias, const float *modulation,
    float *of_weight, float *of_bias, float *of_modulation) {
    const size_t channels = s.channels;
    for (size_t c = 0; c < channels; c++) {
        double by_weight = 0, by_bias = 0;
        for (size_t n = 0; n < s.batch; n++) {
            const size_t at = 2 * n * channels + c;
            const float factor = modulation ? 1 + modulation[at] : 1;
            by_bias += (double)factor * sums[at];
            by_weight += (double)factor * sums[at + channels];
            if (!of_modulation) continue;
            of_modulation[at] = weight[c] * sums[at + channels] + bias[c] * sums[at];
            of_modulation[at + channels] = sums[at];
        }
        of_weight[c] = (float)by_weight;
        of_bias[c] = (float)by_bias;
    }
}

// The gradient of x is the gradient before SiLU times one factor a channel, less its mean and its part along x within
// the group.
static void set_gradient_coefficients(
    aqc_group_norm_shape s, const float *sums, const float *statistics, float *coefficients) {
    const size_t channels = s.channels, width = channels / s.groups;
    const double count = (double)(s.pixels * width);
    for (size_t n = 0; n < s.batch; n++) {
        float *rows = coefficients + n * coefficient_rows * channels;
        for (size_t g = 0; g < s.groups; g++) {
            const double rate = statistics[2 * (n * s.groups + g) + 1];
            double mean = 0, along = 0;
            for (size_t c = g * width; c < (g + 1) * width; c++) {
                mean += (double)rows[scale * channels + c] * sums[2 * n * channels + c] / count;
                along += (double)rows[scale * channels + c] * sums[(2 * n + 1) * channels + c] / count;
            }
            for (size_t c = g * width; c < (g + 1) * width; c++) {
                rows[of_upstream * channels + c] = rows[scale * channels + c];
                rows[of_x * channels + c] = (float)(-along * rate);
                rows[of_one * channels + c] = (float)-mean;
            }
        }
    }
}

AQC_CLONES static void gradient_part(void *context, size_t part, size_t end) {
    const normalisation *m = context;
    const size_t channels = m->shape.channels;
    for (; part < end; part++) {
        const size_t image = part / blocks(m->shape.pixels), start = offset(m, part);
        const float *restrict centres = row_of(m, image, centre), *restrict a = row_of(m, image, of_upstream);
        const float *restrict b = row_of(m, image, of_x), *restrict d = row_of(m, image, of_one);
        for (size_t p = 0; p < pixels_in(m, part); p++) {
            const float *restrict x = m->x + start + p * channels;
            float *restrict y = m->y + start + p * channels;
            for (size_t c = 0; c < channels; c++) y[c] = y[c] * a[c] + (x[c] - centres[c]) * b[c] + d[c];
        }
    }
}

void aqc_group_norm_gradient(
    aqc_group_norm_shape s, const float *x, const float *weight, const float *bias, const float *modulation,
    const float *statistics, const float *upstream, float *of_x, float *of_weight, float *of_bias,
    float *of_modulation, float *scratch) {
    const size_t parts = s.batch * blocks(s.pixels);
    float *coefficients = scratch + 2 * parts * s.channels;
    float *sums = coefficients + s.batch * coefficient_rows * s.channels;
    normalisation m = {
        .shape = s, .x = x, .upstream = upstream, .y = of_x, .partial = scratch, .coefficients = coefficients};
    set_coefficients(s, weight, bias, modulation, statistics, coefficients);
    aqc_parallel(parts, 1, upstream_part, &m);
    join_sums(&m, statistics, sums);
    set_parameter_gradients(s, sums, weight, bias, modulation, of_weight, of_bias, of_modulation);
    set_gradient_coefficients(s, sums, statistics, coefficients);
    aqc_parallel(parts, 1, gradient_part, &m);
}

typedef struct {
    const float *p;
    float *x;
    size_t columns;
    float scale;
} softmax;

AQC_CLONES static void softmax_part(void *context, size_t row, size_t end) {
    const softmax *m = context;
    for (; row < end; row++) {
        float *restrict x = m->x + row * m->columns;
        float largest = x[0];
        for (size_t c = 1; c < m->columns; c++) largest = x[c] > largest ? x[c] : largest;
        for (size_t c = 0; c < m->columns; c++) x[c] = fast_exp(m->scale * (x[c] - largest));
        double sum = 0;
        for (size_t c = 0; c < m->columns; c++) sum += x[c];
        const float share = (float)(1 / sum);
        for (size_t c = 0; c < m->columns; c++) x[c] *= share;
    }
}

void aqc_softmax(float *x, size_t rows, size_t columns, float scale) {
    softmax m = {.x = x, .columns = columns, .scale = scale};
    aqc_parallel(rows, 4096 / columns + 1, softmax_part, &m);
}

AQC_CLONES static void softmax_gradient_part(void *context, size_t row, size_t end) {
    const softmax *m = context;
    for (; row < end; row++) {
        const float *restrict p = m->p + row * m->columns;
        float *restrict g = m->x + row * m->columns;
        double sum = 0;
        for (size_t c = 0; c < m->columns; c++) sum += (double)p[c] * g[c];
        const float mean = (float)sum;
        for (size_t c = 0; c < m->columns; c++) g[c] = m->scale * p[c] * (g[c] - mean);
    }
}

void aqc_softmax_gradient(const float *p, float *g, size_t rows, size_t columns, float scale) {
    softmax m = {.p = p, .x = g, .columns = columns, .scale = scale};
    aqc_parallel(rows, 4096 / columns + 1, softmax_gradient_part, &m);
}

typedef struct {
    const float *x;
    float *y;
    size_t x_width, y_width, width;
} columns;

static void copy_columns_part(void *context, size_t row, size_t end) {
    const columns *m = context;
    for (; row < end; row++)
        memcpy(m->y + row * m->y_width, m->x + row * m->x_width, m->width * sizeof(float));
}

void aqc_copy_columns(
    const float *x, size_t x_width, size_t x_offset, float *y, size_t y_width, size_t y_offset, size_t rows,
    size_t width) {
    columns m = {x + x_offset, y + y_offset, x_width, y_width, width};
    aqc_parallel(rows, 16384 / (width + 1) + 1, copy_columns_part, &m);
}
