/* What lwIP asks of compiler and platform. */
#ifndef MUP_MICROBIT_CC_H
#define MUP_MICROBIT_CC_H

#include <stdint.h>

uint32_t microbit_lwip_random(void);
void microbit_panic(void);

#define LWIP_RAND() microbit_lwip_random()
#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x) microbit_panic()

#define LWIP_NO_INTTYPES_H      1
#define U16_F                   "u"
#define S16_F                   "d"
#define X16_F                   "x"
#define U32_F                   "u"
#define S32_F                   "d"
#define X32_F                   "x"
#define SZT_F                   "u"

#endif
