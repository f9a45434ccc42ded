#include "winograd.h"

#include <stdint.h>
#include <string.h>

#include "parallel.h"

// An image is cut into squares of `side` x `side` pixels of the result. Each becomes `places` numbers a channel, and what was
// a convolution becomes a matrix product at each place: squares x inputs by inputs x outputs.
enum { side = 4, reach = side + 2, places = reach * reach, lanes = 16, panel = 2 * lanes };
// Rows of a product that are summed in registers together; squares that are transformed before their products are taken.
enum { rows = 12, block = 4 * rows };
// Squares between two rounds of products of a gradient of weights, which all threads share.
enum { round_squares = 192 };

static size_t squares_along(size_t length) { return (length + side - 1) / side; }

static size_t squares_of(aqc_winograd_shape s) {
    return s.batch * squares_along(s.height) * squares_along(s.width);
}

// Floats between two places of transformed squares: one vector more than they fill, as powers of two would share a few lines
// of the cache.
static size_t pitch(size_t squares, size_t channels) { return squares * channels + lanes; }

size_t aqc_winograd_packed_size(aqc_winograd_shape s) { return places * s.inputs * s.outputs; }

// Scratch of a thread, and at its end a pixel of zeros.
static size_t scratch_of_thread(aqc_winograd_shape s) {
    return places * (pitch(block, s.inputs) + pitch(block, s.outputs)) + s.inputs;
}

size_t aqc_winograd_scratch(aqc_winograd_shape s, size_t threads) { return threads * scratch_of_thread(s); }

size_t aqc_winograd_gradient_scratch(aqc_winograd_shape s) {
    const size_t zeros = s.inputs > s.outputs ? s.inputs : s.outputs;
    return places * (pitch(round_squares, s.inputs) + pitch(round_squares, s.outputs) + s.inputs * s.outputs) + zeros;
}

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>

#define AQC_KERNEL __attribute__((target("avx512f,avx512dq,fma")))
#define AQC_INLINE static inline __attribute__((always_inline, target("avx512f,avx512dq,fma")))

bool aqc_winograd_fits(aqc_winograd_shape s) {
    const size_t computed = squares_along(s.height) * squares_along(s.width) * side * side;
    // With fewer channels the transforms cost as much as the products save.
    return __builtin_cpu_supports("avx512dq") && s.inputs >= 128 && s.outputs >= 128 && s.inputs % panel == 0 &&
        s.outputs % panel == 0 && 4 * computed <= 5 * s.height * s.width;
}

// The points of interpolation are 0, a, -a, b, -b and infinity; these two make rounding errors small.
#define A 0.625f
#define B 1.5f
#define A2 (A * A)
#define B2 (B * B)
// 1 over the product of a point's distances from the others.
#define OF_ZERO (1 / (A2 * B2))
#define OF_A (1 / (2 * A2 * (A2 - B2)))
#define OF_B (1 / (2 * B2 * (B2 - A2)))

AQC_INLINE __m512 of(float x) { return _mm512_set1_ps(x); }
// x + c * y and x - c * y
AQC_INLINE __m512 plus(__m512 x, float c, __m512 y) { return _mm512_fmadd_ps(of(c), y, x); }
AQC_INLINE __m512 minus(__m512 x, float c, __m512 y) { return _mm512_fnmadd_ps(of(c), y, x); }

// Six pixels of an image to six places.
AQC_INLINE void image_to_places(const __m512 d[reach], __m512 t[reach]) {
    const __m512 even_a = minus(d[4], B2, d[2]), odd_a = minus(d[3], B2, d[1]);
    const __m512 even_b = minus(d[4], A2, d[2]), odd_b = minus(d[3], A2, d[1]);
    t[0] = plus(minus(d[4], A2 + B2, d[2]), A2 * B2, d[0]);
    t[1] = plus(even_a, A, odd_a);
    t[2] = minus(even_a, A, odd_a);
    t[3] = plus(even_b, B, odd_b);
    t[4] = minus(even_b, B, odd_b);
    t[5] = plus(minus(d[5], A2 + B2, d[3]), A2 * B2, d[1]);
}

