// The hot loops over pixels and activations that no library has. Each is dispatched by CPU where it pays, shares the
// threads of oneDNN, and has a plain Swift twin in the tests.
#pragma once

#include "activations.h"
#include "bytes.h"
#include "channels.h"
#include "convolutions.h"
#include "detail.h"
#include "image_tiles.h"
#include "memory.h"
#include "normalisation.h"
#include "pixels.h"
#include "simulation.h"
