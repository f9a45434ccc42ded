// Where in a frame something is, at a quarter of its resolution, and what of it was not there in another frame. All run on the
// calling thread and keep nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Side in pixels of the blocks that the functions below count in.
enum { aqc_detail_block = 4 };

// How much a block of 4 x 4 pixels stands out: the root mean square of its pixels against the mean of 33 x 33 blocks, in steps of
// half a hundredth of the normal background, 255 at most. unit is one hundredth of the background, in grey units. detail
// has (height / 4) x (width / 4) values. scratch holds 2 * width + 4 * (height / 4) * (width / 4) values.
void aqc_measure_detail(const float *x, uint8_t *detail, size_t height, size_t width, float unit, float *scratch);

// The largest value of 7 x 7 blocks around each. scratch holds rows * columns values.
void aqc_detail_around(const uint8_t *detail, uint8_t *around, size_t rows, size_t columns, uint8_t *scratch);

// How much more detail there is than around the same place of another frame: the sum over 5 x 5 blocks. Places beyond the
// border have none. scratch holds rows * columns values.
void aqc_detail_excess(
    const uint8_t *detail, const uint8_t *around, uint16_t *excess, size_t rows, size_t columns,
    uint16_t *scratch);
