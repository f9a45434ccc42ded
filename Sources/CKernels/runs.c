#include <string.h>

#include "pixels.h"

// Eight pixels at once: most of a mask is empty, and most of the rest is the inside of a fault.
static inline uint64_t eight(const uint8_t *pixels) {
    uint64_t word;
    memcpy(&word, pixels, sizeof word);
    return word;
}

static inline int holds_zero(uint64_t word) {
    return ((word - 0x0101010101010101u) & ~word & 0x8080808080808080u) != 0;
}

size_t aqc_runs(const uint8_t *row, size_t width, int32_t *runs) {
    size_t count = 0, i = 0;
    while (1) {
        while (i + 8 <= width && eight(row + i) == 0) i += 8;
        while (i < width && row[i] == 0) i++;
        if (i == width) return count;
        runs[2 * count] = (int32_t)i;
        while (i + 8 <= width && !holds_zero(eight(row + i))) i += 8;
        while (i < width && row[i] != 0) i++;
        runs[2 * count + 1] = (int32_t)i;
        count++;
    }
}
