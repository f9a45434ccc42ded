#include <string.h>

#include "convolution_lines.h"

enum { group = 2 };

// To the nearest, ties to even.
static uint16_t rounded(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

size_t aqc_direct_floats_size(aqc_direct_shape shape) {
    const aqc_register_tile tile = aqc_register_tile_of(shape.outputs);
    return shape.kernel * shape.kernel * shape.inputs / group * (tile.vectors - (tile.pixels - 1)) * 64;
}

void aqc_direct_floats_pack(aqc_direct_shape shape, const float *weights, void *packed) {
    const aqc_register_tile tile = aqc_register_tile_of(shape.outputs);
    const size_t per_output = shape.kernel * shape.kernel * shape.inputs;
    uint16_t *to = packed;
    for (size_t at = 0; at < per_output; at += group)
        for (size_t v = tile.pixels - 1; v < tile.vectors; v++)
            for (size_t lane = 0; lane < 16; lane++)
                for (size_t i = 0; i < group; i++)
                    *to++ = rounded(weights[aqc_register_tile_output(shape.outputs, v, lane) * per_output + at + i]);
}

#if defined(__x86_64__) && defined(__linux__)

#define AQC_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16"
#define SUM __m512
#define SUM_ZERO _mm512_setzero_ps()
#define MULTIPLY(sum, data, weights) _mm512_dpbf16_ps(sum, (__m512bh)(weights), (__m512bh)(data))
#include "convolution_register_tiles.h"
#include "silu.h"

int aqc_direct_floats_fits(aqc_direct_shape shape) {
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512dq") && aqc_register_tiles_fit(&shape, group);
}

// What follows the sums, known when a row is compiled.
typedef struct {
    int silu, adds;
} finish;

// What lies under vector `v` of a unit; the shared one has 8 numbers of each pixel.
AQC_INLINE __m512 load_floats(const float *from, size_t v, aqc_register_tile t) {
    if (t.pixels == 1) return _mm512_loadu_ps(from + 16 * v);
    if (v < 2) return _mm512_loadu_ps(from + 24 * v);
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(from + 16)), _mm256_loadu_ps(from + 40), 1);
}

// The bias of a vector; the shared one has the same 8 numbers twice.
AQC_INLINE __m512 bias_of(const float *bias, size_t v, aqc_register_tile t) {
    if (t.pixels == 1) return _mm512_loadu_ps(bias + 16 * v);
    return v < 2 ? _mm512_loadu_ps(bias) : _mm512_broadcast_f32x8(_mm256_loadu_ps(bias + 16));
}

AQC_INLINE __m512 finished(const aqc_line_job *job, __m512 y, size_t at, size_t v, aqc_register_tile t, finish f) {
    if (job->bias) y = _mm512_add_ps(y, bias_of(job->bias, v, t));
    if (f.adds) y = _mm512_add_ps(y, load_floats((const float *)job->addend + at, v, t));
    return f.silu ? silu_for_floats(y) : y;
}

AQC_INLINE void tile(
    const aqc_line_job *job, const char *const *lines, size_t row, size_t column, aqc_register_tile t, finish f) {
    const aqc_direct_shape *s = &job->shape;
    const size_t step = s->stride * s->inputs * sizeof(uint16_t), run = s->kernel * s->inputs * sizeof(uint16_t);
    const char *from[3];
    for (size_t k = 0; k < s->kernel; k++) from[k] = lines[k] + column * step;
    __m512 sums[most_sums];
    sum_tile(sums, from, s->kernel, run, step, job->plan, t);
#pragma clang loop unroll(full)
    for (size_t u = 0; u < t.units; u++, column += t.pixels) {
        const __m512 *sum = sums + u * t.vectors;
        const size_t at = unit_offset(s, row, column);
        if (t.vectors == 1 && s->shuffle) {
            store_shuffled(s, job->destination, finished(job, sum[0], at, 0, t, f), row, column);
            continue;
        }
#pragma clang loop unroll(full)
        for (size_t v = 0; v < t.vectors; v++)
            store_floats((float *)job->destination + at, finished(job, sum[v], at, v, t, f), v, t);
    }
}

