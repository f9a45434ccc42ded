#include <string.h>

#include "clones.h"
#include "simulation.h"

#define INLINE static inline __attribute__((always_inline))

enum { PITCH = aqc_light_pitch };

AQC_CLONES void aqc_light_field(
    const float *x, float *y, size_t height, size_t width, const float *nodes, float level) {
    const size_t columns = width / PITCH + 2;
    for (size_t row = 0; row < height; row++) {
        const float share = (float)(row % PITCH) / PITCH;
        const float *upper = nodes + row / PITCH * columns, *lower = upper + columns;
        const float *from = x + row * width;
        float *to = y + row * width;
        for (size_t node = 0; node * PITCH < width; node++, from += PITCH, to += PITCH) {
            const float left = upper[node] * (1 - share) + lower[node] * share;
            const float right = upper[node + 1] * (1 - share) + lower[node + 1] * share;
            const float slope = (right - left) / PITCH;
            const size_t rest = width - node * PITCH;
            // A loop of a known length is one of vectors.
            if (rest >= PITCH)
                for (size_t i = 0; i < PITCH; i++) to[i] = from[i] * level * (left + slope * (float)i);
            else
                for (size_t i = 0; i < rest; i++) to[i] = from[i] * level * (left + slope * (float)i);
        }
    }
}

INLINE float kept(float value) { return value > 0 ? (value < 255 ? value : 255) : 0; }

INLINE uint64_t mixed(uint64_t state) {
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
    return state ^ (state >> 31);
}

INLINE float exposed(float light, uint32_t bits, float read_noise, float gain) {
    const uint32_t sum = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24);
    // Four of 0 ... 255: mean 510, standard deviation 147.8.
    const float noise = ((float)(int32_t)sum - 510) * (1 / 147.8f);
    return kept(light + noise * __builtin_elementwise_sqrt(read_noise + gain * (light > 0 ? light : 0)));
}

AQC_CLONES void aqc_expose(float *light, size_t count, uint64_t state, float read_noise, float gain) {
    enum { STEP = 256 };
    uint32_t bits[STEP];
    for (size_t start = 0; start < count; start += STEP, light += STEP) {
        for (size_t i = 0; i < STEP / 2; i++) {
            const uint64_t word = mixed(state + (start / 2 + i + 1) * 0x9E3779B97F4A7C15);
            bits[2 * i] = (uint32_t)word;
            bits[2 * i + 1] = (uint32_t)(word >> 32);
        }
        const size_t length = count - start < STEP ? count - start : STEP;
        for (size_t i = 0; i < length; i++) light[i] = exposed(light[i], bits[i], read_noise, gain);
    }
}

// Adding and taking away 1.5 * 2^23 leaves the nearest whole number, ties to even.
AQC_CLONES void aqc_read_out(float *x, size_t height, size_t width, const float *factors) {
    for (size_t row = 0; row < height; row++, x += width) {
        const float even = factors[row % 2 * 2], odd = factors[row % 2 * 2 + 1];
        for (size_t i = 0; i < width; i++) x[i] = (kept(x[i] * (i % 2 ? odd : even)) + 12582912) - 12582912;
    }
}

// y = weights[0] * rows[0] + ... + weights[7] * rows[7], in order.
INLINE void weighted_sum(const float *restrict weights, const float *restrict rows, float *restrict y) {
    float sum[8];
    for (size_t i = 0; i < 8; i++) sum[i] = rows[i] * weights[0];
    for (size_t n = 1; n < 8; n++)
        for (size_t i = 0; i < 8; i++) sum[i] += rows[8 * n + i] * weights[n];
    memcpy(y, sum, sizeof sum);
}

typedef struct {
    // The transform, and transposed: a row for each position.
    float frequencies[64], positions[64];
    float quantum[64], inverse[64];
} block_tables;

INLINE void round_block(float *x, size_t width, const block_tables *tables) {
    float rows[64], block[64];
    for (size_t row = 0; row < 8; row++) weighted_sum(x + row * width, tables->positions, rows + 8 * row);
    for (size_t row = 0; row < 8; row++) weighted_sum(tables->frequencies + 8 * row, rows, block + 8 * row);
    for (size_t i = 0; i < 64; i++)
        block[i] = ((block[i] * tables->inverse[i] + 12582912) - 12582912) * tables->quantum[i];
    for (size_t row = 0; row < 8; row++) weighted_sum(block + 8 * row, tables->frequencies, rows + 8 * row);
    for (size_t row = 0; row < 8; row++) weighted_sum(tables->positions + 8 * row, rows, x + row * width);
}

AQC_CLONES void aqc_round_blocks(float *x, size_t height, size_t width, const float *frequencies, const float *quantum) {
    block_tables tables;
    for (size_t i = 0; i < 64; i++) {
        tables.frequencies[i] = frequencies[i];
        tables.positions[i % 8 * 8 + i / 8] = frequencies[i];
        tables.quantum[i] = quantum[i];
        tables.inverse[i] = 1 / quantum[i];
    }
    for (size_t top = 0; top + 8 <= height; top += 8)
        for (size_t left = 0; left + 8 <= width; left += 8) round_block(x + top * width + left, width, &tables);
}
