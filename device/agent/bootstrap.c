/*
 * Who the device is, and how it becomes known (docs/SPEC.md sections 5, 8 to 10): the identity in
 * flash, the announcement, and what follows from the bridge's reply: description pieces, and the
 * update server's key.
 */
#include "agent_internal.h"

#include <string.h>

#include "mup/identity.h"
#include "mup/trust.h"

enum mup_status mup_agent_load_identity(struct mup_agent *agent)
{
    struct mup_announcement *self = &agent->bootstrap.self;
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
    memcpy(agent->vendor_kid, identity.vendor.key_id, MUP_KID_SIZE);
    memcpy(self->uuid, identity.uuid, MUP_UUID_SIZE);
    memcpy(self->server_kid, identity.server.key_id, MUP_KID_SIZE);
    self->server_epoch = identity.server_epoch;
    return MUP_OK;
}

size_t mup_agent_encode_announcement(struct mup_agent *agent, uint8_t *bytes, size_t capacity)
{
    struct mup_announcement *self = &agent->bootstrap.self;
    size_t size = 0;

    self->in_trial = agent->phase == MUP_AGENT_TRIAL;
    self->version = mup_agent_version(agent);
    return written(mup_announcement_encode(bytes, capacity, &size, self), &size);
}

void mup_agent_piece_sent(struct mup_agent *agent)
{
    mup_bootstrap_said(&agent->bootstrap, agent->now_ms);
    if (mup_bootstrap_piece_sent(&agent->bootstrap))
        mup_agent_due(agent, OUT_PIECE);
    else
        mup_agent_notify(agent, MUP_AGENT_DESCRIBED, 0, agent->bootstrap.piece_number);
}

static void take_certificate(struct mup_agent *agent, struct mup_bytes certificate)
{
    enum mup_status status = mup_trust_take_certificate(agent->config->map, &agent->budget,
                                                        certificate.data, certificate.size);

    if (status == MUP_OK)
        status = mup_agent_load_identity(agent);
    mup_agent_notify(agent, MUP_AGENT_CERTIFICATE, mup_trust_state(status),
                     agent->bootstrap.self.server_epoch);
}

void mup_agent_on_bootstrap(struct mup_agent *agent, size_t size)
{
    struct mup_bytes certificate;
    uint32_t state =
        mup_bootstrap_take_reply(&agent->bootstrap, &certificate, agent->config->request, size);

    if (state == 0)
        return;
    mup_agent_notify(agent, MUP_AGENT_BOOTSTRAP, state, 0);
    mup_bootstrap_said(&agent->bootstrap, agent->now_ms);
    if (state == MUP_STATE_SEND_DESCRIPTION)
        mup_agent_due(agent, OUT_PIECE);
    if (certificate.size > 0)
        take_certificate(agent, certificate);
}
