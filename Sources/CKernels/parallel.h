// Splits a loop over the threads that oneDNN already has, so that two cores are never fought over.
#pragma once

#include <stddef.h>

// Runs body(context, begin, end) over [0, count) in at most as many parts as OpenMP has threads, each at least grain.
void aqc_parallel(size_t count, size_t grain, void (*body)(void *context, size_t begin, size_t end), void *context);
