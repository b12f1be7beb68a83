/*
 * A whole edge with an emulated micro:bit that is updated over 6LoWPAN, its power and its flash.
 *
 * Keys, broker, bridge, update server and router are lab/testbed's; the flash is a file that is
 * looked at while QEMU writes to it (board.h). Functions that return bool have said on stderr why.
 */
#ifndef MUP_POWERCUT_RADIO_LAB_H
#define MUP_POWERCUT_RADIO_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "mup/identity.h"
#include "testbed.h"

#define LAB_LIMIT_MS 120000u /* for anything, on a machine with other things to do */

/* Caller-owned; all fields may be read. */
struct lab {
    struct mup_testbed bed;
    struct mup_testbed_device device;
    struct board board;
    struct mup_process *power;  /* QEMU's process */
    struct mup_process *deploy; /* `mup deploy`, which ends when the update does */
    uint8_t *factory;           /* the flash before its first start */
    uint8_t *before;            /* ... or of another moment */
    struct mup_identity identity;
    uint32_t epoch; /* of the update server's key */
    size_t at;      /* index of the version that runs */
};

/* Edge, router, releases, and a device that has the update server's key of epoch 1. `factory` and
 * `before` are the caller's, of BOARD_FLASH_SIZE bytes. */
bool lab_open(struct lab *lab, const char *bin, const char *source);

uint64_t lab_now_ms(void);

/* The stations must not block on what they say meanwhile. */
void lab_pause(struct lab *lab, uint32_t ms);

bool lab_power_on(struct lab *lab);
void lab_power_off(struct lab *lab);
bool lab_restart_with(struct lab *lab, const uint8_t *flash);

/* Until the device has the key with which it will be updated. */
bool lab_await_key(struct lab *lab);

/* The version that runs, or that the update under way leads to. */
uint32_t lab_version(const struct lab *lab);

/* Behind the last version the device becomes as from the factory. */
bool lab_has_a_next_version(struct lab *lab);

/* An update to the next version, by `mup deploy`, which ends when the update does. */
bool lab_begin_update(struct lab *lab);
bool lab_update_has_ended(struct lab *lab);
bool lab_update_is_confirmed(const struct lab *lab);

/* A new key, certified for epoch 2, and an edge that uses it. */
bool lab_change_key(struct lab *lab, uint8_t public_key[MUP_P256_KEY_SIZE]);

#endif
