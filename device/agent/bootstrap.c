/*
 * Making itself known (docs/SPEC.md sections 5, 8, 9, 10): announcement, description pieces, and
 * the bridge's reply with the update server's key.
 */
#include "agent_internal.h"

#include <string.h>

#include "mup/bootstrap.h"
#include "mup/identity.h"
#include "mup/trust.h"

enum mup_status mup_agent_load_identity(struct mup_agent *agent)
{
    struct mup_identity identity;
    enum mup_status status = mup_identity_load(&identity, agent->config->map);
    uint8_t size = 0;

    if (status != MUP_OK)
        return status;
    while (size < MUP_NAME_MAX && identity.name[size] != '\0')
        size++;
    if (!mup_name_is_valid(identity.name, size))
        return MUP_ERR_FORMAT;
    memcpy(agent->name, identity.name, size);
    agent->name_size = size;
    memcpy(agent->uuid, identity.uuid, MUP_UUID_SIZE);
    memcpy(agent->vendor_kid, identity.vendor.key_id, MUP_KID_SIZE);
    memcpy(agent->server_kid, identity.server.key_id, MUP_KID_SIZE);
    agent->server_epoch = identity.server_epoch;
    return MUP_OK;
}

size_t mup_agent_encode_announcement(const struct mup_agent *agent, uint8_t *bytes, size_t capacity)
{
    struct mup_announcement announcement = {
        .description_size = agent->config->description_size,
        .in_trial = agent->phase == MUP_AGENT_TRIAL,
        .server_epoch = agent->server_epoch,
        .version = mup_boot_running(agent->config->boot)->version,
    };
    size_t size = 0;

    memcpy(announcement.uuid, agent->uuid, MUP_UUID_SIZE);
    memcpy(announcement.description_digest, agent->description_digest, MUP_DIGEST_SIZE);
    memcpy(announcement.server_kid, agent->server_kid, MUP_KID_SIZE);
    memcpy(announcement.boot_id, agent->boot_id, MUP_BOOT_ID_SIZE);
    return written(mup_announcement_encode(bytes, capacity, &size, &announcement), &size);
}

/* ---- Pieces ------------------------------------------------------------------------------ */

size_t mup_agent_encode_piece(const struct mup_agent *agent, uint8_t *bytes, size_t capacity)
{
    uint32_t at = agent->piece_number * MUP_AGENT_PIECE_SIZE;
    uint32_t left = agent->config->description_size - at;
    struct mup_piece piece = {.number = agent->piece_number,
                              .last = left <= MUP_AGENT_PIECE_SIZE,
                              .data = {agent->config->description + at, MUP_AGENT_PIECE_SIZE}};
    size_t size = 0;

    if (piece.last)
        piece.data.size = left;
    memcpy(piece.digest_prefix, agent->description_digest, MUP_DIGEST_PREFIX_SIZE);
    return written(mup_piece_encode(bytes, capacity, &size, &piece), &size);
}

void mup_agent_piece_sent(struct mup_agent *agent)
{
    agent->announced_ms = agent->now_ms; /* no announcement while pieces are under way */
    agent->piece_number++;
    if (agent->piece_number * MUP_AGENT_PIECE_SIZE < agent->config->description_size)
        mup_agent_due(agent, OUT_PIECE);
    else
        mup_agent_notify(agent, MUP_AGENT_DESCRIBED, 0, agent->piece_number);
}

/* ---- The bridge's reply ------------------------------------------------------------------ */

static uint32_t certificate_state(enum mup_status status)
{
    switch (status) {
    case MUP_OK:
        return MUP_STATE_OK;
    case MUP_ERR_STATE:
        return MUP_STATE_NOOP;
    case MUP_ERR_KEY:
        return MUP_STATE_UNKNOWN_KEY;
    case MUP_ERR_SIGNATURE:
        return MUP_STATE_OUTER_SIGNATURE_INVALID;
    case MUP_ERR_STALE:
        return MUP_STATE_INVALID_VERSION;
    case MUP_ERR_BUSY:
        return MUP_STATE_BUDGET_EXHAUSTED;
    case MUP_ERR_FLASH:
        return MUP_STATE_FLASH_FAILURE;
    case MUP_ERR_SHORT:
    case MUP_ERR_FORMAT:
    case MUP_ERR_RANGE:
    case MUP_ERR_DIGEST:
    case MUP_ERR_RANDOM:
    case MUP_ERR_SPACE:
        break;
    }
    return MUP_STATE_ERROR;
}

static void take_certificate(struct mup_agent *agent, struct mup_bytes certificate)
{
    enum mup_status status = mup_trust_take_certificate(agent->config->map, &agent->budget,
                                                        certificate.data, certificate.size);

    if (status == MUP_OK)
        status = mup_agent_load_identity(agent);
    mup_agent_notify(agent, MUP_AGENT_CERTIFICATE, certificate_state(status), agent->server_epoch);
}

void mup_agent_on_bootstrap(struct mup_agent *agent, size_t size)
{
    struct mup_bootstrap_reply reply;

    if (mup_bootstrap_reply_decode(&reply, agent->config->request, size) != MUP_OK ||
        memcmp(reply.description_digest, agent->description_digest, MUP_DIGEST_SIZE) != 0)
        return;
    mup_agent_notify(agent, MUP_AGENT_BOOTSTRAP, reply.state, 0);
    agent->replied = reply.state != MUP_STATE_SEND_DESCRIPTION;
    agent->announced_ms = agent->now_ms;
    if (reply.state == MUP_STATE_SEND_DESCRIPTION) {
        agent->piece_number = 0;
        mup_agent_due(agent, OUT_PIECE);
    }
    if (reply.state == MUP_STATE_OK && reply.certificate.size > 0)
        take_certificate(agent, reply.certificate);
}
