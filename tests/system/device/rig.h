/*
 * mosquitto and mup-device as processes in a temporary folder, and the update server's and the
 * bridge's side of the wire in this one, by libmosquitto. Every wait is for an event, with one
 * generous deadline; everything ends with rig_free(), also after a failed test.
 */
#ifndef TEST_DEVICE_RIG_H
#define TEST_DEVICE_RIG_H

#include <sys/types.h>

#include "mup/certificate.h"
#include "world.h"

struct mosquitto;

#define RIG_DEADLINE_MS 60000u
#define RIG_LOG_MAX     (1u << 20)

struct rig {
    char folder[64];
    uint16_t port;
    pid_t broker;
    pid_t device;
    int log_fd;            /* the device's standard output */
    char log[RIG_LOG_MAX]; /* all of it so far */
    size_t log_size;
    size_t log_seen; /* rig_wait() goes on from here */
    struct mosquitto *client;
    bool client_connected;
    struct world *office; /* only its update: manifest, token, payload */
    const char *extra[8]; /* further options of mup-device run */

    /* what came */
    uint8_t announcement[MUP_ANNOUNCEMENT_MAX];
    size_t announcement_size;
    uint8_t response[MUP_RESPONSE_MAX];
    size_t response_size;
    uint8_t correlation[4];
    bool response_came;
    struct mup_ack ack;
    bool ack_came;
    uint8_t report[160];
    size_t report_size;
    uint32_t telemetry_count;
    int presence; /* -1: not seen */

    /* the transfer */
    bool serves;   /* sends slices when acknowledgements come */
    uint32_t sent; /* offset of the next slice */
    uint32_t attempt;
    uint32_t sent_most; /* stop for good at this offset; 0: never */
    bool loses;         /* every seventh slice is lost, some are forged */
    uint32_t slice_count;
};

struct rig *rig_make(void);
void rig_free(struct rig *rig);

void rig_start_broker(struct rig *rig);
void rig_stop_broker(struct rig *rig);

/* A flash with image version 1, named dev-1. */
void rig_factory(struct rig *rig);
void rig_start_device(struct rig *rig);
void rig_signal_device(struct rig *rig, int signal); /* and wait for its end */

/* Until the device's log has a further line with this event, and this text in it. */
void rig_wait(struct rig *rig, const char *event, const char *text);
/* Until *flag. */
void rig_until(struct rig *rig, const bool *flag, const char *what);

void rig_until_size(struct rig *rig, const size_t *size, const char *what);
void rig_turn(struct rig *rig);
/* Of a device that ends by itself. */
int rig_exit_code(struct rig *rig);
void rig_publish(struct rig *rig, const char *topic, const void *bytes, size_t size);

/* Image and release of a version; the image does what `fault` says. */
void rig_release(struct rig *rig, uint32_t version, uint32_t size, const char *fault);
struct answer rig_request(struct rig *rig, const char *topic, const char *method, const void *item,
                          size_t item_size);
uint32_t rig_offer(struct rig *rig);
/* The whole payload, or up to rig->sent_most. */
void rig_transfer(struct rig *rig);
/* Offer, transfer, verify. */
void rig_update(struct rig *rig);

#endif
