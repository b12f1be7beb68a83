/* Requests to devices and their responses: see exchange.h. */
#include "bridge/devices/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mup/rpc.h"
#include "mup/topic.h"
#include "runtime/log.h"

#define BUCKETS 4096u

struct mup_exchange {
    struct mup_exchange *next;           /* in its bucket */
    struct mup_exchange *next_of_device; /* the next younger one */
    struct mup_exchanges *exchanges;
    struct mup_device *device;
    bool is_command;
    bool sent;
    struct mup_timer *deadline;
    uint64_t deadline_ms;
    mup_exchange_on_end *on_end;
    void *arg;
    uint8_t correlation[MUP_CORRELATION_SIZE];
    size_t size;
    char *topic; /* behind the bytes */
    uint8_t bytes[];
};

struct mup_exchanges {
    struct mup_loop *loop;
    struct mup_mqtt_session *session;
    const struct mup_registry *registry;
    struct mup_exchange *buckets[BUCKETS];
    size_t count;
    /* Devices whose requests found no room in the session, the oldest first. */
    struct mup_device *starved;
    struct mup_device **starved_end;
};

struct mup_exchanges *mup_exchanges_new(struct mup_loop *loop, struct mup_mqtt_session *session,
                                        const struct mup_registry *registry)
{
    struct mup_exchanges *exchanges = calloc(1, sizeof *exchanges);

    if (exchanges == NULL)
        return NULL;
    exchanges->loop = loop;
    exchanges->session = session;
    exchanges->registry = registry;
    exchanges->starved_end = &exchanges->starved;
    return exchanges;
}

bool mup_correlation_make(uint8_t correlation[MUP_CORRELATION_SIZE])
{
    return getrandom(correlation, MUP_CORRELATION_SIZE, 0) == (ssize_t)MUP_CORRELATION_SIZE;
}

static struct mup_exchange **bucket_of(struct mup_exchanges *exchanges, const uint8_t *correlation)
{
    return &exchanges->buckets[(correlation[0] | (unsigned)correlation[1] << 8) % BUCKETS];
}

/* ---- publishing ---- */

/* False: the broker is away, or the session is full. What cannot be published at all is left to
 * its deadline. */
static bool publish(const struct mup_exchange *exchange)
{
    char response_topic[sizeof MUP_TOPIC_RESPONSE + MUP_NAME_MAX];
    uint64_t now = mup_loop_now_ms(exchange->exchanges->loop);
    struct mup_mqtt_publish message = {
        .topic = exchange->topic,
        .payload = exchange->bytes,
        .payload_size = exchange->size,
        .qos = 1,
        .response_topic = response_topic,
        .correlation = exchange->correlation,
        .correlation_size = MUP_CORRELATION_SIZE,
    };
    enum mup_status status;

    if (now >= exchange->deadline_ms)
        return true; /* it ends in this turn of the loop */
    message.expiry_s = (uint32_t)((exchange->deadline_ms - now + 999) / 1000);
    snprintf(response_topic, sizeof response_topic, "%s%s", MUP_TOPIC_RESPONSE,
             exchange->device->stored.name);
    status = mup_mqtt_session_publish(exchange->exchanges->session, &message, NULL);
    if (status != MUP_OK && status != MUP_ERR_BUSY)
        mup_log(MUP_LOG_ERROR, "exchange", mup_log_event("a request cannot be published"),
                mup_log_text("topic", exchange->topic),
                mup_log_text("why", mup_status_name(status)));
    return status != MUP_ERR_BUSY;
}

/* Whether requests go to it, and what it answers is believed. */
static bool is_in_service(const struct mup_device *device)
{
    return !device->unseated && device->stored.standing == MUP_STANDING_SERVICE;
}

static void starve(struct mup_exchanges *exchanges, struct mup_device *device)
{
    if (device->starved)
        return;
    device->starved = true;
    device->next_starved = NULL;
    *exchanges->starved_end = device;
    exchanges->starved_end = &device->next_starved;
}

