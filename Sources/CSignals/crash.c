#define _GNU_SOURCE
#include "crash.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// More than Swift's backtrace takes of an alternate stack.
#define STACK_SIZE (128 << 10)

static const int fatal[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
#define FATAL (sizeof fatal / sizeof *fatal)

static struct sigaction earlier[FATAL];

struct slot {
    _Atomic int is_taken, file, is_working, is_suspect;
};
static struct slot slots[AQC_CRASH_THREADS];
static _Atomic int is_marked;

// Of an executable, so that a handler reads it without a call.
static _Thread_local __attribute__((tls_model("initial-exec"))) int own = -1;

static void mark(const struct slot *slot, const char *text) {
    // Nobody is left who could do something about a failure.
    if (write(slot->file, text, strlen(text) + 1) < 0) return;
}

// Marks the notes of the thread that crashed. Where that is not known, as the signal came from outside or from a thread that helps
// others, those with a file that was worked on at a crash before, and only if there are none, all.
static void mark_notes(int number, int is_own) {
    char text[] = "crashed 00";
    text[8] = (char)('0' + number / 10 % 10);
    text[9] = (char)('0' + number % 10);
    if (is_own && own >= 0 && slots[own].is_working) return mark(&slots[own], text);
    int suspects = 0;
    for (int index = 0; index < AQC_CRASH_THREADS; index++) {
        suspects += slots[index].is_working && slots[index].is_suspect;
    }
    for (int index = 0; index < AQC_CRASH_THREADS; index++) {
        const struct slot *slot = &slots[index];
        if (slot->is_working && (slot->is_suspect || suspects == 0)) mark(slot, text);
    }
}

// Swift's backtrace, where it is wanted.
static void call_earlier(const struct sigaction *action, int number, siginfo_t *info, void *context) {
    if (action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN) return;
    if (action->sa_flags & SA_SIGINFO) {
        action->sa_sigaction(number, info, context);
    } else {
        action->sa_handler(number);
    }
}

static void handle(int number, siginfo_t *info, void *context) {
    int saved = errno;
    // The thread's own instruction, or its call of abort; else the signal came from outside.
    int is_instruction = info->si_code > 0;
    int is_own = is_instruction || (info->si_code == SI_TKILL && info->si_pid == getpid());
    if (!atomic_exchange(&is_marked, 1)) mark_notes(number, is_own);
    for (size_t index = 0; index < FATAL; index++) {
        if (fatal[index] == number) call_earlier(&earlier[index], number, info, context);
    }
    // Whatever that did, the process ends. The instruction fails again, in its own place, but for a trap, which is over.
    signal(number, SIG_DFL);
    if (!is_instruction || number == SIGTRAP) raise(number);
    errno = saved;
}

void aqc_crash_install(void) {
    static _Atomic int is_installed;
    if (atomic_exchange(&is_installed, 1)) return;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    for (size_t index = 0; index < FATAL; index++) {
        sigaction(fatal[index], NULL, &earlier[index]);
        sigaction(fatal[index], &action, NULL);
    }
}

int aqc_crash_watch(int file) {
    stack_t stack;
    if (sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_DISABLE)) {
        // Kept for the life of the thread, which is that of the process.
        stack.ss_sp = malloc(STACK_SIZE);
        stack.ss_size = STACK_SIZE;
        stack.ss_flags = 0;
        if (stack.ss_sp) sigaltstack(&stack, NULL);
    }
    for (int index = 0; index < AQC_CRASH_THREADS; index++) {
        if (atomic_exchange(&slots[index].is_taken, 1)) continue;
        slots[index].file = file;
        own = index;
        return index;
    }
    return -1;
}

void aqc_crash_unwatch(int slot) {
    if (slot < 0) return;
    aqc_crash_set(slot, 0, 0);
    slots[slot].file = -1;
    own = -1;
    slots[slot].is_taken = 0;
}

void aqc_crash_set(int slot, int is_working, int is_suspect) {
    if (slot < 0) return;
    slots[slot].is_suspect = is_suspect;
    slots[slot].is_working = is_working;
}