// Six places to four pixels of the result.
AQC_INLINE void places_to_result(const __m512 m[reach], __m512 y[side]) {
    const __m512 sum_a = m[1] + m[2], difference_a = m[1] - m[2];
    const __m512 sum_b = m[3] + m[4], difference_b = m[3] - m[4];
    y[0] = m[0] + sum_a + sum_b;
    y[1] = plus(of(A) * difference_a, B, difference_b);
    y[2] = plus(of(A2) * sum_a, B2, sum_b);
    y[3] = plus(plus(m[5], A2 * A, difference_a), B2 * B, difference_b);
}

// The transposed of `places_to_result`: the gradient of four pixels of the result to six places.
AQC_INLINE void result_to_places(const __m512 y[side], __m512 t[reach]) {
    const __m512 even_a = plus(y[0], A2, y[2]), odd_a = plus(y[1], A2, y[3]);
    const __m512 even_b = plus(y[0], B2, y[2]), odd_b = plus(y[1], B2, y[3]);
    t[0] = y[0];
    t[1] = plus(even_a, A, odd_a);
    t[2] = minus(even_a, A, odd_a);
    t[3] = plus(even_b, B, odd_b);
    t[4] = minus(even_b, B, odd_b);
    t[5] = y[3];
}

// Three weights to six places.
AQC_INLINE void weights_to_places(const __m512 w[3], __m512 t[reach]) {
    const __m512 even_a = of(OF_A) * plus(w[0], A2, w[2]), even_b = of(OF_B) * plus(w[0], B2, w[2]);
    t[0] = of(OF_ZERO) * w[0];
    t[1] = plus(even_a, OF_A * A, w[1]);
    t[2] = minus(even_a, OF_A * A, w[1]);
    t[3] = plus(even_b, OF_B * B, w[1]);
    t[4] = minus(even_b, OF_B * B, w[1]);
    t[5] = w[2];
}

// The transposed of `weights_to_places`: six places to the gradient of three weights.
AQC_INLINE void places_to_weights(const __m512 m[reach], __m512 w[3]) {
    const __m512 sum_a = of(OF_A) * (m[1] + m[2]), sum_b = of(OF_B) * (m[3] + m[4]);
    w[0] = plus(sum_a + sum_b, OF_ZERO, m[0]);
    w[1] = plus(of(OF_A * A) * (m[1] - m[2]), OF_B * B, m[3] - m[4]);
    w[2] = plus(plus(m[5], A2, sum_a), B2, sum_b);
}

// Applies a transform of `from` to `to` numbers along columns and rows of a square.
#define BOTH_AXES(transform, from, to, in, out)                                 \
    do {                                                                        \
        __m512 half[to][from];                                                  \
        for (size_t column = 0; column < from; column++) {                      \
            __m512 given[from], found[to];                                      \
            for (size_t row = 0; row < from; row++) given[row] = in[row][column]; \
            transform(given, found);                                            \
            for (size_t row = 0; row < to; row++) half[row][column] = found[row]; \
        }                                                                       \
        for (size_t row = 0; row < to; row++) transform(half[row], out[row]);   \
    } while (0)

typedef struct {
    aqc_winograd_shape shape;
    const float *packed, *x, *bias, *addend, *upstream, *zeros;
    float *y, *scratch, *of_weights;
    size_t threads, first, squares;
} convolution;

typedef struct {
    size_t image, row, column;  // of the first pixel of the result
} square;

static square square_at(aqc_winograd_shape s, size_t index) {
    const size_t across = squares_along(s.width), each = across * squares_along(s.height);
    return (square){index / each, index % each / across * side, index % across * side};
}

// Where the pixels of a square of `length` lie in images of `channels`; `offset` is 1 if the square begins one pixel up and left.
static void find_pixels(
    aqc_winograd_shape s, square q, const float *images, size_t channels, size_t length, size_t offset, const float *zeros,
    const float *found[places]) {
    for (size_t i = 0; i < length; i++)
        for (size_t j = 0; j < length; j++) {
            // Beyond the edge on either side; what is negative wraps around.
            const size_t row = q.row + i - offset, column = q.column + j - offset;
            found[i * length + j] = row < s.height && column < s.width
                ? images + ((q.image * s.height + row) * s.width + column) * channels : zeros;
        }
}

