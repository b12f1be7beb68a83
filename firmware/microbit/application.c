/*
 * What the product does, whatever its updates are about: a heartbeat, a lamp, and a thermometer
 * that wanders about, as firmware/description/microbit.jsonld declares them.
 */
#include "firmware.h"

#include <string.h>

#include "mup/cbor.h"

#define TOPIC_LED         "led/"
#define TOPIC_INTERVAL    "interval/"
#define TOPIC_TEMPERATURE "sensor/temperature/"
#define TOPIC_EVENT       "event/"
#define INTERVAL_MAX_S    3600
#define INTERVAL_S        10u
#define HEARTBEAT_MS      500u
#define TEXT_MAX          450u /* bytes; a request has room for them */

/* The LED matrix: rows are driven high, columns low (micro:bit V1 schematic). */
#define GPIO(offset)  (*(volatile uint32_t *)(0x50000000u + (offset)))
#define GPIO_SET      GPIO(0x508)
#define GPIO_CLEAR    GPIO(0x50c)
#define GPIO_OUTPUT   GPIO(0x518)
#define ROW_LAMP      (UINT32_C(1) << 13)
#define ROW_HEARTBEAT (UINT32_C(1) << 14)
#define ROW_TEXT      (UINT32_C(1) << 15)
#define COLUMNS       (UINT32_C(0x1ff) << 4)

const char *const microbit_topics[MICROBIT_TOPIC_COUNT] = {TOPIC_LED, TOPIC_INTERVAL};

static struct {
    uint32_t interval_ms;
    uint32_t published_ms;
    uint32_t beat_ms;
    uint32_t noise; /* state of the thermometer's pseudo-random walk */
    uint32_t tenths;
    bool beat;
    bool lamp;
    uint16_t text_left;  /* bytes of a text that are still to be shown */
    uint8_t certificate; /* what became of it, not told yet; 0: nothing to tell */
} application;

void microbit_application_init(uint32_t seed)
{
    application.interval_ms = INTERVAL_S * 1000;
    application.published_ms = application.beat_ms = microbit_now_ms();
    application.noise = seed | 1;
    application.tenths = 215;
    GPIO_OUTPUT = ROW_LAMP | ROW_HEARTBEAT | ROW_TEXT | COLUMNS;
    GPIO_CLEAR = ROW_LAMP | ROW_HEARTBEAT | ROW_TEXT | COLUMNS;
}

static void shine(uint32_t row, bool on)
{
    if (on)
        GPIO_SET = row;
    else
        GPIO_CLEAR = row;
}

static bool is_method(const struct mup_agent_call *call, const char *method)
{
    return call->method.size == strlen(method) &&
           memcmp(call->method.data, method, call->method.size) == 0;
}

static uint32_t set_lamp(bool lamp)
{
    uint32_t state = application.lamp == lamp ? MUP_STATE_NOOP : MUP_STATE_OK;

    application.lamp = lamp;
    shine(ROW_LAMP, lamp);
    return state;
}

static uint32_t set_interval(const struct mup_agent_call *call)
{
    struct mup_cbor_reader reader;
    int32_t seconds;
    uint32_t before_ms = application.interval_ms;

    if (call->argument_count != 1)
        return MUP_STATE_ERROR;
    mup_cbor_reader_init(&reader, call->arguments.data, call->arguments.size);
    seconds = mup_cbor_read_int(&reader);
    if (mup_cbor_reader_finish(&reader) != MUP_OK || seconds < 1 || seconds > INTERVAL_MAX_S)
        return MUP_STATE_ERROR;
    application.interval_ms = (uint32_t)seconds * 1000;
    return application.interval_ms == before_ms ? MUP_STATE_NOOP : MUP_STATE_OK;
}

/* The third row blinks once for each byte of the text, which is all that so few lamps can show of
 * it. */
