/* The MAC header's addresses: see address.h. */
#include "address.h"

#include "frame.h"

/* Frame control field, IEEE 802.15.4-2020 section 7.2.2. */
#define FCF_PAN_COMPRESSION    0x0040u
#define FCF_MODE_TO(control)   ((control) >> 10 & 3u)
#define FCF_MODE_FROM(control) ((control) >> 14 & 3u)
#define FCF_MODE_SHORT         2u
#define FCF_MODE_EXTENDED      3u

#define BEGIN_SIZE             3u /* frame control and sequence number */
#define PAN_SIZE               2u

static uint8_t size_of(unsigned mode)
{
    return mode == FCF_MODE_EXTENDED ? 8 : mode == FCF_MODE_SHORT ? 2 : 0;
}

/* Least significant byte first on the air. */
static uint64_t read_number(const uint8_t *bytes, size_t size)
{
    uint64_t number = 0;

    for (size_t i = size; i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return number;
}

bool mup_addresses_read(struct mup_addresses *out, const uint8_t *psdu, size_t size)
{
    struct mup_addresses found = {0};
    size_t at = BEGIN_SIZE;
    size_t source_at;
    unsigned control;

    if (size < BEGIN_SIZE + MUP_FRAME_FCS_SIZE)
        return false;
    control = psdu[0] | (unsigned)psdu[1] << 8;
    found.destination_size = size_of(FCF_MODE_TO(control));
    found.source_size = size_of(FCF_MODE_FROM(control));
    if (found.destination_size > 0)
        at += PAN_SIZE;
    source_at = at + found.destination_size;
    if (found.source_size > 0 && (control & FCF_PAN_COMPRESSION) == 0)
        source_at += PAN_SIZE;
    if (source_at + found.source_size + MUP_FRAME_FCS_SIZE > size)
        return false;
    found.destination = read_number(psdu + at, found.destination_size);
    found.source = read_number(psdu + source_at, found.source_size);
    *out = found;
    return true;
}

bool mup_addresses_is_broadcast(const struct mup_addresses *addresses)
{
    return addresses->destination_size == 2 && addresses->destination == MUP_ADDRESS_EVERYBODY;
}