// Transforms squares first..<end of the images into rows 0..<end - first of each place.
AQC_KERNEL static void transform_images(
    const convolution *m, size_t first, size_t end, size_t distance, float *transformed) {
    const size_t channels = m->shape.inputs;
    for (size_t index = first; index < end; index++) {
        const float *pixels[places];
        find_pixels(m->shape, square_at(m->shape, index), m->x, channels, reach, 1, m->zeros, pixels);
        float *to = transformed + (index - first) * channels;
        for (size_t c = 0; c < channels; c += lanes) {
            __m512 d[reach][reach], t[reach][reach];
#pragma clang loop unroll(full)
            for (size_t p = 0; p < places; p++) d[p / reach][p % reach] = _mm512_loadu_ps(pixels[p] + c);
            BOTH_AXES(image_to_places, reach, reach, d, t);
#pragma clang loop unroll(full)
            for (size_t p = 0; p < places; p++) _mm512_storeu_ps(to + p * distance + c, t[p / reach][p % reach]);
        }
    }
}

// The same for gradients of the result.
AQC_KERNEL static void transform_upstream(
    const convolution *m, size_t first, size_t end, size_t distance, float *transformed) {
    const size_t channels = m->shape.outputs;
    for (size_t index = first; index < end; index++) {
        const float *pixels[places];
        find_pixels(m->shape, square_at(m->shape, index), m->upstream, channels, side, 0, m->zeros, pixels);
        float *to = transformed + (index - first) * channels;
        for (size_t c = 0; c < channels; c += lanes) {
            __m512 d[side][side], t[reach][reach];
#pragma clang loop unroll(full)
            for (size_t p = 0; p < side * side; p++) d[p / side][p % side] = _mm512_loadu_ps(pixels[p] + c);
            BOTH_AXES(result_to_places, side, reach, d, t);
#pragma clang loop unroll(full)
            for (size_t p = 0; p < places; p++) _mm512_storeu_ps(to + p * distance + c, t[p / reach][p % reach]);
        }
    }
}

// Squares first..<end of the result, from rows 0..<end - first of each place.
AQC_KERNEL static void transform_result(
    const convolution *m, size_t first, size_t end, size_t distance, const float *products) {
    const aqc_winograd_shape s = m->shape;
    for (size_t index = first; index < end; index++) {
        const square q = square_at(s, index);
        const float *from = products + (index - first) * s.outputs;
        for (size_t c = 0; c < s.outputs; c += lanes) {
            __m512 t[reach][reach], y[side][side];
#pragma clang loop unroll(full)
            for (size_t p = 0; p < places; p++) t[p / reach][p % reach] = _mm512_loadu_ps(from + p * distance + c);
            BOTH_AXES(places_to_result, reach, side, t, y);
            const __m512 bias = m->bias ? _mm512_loadu_ps(m->bias + c) : _mm512_setzero_ps();
#pragma clang loop unroll(full)
            for (size_t p = 0; p < side * side; p++) {
                const size_t row = q.row + p / side, column = q.column + p % side;
                if (row >= s.height || column >= s.width) continue;
                const size_t at = ((q.image * s.height + row) * s.width + column) * s.outputs + c;
                __m512 value = y[p / side][p % side] + bias;
                if (m->addend) value = value + _mm512_loadu_ps(m->addend + at);
                _mm512_storeu_ps(m->y + at, value);
            }
        }
    }
}

// Sums of `height` rows and one panel of columns: left[i * row_step + k * step] times right[k * right_step + j] over k, in
// place of what is in the result or added to it.
AQC_INLINE void product_tile(
    const float *left, size_t row_step, size_t step, const float *right, size_t right_step, size_t depth, float *result,
    size_t result_step, bool adds, const size_t height) {
    __m512 sums[rows][2];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < height; i++) sums[i][0] = sums[i][1] = _mm512_setzero_ps();
    for (size_t k = 0; k < depth; k++, left += step, right += right_step) {
        const __m512 low = _mm512_loadu_ps(right), high = _mm512_loadu_ps(right + lanes);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < height; i++) {
            const __m512 factor = of(left[i * row_step]);
            sums[i][0] = _mm512_fmadd_ps(factor, low, sums[i][0]);
            sums[i][1] = _mm512_fmadd_ps(factor, high, sums[i][1]);
        }
    }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < height; i++) {
        float *to = result + i * result_step;
        _mm512_storeu_ps(to, adds ? sums[i][0] + _mm512_loadu_ps(to) : sums[i][0]);
        _mm512_storeu_ps(to + lanes, adds ? sums[i][1] + _mm512_loadu_ps(to + lanes) : sums[i][1]);
    }
}

