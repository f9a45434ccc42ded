#pragma once
#include <png.h>
#include <stdint.h>

// The version and the bound on an encoded image are macros that Swift does not import.
static inline uint32_t aqc_png_version(void) { return PNG_IMAGE_VERSION; }
static inline size_t aqc_png_largest_size(const png_image *image) { return PNG_IMAGE_PNG_SIZE_MAX(*image); }
static inline uint32_t aqc_png_format_grey(void) { return PNG_FORMAT_GRAY; }
static inline uint32_t aqc_png_format_rgb(void) { return PNG_FORMAT_RGB; }
// The message is a C array, which Swift sees as a tuple.
static inline const char *aqc_png_message(const png_image *image) { return image->message; }
