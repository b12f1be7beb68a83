/*
 * lwIP gives a first fragment back twice when its header cannot be decompressed: lowpan6_decompress
 * does, and then its caller. The buffer is on the free list twice from then on, and anybody in
 * reach of the radio can have it so; a pool that happens to be empty is enough. So lowpan6.c is
 * compiled with this in its place, which leaves a first fragment to the caller.
 *
 * datagram_size is 0 for what came in one frame. Whoever lets frames in must keep fragments of such
 * a size out (firmware/microbit/frame.h).
 */
#include "netif/lowpan6_common.h"

struct pbuf *mup_lwip_decompress(struct pbuf *p, u16_t datagram_size, ip6_addr_t *contexts,
                                 struct lowpan6_link_addr *source,
                                 struct lowpan6_link_addr *destination);

struct pbuf *mup_lwip_decompress(struct pbuf *p, u16_t datagram_size, ip6_addr_t *contexts,
                                 struct lowpan6_link_addr *source,
                                 struct lowpan6_link_addr *destination)
{
    struct pbuf *decompressed;

    if (datagram_size == 0)
        return lowpan6_decompress(p, datagram_size, contexts, source, destination);
    pbuf_ref(p);
    decompressed = lowpan6_decompress(p, datagram_size, contexts, source, destination);
    if (decompressed != NULL)
        pbuf_free(p);
    return decompressed;
}
