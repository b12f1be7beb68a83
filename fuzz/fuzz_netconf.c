/* NETCONF's framings and the XML reader, as the bridge meets them before anybody is known. The
 * first byte chooses the framing and where the input is cut in two; where it is cut must not
 * change what comes out. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/netconf_framing.h"
#include "runtime/xml.h"

#define MESSAGE_SIZE_MAX 4096u
#define ELEMENTS_MAX     256u

/* What a stream came to: how many messages, how it ended, and a sum over all message bytes. */
struct outcome {
    unsigned messages;
    enum mup_status last;
    uint32_t sum;
};

static void read_message(const char *message, size_t size)
{
    struct mup_xml xml;
    struct mup_xml_span value;
    char text[64];

    if (mup_xml_check(message, size, ELEMENTS_MAX)) {
        return;
    }
    mup_xml_init(&xml, message, size);
    for (;;) {
        /* What was found good once is good again. */
        if (mup_xml_next(&xml)) {
            abort();
        }
        if (xml.event == MUP_XML_DONE) {
            return;
        }
        if (xml.event == MUP_XML_TEXT && !xml.cdata &&
            mup_xml_decode(text, sizeof text, xml.text) == MUP_ERR_FORMAT) {
            abort();
        }
        if (xml.event == MUP_XML_START && mup_xml_attribute(&xml, "message-id", &value) &&
            mup_xml_decode(text, sizeof text, value) == MUP_ERR_FORMAT) {
            abort();
        }
    }
}

static void feed(struct mup_netconf_framing *framing, struct outcome *outcome, const uint8_t *bytes,
                 size_t size)
{
    size_t at = 0;

    while (at < size && outcome->last != MUP_ERR_FORMAT && outcome->last != MUP_ERR_RANGE) {
        size_t used = 0;
        outcome->last = mup_netconf_framing_feed(framing, &used, bytes + at, size - at);
        at += used;
        if (outcome->last == MUP_OK) {
            outcome->messages++;
            for (size_t i = 0; i < framing->message_size; i++) {
                outcome->sum = outcome->sum * 31 + (uint8_t)framing->message[i];
            }
            read_message(framing->message, framing->message_size);
        }
    }
}

static struct outcome run(enum mup_netconf_mode mode, const uint8_t *bytes, size_t size, size_t cut)
{
    struct mup_netconf_framing framing;
    struct outcome outcome = {0};

    mup_netconf_framing_init(&framing, MESSAGE_SIZE_MAX);
    framing.mode = mode;
    feed(&framing, &outcome, bytes, cut);
    feed(&framing, &outcome, bytes + cut, size - cut);
    mup_netconf_framing_free(&framing);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) {
        return 0;
    }
    enum mup_netconf_mode mode = bytes[0] & 1 ? MUP_NETCONF_CHUNKED : MUP_NETCONF_END_OF_MESSAGE;
    size_t cut = (size_t)(bytes[0] >> 1) % size;
    struct outcome whole = run(mode, bytes + 1, size - 1, 0);
    struct outcome parts = run(mode, bytes + 1, size - 1, cut);

    if (whole.messages != parts.messages || whole.sum != parts.sum || whole.last != parts.last) {
        abort();
    }
    return 0;
}
