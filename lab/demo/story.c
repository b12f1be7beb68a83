/* The paper's steps, told from what crosses the broker: see story.h. */
#include "story.h"

#include <string.h>
#include <unistd.h>

#include "mup/bootstrap.h"
#include "mup/report.h"
#include "mup/rpc.h"
#include "mup/state.h"
#include "mup/token.h"
#include "mup/topic.h"
#include "mup/transfer.h"

#define BAR_WIDTH   40u
#define DETAIL_SIZE 160u

static const struct {
    const char *title;
    const char *way;
    const char *name; /* at more length, for programs */
} texts[MUP_STORY_STEPS] = {
    {"bootstrap", "device <> bridge",
     "bootstrap: description, and the update server's key under the vendor's certificate"},
    {"token request", "server > bridge > device", "request for a device token"},
    {"device token", "device > bridge > server", "device token: UUID, version, nonce"},
    {"extended manifest", "server > bridge > device",
     "extended manifest: vendor's, with UUID and nonce, signed twice"},
    {"state", "device > bridge > server", "state, after every check"},
    {"firmware slices", "server <> device", "firmware slices, acknowledged with credit"},
    {"verify", "server <> bridge <> device", "verify: digest of the image in flash"},
    {"reboot and report", "device > server", "reboot on trial; the new firmware reports"},
};

void mup_story_begin(struct mup_story *story, FILE *out, const char *name, int64_t now_us)
{
    memset(story, 0, sizeof *story);
    story->out = out;
    story->is_terminal = out != NULL && isatty(fileno(out));
    story->name = name;
    story->last_us = now_us;
    if (out != NULL)
        fprintf(out, "\n%-20s %-26s %10s %9s %9s\n", "STEP", "WHO TO WHOM", "TIME", "TO DEVICE",
                "FROM IT");
}

/* In 80 columns: the step with its figures, and below it what it shows. */
static void tell(struct mup_story *story, unsigned number, const char *detail)
{
    const struct mup_story_step *step = &story->steps[number];

    if (story->out == NULL)
        return;
    fprintf(story->out, "%u %-18s %-26s %7.0f ms %7llu B %7llu B\n", number, texts[number].title,
            texts[number].way, (double)(step->done_us - step->begun_us) / 1000.0,
            (unsigned long long)step->to_device, (unsigned long long)step->from_device);
    if (detail[0] != '\0')
        fprintf(story->out, "  %s\n", detail);
    fflush(story->out);
}

/* Count a message into a step, which begins where the one before ended. */
static struct mup_story_step *count(struct mup_story *story, unsigned number,
                                    const struct mup_tap_message *message, bool to_device)
{
    struct mup_story_step *step = &story->steps[number];

    if (!step->begun) {
        step->begun = true;
        step->begun_us = story->last_us;
    }
    step->messages++;
    if (to_device)
        step->to_device += message->size;
    else
        step->from_device += message->size;
    return step;
}

static void complete(struct mup_story *story, unsigned number,
                     const struct mup_tap_message *message, const char *detail)
{
    struct mup_story_step *step = &story->steps[number];

    if (step->done)
        return;
    step->done = true;
    step->done_us = message->at_us;
    story->last_us = message->at_us;
    tell(story, number, detail);
}

static void take_bootstrap(struct mup_story *story, const struct mup_tap_message *message)
{
    struct mup_bootstrap_reply reply;
    char detail[DETAIL_SIZE];

    count(story, 0, message, true);
    if (mup_bootstrap_reply_decode(&reply, message->payload, message->size) != MUP_OK ||
        reply.state != MUP_STATE_OK || reply.certificate.size == 0)
        return;
    snprintf(detail, sizeof detail,
             "The device described itself; it got the server's key, certified by its vendor.");
    complete(story, 0, message, detail);
}

static void describe_token(char *detail, size_t size, const struct mup_response *response)
{
    struct mup_cbor_reader reader;
    struct mup_token token;
    struct mup_bytes bytes;

    mup_cbor_reader_init(&reader, response->value.data, response->value.size);
    bytes = mup_cbor_read_bytes(&reader, 1, MUP_TOKEN_MAX);
    if (mup_cbor_reader_finish(&reader) == MUP_OK &&
        mup_token_decode(&token, bytes.data, bytes.size) == MUP_OK)
        snprintf(
            detail, size,
            "The device runs version %u; nonce %02x%02x%02x%02x..., made just now; window %u B.",
            (unsigned)token.version, token.nonce[0], token.nonce[1], token.nonce[2], token.nonce[3],
            (unsigned)token.window_size);
}

static void take_response(struct mup_story *story, const struct mup_tap_message *message)
{
    struct mup_response response;
    char detail[DETAIL_SIZE] = "";
    unsigned number = story->expecting;

    if (number == 0 || mup_response_decode(&response, message->payload, message->size) != MUP_OK)
        return;
    story->expecting = 0;
    count(story, number, message, false);
    if (number == 2)
        describe_token(detail, sizeof detail, &response);
    else
        snprintf(detail, sizeof detail, "The device says %s%s", mup_state_name(response.state),
                 response.state != MUP_STATE_OK ? "."
                 : number == 4 ? ": nonce, UUID, both signatures, product, version are right."
                               : ": what is in flash has the digest that the vendor signed.");
    complete(story, number, message, detail);
}

