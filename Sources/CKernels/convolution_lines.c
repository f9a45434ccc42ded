#include "convolution_lines.h"

#include <stdlib.h>

#include "parallel.h"

// Lines of the largest kernel; larger ones have none.
enum { most_lines = 3, alignment = 64 };

int aqc_register_tiles_fit(const aqc_direct_shape *s, size_t group) {
    if (!aqc_register_tile_of(s->outputs).vectors || s->inputs % group || !s->inputs) return 0;
    if (!s->kernel || s->kernel > most_lines || !s->stride || s->padding >= s->kernel) return 0;
    if (s->height + 2 * s->padding < s->kernel || s->width + 2 * s->padding < s->kernel) return 0;
    if (s->unshuffle && (s->unshuffle != 4 || s->inputs != 16)) return 0;
    if (s->shuffle && (s->shuffle != 4 || s->outputs != 16)) return 0;
    return aqc_output_length(s, s->width) % aqc_register_tile_of(s->outputs).pixels == 0;
}

static void run_part(void *context, size_t row, size_t end) {
    const aqc_line_job *job = context;
    const aqc_direct_shape *s = &job->shape;
    const size_t line = (job->line + alignment - 1) / alignment * alignment;
    char *memory = aligned_alloc(alignment, s->kernel * line + alignment);
    // Without a few kilobytes for lines nothing on this machine goes on.
    if (!memory) abort();
    ptrdiff_t filled = (ptrdiff_t)(row * s->stride) - (ptrdiff_t)s->padding;
    for (; row < end; row++) {
        const ptrdiff_t top = (ptrdiff_t)(row * s->stride) - (ptrdiff_t)s->padding;
        const char *lines[most_lines];
        if (filled < top) filled = top;
        for (; filled < top + (ptrdiff_t)s->kernel; filled++)
            job->fill(job, filled, memory + (size_t)(filled + most_lines) % s->kernel * line);
        for (size_t k = 0; k < s->kernel; k++)
            lines[k] = memory + (size_t)(top + (ptrdiff_t)k + most_lines) % s->kernel * line;
        job->tiles(job, row, lines);
    }
    free(memory);
}

void aqc_run_lines(const aqc_line_job *job) {
    aqc_parallel(aqc_output_length(&job->shape, job->shape.height), 8, run_part, (void *)job);
}