AQC_INLINE void row_of_tiles(
    const aqc_line_job *job, size_t row, const char *const *lines, aqc_register_tile t, finish f) {
    const size_t width = aqc_output_length(&job->shape, job->shape.width), length = t.units * t.pixels;
    size_t x = 0;
    for (; x + length <= width; x += length) tile(job, lines, row, x, t, f);
    for (; x < width; x += t.pixels) tile(job, lines, row, x, (aqc_register_tile){t.vectors, t.pixels, 1}, f);
}

#define ROW(outputs, vectors, pixels, units)                                                   \
    __attribute__((target(AQC_TARGET))) static void row_of_##outputs(                          \
        const aqc_line_job *job, size_t row, const char *const *lines) {                       \
        const aqc_register_tile t = {vectors, pixels, units};                                           \
        const int adds = job->addend != NULL;                                                  \
        if (job->silu && adds) row_of_tiles(job, row, lines, t, (finish){1, 1});               \
        else if (job->silu) row_of_tiles(job, row, lines, t, (finish){1, 0});                  \
        else row_of_tiles(job, row, lines, t, (finish){0, adds});                              \
    }
AQC_TILES(ROW)

// One line of blocks of 4 x 4 pixels.
AQC_INLINE void round_unshuffled(const float *from, size_t columns, uint16_t *to) {
    for (size_t column = 0; column < columns; column += 4, to += 16) {
        __m512 block = _mm512_castps128_ps512(_mm_loadu_ps(from + column));
        block = _mm512_insertf32x4(block, _mm_loadu_ps(from + columns + column), 1);
        block = _mm512_insertf32x4(block, _mm_loadu_ps(from + 2 * columns + column), 2);
        block = _mm512_insertf32x4(block, _mm_loadu_ps(from + 3 * columns + column), 3);
        _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh(block));
    }
}

AQC_INLINE void round_line(const float *from, size_t count, uint16_t *to) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        _mm256_storeu_si256((__m256i *)(to + i), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(from + i)));
    for (; i < count; i++) to[i] = rounded(from[i]);
}

__attribute__((target(AQC_TARGET))) static void fill(const aqc_line_job *job, ptrdiff_t row, char *line) {
    const aqc_direct_shape *s = &job->shape;
    if (row < 0 || row >= (ptrdiff_t)s->height) {
        memset(line, 0, job->line);
        return;
    }
    const size_t edge = s->padding * s->inputs, whole = s->width * s->inputs;
    const float *from = (const float *)job->source + (size_t)row * whole;
    uint16_t *to = (uint16_t *)line;
    memset(to, 0, edge * sizeof *to);
    if (s->unshuffle) round_unshuffled(from, 4 * s->width, to + edge);
    else round_line(from, whole, to + edge);
    memset(to + edge + whole, 0, edge * sizeof *to);
}

void aqc_direct_floats_run(
    aqc_direct_shape shape, const void *packed, const float *source, const float *bias, const float *addend, int silu,
    float *destination) {
    aqc_line_job job = {
        .shape = shape, .plan = packed, .source = source, .bias = bias, .addend = addend, .destination = destination,
        .line = (shape.width + 2 * shape.padding) * shape.inputs * sizeof(uint16_t), .silu = silu, .fill = fill};
#define PICK(outputs, vectors, pixels, units) \
    case outputs: job.tiles = row_of_##outputs; break;
    switch (shape.outputs) { AQC_TILES(PICK) }
    aqc_run_lines(&job);
}

#else

int aqc_direct_floats_fits(aqc_direct_shape shape) { return (void)shape, 0; }
void aqc_direct_floats_run(
    aqc_direct_shape shape, const void *packed, const float *source, const float *bias, const float *addend, int silu,
    float *destination) {
    (void)shape, (void)packed, (void)source, (void)bias, (void)addend, (void)silu, (void)destination;
}

#endif
