/* Announcement, description pieces, and the bridge's reply. */
#include "mup/bootstrap_client.h"

#include <string.h>

#include "mup/crypto.h"
#include "mup/state.h"

enum mup_status mup_bootstrap_init(struct mup_bootstrap *bootstrap, const uint8_t *description,
                                   uint32_t description_size, const struct mup_port_random *random)
{
    struct mup_announcement *self = &bootstrap->self;

    if (random->fill(random->context, self->boot_id, sizeof self->boot_id) != 0)
        return MUP_ERR_RANDOM;
    self->description_size = description_size;
    mup_sha256_of(self->description_digest, description, description_size);
    return MUP_OK;
}

uint32_t mup_bootstrap_wait_ms(const struct mup_bootstrap *bootstrap, uint32_t now_ms)
{
    uint32_t passed_ms = now_ms - bootstrap->said_ms;

    if (bootstrap->replied)
        return UINT32_MAX;
    return passed_ms < MUP_BOOTSTRAP_AGAIN_MS ? MUP_BOOTSTRAP_AGAIN_MS - passed_ms : 0;
}

/* Bytes of the description that come after the pieces before the next one. */
static uint32_t left(const struct mup_bootstrap *bootstrap)
{
    return bootstrap->self.description_size - bootstrap->piece_number * MUP_BOOTSTRAP_PIECE_SIZE;
}

size_t mup_bootstrap_encode_piece(const struct mup_bootstrap *bootstrap, uint8_t *bytes,
                                  size_t capacity, const uint8_t *description)
{
    struct mup_piece piece;
    size_t size = 0;

    piece.number = bootstrap->piece_number;
    piece.data.data = description + piece.number * MUP_BOOTSTRAP_PIECE_SIZE;
    piece.data.size = left(bootstrap);
    piece.last = piece.data.size <= MUP_BOOTSTRAP_PIECE_SIZE;
    if (!piece.last)
        piece.data.size = MUP_BOOTSTRAP_PIECE_SIZE;
    memcpy(piece.digest_prefix, bootstrap->self.description_digest, MUP_DIGEST_PREFIX_SIZE);
    return mup_piece_encode(bytes, capacity, &size, &piece) == MUP_OK ? size : 0;
}

bool mup_bootstrap_piece_sent(struct mup_bootstrap *bootstrap)
{
    bool more = left(bootstrap) > MUP_BOOTSTRAP_PIECE_SIZE;

    bootstrap->piece_number++;
    return more;
}

uint32_t mup_bootstrap_take_reply(struct mup_bootstrap *bootstrap, struct mup_bytes *certificate,
                                  const uint8_t *bytes, size_t size)
{
    struct mup_bootstrap_reply reply;

    if (mup_bootstrap_reply_decode(&reply, bytes, size) != MUP_OK ||
        memcmp(reply.description_digest, bootstrap->self.description_digest, MUP_DIGEST_SIZE) != 0)
        return 0;
    bootstrap->replied = reply.state != MUP_STATE_SEND_DESCRIPTION;
    bootstrap->piece_number = 0;
    *certificate = reply.certificate;
    return reply.state;
}
