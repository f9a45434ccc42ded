#include "clones.h"
#include "pixels.h"

enum { block = 8 };

size_t aqc_scores_scratch(size_t width) { return 2 * width + 2 * (width / block); }

// Every value is added once, in double: to the sum of its column over eight rows, these to blocks of 8 x 8 and to
// the total, four neighbouring blocks to a window.
AQC_CLONES void aqc_scores(const float *x, size_t height, size_t width, aqc_scores_result *scores, double *scratch) {
    const size_t columns = width / block;
    double *restrict line = scratch, *restrict above = line + width, *restrict here = above + columns;
    float *restrict highest = (float *)(here + columns);
    for (size_t i = 0; i < width; i++) highest[i] = x[i];
    double total = 0, largest = 0;
    int has_window = 0;
    for (size_t top = 0; top < height; top += block) {
        const size_t rows = height - top < block ? height - top : block;
        for (size_t i = 0; i < width; i++) line[i] = 0;
        for (size_t row = top; row < top + rows; row++) {
            const float *restrict in = x + row * width;
            for (size_t i = 0; i < width; i++) {
                line[i] += in[i];
                highest[i] = in[i] > highest[i] ? in[i] : highest[i];
            }
        }
        for (size_t column = 0; column < columns; column++) {
            const double *eight = line + column * block;
            const double left = (eight[0] + eight[1]) + (eight[2] + eight[3]);
            here[column] = left + ((eight[4] + eight[5]) + (eight[6] + eight[7]));
            total += here[column];
        }
        for (size_t i = columns * block; i < width; i++) total += line[i];
        if (rows < block) continue;
        for (size_t column = 0; column + 1 < columns && top > 0; column++) {
            const double sum = (above[column] + above[column + 1]) + (here[column] + here[column + 1]);
            largest = !has_window || sum > largest ? sum : largest;
            has_window = 1;
        }
        double *restrict passed = above;
        above = here;
        here = passed;
    }
    float maximum = highest[0];
    for (size_t i = 1; i < width; i++) maximum = highest[i] > maximum ? highest[i] : maximum;
    scores->maximum = maximum;
    scores->mean = total / ((double)height * (double)width);
    scores->patch = has_window ? largest / (4 * block * block) : scores->mean;
}
