/* Requests to the device and its answers, as somebody at the broker sends and sees them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "attack_internal.h"

#include "mup/cbor.h"
#include "mup/sign/repository.h"

#define TOPICS            4u
#define CORRELATION_SIZE  16u
#define ANSWER_TIMEOUT_MS 60000
#define LOOK_MS           250      /* how late a Ctrl-C is noticed */
#define TOPIC_EVENT       "event/" /* firmware/: what the application of both boards tells */
#define EVENT_SIZE        64u

const char *mup_attack_topic(const struct mup_attack_target *target, const char *prefix)
{
    static char topics[TOPICS][MUP_TOPIC_MAX + 1];
    static unsigned turn;
    char *topic = topics[turn++ % TOPICS];

    snprintf(topic, sizeof topics[0], "%s%s", prefix, target->device.name);
    return topic;
}

static bool take_answer(struct mup_attack_answer *answer, const struct mup_tap_message *message)
{
    struct mup_response response;

    if (mup_response_decode(&response, message->payload, message->size) != MUP_OK) {
        fprintf(stderr, "demo: the device answered what is no response\n");
        return false;
    }
    answer->state = response.state;
    answer->value_size = response.value.size;
    memcpy(answer->value, response.value.data == NULL ? message->payload : response.value.data,
           response.value.size);
    return true;
}

bool mup_attack_ask(struct mup_attack_scene *scene, const struct mup_attack_target *target,
                    const char *prefix, struct mup_bytes request, struct mup_attack_answer *answer)
{
    const char *response_topic = mup_attack_topic(target, MUP_TOPIC_RESPONSE);
    uint8_t correlation[CORRELATION_SIZE];
    struct mup_tap_message message;
    size_t mark = mup_tap_mark(scene->tap);

    *answer = (struct mup_attack_answer){.state = MUP_ATTACK_NO_ANSWER};
    if (getrandom(correlation, sizeof correlation, 0) != (ssize_t)sizeof correlation ||
        !mup_tap_publish(scene->tap, mup_attack_topic(target, prefix), request.data, request.size,
                         1, response_topic, correlation, sizeof correlation)) {
        fprintf(stderr, "demo: the attacker cannot publish at the broker\n");
        return false;
    }
    if (!mup_tap_wait(scene->tap, &mark, response_topic, correlation, sizeof correlation,
                      ANSWER_TIMEOUT_MS, &message)) {
        mup_attack_complain(scene, "the device did not answer on %s", response_topic);
        return false;
    }
    return take_answer(answer, &message);
}

bool mup_attack_value_bytes(struct mup_bytes *bytes, struct mup_bytes value)
{
    struct mup_cbor_reader reader;
    struct mup_bytes found;

    mup_cbor_reader_init(&reader, value.data, value.size);
    found = mup_cbor_read_bytes(&reader, 1, MUP_RESPONSE_MAX);
    if (mup_cbor_reader_finish(&reader) != MUP_OK)
        return false;
    *bytes = found;
    return true;
}

/* ---- What the device says by itself ---------------------------------------------------------- */

bool mup_attack_await(struct mup_attack_scene *scene, struct mup_attack_target *target,
                      const char *prefix, struct mup_tap_message *message)
{
    const char *topic = mup_attack_topic(target, prefix);
    volatile const int *stop = scene->bed.processes.stop;

    for (int left_ms = MUP_ATTACK_WAIT_MS; left_ms > 0; left_ms -= LOOK_MS) {
        if (stop != NULL && *stop)
            return false;
        if (mup_tap_wait(scene->tap, &target->mark, topic, NULL, 0, LOOK_MS, message))
            return true;
        mup_process_pump(&scene->bed.processes, 0);
    }
    mup_attack_complain(scene, "nothing crossed the broker on %s", topic);
    return false;
}

uint32_t mup_attack_await_certificate(struct mup_attack_scene *scene,
                                      struct mup_attack_target *target)
{
    static const char event[] = "certificate ";
    char text[EVENT_SIZE];
    struct mup_tap_message message;