static void show_bar(struct mup_story *story, uint32_t next)
{
    unsigned percent =
        story->payload_size == 0 ? 0 : (unsigned)(next * 100ull / story->payload_size);

    if (story->out == NULL || percent == story->percent ||
        (!story->is_terminal && percent / 25 == story->percent / 25))
        return;
    story->percent = percent;
    fprintf(story->out, "%s  [", story->is_terminal ? "\r" : "");
    for (unsigned i = 0; i < BAR_WIDTH; i++)
        fputc(i < percent * BAR_WIDTH / 100 ? '#' : '.', story->out);
    fprintf(story->out, "] %3u %%  %u of %u bytes%s", percent, (unsigned)next,
            (unsigned)story->payload_size, story->is_terminal && percent < 100 ? "" : "\n");
    fflush(story->out);
}

static void take_ack(struct mup_story *story, const struct mup_tap_message *message)
{
    struct mup_ack ack;
    char detail[DETAIL_SIZE];

    count(story, 5, message, false);
    if (mup_ack_decode(&ack, message->payload, message->size) != MUP_OK)
        return;
    show_bar(story, ack.next);
    if (ack.next != story->payload_size || story->steps[5].done)
        return;
    snprintf(detail, sizeof detail,
             "%u messages, %.0f kB/s; each block was checked before it was written.",
             (unsigned)story->steps[5].messages,
             (double)story->payload_size * 1000.0 /
                 (double)(message->at_us - story->steps[5].begun_us + 1));
    complete(story, 5, message, detail);
}

static void take_report(struct mup_story *story, const struct mup_tap_message *message)
{
    struct mup_report report;
    char detail[DETAIL_SIZE];

    count(story, 7, message, false);
    if (mup_report_decode(&report, message->payload, message->size) != MUP_OK)
        return;
    snprintf(detail, sizeof detail, "The device says %s: %sversion %u runs after %u trial boot%s.",
             mup_state_name(report.outcome),
             report.outcome == MUP_STATE_CONFIRMED ? "slots swapped, " : "",
             (unsigned)report.version, (unsigned)report.trial_boots,
             report.trial_boots == 1 ? "" : "s");
    complete(story, 7, message, detail);
}

/* A request: one of the steps 1, 3, and 6, whose response is step 2, 4, and 6 again. */
static void take_request(struct mup_story *story, const struct mup_tap_message *message,
                         unsigned number, unsigned response)
{
    count(story, number, message, true);
    if (number != response)
        complete(story, number, message,
                 number == 3 ? "The vendor's signed manifest, with UUID and nonce, signed again."
                             : "");
    story->expecting = response;
}

static bool is(const struct mup_story *story, const struct mup_tap_message *message,
               const char *prefix)
{
    size_t size = strlen(prefix);

    return strncmp(message->topic, prefix, size) == 0 &&
           strcmp(message->topic + size, story->name) == 0;
}

void mup_story_take(struct mup_story *story, const struct mup_tap_message *message)
{
    if (is(story, message, MUP_TOPIC_FIRMWARE))
        count(story, 5, message, true);
    else if (is(story, message, MUP_TOPIC_ACK))
        take_ack(story, message);
    else if (is(story, message, MUP_TOPIC_RESPONSE))
        take_response(story, message);
    else if (is(story, message, MUP_TOPIC_TOKEN))
        take_request(story, message, 1, 2);
    else if (is(story, message, MUP_TOPIC_MANIFEST))
        take_request(story, message, 3, 4);
    else if (is(story, message, MUP_TOPIC_VERIFY))
        take_request(story, message, 6, 6);
    else if (is(story, message, MUP_TOPIC_REPORT))
        take_report(story, message);
    else if (story->steps[0].done)
        return; /* the new image announces itself too: part of step 7's reboot */
    else if (is(story, message, MUP_TOPIC_BOOTSTRAP))
        take_bootstrap(story, message);
    else if (is(story, message, MUP_TOPIC_ANNOUNCE) || is(story, message, MUP_TOPIC_DESCRIPTION))
        count(story, 0, message, false);
}

json_t *mup_story_json(const struct mup_story *story)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < MUP_STORY_STEPS; i++) {
        const struct mup_story_step *step = &story->steps[i];
        if (!step->done)
            continue;
        json_array_append_new(list, json_pack("{s:i, s:s, s:f, s:I, s:I}", "step", (int)i, "name",
                                              texts[i].name, "milliseconds",
                                              (double)(step->done_us - step->begun_us) / 1000.0,
                                              "bytes_to_device", (json_int_t)step->to_device,
                                              "bytes_from_device", (json_int_t)step->from_device));
    }
    return list;
}