// The products of a block at all places; rows beyond the last square hold numbers that nobody reads.
AQC_KERNEL static void multiply_block(const convolution *m, const float *images, float *products, size_t squares) {
    const size_t inputs = m->shape.inputs, outputs = m->shape.outputs;
    for (size_t p = 0; p < places; p++) {
        const float *left = images + p * pitch(block, inputs);
        float *result = products + p * pitch(block, outputs);
        for (size_t column = 0; column < outputs; column += panel) {
            const float *right = m->packed + (p * outputs + column) * inputs;
            for (size_t row = 0; row < squares; row += rows)
                product_tile(
                    left + row * inputs, inputs, 1, right, panel, inputs, result + row * outputs + column, outputs, false,
                    rows);
        }
    }
}

static void convolution_part(void *context, size_t part, size_t end) {
    const convolution *m = context;
    const size_t blocks = (m->squares + block - 1) / block;
    for (; part < end; part++) {
        float *images = m->scratch + part * scratch_of_thread(m->shape);
        float *products = images + places * pitch(block, m->shape.inputs);
        float *zeros = products + places * pitch(block, m->shape.outputs);
        memset(zeros, 0, m->shape.inputs * sizeof *zeros);
        convolution own = *m;
        own.zeros = zeros;
        for (size_t b = blocks * part / m->threads; b < blocks * (part + 1) / m->threads; b++) {
            const size_t first = b * block, last = first + block < m->squares ? first + block : m->squares;
            transform_images(&own, first, last, pitch(block, m->shape.inputs), images);
            multiply_block(&own, images, products, last - first);
            transform_result(&own, first, last, pitch(block, m->shape.outputs), products);
        }
    }
}

void aqc_winograd(
    aqc_winograd_shape shape, const float *packed, const float *x, const float *bias, const float *addend, float *y,
    float *scratch, size_t threads) {
    convolution m = {
        .shape = shape, .packed = packed, .x = x, .bias = bias, .addend = addend, .y = y, .scratch = scratch,
        .threads = threads, .squares = squares_of(shape)};
    aqc_parallel(threads, 1, convolution_part, &m);
}

typedef struct {
    aqc_winograd_shape shape;
    const float *weights;
    float *packed;
    bool for_gradient;
} packing;

// The weights of 16 outputs and one input at all places, outputs side by side.
AQC_KERNEL static void pack_part(void *context, size_t part, size_t end) {
    const packing *m = context;
    const size_t inputs = m->shape.inputs, outputs = m->shape.outputs;
    const __m512i step = _mm512_mullo_epi32(
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32((int)(9 * inputs)));
    for (; part < end; part++) {
        const size_t input = part % inputs, output = part / inputs * lanes;
        __m512 w[3][3], t[reach][reach];
        for (size_t k = 0; k < 9; k++)
            // The gradient takes the weights turned by half a turn, its outputs being the inputs of the convolution.
            w[k / 3][k % 3] = m->for_gradient
                ? _mm512_loadu_ps(m->weights + (input * 9 + 8 - k) * outputs + output)
                : _mm512_i32gather_ps(step, m->weights + (output * 9 + k) * inputs + input, sizeof(float));
        BOTH_AXES(weights_to_places, 3, reach, w, t);
        for (size_t p = 0; p < places; p++)
            _mm512_storeu_ps(
                m->packed + ((p * outputs + output / panel * panel) * inputs + input * panel + output % panel),
                t[p / reach][p % reach]);
    }
}

void aqc_winograd_pack(aqc_winograd_shape shape, const float *weights, bool for_gradient, float *packed) {
    packing m = {shape, weights, packed, for_gradient};
    aqc_parallel(shape.inputs * shape.outputs / lanes, 256, pack_part, &m);
}

