/*
 * The device token and its nonce (docs/SPEC.md section 13), and the budget of signature checks.
 */
#include "agent_internal.h"

#include <string.h>

/* One random nonce for each token; the same one while it lives, or else whoever asks for tokens
 * could keep every update from beginning (DESIGN D6). */
static bool make_nonce(struct mup_agent *agent)
{
    const struct mup_port_random *random = agent->config->random;

    if (agent->nonce_lives)
        return true;
    if (random->fill(random->context, agent->nonce, sizeof agent->nonce) != 0)
        return false;
    agent->nonce_ms = agent->now_ms;
    agent->nonce_lives = true;
    return true;
}

/* With its NUL if it has one in time: without, it is longer than a token can say. */
__attribute__((noinline)) static void copy_text(char *out, const char *text, size_t most)
{
    for (size_t i = 0; i <= most; i++) {
        out[i] = text[i];
        if (text[i] == '\0')
            return;
    }
}

static size_t encode(const struct mup_agent *agent, uint8_t *bytes, size_t capacity)
{
    const struct mup_agent_config *config = agent->config;
    const struct mup_announcement *self = &agent->bootstrap.self;
    struct mup_token token;
    const uint8_t *kept;
    size_t size = 0;

    token.link_offset = config->link_offset;
    token.slot_size = mup_flash_map_image_size_max(config->map);
    token.block_size_max = config->block_size_max;
    token.window_size = config->window_size;
    token.slice_size_max = config->slice_size_max;
    token.lifetime_s = config->token_lifetime_s;
    token.flow = config->flow;
    token.pause_ms = config->pause_ms;
    token.has_server_kid = self->server_epoch != 0;
    token.version = mup_agent_version(agent);
    memcpy(token.uuid, self->uuid, MUP_UUID_SIZE);
    memcpy(token.nonce, agent->nonce, MUP_NONCE_SIZE);
    copy_text(token.app_id, config->app_id, MUP_APP_ID_MAX);
    copy_text(token.hardware_class, config->hardware_class, MUP_HARDWARE_CLASS_MAX);
    memcpy(token.vendor_kid, agent->vendor_kid, MUP_KID_SIZE);
    memcpy(token.server_kid, self->server_kid, MUP_KID_SIZE);
    token.has_resume = mup_pipeline_kept(&agent->pipeline, &kept);
    token.resume_offset = mup_pipeline_next(&agent->pipeline);
    memcpy(token.resume_manifest, kept, MUP_DIGEST_SIZE);
    return written(mup_token_encode(bytes, capacity, &size, &token), &size);
}

size_t mup_agent_encode_token(struct mup_agent *agent, uint8_t *bytes, size_t capacity)
{
    return make_nonce(agent) ? encode(agent, bytes, capacity) : 0;
}

_Static_assert(MUP_TOKEN_MAX <= MUP_REQUEST_MAX, "a token fits the request buffer");

bool mup_agent_token_is_valid(const struct mup_agent *agent)
{
    return encode(agent, agent->config->request, MUP_TOKEN_MAX) > 0;
}

/* The time is now this. Ends a nonce whose lifetime is over and refills the budget: before each
 * event, because that may be what ended our sleep, and often enough for the clock to wrap. */
void mup_agent_age(struct mup_agent *agent, uint32_t now_ms)
{
    agent->now_ms = now_ms;
    if (agent->nonce_lives &&
        mup_agent_elapsed(agent, agent->nonce_ms, agent->config->token_lifetime_s * 1000u)) {
        agent->nonce_lives = false;
        memset(agent->nonce, 0, sizeof agent->nonce);
    }
    while (mup_agent_elapsed(agent, agent->budget_ms, MUP_AGENT_BUDGET_REFILL_MS)) {
        agent->budget_ms += MUP_AGENT_BUDGET_REFILL_MS;
        if (agent->budget < MUP_AGENT_BUDGET_MAX)
            agent->budget++;
    }
}
