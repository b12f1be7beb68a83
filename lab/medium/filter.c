/*
 * The duplicate filter of a receiving MAC: a frame whose acknowledgement was lost comes again, with
 * the same sequence number, and is not delivered again.
 *
 * Of each sender only its latest number counts, and only for as long as its retries may take: a
 * device that was reset may begin with the number that it ended with.
 */
#include "medium_internal.h"

/*
 * From the first attempt's end to that of the third retry, at most: three times the wait for an
 * acknowledgement (864 us), 115 backoff periods (36,800), five assessments (640), a turnaround
 * (192) and a frame (4,256). A frame that is offered again goes through CSMA-CA once more each
 * time, and its sender may wait for this receiver to wake.
 */
#define ATTEMPTS_LATER 3u
#define ATTEMPT_US     42752u
#define OFFER_US       37440u /* backoffs and assessments */

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

static uint64_t keep_us(const struct mup_medium *medium, const struct mup_medium_node *node)
{
    return ATTEMPTS_LATER *
           (ATTEMPT_US + (uint64_t)medium->config.offers_max * OFFER_US + node->sleep.period_us);
}

bool mup_medium_is_repeated(struct mup_medium *medium, struct mup_medium_node *node,
                            const struct mup_medium_address *address, uint8_t dsn)
{
    struct mup_medium_source *source;
    bool is_repeated;

    if (address->size == 0)
        return false;
    source = find(node, address);
    is_repeated = mup_medium_address_equal(&source->address, address) && source->dsn == dsn &&
                  medium->now_us - source->at_us <= keep_us(medium, node);
    *source = (struct mup_medium_source){*address, dsn, medium->now_us};
    return is_repeated;
}
