/* A device out of the hostile port, in memory: its stream is its own peer, its reset a jump. */
#ifndef PORT_HOSTILE_DEVICE_H
#define PORT_HOSTILE_DEVICE_H

#include <setjmp.h>

#include "mup/port/hostile.h"
#include "suite.h"

#define HOSTILE_DEVICE_PAGE_SIZE   256u
#define HOSTILE_DEVICE_FLASH_SIZE  (8u * HOSTILE_DEVICE_PAGE_SIZE)
#define HOSTILE_DEVICE_STREAM_SIZE 16384u
#define HOSTILE_DEVICE_BOOTS_MAX   3u

/* Caller-owned. The contracts may be changed between init and run, to see what the suite says. */
struct hostile_device {
    struct port_suite suite;
    struct mup_port_flash flash_port;
    struct mup_port_clock clock_port;
    struct mup_port_random random_port;
    struct mup_port_random random_broken_port;
    struct mup_port_transport transport_port;
    struct mup_port_transport transport_alone_port;
    struct mup_port_reset reset_port;

    struct mup_hostile_flash flash;
    uint8_t bytes[HOSTILE_DEVICE_FLASH_SIZE];
    uint8_t programmed[HOSTILE_DEVICE_FLASH_SIZE / MUP_PORT_FLASH_WORD_SIZE];
    struct mup_hostile_random random;
    struct mup_hostile_random random_broken;
    struct mup_hostile_transport stream;
    struct mup_hostile_transport nobody;
    uint8_t stream_bytes[HOSTILE_DEVICE_STREAM_SIZE];
    uint64_t looks; /* at the clock */
    jmp_buf power_on;
};

/* With `is_bad` the stream comes in pieces of 7 bytes and stalls at every other call. */
void hostile_device_init(struct hostile_device *device, bool is_bad,
                         void (*print)(const char *text));

/* Returns what port_suite_run() returned at last; UINT32_MAX when the device did not end. */
uint32_t hostile_device_run(struct hostile_device *device);

#endif
