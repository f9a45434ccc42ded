#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convolution_lines.h"

struct aqc_direct_bytes {
    aqc_direct_shape shape;
    aqc_direct_finish finish;
    uint8_t source_zero;
    int8_t *weights;
    // By vector and lane.
    float *scale, *bias;
};

enum { group = 4 };

void aqc_direct_bytes_free(aqc_direct_bytes *plan) {
    if (!plan) return;
    free(plan->weights);
    free(plan->scale);
    free(plan->bias);
    free(plan);
}

static int8_t rounded(float x) { return (int8_t)rintf(x < -127 ? -127 : (x > 127 ? 127 : x)); }

// Weights in the order in which tiles read them, and per lane the factor of its sum and what is added: the source's zero
// takes part in every product, so its share is taken off there once.
static void pack(aqc_direct_bytes *plan, const float *weights, const float *scale, const float *bias, float step) {
    const aqc_direct_shape *s = &plan->shape;
    const aqc_register_tile tile = aqc_register_tile_of(s->outputs);
    const size_t per_output = s->kernel * s->kernel * s->inputs;
    int8_t *packed = plan->weights;
    for (size_t at = 0; at < per_output; at += group)
        for (size_t v = tile.pixels - 1; v < tile.vectors; v++)
            for (size_t lane = 0; lane < 16; lane++)
                for (size_t i = 0; i < group; i++) {
                    const size_t output = aqc_register_tile_output(s->outputs, v, lane);
                    *packed++ = rounded(weights[output * per_output + at + i] * (1 / scale[output]));
                }
    for (size_t v = 0; v < tile.vectors; v++)
        for (size_t lane = 0; lane < 16; lane++) {
            const size_t output = aqc_register_tile_output(s->outputs, v, lane), at = v * 16 + lane;
            int32_t sum = 0;
            for (size_t i = 0; i < per_output; i++)
                sum += rounded(weights[output * per_output + i] * (1 / scale[output]));
            plan->scale[at] = step * scale[output];
            plan->bias[at] = bias[output] - plan->scale[at] * (float)(plan->source_zero * sum);
        }
}

aqc_direct_bytes *aqc_direct_bytes_make(
    aqc_direct_shape shape, const float *weights, const float *scale, const float *bias, float step, int32_t zero,
    aqc_direct_finish finish) {
    aqc_direct_bytes *plan = calloc(1, sizeof *plan);
    if (!plan) return NULL;
    const aqc_register_tile tile = aqc_register_tile_of(shape.outputs);
    plan->shape = shape;
    plan->finish = finish;
    plan->source_zero = (uint8_t)zero;
    const size_t groups = shape.kernel * shape.kernel * shape.inputs / group;
    plan->weights = aligned_alloc(64, groups * (tile.vectors - (tile.pixels - 1)) * 64);
    plan->scale = aligned_alloc(64, tile.vectors * 64);
    plan->bias = aligned_alloc(64, tile.vectors * 64);
    if (plan->weights && plan->scale && plan->bias) {
        pack(plan, weights, scale, bias, step);
        return plan;
    }
    aqc_direct_bytes_free(plan);
    return NULL;
}

#if defined(__x86_64__) && defined(__linux__)

#define AQC_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"
#define SUM __m512i
#define SUM_ZERO _mm512_setzero_si512()
#define MULTIPLY(sum, data, weights) _mm512_dpbusd_epi32(sum, data, weights)
#include "convolution_register_tiles.h"
#include "silu.h"

int aqc_direct_bytes_fits(aqc_direct_shape shape) {
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && !shape.unshuffle &&
        aqc_register_tiles_fit(&shape, group);
}

// What follows the sums, known when a row is compiled.
typedef struct {
    int silu, adds, to_float;
} finish;

// What lies in the destination under vector `v` of a unit.
AQC_INLINE __m512 addend(const uint8_t *to, size_t v, aqc_register_tile t) {
    __m128i bytes;
    if (t.pixels == 1 || v < 2) {
        bytes = _mm_loadu_si128((const __m128i *)(to + v * (t.pixels == 1 ? 16 : 24)));
    } else {
        bytes = _mm_unpacklo_epi64(
            _mm_loadl_epi64((const __m128i *)(to + 16)), _mm_loadl_epi64((const __m128i *)(to + 40)));
    }
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
}

AQC_INLINE __m512 finished(
    const aqc_direct_bytes *plan, __m512i sum, const uint8_t *to, size_t v, aqc_register_tile t, finish f) {
    const __m512 scale = _mm512_load_ps(plan->scale + 16 * v), bias = _mm512_load_ps(plan->bias + 16 * v);
    __m512 y = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), scale, bias);
    if (f.adds) y = _mm512_fmadd_ps(addend(to, v, t), _mm512_set1_ps(plan->finish.addend_step), y);
    return f.silu ? silu_for_bytes(y) : y;
}

// The first bytes of a vector, 16 for each vector of sums; a masked store would hold up the loads of the next addend.
AQC_INLINE void store_vectors(uint8_t *to, __m512i bytes, size_t vectors) {
    if (vectors == 4) {
        _mm512_storeu_si512(to, bytes);
        return;
    }
    if (vectors >= 2) _mm256_storeu_si256((__m256i *)to, _mm512_castsi512_si256(bytes));
    if (vectors == 3) _mm_storeu_si128((__m128i *)(to + 32), _mm512_extracti32x4_epi32(bytes, 2));
    if (vectors == 1) _mm_storeu_si128((__m128i *)to, _mm512_castsi512_si128(bytes));
}

