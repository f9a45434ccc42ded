#include "bytes.h"

#include "clones.h"
#include "parallel.h"

// Adding and taking away 1.5 * 2^23 leaves the nearest whole number, ties to even, and vectorises everywhere.
static inline float nearest(float x) {
    const float magic = 12582912.0f;
    float kept = x < 0.0f ? 0.0f : (x > 255.0f ? 255.0f : x);
    return (kept + magic) - magic;
}

// One line of a block: `count` pixels and, `depth` bytes behind them, what their rounding leaves.
static inline void quantise_line(
    const float *restrict x, uint8_t *restrict y, size_t count, size_t depth, float factor, float zero, float finer) {
    for (size_t i = 0; i < count; i++) {
        const float exact = x[i] * factor + zero, whole = nearest(exact);
        y[i] = (uint8_t)whole;
        y[depth + i] = (uint8_t)nearest(finer * (exact - whole) + zero);
    }
}

AQC_CLONES static void quantise_blocks(
    const float *x, uint8_t *y, size_t height, size_t width, size_t unshuffle, float step, int32_t zero, float finer) {
    const float factor = 1 / step, offset = (float)zero;
    const size_t columns = width / unshuffle, depth = unshuffle * unshuffle;
    for (size_t row = 0; row < height; row++) {
        const float *line = x + row * width;
        uint8_t *packed = y + row / unshuffle * columns * 2 * depth + row % unshuffle * unshuffle;
        // Lines of a known length are unrolled.
        if (unshuffle == 4)
            for (size_t column = 0; column < columns; column++)
                quantise_line(line + column * 4, packed + column * 32, 4, 16, factor, offset, finer);
        else
            for (size_t column = 0; column < columns; column++)
                quantise_line(line + column * unshuffle, packed + column * 2 * depth, unshuffle, depth, factor, offset, finer);
    }
}

AQC_CLONES static void join_pixels(
    const uint8_t *restrict from, uint8_t *restrict to, size_t channels, float low_factor, float factor, float offset) {
    for (size_t twice = 0; twice < 2; twice++, to += channels)
        for (size_t c = 0; c < channels; c++)
            to[c] = (uint8_t)nearest(low_factor * (float)from[c] + factor * (float)to[c] + offset);
}

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>

#define AQC_WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))

static int is_wide(void) {
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

// As `nearest`, in whole numbers.
AQC_WIDE static inline __m512i wide_nearest(__m512 x) {
    return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(x, _mm512_setzero_ps()), _mm512_set1_ps(255.0f)));
}

AQC_WIDE static inline __m512 wide_floats(__m128i bytes) { return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes)); }

// Blocks of 4 x 4: each is a vector.
AQC_WIDE static void quantise_row_of_fours(
    const float *x, uint8_t *y, size_t width, float step, float zero, float finer) {
    const __m512 factor = _mm512_set1_ps(1 / step), offset = _mm512_set1_ps(zero), more = _mm512_set1_ps(finer);
    for (size_t column = 0; column < width; column += 4, y += 32) {
        __m512 block = _mm512_castps128_ps512(_mm_loadu_ps(x + column));
        block = _mm512_insertf32x4(block, _mm_loadu_ps(x + width + column), 1);
        block = _mm512_insertf32x4(block, _mm_loadu_ps(x + 2 * width + column), 2);
        block = _mm512_insertf32x4(block, _mm_loadu_ps(x + 3 * width + column), 3);
        const __m512 exact = _mm512_add_ps(_mm512_mul_ps(block, factor), offset);
        const __m512i whole = wide_nearest(exact);
        const __m512 rest = _mm512_mul_ps(more, _mm512_sub_ps(exact, _mm512_cvtepi32_ps(whole)));
        _mm_storeu_si128((__m128i *)y, _mm512_cvtepi32_epi8(whole));
        _mm_storeu_si128((__m128i *)(y + 16), _mm512_cvtepi32_epi8(wide_nearest(_mm512_add_ps(rest, offset))));
    }
}

