/*
 * What the production line tells a device about its network, and how it is to receive updates
 * there: one checked record in the last page of the bootloader's area, which nothing ever writes in
 * the field. No image holds an address or a password, and one image serves for every comparison.
 */
#ifndef MUP_MICROBIT_SETTINGS_H
#define MUP_MICROBIT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "mup/flash_map.h"
#include "mup/status.h"

#define MICROBIT_EUI64_SIZE   8u
#define MICROBIT_ADDRESS_SIZE 16u
#define MICROBIT_PASSWORD_MAX 64u
#define MICROBIT_SHORT_NONE   0u /* where a 16-bit address could stand */

#define MICROBIT_SETTINGS_AT  (MUP_FLASH_BOOT_SIZE - 1024u)

/* How a radio is addressed. One that has a 16-bit address sends from that. */
struct microbit_address {
    uint8_t eui64[MICROBIT_EUI64_SIZE]; /* first byte first */
    uint16_t short_address;             /* 0x0001 to 0xfffd, or MICROBIT_SHORT_NONE */
};

struct microbit_settings {
    struct microbit_address address;
    uint8_t broker[MICROBIT_ADDRESS_SIZE]; /* IPv6 */
    uint16_t broker_port;
    uint16_t pan_id;
    uint16_t pause_ms; /* see below */
    uint32_t trial_s;  /* to confirm a trial in; 0: as mup/agent.h has it */

    /* How slices are to come, as mup/agent.h has it, and pause_ms with it; of the numbers 0 is as
     * the firmware has it. */
    uint32_t window_size;
    uint32_t slice_size_max; /* not above window_size, if both are told */
    uint16_t receive_maximum;
    uint8_t flow;

    /* For comparisons alone. */
    bool no_alias;         /* topics are written out */
    bool ack_each_segment; /* TCP acknowledges each segment at once, as small stacks do */
    uint8_t send_segment;  /* bytes, most in a segment of TCP that it sends; 0: all that fit */
    bool flash_times;      /* erasing and writing take their time where the chip's do not (QEMU) */

    char password[MICROBIT_PASSWORD_MAX]; /* at the broker; ends with a zero */
};

/* As it lies at MICROBIT_SETTINGS_AT. Where a processor reads its flash like memory, `settings` may
 * be used in its place, once microbit_settings_load() has found it good. */
struct microbit_settings_record {
    uint32_t magic;
    struct microbit_settings settings;
    uint32_t check; /* CRC-32 of what comes before */
};

/*
 * MUP_ERR_FORMAT  there is no record: the device was never provisioned.
 * MUP_ERR_FLASH   the flash cannot be read.
 */
MUP_MUST_CHECK
enum mup_status microbit_settings_load(struct microbit_settings *out,
                                       const struct mup_flash_map *map);

/* Erases the page and writes the record. For the production line: a cut leaves no record. */
MUP_MUST_CHECK
enum mup_status microbit_settings_save(const struct mup_flash_map *map,
                                       const struct microbit_settings *settings);

#endif
