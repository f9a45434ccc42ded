#pragma once
#include <systemd/sd-daemon.h>

#include <sys/timex.h>

/* Whether the kernel's clock follows another one: Swift's Glibc leaves timex out. */
static inline int aqc_clock_is_synchronised(void) {
    struct timex time = {0};
    return ntp_adjtime(&time) != TIME_ERROR;
}