    while (mup_attack_await(scene, target, TOPIC_EVENT, &message)) {
        snprintf(text, sizeof text, "%.*s", (int)message.size, (const char *)message.payload);
        if (strncmp(text, event, sizeof event - 1) == 0)
            return (uint32_t)strtoul(text + sizeof event - 1, NULL, 10);
    }
    return MUP_ATTACK_NO_ANSWER;
}

bool mup_attack_await_transfer(struct mup_attack_scene *scene, struct mup_attack_target *target,
                               struct mup_ack *ack)
{
    struct mup_tap_message message;
    struct mup_response response;
    struct mup_bytes value;

    while (mup_attack_await(scene, target, MUP_TOPIC_RESPONSE, &message))
        if (mup_response_decode(&response, message.payload, message.size) == MUP_OK &&
            mup_attack_value_bytes(&value, response.value) &&
            mup_ack_decode(ack, value.data, value.size) == MUP_OK)
            return true;
    mup_attack_complain(scene, "the device accepted no manifest");
    return false;
}

bool mup_attack_await_report(struct mup_attack_scene *scene, struct mup_attack_target *target,
                             struct mup_report *report)
{
    struct mup_tap_message message;

    return mup_attack_await(scene, target, MUP_TOPIC_REPORT, &message) &&
           mup_report_decode(report, message.payload, message.size) == MUP_OK;
}

/* ---- Requests of the attacker ---------------------------------------------------------------- */

bool mup_attack_get_token(struct mup_attack_scene *scene, const struct mup_attack_target *target,
                          struct mup_token *token)
{
    static const char method[] = MUP_METHOD_GET_TOKEN;
    struct mup_request request = {.method = {(const uint8_t *)method, sizeof method - 1}};
    uint8_t bytes[MUP_REQUEST_MAX];
    struct mup_bytes message = {.data = bytes};
    struct mup_bytes value;
    struct mup_attack_answer answer;

    if (mup_request_encode(bytes, sizeof bytes, &message.size, &request) == MUP_OK &&
        mup_attack_ask(scene, target, MUP_TOPIC_TOKEN, message, &answer) &&
        mup_attack_value_bytes(&value, (struct mup_bytes){answer.value, answer.value_size}) &&
        mup_token_decode(token, value.data, value.size) == MUP_OK)
        return true;
    mup_attack_complain(scene, "the device gave no token");
    return false;
}

bool mup_attack_manifest_request(uint8_t request[MUP_REQUEST_MAX], size_t *size,
                                 struct mup_bytes extended)
{
    static const char method[] = MUP_METHOD_MANIFEST;
    uint8_t argument[MUP_REQUEST_MAX];
    struct mup_cbor_writer writer;
    struct mup_request parts = {.method = {(const uint8_t *)method, sizeof method - 1},
                                .argument_count = 1,
                                .arguments = {.data = argument}};

    mup_cbor_writer_init(&writer, argument, sizeof argument);
    mup_cbor_write_bytes(&writer, extended.data, extended.size);
    return mup_cbor_writer_finish(&writer, &parts.arguments.size) == MUP_OK &&
           mup_request_encode(request, MUP_REQUEST_MAX, size, &parts) == MUP_OK;
}

bool mup_attack_fetch_manifest(struct mup_attack_scene *scene, uint32_t version, uint8_t **bytes,
                               size_t *size)
{
    char name[128];
    struct mup_error error;

    snprintf(name, sizeof name, "releases/%s/%u/%s/manifest.cose", MUP_TESTBED_APP,
             (unsigned)version, scene->board->hardware);
    if (mup_file_read(bytes, size, mup_testbed_path(&scene->bed, name), MUP_VENDOR_SIGNED_MAX,
                      &error) == MUP_OK)
        return true;
    fprintf(stderr, "demo: %s\n", error.text);
    return false;
}