/* Publish what may go to this device now. */
static void send_next(struct mup_exchanges *exchanges, struct mup_device *device)
{
    unsigned sent = 0;
    bool command_before = false;

    if (!is_in_service(device))
        return;
    for (struct mup_exchange *at = device->exchanges; at != NULL; at = at->next_of_device)
        sent += at->sent;
    for (struct mup_exchange *at = device->exchanges; at != NULL; at = at->next_of_device) {
        bool may_go =
            !at->sent && sent < MUP_EXCHANGES_SENT_MAX && !(at->is_command && command_before);
        command_before = command_before || at->is_command;
        if (!may_go)
            continue;
        if (!publish(at)) {
            starve(exchanges, device);
            return;
        }
        at->sent = true;
        sent++;
    }
}

void mup_exchanges_resume(struct mup_exchanges *exchanges)
{
    struct mup_device *device = exchanges->starved;

    if (device == NULL)
        return;
    exchanges->starved = device->next_starved;
    if (exchanges->starved == NULL)
        exchanges->starved_end = &exchanges->starved;
    device->starved = false;
    send_next(exchanges, device);
}

/* All devices are looked at: nobody starves any more. */
static void feed_all(struct mup_exchanges *exchanges)
{
    while (exchanges->starved != NULL) {
        struct mup_device *device = exchanges->starved;
        exchanges->starved = device->next_starved;
        device->starved = false;
    }
    exchanges->starved_end = &exchanges->starved;
    for (size_t i = 0; i < exchanges->registry->device_count; i++)
        if (exchanges->registry->by_name[i]->exchanges != NULL)
            send_next(exchanges, exchanges->registry->by_name[i]);
}

/* What was sent, again; what finds no room counts as not sent, and is sent when there is some. */
static void send_again(struct mup_device *device)
{
    bool room = true;

    if (!is_in_service(device))
        return;
    for (struct mup_exchange *at = device->exchanges; at != NULL; at = at->next_of_device)
        if (at->sent) {
            room = room && publish(at);
            at->sent = room;
        }
}

void mup_exchanges_republish(struct mup_exchanges *exchanges)
{
    /* The old ones before any new one: else a device could have forgotten them. */
    for (size_t i = 0; i < exchanges->registry->device_count; i++)
        send_again(exchanges->registry->by_name[i]);
    feed_all(exchanges);
}

void mup_exchanges_remind(struct mup_exchanges *exchanges, struct mup_device *device)
{
    send_again(device);
    send_next(exchanges, device);
}

/* ---- beginning and end ---- */

static void free_exchange(struct mup_exchange *exchange)
{
    mup_timer_free(exchange->deadline);
    free(exchange);
}

static void take_out(struct mup_exchange *exchange)
{
    struct mup_exchange **at = bucket_of(exchange->exchanges, exchange->correlation);

    while (*at != exchange)
        at = &(*at)->next;
    *at = exchange->next;
    for (at = &exchange->device->exchanges; *at != exchange;)
        at = &(*at)->next_of_device;
    *at = exchange->next_of_device;
    exchange->exchanges->count--;
    mup_timer_stop(exchange->deadline);
}

/* Its place is free before anybody hears of the end: that can begin the next, or cancel one. */
static void end(struct mup_exchange *exchange, struct mup_bytes response)
{
    struct mup_exchanges *exchanges = exchange->exchanges;

    take_out(exchange);
    send_next(exchanges, exchange->device);
    exchange->on_end(exchange->arg, response);
    free_exchange(exchange);
}

static void on_deadline(void *arg)
{
    end(arg, (struct mup_bytes){NULL, 0});
}

void mup_exchange_cancel(struct mup_exchange *exchange)
{
    struct mup_exchanges *exchanges = exchange->exchanges;
    struct mup_device *device = exchange->device;

    take_out(exchange);
    free_exchange(exchange);
    send_next(exchanges, device);
}

