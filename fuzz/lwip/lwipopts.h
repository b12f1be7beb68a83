/* lwIP as the micro:bit has it, with buffers from the heap, where a sanitizer sees who uses one
 * that was given back. */
#ifndef MUP_FUZZ_LWIPOPTS_H
#define MUP_FUZZ_LWIPOPTS_H

#include "firmware/microbit/lwip/lwipopts.h"

#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1

#endif
