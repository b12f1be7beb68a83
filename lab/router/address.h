/* Who a frame is from and for: the addresses of IEEE 802.15.4-2020 section 7.2. */
#ifndef MUP_LAB_ADDRESS_H
#define MUP_LAB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUP_ADDRESS_EVERYBODY 0xffffu

/* As numbers, most significant byte first as people write them; size 0 when there is none, else 2
 * or 8. */
struct mup_addresses {
    uint64_t destination;
    uint64_t source;
    uint8_t destination_size;
    uint8_t source_size;
};

/* False when the frame ends before its addresses do. */
bool mup_addresses_read(struct mup_addresses *out, const uint8_t *psdu, size_t size);

bool mup_addresses_is_broadcast(const struct mup_addresses *addresses);

#endif