// Two neighbours of one row get the same pixel; their channels, a multiple of 16 together, lie side by side.
AQC_WIDE static void join_wide_pixels(
    const uint8_t *from, uint8_t *to, size_t channels, float low_factor, float factor, float offset) {
    for (size_t c = 0; c < 2 * channels; c += 16) {
        const size_t left = c < channels ? c : c - channels, right = c + 8 < channels ? c + 8 : c + 8 - channels;
        const __m128i first = _mm_loadl_epi64((const __m128i *)(from + left));
        const __m128i second = _mm_loadl_epi64((const __m128i *)(from + right));
        const __m512 low = _mm512_mul_ps(wide_floats(_mm_unpacklo_epi64(first, second)), _mm512_set1_ps(low_factor));
        const __m512 high = _mm512_mul_ps(
            wide_floats(_mm_loadu_si128((const __m128i *)(to + c))), _mm512_set1_ps(factor));
        const __m512 sum = _mm512_add_ps(_mm512_add_ps(low, high), _mm512_set1_ps(offset));
        _mm_storeu_si128((__m128i *)(to + c), _mm512_cvtepi32_epi8(wide_nearest(sum)));
    }
}
#else
static int is_wide(void) { return 0; }
static void quantise_row_of_fours(const float *x, uint8_t *y, size_t width, float step, float zero, float finer) {
    (void)x, (void)y, (void)width, (void)step, (void)zero, (void)finer;
}
static void join_wide_pixels(
    const uint8_t *from, uint8_t *to, size_t channels, float low_factor, float factor, float offset) {
    (void)from, (void)to, (void)channels, (void)low_factor, (void)factor, (void)offset;
}
#endif

typedef struct {
    const float *x;
    const uint8_t *low;
    uint8_t *y;
    size_t width, side;
    float step, zero, finer, low_factor, factor, offset;
} rows;

static void quantise_part(void *context, size_t row, size_t end) {
    const rows *r = context;
    const size_t line = r->side * r->width;
    if (r->side == 4 && is_wide())
        for (; row < end; row++)
            quantise_row_of_fours(r->x + row * line, r->y + row * 2 * line, r->width, r->step, r->zero, r->finer);
    else
        quantise_blocks(
            r->x + row * line, r->y + row * 2 * line, (end - row) * r->side, r->width, r->side, r->step, (int32_t)r->zero,
            r->finer);
}

void aqc_quantise_unshuffled(
    const float *x, uint8_t *y, size_t height, size_t width, size_t unshuffle, float step, int32_t zero, float finer) {
    rows r = {.x = x, .y = y, .width = width, .side = unshuffle, .step = step, .zero = (float)zero, .finer = finer};
    aqc_parallel(height / unshuffle, 8, quantise_part, &r);
}

static void join_part(void *context, size_t row, size_t end) {
    const rows *r = context;
    const size_t channels = r->side, line = 2 * r->width * channels;
    const int wide = channels % 8 == 0 && is_wide();
    for (; row < end; row++)
        for (size_t column = 0; column < r->width; column++) {
            const uint8_t *from = r->low + (row / 2 * r->width + column) * channels;
            uint8_t *to = r->y + row * line + 2 * column * channels;
            if (wide) join_wide_pixels(from, to, channels, r->low_factor, r->factor, r->offset);
            else join_pixels(from, to, channels, r->low_factor, r->factor, r->offset);
        }
}

void aqc_join_upsampled(
    const uint8_t *low, uint8_t *y, size_t height, size_t width, size_t channels, float low_factor, float factor,
    float offset) {
    rows r = {
        .low = low, .y = y, .width = width, .side = channels, .low_factor = low_factor, .factor = factor, .offset = offset};
    aqc_parallel(2 * height, 8, join_part, &r);
}
