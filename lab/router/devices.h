/*
 * The sockets of emulated devices: each sends and takes frames on a connection of its own to one
 * Unix socket (frame.h says how frames look there).
 */
#ifndef MUP_LAB_DEVICES_H
#define MUP_LAB_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <poll.h>

#define MUP_DEVICES_MAX 64u

/* Devices are numbered from 0; a number is given again when its device has gone. */
struct mup_devices_calls {
    void *context;
    void (*came)(void *context, unsigned device);
    void (*went)(void *context, unsigned device);
    /* Its frame check sequence may be wrong. */
    void (*sent)(void *context, unsigned device, const uint8_t *psdu, size_t size);
};

struct mup_devices;

/* NULL after a message on stderr. The calls come out of mup_devices_handle() alone. */
struct mup_devices *mup_devices_open(const char *socket_path,
                                     const struct mup_devices_calls *calls);
void mup_devices_close(struct mup_devices *devices);

/* A frame for one device; lost, as on the air, when the device does not read for too long. */
void mup_devices_give(struct mup_devices *devices, unsigned device, const uint8_t *psdu,
                      size_t size);

/* Fill in what to poll; returns how many entries (at most MUP_DEVICES_MAX + 1). */
nfds_t mup_devices_poll_set(const struct mup_devices *devices, struct pollfd *set);

/* Handle what poll() found in the same set. */
void mup_devices_handle(struct mup_devices *devices, const struct pollfd *set, nfds_t count);

#endif
