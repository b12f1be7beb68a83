/*
 * The duplicate filter of a receiving MAC: a frame whose acknowledgement was lost comes again, with
 * the same sequence number, and is not delivered again.
 *
 * Of each sender only its latest number counts, and only for as long as its retries may take: a
 * device that was reset may begin with the number that it ended with.
 */
#include "medium_internal.h"

/*
 * Between an attempt that arrived and the third retry: three acknowledgement waits, and three
 * times the longest that CSMA-CA may take, 115 backoff periods and five assessments: 118,272 us.
 * A sender may also wait for this receiver to wake, each time.
 */
#define RETRIES_US 120000u

static struct mup_medium_source *find(struct mup_medium_node *node,
                                      const struct mup_medium_address *address)
{
    struct mup_medium_source *oldest = &node->sources[0];

    for (size_t i = 0; i < MUP_MEDIUM_SOURCES_MAX; i++) {
        struct mup_medium_source *source = &node->sources[i];
        if (mup_medium_address_equal(&source->address, address))
            return source;
        if (source->address.size == 0)
            return source; /* they are filled in this order */
        if (source->at_us < oldest->at_us)
            oldest = source;
    }
    return oldest;
}

bool mup_medium_is_repeated(struct mup_medium_node *node, const struct mup_medium_address *address,
                            uint8_t dsn, uint64_t now_us)
{
    uint64_t keep_us = RETRIES_US + 3u * (uint64_t)node->sleep.period_us;
    struct mup_medium_source *source;
    bool is_repeated;

    if (address->size == 0)
        return false;
    source = find(node, address);
    is_repeated = mup_medium_address_equal(&source->address, address) && source->dsn == dsn &&
                  now_us - source->at_us <= keep_us;
    *source = (struct mup_medium_source){*address, dsn, now_us};
    return is_repeated;
}
