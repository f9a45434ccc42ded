#pragma once
#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A nameless file in memory, closed on exec, or -1. glibc declares memfd_create for _GNU_SOURCE only, which
   Swift does not set, and syscall is variadic. */
static inline int aqc_memory_file(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1U /* MFD_CLOEXEC */);
}

/* The number of the file system's kind, or 0: Swift's Glibc leaves statfs out. */
static inline unsigned aqc_file_system_kind(const char *path) {
    struct statfs status;
    return statfs(path, &status) == 0 ? (unsigned)status.f_type : 0;
}

/* O_PATH, which glibc declares for _GNU_SOURCE only: a handle of a folder, without the right to read it. */
enum { aqc_open_path = 010000000 };
