// The CPU picks the widest version at load time; elsewhere than on x86-64 there is one version.
#pragma once

#ifndef AQC_CLONES
#if defined(__x86_64__) && defined(__linux__)
#define AQC_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define AQC_CLONES
#endif
#endif
