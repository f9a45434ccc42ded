#include "parallel.h"

// libgomp's ABI: what a compiler emits for `#pragma omp parallel`. Swift's clang cannot emit it for libgomp, and a second
// OpenMP runtime beside oneDNN's would fight it for the cores.
extern void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
extern int omp_get_max_threads(void);
extern int omp_get_thread_num(void);
extern int omp_in_parallel(void);

typedef struct {
    void (*body)(void *, size_t, size_t);
    void *context;
    size_t count, parts;
} loop;

static void run_part(void *data) {
    const loop *l = data;
    size_t part = (size_t)omp_get_thread_num();
    if (part >= l->parts) return;
    size_t begin = l->count * part / l->parts, end = l->count * (part + 1) / l->parts;
    if (begin < end) l->body(l->context, begin, end);
}

void aqc_parallel(size_t count, size_t grain, void (*body)(void *, size_t, size_t), void *context) {
    size_t parts = (size_t)omp_get_max_threads();
    if (parts > count / grain) parts = count / grain;
    if (parts < 2 || omp_in_parallel()) {
        body(context, 0, count);
        return;
    }
    loop l = {body, context, count, parts};
    GOMP_parallel(run_part, &l, (unsigned)parts, 0);
}
