// How this process keeps memory.
#pragma once

// Images of some megabytes come and go with every frame; memory that is freed stays with the process for the next one,
// up to 256 MiB, as asking the system for fresh pages costs more than most loops over their pixels. For the start of a
// program.
void aqc_keep_freed_memory(void);
