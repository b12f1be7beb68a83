/*
 * What a frame says of itself: kind, sequence number, addresses (IEEE 802.15.4-2020, 7.2).
 *
 * Data and command frames of the frame versions 0 and 1 are understood, which is what 6LoWPAN
 * sends. Everything else is a frame without a destination: it is on the air and reaches nobody.
 */
#include <string.h>

#include "medium_internal.h"

/* Frame control field, 7.2.2. */
#define TYPE(control)             ((control)&7u)
#define TYPE_DATA                 1u
#define TYPE_COMMAND              3u
#define ACK_REQUEST               0x0020u
#define PAN_COMPRESSION           0x0040u
#define DESTINATION_MODE(control) ((control) >> 10 & 3u)
#define VERSION(control)          ((control) >> 12 & 3u)
#define VERSION_2006              1u
#define SOURCE_MODE(control)      ((control) >> 14 & 3u)
#define MODE_NONE                 0u
#define MODE_SHORT                2u
#define MODE_EXTENDED             3u

#define ADDRESSES_AT              3u /* after frame control and sequence number */
#define PAN_SIZE                  2u
#define SHORT_SIZE                2u
#define FCS_SIZE                  2u

/* One address field, its PAN identifier before it; false when the frame ends too early or the mode
 * is reserved. */
static bool take_address(struct mup_medium_address *address, unsigned mode, bool has_pan,
                         const uint8_t *psdu, size_t size, size_t *at)
{
    size_t pan_size = has_pan ? PAN_SIZE : 0;

    address->size = 0;
    if (mode == MODE_NONE)
        return true;
    if (mode != MODE_SHORT && mode != MODE_EXTENDED)
        return false;
    address->size = mode == MODE_SHORT ? SHORT_SIZE : MUP_MEDIUM_EUI64_SIZE;
    if (size - *at < pan_size + address->size)
        return false;
    memcpy(address->bytes, psdu + *at + pan_size, address->size);
    *at += pan_size + address->size;
    return true;
}

static bool is_broadcast(const struct mup_medium_address *address)
{
    return address->size == SHORT_SIZE && address->bytes[0] == 0xff && address->bytes[1] == 0xff;
}

struct mup_medium_facts mup_medium_read(const uint8_t *psdu, size_t size)
{
    static const struct mup_medium_facts other = {.kind = MUP_MEDIUM_OTHER};
    struct mup_medium_facts facts = other;
    size_t at = ADDRESSES_AT;
    unsigned control;

    if (size < ADDRESSES_AT + FCS_SIZE)
        return other;
    size -= FCS_SIZE;
    control = psdu[0] | (unsigned)psdu[1] << 8;
    if ((TYPE(control) != TYPE_DATA && TYPE(control) != TYPE_COMMAND) ||
        VERSION(control) > VERSION_2006)
        return other;
    if (!take_address(&facts.destination, DESTINATION_MODE(control), true, psdu, size, &at) ||
        !take_address(&facts.source, SOURCE_MODE(control), (control & PAN_COMPRESSION) == 0, psdu,
                      size, &at) ||
        facts.destination.size == 0)
        return other;
    facts.dsn = psdu[2];
    facts.kind = is_broadcast(&facts.destination) ? MUP_MEDIUM_BROADCAST : MUP_MEDIUM_DATA;
    facts.wants_ack = facts.kind == MUP_MEDIUM_DATA && (control & ACK_REQUEST) != 0;
    return facts;
}

bool mup_medium_address_equal(const struct mup_medium_address *a,
                              const struct mup_medium_address *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

bool mup_medium_is_addressed(const struct mup_medium_node *node,
                             const struct mup_medium_address *destination)
{
    return node->is_attached && destination->size != 0 &&
           (mup_medium_address_equal(&node->eui64, destination) ||
            mup_medium_address_equal(&node->short_address, destination));
}