void mup_exchanges_free(struct mup_exchanges *exchanges)
{
    if (exchanges == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (exchanges->buckets[i] != NULL) {
            struct mup_exchange *exchange = exchanges->buckets[i];
            take_out(exchange);
            free_exchange(exchange);
        }
    free(exchanges);
}

bool mup_exchange_is_sent(const struct mup_exchange *exchange)
{
    return exchange->sent;
}

bool mup_exchanges_have_room(const struct mup_exchanges *exchanges, const struct mup_device *device)
{
    size_t count = 0;

    for (const struct mup_exchange *at = device->exchanges; at != NULL; at = at->next_of_device)
        count++;
    return exchanges->count < MUP_EXCHANGES_MAX && count < MUP_EXCHANGES_DEVICE_MAX;
}

static struct mup_exchange *make(struct mup_exchanges *exchanges,
                                 const struct mup_exchange_request *request)
{
    size_t topic_size = strlen(request->topic) + 1;
    struct mup_exchange *exchange = calloc(1, sizeof *exchange + request->size + topic_size);

    if (exchange == NULL)
        return NULL;
    exchange->exchanges = exchanges;
    exchange->device = request->device;
    exchange->is_command = request->is_command;
    exchange->deadline_ms = mup_loop_now_ms(exchanges->loop) + request->timeout_ms;
    exchange->size = request->size;
    exchange->topic = (char *)exchange->bytes + request->size;
    memcpy(exchange->bytes, request->bytes, request->size);
    memcpy(exchange->topic, request->topic, topic_size);
    memcpy(exchange->correlation, request->correlation, MUP_CORRELATION_SIZE);
    exchange->deadline = mup_timer_new(exchanges->loop, on_deadline, exchange);
    if (exchange->deadline != NULL)
        return exchange;
    free(exchange);
    return NULL;
}

struct mup_exchange *mup_exchange_begin(struct mup_exchanges *exchanges,
                                        const struct mup_exchange_request *request,
                                        mup_exchange_on_end *on_end, void *arg)
{
    struct mup_exchange **bucket = bucket_of(exchanges, request->correlation);
    struct mup_exchange **last = &request->device->exchanges;
    struct mup_exchange *exchange =
        mup_exchanges_have_room(exchanges, request->device) ? make(exchanges, request) : NULL;

    if (exchange == NULL)
        return NULL;
    exchange->on_end = on_end;
    exchange->arg = arg;
    exchange->next = *bucket;
    *bucket = exchange;
    while (*last != NULL)
        last = &(*last)->next_of_device;
    *last = exchange;
    exchanges->count++;
    mup_timer_start(exchange->deadline, request->timeout_ms);
    send_next(exchanges, request->device);
    return exchange;
}

/* ---- responses ---- */

static struct mup_exchange *find(struct mup_exchanges *exchanges, const char *name,
                                 const struct mup_mqtt_message *message)
{
    struct mup_exchange *at;

    if (message->correlation_size != MUP_CORRELATION_SIZE)
        return NULL;
    for (at = *bucket_of(exchanges, message->correlation); at != NULL; at = at->next)
        if (memcmp(at->correlation, message->correlation, MUP_CORRELATION_SIZE) == 0 &&
            strcmp(at->device->stored.name, name) == 0 && is_in_service(at->device))
            return at;
    return NULL;
}

void mup_exchanges_response(struct mup_exchanges *exchanges, const char *name,
                            const struct mup_mqtt_message *message)
{
    struct mup_exchange *exchange = find(exchanges, name, message);
    static const uint8_t nothing[1];

    if (exchange == NULL) {
        mup_log(MUP_LOG_DEBUG, "exchange", mup_log_event("answer to nothing that was asked"),
                mup_log_text("device", name));
        return;
    }
    end(exchange, (struct mup_bytes){message->payload_size > 0 ? message->payload : nothing,
                                     message->payload_size});
}