// The parts of a gradient's scratch.
static float *images_of(const convolution *m) { return m->scratch; }
static float *upstream_of(const convolution *m) {
    return images_of(m) + places * pitch(round_squares, m->shape.inputs);
}
static float *sums_of(const convolution *m) {
    return upstream_of(m) + places * pitch(round_squares, m->shape.outputs);
}

static void transform_round(void *context, size_t at, size_t end) {
    const convolution *m = context;
    const size_t inputs = m->shape.inputs, outputs = m->shape.outputs;
    const size_t first = m->first + at, last = m->first + end;
    transform_images(m, first, last, pitch(round_squares, inputs), images_of(m) + at * inputs);
    transform_upstream(m, first, last, pitch(round_squares, outputs), upstream_of(m) + at * outputs);
}

AQC_KERNEL static void multiply_round(void *context, size_t part, size_t end) {
    const convolution *m = context;
    const size_t inputs = m->shape.inputs, outputs = m->shape.outputs;
    for (; part < end; part++) {
        const float *left = upstream_of(m) + part * pitch(round_squares, outputs);
        const float *right = images_of(m) + part * pitch(round_squares, inputs);
        float *sums = sums_of(m) + part * inputs * outputs;
        for (size_t column = 0; column < inputs; column += panel) {
            size_t row = 0;
#define TILE(height)                                                                                            \
    product_tile(                                                                                               \
        left + row, 1, outputs, right + column, inputs, m->squares, sums + row * inputs + column, inputs,       \
        m->first > 0, height)
            for (; row + rows <= outputs; row += rows) TILE(rows);
            for (; row + 8 <= outputs; row += 8) TILE(8);
            for (; row < outputs; row += 4) TILE(4);
#undef TILE
        }
    }
}

AQC_KERNEL static void finish_weights(void *context, size_t output, size_t end) {
    const convolution *m = context;
    const size_t inputs = m->shape.inputs, outputs = m->shape.outputs;
    for (; output < end; output++)
        for (size_t input = 0; input < inputs; input += lanes) {
            __m512 t[reach][reach], w[3][3];
            for (size_t p = 0; p < places; p++)
                t[p / reach][p % reach] = _mm512_loadu_ps(sums_of(m) + (p * outputs + output) * inputs + input);
            BOTH_AXES(places_to_weights, reach, 3, t, w);
            for (size_t k = 0; k < 9; k++)
                _mm512_storeu_ps(m->of_weights + (output * 9 + k) * inputs + input, w[k / 3][k % 3]);
        }
}

void aqc_winograd_weight_gradient(
    aqc_winograd_shape shape, const float *x, const float *upstream, float *of_weights, float *scratch) {
    convolution m = {.shape = shape, .x = x, .upstream = upstream, .scratch = scratch, .of_weights = of_weights};
    float *zeros = sums_of(&m) + places * shape.inputs * shape.outputs;
    memset(zeros, 0, (shape.inputs > shape.outputs ? shape.inputs : shape.outputs) * sizeof *zeros);
    m.zeros = zeros;
    const size_t total = squares_of(shape);
    for (; m.first < total; m.first += round_squares) {
        m.squares = total - m.first < round_squares ? total - m.first : round_squares;
        aqc_parallel(m.squares, 8, transform_round, &m);
        aqc_parallel(places, 1, multiply_round, &m);
    }
    aqc_parallel(shape.outputs, 1, finish_weights, &m);
}

#else

bool aqc_winograd_fits(aqc_winograd_shape s) { return (void)s, false; }
void aqc_winograd_pack(aqc_winograd_shape shape, const float *weights, bool for_gradient, float *packed) {
    (void)shape, (void)weights, (void)for_gradient, (void)packed;
}
void aqc_winograd(
    aqc_winograd_shape shape, const float *packed, const float *x, const float *bias, const float *addend, float *y,
    float *scratch, size_t threads) {
    (void)shape, (void)packed, (void)x, (void)bias, (void)addend, (void)y, (void)scratch, (void)threads;
}
void aqc_winograd_weight_gradient(
    aqc_winograd_shape shape, const float *x, const float *upstream, float *of_weights, float *scratch) {
    (void)shape, (void)x, (void)upstream, (void)of_weights, (void)scratch;
}

#endif
