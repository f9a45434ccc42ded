#include <math.h>

#include "clones.h"
#include "pixels.h"

#define INLINE static inline __attribute__((always_inline))

// The lattice's triangles have sides of sqrt(2). A vertex is felt within sqrt(2) of it.
static const double reach = 1.41421356237309504880;

static const double slopes[8][2] = {
    {5, 2}, {2, 5}, {-5, 2}, {-2, 5}, {5, -2}, {2, -5}, {-5, -2}, {-2, -5},
};

INLINE const double *slope_of(uint8_t number) { return slopes[(number & 14) >> 1]; }

void aqc_simplex_slope(uint8_t number, double *slope) {
    slope[0] = slope_of(number)[0];
    slope[1] = slope_of(number)[1];
}

typedef struct {
    double *field;
    long height, width;
    double frequency, amplitude;
    long span;  // columns that a disc may touch, a multiple of the lanes
} octave;

INLINE long at_least(long value, long least) { return value < least ? least : value; }
INLINE long at_most(long value, long most) { return value > most ? most : value; }

// Discs of at most this many columns are added as squares: their corners add 0, and no row needs its own
// limits.
enum { widest_square = 24, lanes = 8 };

INLINE void add_square(octave o, double x, double y, const double *slope, long first, long last, long left) {
    const double pitch = 1.0 / o.frequency, along = o.amplitude * slope[0], across = o.amplitude * slope[1];
    double squares[widest_square], slopes_along[widest_square];
    for (long k = 0; k < o.span; k++) {
        const double dx = (double)(int)(left + k) * pitch - x;
        squares[k] = 2.0 - dx * dx;
        slopes_along[k] = along * dx;
    }
    for (long i = first; i <= last; i++) {
        const double dy = (double)i * pitch - y;
        const double square = dy * dy, slope_across = across * dy;
        double *restrict row = o.field + i * o.width + left;
        for (long block = 0; block < o.span; block += lanes)
            for (long k = block; k < block + lanes; k++) {
                double fall = squares[k] - square;
                fall = fall > 0 ? fall * fall : 0;
                row[k] += fall * fall * (slopes_along[k] + slope_across);
            }
    }
}

INLINE void add_disc(octave o, double x, double y, const double *slope, long first, long last) {
    const double pitch = 1.0 / o.frequency;
    for (long i = first; i <= last; i++) {
        const double dy = (double)i * pitch - y;
        const double room = 2.0 - dy * dy;
        if (room <= 0) continue;
        const double half = sqrt(room);
        const int left = (int)at_least((long)ceil((x - half) * o.frequency), 0);
        const int right = (int)at_most((long)floor((x + half) * o.frequency), o.width - 1);
        double *restrict row = o.field + i * o.width;
        const double along = o.amplitude * slope[0], across = o.amplitude * slope[1] * dy;
        #pragma clang loop interleave(disable)
        for (int j = left; j <= right; j++) {
            const double dx = (double)j * pitch - x;
            double fall = room - dx * dx;
            fall = fall > 0 ? fall * fall : 0;
            row[j] += fall * fall * (along * dx + across);
        }
    }
}

// Adds (2 - d^2)^4 * (slope . d) over the disc around the vertex at row y and column x, both in lattice
// lengths.
INLINE void add_vertex(octave o, double x, double y, const double *slope) {
    const long first = at_least((long)ceil((y - reach) * o.frequency), 0);
    const long last = at_most((long)floor((y + reach) * o.frequency), o.height - 1);
    const long left = (long)ceil((x - reach) * o.frequency);
    if (o.span <= widest_square && left >= 0 && left + o.span <= o.width)
        add_square(o, x, y, slope, first, last, left);
    else
        add_disc(o, x, y, slope, first, last);
}

// OpenSimplex noise is the sum of what each vertex spreads over its disc, so that a whole field costs one
// pass over the vertices that reach it, with straight loops over columns and one look-up of a gradient per
// vertex instead of four per pixel.
AQC_CLONES void aqc_simplex_octave(
    const uint8_t *permutation, double *field, size_t height, size_t width, double frequency,
    double amplitude) {
    const double squish = aqc_simplex_squish, stretch = aqc_simplex_stretch;
    const long columns = (long)(2 * reach * frequency) + 1;
    const octave o = {
        field,    (long)height, (long)width,
        frequency, amplitude * aqc_simplex_norm, (columns + lanes - 1) / lanes * lanes};
    const double low = -reach, bottom = (double)(height - 1) / frequency + reach;
    const double right = (double)(width - 1) / frequency + reach;
    const long a_first = (long)floor(low * (1 + stretch) + bottom * stretch);
    const long a_last = (long)ceil(right * (1 + stretch) + low * stretch);
    for (long a = a_first; a <= a_last; a++) {
        const double from =
            fmax((low - (double)a * (1 + squish)) / squish, (low - (double)a * squish) / (1 + squish));
        const double to =
            fmin((right - (double)a * (1 + squish)) / squish, (bottom - (double)a * squish) / (1 + squish));
        for (long b = (long)floor(from); b <= (long)ceil(to); b++) {
            const double shift = (double)(a + b) * squish;
            const uint8_t hash = permutation[(permutation[a & 255] + b) & 255];
            add_vertex(o, (double)a + shift, (double)b + shift, slope_of(hash));
        }
    }
}
