// Notes for the next start which files a program that crashes was working on.
//
// A handler of a fatal signal may only call functions that are async-signal-safe, which no Swift code is: hence C.
#pragma once

// Threads that can be watched at once.
#define AQC_CRASH_THREADS 1100

// Takes over SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE and SIGABRT for the rest of the process's life. The handler marks notes, calls
// the earlier handler, which may show Swift's backtrace, and lets the signal end the process.
void aqc_crash_install(void);

// Gives the calling thread an alternate stack, so that an overflow of its own can be handled, and a slot with the file of its notes,
// which must be open for appending. Returns the slot, or -1 where all are taken.
int aqc_crash_watch(int file);

// Frees the slot of the calling thread.
void aqc_crash_unwatch(int slot);

// Says whether the thread of a slot works on files, and whether one of them was worked on at a crash before.
void aqc_crash_set(int slot, int is_working, int is_suspect);
