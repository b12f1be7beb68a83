/*
 * lwIP's neighbour discovery puts an EUI-64 into an option of 16 bytes and leaves the last 6 as it
 * found them: what memory held goes on the air, where RFC 4944 section 8 wants zeros. So nd6.c is
 * compiled with this in the place of pbuf_alloc.
 */
#include <string.h>

#include "lwip/pbuf.h"

struct pbuf *mup_lwip_alloc_cleared(pbuf_layer layer, u16_t length, pbuf_type type);

struct pbuf *mup_lwip_alloc_cleared(pbuf_layer layer, u16_t length, pbuf_type type)
{
    struct pbuf *p = pbuf_alloc(layer, length, type);

    if (p != NULL)
        memset(p->payload, 0, p->len);
    return p;
}
