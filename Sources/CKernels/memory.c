#include "memory.h"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

void aqc_keep_freed_memory(void) {
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, 64 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}
