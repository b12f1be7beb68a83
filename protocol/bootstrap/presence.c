/* Presence (docs/SPEC.md section 11): {1: true} or {1: false}, nothing else. */
#include <string.h>

#include "protocol/layout.h"
#include "mup/bootstrap.h"

static const struct mup_field rows[] = {{1, MUP_FIELD_BOOL, MUP_REQUIRED, 0, 0, 0}};

MUP_LAYOUT(layout, rows, bool, UINT16_MAX, NULL);

void mup_presence_encode(uint8_t bytes[MUP_PRESENCE_SIZE], bool online)
{
    static const uint8_t forms[2][MUP_PRESENCE_SIZE] = {{0xa1, 0x01, 0xf4}, {0xa1, 0x01, 0xf5}};

    memcpy(bytes, forms[online], MUP_PRESENCE_SIZE);
}

enum mup_status mup_presence_decode(bool *online, const uint8_t *bytes, size_t size)
{
    return mup_layout_decode(online, bytes, size, &layout);
}
