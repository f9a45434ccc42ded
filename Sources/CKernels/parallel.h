// Splits a loop over the threads that oneDNN already has, so that two cores are never fought over.
#pragma once

#include <stddef.h>

// Runs body(context, begin, end) over [0, count) in at most as many parts as OpenMP has threads, each at least grain.
void aqc_parallel(size_t count, size_t grain, void (*body)(void *context, size_t begin, size_t end), void *context);

// The CPU picks the widest version at load time; elsewhere than on x86-64 there is one version.
#if defined(__x86_64__)
#define AQC_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define AQC_CLONES
#endif
