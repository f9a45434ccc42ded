// What the simulated microscope does to light and pixels. Each operation is done alone, in the order that the plain twins in
// the tests show: the same bits on every CPU. Images are row-major; no pointer may alias another where it is not said.
// All run on the calling thread and keep nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Rows and columns from one node of a light field to the next; points of a side of the lattice of a cell's granules, a power of 2;
// discs that a cell's shape is made of.
enum { aqc_light_pitch = 16, aqc_granule_side = 16, aqc_cell_lobes = 4 };

// Relative change of the light from which on a pixel shows a cell.
static const float aqc_visible_change = 0.04f;

// y = x * level * field; y may be x. The field is known at every aqc_light_pitch-th row and column (p),
// nodes[height / p + 2][width / p + 2], and linear between, along columns first.
void aqc_light_field(const float *x, float *y, size_t height, size_t width, const float *nodes, float level);

// Adds noise to light, sqrt(read_noise + gain * light) times the sum of four random bytes, and keeps it within 0 ... 255.
// SplitMix64 at a state gives four bytes each to two pixels.
void aqc_expose(float *light, size_t count, uint64_t state, float read_noise, float gain);

// x = round(x * factors[row % 2][column % 2]), kept within 0 ... 255.
void aqc_read_out(float *x, size_t height, size_t width, const float *factors);

// Brings every whole block of 8 x 8 to frequencies, rounds them to multiples of quantum[8][8], and brings it back.
// frequencies[8][8] is the orthonormal transform, a row for each frequency.
void aqc_round_blocks(float *x, size_t height, size_t width, const float *frequencies, const float *quantum);

// A cell in the middle of a patch of 2 * half + 1 rows, aqc_patch_stride(half) values each. It lies within inner of the middle,
// and what blurs it reaches no farther than half - inner - 1 from there.
typedef struct {
    size_t half, inner;
    float row, column;                    // its middle from the patch's
    float sine, cosine, stretch;          // heading, and how much longer than wide, as the square root
    // Discs that its shape is the soft union of.
    float along[aqc_cell_lobes], across[aqc_cell_lobes], reach[aqc_cell_lobes];
    float radius, phase, granularity;
    float flow_along, flow_across;  // how its granules have moved, in pixels
    float gathering;                // how much its middle gathers the light, 0 to 1
} aqc_cell;

// What a cell does to the light.
typedef struct {
    float focusing, absorption, absorbing_phase, slant_right, slant_down;
} aqc_cell_optics;

size_t aqc_patch_stride(size_t half);

// The delay of light by each pixel of the patch. granules[aqc_granule_side][aqc_granule_side] lie 3 pixels apart and repeat.
void aqc_cell_phase(const aqc_cell *cell, const float *granules, float *phase);

// y = phase of a cell, blurred along rows and then along columns by a kernel of half - inner - 1 values on each side of its middle.
void aqc_cell_blur(const aqc_cell *cell, const float *kernel, const float *phase, float *across, float *y);

// Multiplies light by what the cell does to it, in some rows and columns of the patch that are not its outermost ones; blurred,
// light and marks begin at the first pixel of them. Sets marks, if not NULL, to 1 where it changes by more than aqc_visible_change. Light and
// marks are parts of images of the same width.
void aqc_cell_light(
    const aqc_cell_optics *optics, const float *blurred, size_t stride, size_t rows, size_t columns, float *light, uint8_t *marks,
    size_t width);
