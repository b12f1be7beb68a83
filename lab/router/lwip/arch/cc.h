/* What lwIP wants to know of a host. */
#ifndef MUP_LAB_LWIP_CC_H
#define MUP_LAB_LWIP_CC_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t mup_router_random(void);

#define LWIP_RAND() mup_router_random()
#define LWIP_PLATFORM_DIAG(message) \
    do {                            \
        printf message;             \
    } while (0)
#define LWIP_PLATFORM_ASSERT(message)           \
    do {                                        \
        fprintf(stderr, "lwIP: %s\n", message); \
        abort();                                \
    } while (0)

#endif
