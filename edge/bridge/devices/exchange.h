/*
 * Requests to devices and their responses: each is one message to a device and one answer from it,
 * at the latest at its deadline (docs/SPEC.md section 12; MQTT 5 section 4.10).
 *
 * An answer is believed only on the response topic of the device that was asked, with correlation
 * data that nobody can guess, and once. When the broker was away, all that still has time is
 * published again with its old correlation data, in the old order; the device does it once.
 *
 * Order, for each device: RPCs are published in the order in which they began, commands too, and a
 * command only when the one before has ended; an RPC, for which somebody waits, may overtake
 * commands that wait. At most MUP_EXCHANGES_SENT_MAX are with the device, fewer than it remembers
 * (MUP_AGENT_CORRELATIONS of device/include/mup/agent.h), so that it knows each repeated one.
 *
 *     exchange = mup_exchange_begin(exchanges, &request, on_end, arg);
 *     ... on_end(arg, response) once, unless mup_exchange_cancel(exchange) came first ...
 */
#ifndef MUP_BRIDGE_EXCHANGE_H
#define MUP_BRIDGE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/devices/registry.h"
#include "runtime/loop.h"
#include "runtime/mqtt_session.h"

#define MUP_EXCHANGES_MAX        16384u
#define MUP_EXCHANGES_DEVICE_MAX 64u /* for one device */
#define MUP_EXCHANGES_SENT_MAX   4u  /* of them with the device, unanswered */
#define MUP_CORRELATION_SIZE     16u

struct mup_exchanges;
struct mup_exchange;

struct mup_exchange_request {
    struct mup_device *device; /* must stay in the registry */
    bool is_command;           /* nobody waits for it in a session */
    const char *topic;
    const uint8_t *bytes; /* at most MUP_REQUEST_MAX; copied, as the topic is */
    size_t size;
    const uint8_t *correlation; /* MUP_CORRELATION_SIZE bytes */
    uint64_t timeout_ms;
};

/* The device answered with these bytes, valid during the call; data NULL: it did not, in time.
 * The exchange is gone already: anything may be begun or cancelled. */
typedef void mup_exchange_on_end(void *arg, struct mup_bytes response);

/* NULL: no memory. What is pointed to must live as long. */
struct mup_exchanges *mup_exchanges_new(struct mup_loop *loop, struct mup_mqtt_session *session,
                                        const struct mup_registry *registry);

/* Forget all without a word. */
void mup_exchanges_free(struct mup_exchanges *exchanges);

/* Bytes that nobody can guess; false: this machine has no randomness. */
bool mup_correlation_make(uint8_t correlation[MUP_CORRELATION_SIZE]);

/* Whether one more would find room: else mup_exchange_begin gives NULL. */
bool mup_exchanges_have_room(const struct mup_exchanges *exchanges,
                             const struct mup_device *device);

/* NULL: too many are under way, for this device or in all, or no memory. */
struct mup_exchange *mup_exchange_begin(struct mup_exchanges *exchanges,
                                        const struct mup_exchange_request *request,
                                        mup_exchange_on_end *on_end, void *arg);

/* Forget it; a device that has it already may carry it out. */
void mup_exchange_cancel(struct mup_exchange *exchange);

/* Whether it was given to the broker. */
bool mup_exchange_is_sent(const struct mup_exchange *exchange);

/* A message on mup/response/NAME. */
void mup_exchanges_response(struct mup_exchanges *exchanges, const char *name,
                            const struct mup_mqtt_message *message);

/* The broker is back. */
void mup_exchanges_republish(struct mup_exchanges *exchanges);

/* A device is there again, perhaps with a broker that knew nothing of it when it was asked: publish
 * to it again. */
void mup_exchanges_remind(struct mup_exchanges *exchanges, struct mup_device *device);

/* The broker has taken something: there may be room for what found none. */
void mup_exchanges_resume(struct mup_exchanges *exchanges);

#endif
