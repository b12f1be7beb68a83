/*
 * A bridge with many devices and many NETCONF sessions, all of them in one thread of the test.
 *
 * The devices are one MQTT client that may use every topic. Each has what a device has of SPEC
 * section 12: it remembers the correlation data of the last eight requests since it started, and
 * carries out none of them twice. Nothing sleeps: each wait has an event and a deadline.
 */
#ifndef RIG_H
#define RIG_H

#include <mosquitto.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/topic.h"
#include "testbed.h"

#define RIG_DEADLINE_MS 60000u
#define RIG_REMEMBERED  8u
#define RIG_HELD_MAX    64u
#define RIG_DONE_MAX    64u

struct rig_request {
    uint8_t correlation[16];
    int64_t argument; /* the first; 0: none */
};

struct rig_device {
    char name[MUP_NAME_MAX + 1];
    uint8_t uuid[MUP_UUID_SIZE];
    bool known;     /* the bridge has taken it in */
    size_t refused; /* announcements that the bridge refused */
    bool asleep;    /* it holds requests back */
    struct rig_request held[RIG_HELD_MAX];
    size_t held_count;
    uint8_t remembered[RIG_REMEMBERED][16];
    size_t remembered_count;    /* since it started */
    int64_t done[RIG_DONE_MAX]; /* the arguments of what it carried out */
    size_t done_count;
    uint8_t last[16]; /* correlation data of the last request */
    size_t delivered; /* requests that came, repeated ones too */
};

/* One NETCONF session on the Unix socket, framed as in 1.0. */
struct rig_session {
    int fd; /* -1: none */
    char *text;
    size_t size;
    bool ended;
};

struct rig {
    struct mup_testbed bed;
    struct mosquitto *mosq;
    bool subscribed;
    bool away; /* the devices have lost the broker, and do not look for it */
    struct rig_device *devices;
    size_t device_count;
    struct rig_session *sessions; /* that are read in each turn */
    size_t session_count;
    char *description;
    size_t description_size;
    uint8_t digest[MUP_DIGEST_SIZE];
    char ns[128]; /* of the devices' module */
};

/* Everything up, the devices known to the bridge. False: said on stderr. */
bool rig_open(struct rig *rig, size_t device_count, size_t session_count,
              const char *bridge_settings);
void rig_close(struct rig *rig);

/* One look at everything that can happen; waits a little when nothing did. */
void rig_turn(struct rig *rig);
uint64_t rig_now_ms(void);
void rig_fail(struct rig *rig, const char *what);

#define RIG_WAIT(rig, condition)                              \
    do {                                                      \
        uint64_t rig_end_ms = rig_now_ms() + RIG_DEADLINE_MS; \
        while (!(condition)) {                                \
            if (rig_now_ms() > rig_end_ms)                    \
                rig_fail((rig), "never: " #condition);        \
            rig_turn(rig);                                    \
        }                                                     \
    } while (false)

/* ---- processes ---- */
void rig_kill_bridge(struct rig *rig);
void rig_start_bridge(struct rig *rig);
void rig_stop_bridge(struct rig *rig); /* it stands still until it is told to continue */
void rig_continue_bridge(struct rig *rig);
void rig_kill_broker(struct rig *rig); /* and what it has kept */
void rig_start_broker(struct rig *rig);
/* Wait until the bridge logs this; "": what it has logged until now is not looked at later. */
void rig_expect_bridge(struct rig *rig, const char *needle);

/* ---- devices ---- */
/* Announce it under this name, in this boot. */
void rig_announce(struct rig *rig, const struct rig_device *device, const char *name, uint8_t boot);
void rig_wake(struct rig *rig, struct rig_device *device);
/* Answer the request with these correlation data, as this device. */
void rig_respond(struct rig *rig, const struct rig_device *device, const uint8_t correlation[16]);

/* ---- sessions ---- */
struct rig_session *rig_connect(struct rig *rig, size_t index, const char *user);
void rig_disconnect(struct rig_session *session);
/* <rpc> with this in it. */
void rig_send(struct rig *rig, struct rig_session *session, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The next message that came, NULL: none yet. Valid until the next call. */
const char *rig_message(struct rig_session *session);
/* Wait for a message with this in it; those before it are dropped. */
const char *rig_expect(struct rig *rig, struct rig_session *session, const char *needle);
/* The text of the element `name` in a message. */
void rig_element(const char *message, const char *name, char *text, size_t size);

#endif