static uint32_t show_text(const struct mup_agent_call *call)
{
    struct mup_cbor_reader reader;
    struct mup_bytes text;

    if (call->argument_count != 1)
        return MUP_STATE_ERROR;
    mup_cbor_reader_init(&reader, call->arguments.data, call->arguments.size);
    text = mup_cbor_read_text(&reader, 0, TEXT_MAX);
    if (mup_cbor_reader_finish(&reader) != MUP_OK)
        return MUP_STATE_ERROR;
    application.text_left = (uint16_t)text.size;
    return MUP_STATE_OK;
}

void microbit_application_command(struct mup_agent_answer *answer,
                                  const struct mup_agent_call *call)
{
    bool is_led = microbit_topics[call->topic] == microbit_topics[0];

    if (!is_led && is_method(call, "SET-INTERVAL"))
        answer->state = set_interval(call);
    else if (is_led && call->argument_count == 0 && is_method(call, "LED-ON"))
        answer->state = set_lamp(true);
    else if (is_led && call->argument_count == 0 && is_method(call, "LED-OFF"))
        answer->state = set_lamp(false);
    else if (is_led && is_method(call, "SHOW-TEXT"))
        answer->state = show_text(call);
}

/* A tenth of a degree up or down, between 18 and 26. */
static void wander(void)
{
    application.noise ^= application.noise << 13;
    application.noise ^= application.noise >> 17;
    application.noise ^= application.noise << 5;
    if ((application.noise & 1u) != 0 && application.tenths < 260)
        application.tenths++;
    else if (application.tenths > 180)
        application.tenths--;
}

static void publish(struct mup_agent *agent)
{
    uint32_t tenths = application.tenths;
    char text[4];

    text[0] = (char)('0' + tenths / 100);
    text[1] = (char)('0' + tenths / 10 % 10);
    text[2] = '.';
    text[3] = (char)('0' + tenths % 10);
    /* a value that cannot be sent now is dropped: the next one is fresher */
    if (mup_agent_publish(agent, TOPIC_TEMPERATURE, text, sizeof text) == MUP_OK)
        return;
}

void microbit_application_notice(enum mup_agent_notice notice, uint32_t state)
{
    if (notice == MUP_AGENT_CERTIFICATE && state != MUP_STATE_NOOP)
        application.certificate = (uint8_t)state;
}

/* "certificate 31" on event/NAME: a certificate for the update server's key was taken or refused,
 * which is nobody's answer and yet somebody's business. States have two digits (SPEC 18). What
 * finds no room is told at the next tick. */
static void tell_certificate(struct mup_agent *agent)
{
    char text[] = "certificate ..";

    text[12] = (char)('0' + application.certificate / 10);
    text[13] = (char)('0' + application.certificate % 10);
    if (mup_agent_publish(agent, TOPIC_EVENT, text, sizeof text - 1) == MUP_OK)
        application.certificate = 0;
}

uint32_t microbit_application_tick(struct mup_agent *agent)
{
    uint32_t now_ms = microbit_now_ms();
    uint32_t wait_ms;

    if (now_ms - application.beat_ms >= HEARTBEAT_MS) {
        application.beat_ms = now_ms;
        application.beat = !application.beat;
        shine(ROW_HEARTBEAT, application.beat);
        shine(ROW_TEXT, application.beat && application.text_left > 0);
        if (application.beat && application.text_left > 0)
            application.text_left--;
    }
    if (agent == NULL)
        return HEARTBEAT_MS;
    if (application.certificate != 0)
        tell_certificate(agent);
    if (now_ms - application.published_ms >= application.interval_ms) {
        application.published_ms = now_ms;
        wander();
        publish(agent);
    }
    wait_ms = application.interval_ms - (now_ms - application.published_ms);
    return wait_ms < HEARTBEAT_MS - (now_ms - application.beat_ms)
               ? wait_ms
               : HEARTBEAT_MS - (now_ms - application.beat_ms);
}
