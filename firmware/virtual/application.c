/*
 * The virtual device's own application, as firmware/description/virtual.jsonld declares it: a lamp
 * and a thermometer that wanders about.
 */
#include <stdio.h>
#include <string.h>

#include "mup/cbor.h"
#include "virtual.h"

#define TOPIC_LED         "led/"
#define TOPIC_INTERVAL    "interval/"
#define TOPIC_TEMPERATURE "sensor/temperature/"
#define TOPIC_EVENT       "event/"
#define INTERVAL_MAX_S    3600
#define EVENT_RETRY_MS    100u

const char *const virtual_topics[VIRTUAL_TOPIC_COUNT] = {TOPIC_LED, TOPIC_INTERVAL};

void virtual_application_init(struct virtual_application *application, uint32_t interval_s,
                              uint32_t seed, uint32_t now_ms)
{
    *application = (struct virtual_application){
        .interval_ms = interval_s * 1000, .published_ms = now_ms, .noise = seed | 1, .tenths = 215};
}

static bool is_method(const struct mup_agent_call *call, const char *method)
{
    return call->method.size == strlen(method) &&
           memcmp(call->method.data, method, call->method.size) == 0;
}

static uint32_t set_lamp(struct virtual_application *application, bool lamp)
{
    uint32_t state = application->lamp == lamp ? MUP_STATE_NOOP : MUP_STATE_OK;

    application->lamp = lamp;
    virtual_log("lamp", (struct virtual_field[]){{"is", lamp ? "on" : "off", 0}, {0}});
    return state;
}

static uint32_t set_interval(struct virtual_application *application,
                             const struct mup_agent_call *call)
{
    struct mup_cbor_reader reader;
    int32_t seconds;
    uint32_t before_ms = application->interval_ms;

    if (call->argument_count != 1)
        return MUP_STATE_ERROR;
    mup_cbor_reader_init(&reader, call->arguments.data, call->arguments.size);
    seconds = mup_cbor_read_int(&reader);
    if (mup_cbor_reader_finish(&reader) != MUP_OK || seconds < 1 || seconds > INTERVAL_MAX_S)
        return MUP_STATE_ERROR;
    application->interval_ms = (uint32_t)seconds * 1000;
    virtual_log("interval", (struct virtual_field[]){{"seconds", NULL, (uint32_t)seconds}, {0}});
    return application->interval_ms == before_ms ? MUP_STATE_NOOP : MUP_STATE_OK;
}

void virtual_application_command(struct virtual_application *application,
                                 struct mup_agent_answer *answer, const struct mup_agent_call *call)
{
    const char *topic = virtual_topics[call->topic];

    if (strcmp(topic, TOPIC_INTERVAL) == 0 && is_method(call, "SET-INTERVAL"))
        answer->state = set_interval(application, call);
    else if (strcmp(topic, TOPIC_LED) == 0 && call->argument_count == 0 &&
             is_method(call, "LED-ON"))
        answer->state = set_lamp(application, true);
    else if (strcmp(topic, TOPIC_LED) == 0 && call->argument_count == 0 &&
             is_method(call, "LED-OFF"))
        answer->state = set_lamp(application, false);
}

/* A tenth of a degree up or down, between 18 and 26. */
static void wander(struct virtual_application *application)
{
    application->noise ^= application->noise << 13;
    application->noise ^= application->noise >> 17;
    application->noise ^= application->noise << 5;
    application->tenths += (int32_t)(application->noise % 3) - 1;
    if (application->tenths < 180)
        application->tenths = 180;
    if (application->tenths > 260)
        application->tenths = 260;
}

void virtual_application_notice(struct virtual_application *application,
                                enum mup_agent_notice notice, uint32_t state)
{
    if (notice == MUP_AGENT_CERTIFICATE && state != MUP_STATE_NOOP)
        application->certificate = state;
}

/* What became of a certificate for the update server's key, which is nobody's answer and yet
 * somebody's business. False: there was no room, and it must be told later. */
static bool tell_certificate(struct virtual_application *application, struct mup_agent *agent)
{
    char text[32];
    int size = snprintf(text, sizeof text, "certificate %u", (unsigned)application->certificate);

    if (mup_agent_publish(agent, TOPIC_EVENT, text, (size_t)size) == MUP_OK)
        application->certificate = 0;
    return application->certificate == 0;
}

uint32_t virtual_application_tick(struct virtual_application *application, struct mup_agent *agent,
                                  uint32_t now_ms)
{
    uint32_t passed_ms = now_ms - application->published_ms;
    char text[16];
    int size;

    if (application->certificate != 0 && !tell_certificate(application, agent))
        return EVENT_RETRY_MS;
    if (passed_ms < application->interval_ms)
        return application->interval_ms - passed_ms;
    application->published_ms = now_ms;
    wander(application);
    size = snprintf(text, sizeof text, "%d.%d", (int)(application->tenths / 10),
                    (int)(application->tenths % 10));
    if (mup_agent_publish(agent, TOPIC_TEMPERATURE, text, (size_t)size) == MUP_OK)
        virtual_log("temperature", (struct virtual_field[]){{"value", text, 0}, {0}});
    return application->interval_ms;
}
