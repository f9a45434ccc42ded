#pragma once
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <tiffio.h>

// The first complaint of a handle; libtiff's own text never reaches stderr.
typedef struct {
    char text[256];
} aqc_tiff_message;

// An error handler takes a va_list, which Swift cannot write. Later errors only follow from the first.
static int aqc_tiff_keep(TIFF *tiff, void *message, const char *module, const char *format,
    va_list arguments) {
    (void)tiff;
    (void)module;
    aqc_tiff_message *kept = (aqc_tiff_message *)message;
    if (kept->text[0] == 0) vsnprintf(kept->text, sizeof kept->text, format, arguments);
    return 1;
}

static int aqc_tiff_drop(TIFF *tiff, void *message, const char *module, const char *format,
    va_list arguments) {
    (void)tiff;
    (void)message;
    (void)module;
    (void)format;
    (void)arguments;
    return 1;
}

// Handlers are C function pointers with a va_list; on failure the caller still owns the descriptor.
static inline TIFF *aqc_tiff_open(
    int descriptor, const char *name, const char *mode, int64_t largest_allocation,
    aqc_tiff_message *message) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)largest_allocation);
    TIFFOpenOptionsSetErrorHandlerExtR(options, aqc_tiff_keep, message);
    TIFFOpenOptionsSetWarningHandlerExtR(options, aqc_tiff_drop, NULL);
    TIFF *tiff = TIFFFdOpenExt(descriptor, name, mode, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

// TIFFGetField and TIFFSetField are variadic: Swift cannot call them.
static inline uint32_t aqc_tiff_get_u32(TIFF *tiff, uint32_t tag) {
    uint32_t value = 0;
    return TIFFGetFieldDefaulted(tiff, tag, &value) ? value : 0;
}

static inline uint16_t aqc_tiff_get_u16(TIFF *tiff, uint32_t tag) {
    uint16_t value = 0;
    return TIFFGetFieldDefaulted(tiff, tag, &value) ? value : 0;
}

static inline int aqc_tiff_set_u32(TIFF *tiff, uint32_t tag, uint32_t value) {
    return TIFFSetField(tiff, tag, value);
}

static inline int aqc_tiff_set_u16(TIFF *tiff, uint32_t tag, uint16_t value) {
    return TIFFSetField(tiff, tag, value);
}

static inline int aqc_tiff_set_double(TIFF *tiff, uint32_t tag, double value) {
    return TIFFSetField(tiff, tag, value);
}

static inline int aqc_tiff_set_text(TIFF *tiff, uint32_t tag, const char *value) {
    return TIFFSetField(tiff, tag, value);
}
