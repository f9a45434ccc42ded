#include "pixels.h"

#include "clones.h"

// Running sums in double, which do not drift: one for each column down the image, one along each line of these.
AQC_CLONES void aqc_window_mean(
    const float *x, float *y, size_t height, size_t width, size_t window, double *scratch) {
    const size_t before = window / 2, after = window - before;
    double *restrict columns = scratch, *restrict line = scratch + width;
    for (size_t i = 0; i < width; i++) columns[i] = 0;
    for (size_t row = 0; row + 1 < after && row < height; row++)
        for (size_t i = 0; i < width; i++) columns[i] += x[row * width + i];
    for (size_t row = 0; row < height; row++) {
        const size_t enters = row + after - 1;
        if (enters < height) {
            const float *restrict entering = x + enters * width;
            for (size_t i = 0; i < width; i++) columns[i] += entering[i];
        }
        if (row > before) {
            const float *restrict leaving = x + (row - before - 1) * width;
            for (size_t i = 0; i < width; i++) columns[i] -= leaving[i];
        }
        const size_t first = row > before ? row - before : 0;
        const size_t last = enters < height ? enters : height - 1;
        const double rows = (double)(last - first + 1);
        double sum = 0;
        for (size_t i = 0; i + 1 < after && i < width; i++) sum += columns[i];
        for (size_t i = 0; i < width; i++) {
            if (i + after - 1 < width) sum += columns[i + after - 1];
            if (i > before) sum -= columns[i - before - 1];
            line[i] = sum;
        }
        float *restrict result = y + row * width;
        for (size_t i = 0; i < width; i++) {
            const size_t left = i > before ? i - before : 0;
            const size_t right = i + after - 1 < width ? i + after - 1 : width - 1;
            const double mean = line[i] / (rows * (double)(right - left + 1));
            result[i] = (float)(mean > 0 ? mean : 0);
        }
    }
}