// One unit as bytes: up to four vectors are packed into one, whose groups of four are then put in order.
AQC_INLINE void store_bytes(const aqc_direct_bytes *plan, const __m512i *sums, uint8_t *to, aqc_register_tile t, finish f) {
    const __m512 unit = _mm512_set1_ps(plan->finish.unit), zero = _mm512_set1_ps(plan->finish.zero);
    const __m512i none = _mm512_setzero_si512();
    __m512i whole[4] = {none, none, none, none};
#pragma clang loop unroll(full)
    for (size_t v = 0; v < t.vectors; v++)
        whole[v] = _mm512_cvtps_epi32(_mm512_fmadd_ps(finished(plan, sums[v], to, v, t, f), unit, zero));
    const __m512i bytes = _mm512_packus_epi16(
        _mm512_packs_epi32(whole[0], whole[1]), _mm512_packs_epi32(whole[2], whole[3]));
    const __m512i order = t.pixels == 1 ? _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)
                                        : _mm512_setr_epi32(0, 4, 8, 12, 2, 6, 1, 5, 9, 13, 10, 14, 3, 7, 11, 15);
    store_vectors(to, _mm512_permutexvar_epi32(order, bytes), t.vectors);
}

AQC_INLINE void tile(
    const aqc_line_job *job, const char *const *lines, size_t row, size_t column, aqc_register_tile t, finish f) {
    const aqc_direct_bytes *plan = job->plan;
    const aqc_direct_shape *s = &plan->shape;
    const size_t step = s->stride * s->inputs;
    const char *from[3];
    for (size_t k = 0; k < s->kernel; k++) from[k] = lines[k] + column * step;
    __m512i sums[most_sums];
    sum_tile(sums, from, s->kernel, s->kernel * s->inputs, step, (const char *)plan->weights, t);
#pragma clang loop unroll(full)
    for (size_t u = 0; u < t.units; u++, column += t.pixels) {
        const __m512i *sum = sums + u * t.vectors;
        const size_t at = unit_offset(s, row, column);
        if (!f.to_float) store_bytes(plan, sum, (uint8_t *)job->destination + at, t, f);
        else if (t.vectors == 1 && s->shuffle)
            store_shuffled(s, job->destination, finished(plan, sum[0], NULL, 0, t, f), row, column);
        else
            for (size_t v = 0; v < t.vectors; v++)
                store_floats((float *)job->destination + at, finished(plan, sum[v], NULL, v, t, f), v, t);
    }
}

AQC_INLINE void row_of_tiles(
    const aqc_line_job *job, size_t row, const char *const *lines, aqc_register_tile t, finish f) {
    const size_t width = aqc_output_length(&job->shape, job->shape.width), length = t.units * t.pixels;
    size_t x = 0;
    for (; x + length <= width; x += length) tile(job, lines, row, x, t, f);
    for (; x < width; x += t.pixels) tile(job, lines, row, x, (aqc_register_tile){t.vectors, t.pixels, 1}, f);
}

#define ROW(outputs, vectors, pixels, units)                                                      \
    __attribute__((target(AQC_TARGET))) static void row_of_##outputs(                             \
        const aqc_line_job *job, size_t row, const char *const *lines) {                          \
        const aqc_direct_finish f = ((const aqc_direct_bytes *)job->plan)->finish;                \
        const aqc_register_tile t = {vectors, pixels, units};                                              \
        const int adds = f.addend_step != 0;                                                      \
        if (f.to_float) row_of_tiles(job, row, lines, t, (finish){f.silu, 0, 1});                 \
        else if (f.silu && adds) row_of_tiles(job, row, lines, t, (finish){1, 1, 0});             \
        else if (f.silu) row_of_tiles(job, row, lines, t, (finish){1, 0, 0});                     \
        else row_of_tiles(job, row, lines, t, (finish){0, adds, 0});                              \
    }
AQC_TILES(ROW)

static void fill(const aqc_line_job *job, ptrdiff_t row, char *line) {
    const aqc_direct_bytes *plan = job->plan;
    const aqc_direct_shape *s = &plan->shape;
    if (row < 0 || row >= (ptrdiff_t)s->height) {
        memset(line, plan->source_zero, job->line);
        return;
    }
    const size_t edge = s->padding * s->inputs, whole = s->width * s->inputs;
    memset(line, plan->source_zero, edge);
    memcpy(line + edge, (const uint8_t *)job->source + (size_t)row * whole, whole);
    memset(line + edge + whole, plan->source_zero, edge);
}

void aqc_direct_bytes_run(const aqc_direct_bytes *plan, const uint8_t *source, void *destination) {
    const aqc_direct_shape *s = &plan->shape;
    aqc_line_job job = {
        .shape = *s, .plan = plan, .source = source, .destination = destination,
        .line = (s->width + 2 * s->padding) * s->inputs, .fill = fill};
#define PICK(outputs, vectors, pixels, units) \
    case outputs: job.tiles = row_of_##outputs; break;
    switch (s->outputs) { AQC_TILES(PICK) }
    aqc_run_lines(&job);
}

#else

int aqc_direct_bytes_fits(aqc_direct_shape shape) { return (void)shape, 0; }
void aqc_direct_bytes_run(const aqc_direct_bytes *plan, const uint8_t *source, void *destination) {
    (void)plan, (void)source, (void)destination;
}

#endif
