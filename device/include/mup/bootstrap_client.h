/*
 * How a device makes itself known to the bridge (paper Fig. 3; docs/SPEC.md sections 8 to 10): it
 * announces the digest of its description until the bridge replies, sends the description in
 * pieces when the bridge asks for it, and takes the certificate out of the reply. The agent does
 * the publishing; this is what it publishes, and when.
 *
 * ORDER OF CALLS
 *
 *   mup_bootstrap_init()            once, after a reset
 *   mup_bootstrap_link_lost()       the connection ended: the next one begins with an announcement
 *   mup_bootstrap_wait_ms()         0: an announcement is due
 *   mup_announcement_encode(&self)  the announcement
 *   mup_bootstrap_said()            it, or something that stands for it, went out
 *   mup_bootstrap_take_reply()      the bridge's reply came
 *   mup_bootstrap_encode_piece()    when the reply says so, and after each piece_sent() that does
 *   mup_bootstrap_piece_sent()      the broker has a piece
 */
#ifndef MUP_BOOTSTRAP_CLIENT_H
#define MUP_BOOTSTRAP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/bootstrap.h"
#include "mup/bytes.h"
#include "mup/port/random.h"
#include "mup/status.h"

#define MUP_BOOTSTRAP_PIECE_SIZE  256u /* description bytes in one piece */
#define MUP_BOOTSTRAP_MESSAGE_MAX (MUP_BOOTSTRAP_PIECE_SIZE + MUP_PIECE_OVERHEAD_MAX)
#define MUP_BOOTSTRAP_AGAIN_MS    60000u /* announcement again, until the bridge replies */

/* Caller-owned. */
struct mup_bootstrap {
    /* Private. */
    bool replied;          /* the bridge has replied on this connection */
    uint16_t piece_number; /* of the next; after the last, how many there were */
    uint32_t said_ms;

    /* What is announced. The caller sets uuid, server_kid, server_epoch, version and in_trial
     * before it encodes, and may read all of it. */
    struct mup_announcement self;
};

/*
 * Begin after a reset: digest of the description, and a new boot id. `description` is the template,
 * 1 to MUP_DESCRIPTION_MAX bytes; it may be in flash.
 *
 * MUP_ERR_RANDOM  no boot id can be made.
 */
MUP_MUST_CHECK
enum mup_status mup_bootstrap_init(struct mup_bootstrap *bootstrap, const uint8_t *description,
                                   uint32_t description_size, const struct mup_port_random *random);

static inline void mup_bootstrap_link_lost(struct mup_bootstrap *bootstrap)
{
    bootstrap->replied = false;
}

/* An announcement or a piece went out, or a connection has begun: no announcement for a while. */
static inline void mup_bootstrap_said(struct mup_bootstrap *bootstrap, uint32_t now_ms)
{
    bootstrap->said_ms = now_ms;
}

/* In how many ms an announcement is due, on a connection; UINT32_MAX: none is. */
uint32_t mup_bootstrap_wait_ms(const struct mup_bootstrap *bootstrap, uint32_t now_ms);

/* The piece of that description that is next. Returns its size, or 0 if `capacity` is too small. */
size_t mup_bootstrap_encode_piece(const struct mup_bootstrap *bootstrap, uint8_t *bytes,
                                  size_t capacity, const uint8_t *description);

/* The broker has that piece. True: there is another one. */
bool mup_bootstrap_piece_sent(struct mup_bootstrap *bootstrap);

/*
 * Read bytes[0..size) as the bridge's reply. Returns its state, or 0 when it is none, or one to
 * another description: then nothing has changed. MUP_STATE_SEND_DESCRIPTION: encode_piece() begins
 * with the first. *certificate is set beside any state and points into the bytes; it is empty when
 * there is none.
 */
uint32_t mup_bootstrap_take_reply(struct mup_bootstrap *bootstrap, struct mup_bytes *certificate,
                                  const uint8_t *bytes, size_t size);

#endif
