/*
 * The checks of an extended manifest in the order of docs/SPEC.md section 19, which is a security
 * property (paper 4.6): what costs nothing first, signatures behind a budget, and nothing is kept
 * before everything holds. Then VERIFY-UPDATE, which hands the image to the bootloader.
 */
#include "agent_internal.h"

#include <string.h>

#include "mup/flash_access.h"
#include "mup/trust.h"

/* A manifest being checked: parsed into scratch values, committed only at the end. */
struct candidate {
    struct mup_cose_sign1 outer;
    struct mup_extended_manifest extended;
    struct mup_cose_sign1 inner;
    struct mup_manifest manifest;
};

/* Steps 2 to 6: what costs no signature check. */
static uint32_t check_cheap(const struct mup_agent *agent, struct candidate *c,
                            struct mup_bytes bytes)
{
    const struct mup_announcement *self = &agent->bootstrap.self;
    const struct mup_boot *boot = agent->config->boot;

    if (agent->phase == MUP_AGENT_TRIAL)
        return MUP_STATE_IN_TRIAL;
    if (agent->phase == MUP_AGENT_RESTARTING || !mup_boot_takes_manifest(boot))
        return MUP_STATE_SLOT_IN_USE;
    if (bytes.size > MUP_EXTENDED_SIGNED_MAX ||
        mup_cose_sign1_decode(&c->outer, bytes.data, bytes.size) != MUP_OK ||
        mup_extended_manifest_decode(&c->extended, c->outer.payload.data, c->outer.payload.size) !=
            MUP_OK)
        return MUP_STATE_MANIFEST_NOT_VALID;
    if (self->server_epoch == 0)
        return MUP_STATE_NO_SERVER_KEY;
    if (memcmp(c->outer.kid, self->server_kid, MUP_KID_SIZE) != 0)
        return MUP_STATE_UNKNOWN_KEY;
    if (!agent->nonce_lives || !mup_crypto_equal(c->extended.nonce, agent->nonce, MUP_NONCE_SIZE))
        return MUP_STATE_INVALID_NONCE;
    if (memcmp(c->extended.uuid, self->uuid, MUP_UUID_SIZE) != 0)
        return MUP_STATE_WRONG_DEVICE;
    if (c->extended.version != mup_agent_version(agent))
        return MUP_STATE_WRONG_OLD_VERSION;
    if (mup_cose_sign1_decode(&c->inner, c->extended.inner.data, c->extended.inner.size) != MUP_OK)
        return MUP_STATE_MANIFEST_NOT_VALID;
    if (memcmp(c->inner.kid, agent->vendor_kid, MUP_KID_SIZE) != 0)
        return MUP_STATE_UNKNOWN_KEY;
    return MUP_STATE_OK;
}

static uint32_t check_signature(const struct mup_agent *agent, enum mup_trust_key key,
                                const struct mup_cose_sign1 *message, uint32_t invalid)
{
    enum mup_status status = mup_trust_check(agent->config->map, key, message);

    if (status == MUP_OK)
        return MUP_STATE_OK;
    if (status == MUP_ERR_KEY)
        return MUP_STATE_UNKNOWN_KEY;
    return status == MUP_ERR_SIGNATURE ? invalid : (uint32_t)MUP_STATE_FLASH_FAILURE;
}

/* Steps 7 and 8. One check of the budget for both: only the update server's own manifests come as
 * far as the second. */
static uint32_t check_signatures(struct mup_agent *agent, struct candidate *c)
{
    uint32_t state;

    if (agent->budget == 0)
        return MUP_STATE_BUDGET_EXHAUSTED;
    agent->budget--;
    state = check_signature(agent, MUP_TRUST_SERVER, &c->outer, MUP_STATE_OUTER_SIGNATURE_INVALID);
    if (state == MUP_STATE_OK)
        state =
            check_signature(agent, MUP_TRUST_VENDOR, &c->inner, MUP_STATE_INNER_SIGNATURE_INVALID);
    if (state == MUP_STATE_OK &&
        mup_manifest_decode(&c->manifest, c->inner.payload.data, c->inner.payload.size) != MUP_OK)
        state = MUP_STATE_MANIFEST_NOT_VALID;
    return state;
}

static bool same(const char *a, const char *b, size_t most)
{
    size_t i = 0;

    while (i < most && a[i] == b[i] && a[i] != '\0')
        i++;
    return a[i] == b[i];
}

/* Step 9: authentic, but is it for us? */
static uint32_t check_fields(const struct mup_agent *agent, const struct candidate *c)
{
    const struct mup_agent_config *config = agent->config;
    const struct mup_manifest *manifest = &c->manifest;
    uint32_t running = mup_agent_version(agent);

    if (!same(manifest->app_id, config->app_id, MUP_APP_ID_MAX))
        return MUP_STATE_WRONG_APP_ID;
    if (!same(manifest->hardware_class, config->hardware_class, MUP_HARDWARE_CLASS_MAX))
        return MUP_STATE_WRONG_HARDWARE_CLASS;
    if (manifest->new_version <= running ||
        manifest->new_version < mup_boot_version_floor(config->boot))
        return MUP_STATE_INVALID_VERSION;
    if (manifest->old_version != 0 && manifest->old_version != running)
        return MUP_STATE_WRONG_OLD_VERSION;
    if (manifest->encoding != MUP_ENCODING_PLAIN)
        return MUP_STATE_ENCODING_UNSUPPORTED;
    if (manifest->link_offset != config->link_offset)
        return MUP_STATE_WRONG_LINK_OFFSET;
    if (manifest->image_size > mup_flash_map_image_size_max(config->map))
        return MUP_STATE_IMAGE_TOO_BIG;
    if (manifest->block_size > config->block_size_max)
        return MUP_STATE_BLOCK_SIZE_UNSUPPORTED;
    return MUP_STATE_OK;
}

/* ---- The signed vendor manifest waits in flash, 304 bytes of RAM less ---------------------- */

static uint32_t manifest_at(const struct mup_agent *agent)
{
    const struct mup_flash_map *map = agent->config->map;

    return map->state_at + MUP_STATE_PAGE_SPARE * map->flash->page_size;
}

static enum mup_status store_manifest(const struct mup_agent *agent, struct mup_bytes manifest)
{
    return mup_flash_write_page(agent->config->map->flash, manifest_at(agent), manifest.data,
                                manifest.size);
}

/* Back into the request buffer, and only if it is still what was accepted. */
static bool load_manifest(const struct mup_agent *agent, struct mup_manifest *manifest)
{
    const struct mup_port_flash *flash = agent->config->map->flash;
    uint8_t *bytes = agent->config->request;
    struct mup_cose_sign1 inner;
    uint8_t digest[MUP_DIGEST_SIZE];

    if (flash->read(flash->context, manifest_at(agent), bytes, agent->vendor_size) != 0)
        return false;
    mup_sha256_of(digest, bytes, agent->vendor_size);
    return mup_crypto_equal(digest, agent->pipeline.manifest_digest, MUP_DIGEST_SIZE) &&
           mup_cose_sign1_decode(&inner, bytes, agent->vendor_size) == MUP_OK &&
           mup_manifest_decode(manifest, inner.payload.data, inner.payload.size) == MUP_OK;
}

/* ---- Step 10, and the whole -------------------------------------------------------------- */

static uint32_t commit(struct mup_agent *agent, const struct candidate *c,
                       const uint8_t extended_digest[MUP_DIGEST_SIZE])
{
    uint8_t manifest_digest[MUP_DIGEST_SIZE];
    uint32_t state = MUP_STATE_FLASH_FAILURE;

    mup_sha256_of(manifest_digest, c->extended.inner.data, c->extended.inner.size);
    if (store_manifest(agent, c->extended.inner) == MUP_OK)
        state = mup_agent_open_transfer(agent, &c->manifest, manifest_digest);
    if (state != MUP_STATE_OK) {
        /* The page of the older transfer's manifest is gone with this one. */
        if (agent->phase != MUP_AGENT_IDLE)
            mup_agent_enter(agent, MUP_AGENT_FAILED);
        return state;
    }
    agent->vendor_size = (uint16_t)c->extended.inner.size;
    memcpy(agent->extended_digest, extended_digest, MUP_AGENT_COPY_SIZE);
    agent->nonce_lives = false;
    memset(agent->nonce, 0, sizeof agent->nonce);
    agent->budget++; /* the budget is for what fails */
    return MUP_STATE_OK;
}

static bool has_accepted(const struct mup_agent *agent)
{
    return agent->phase == MUP_AGENT_RECEIVING || agent->phase == MUP_AGENT_COMPLETE;
}

uint32_t mup_agent_take_manifest(struct mup_agent *agent, struct mup_bytes extended)
{
    struct candidate c;
    uint8_t digest[MUP_DIGEST_SIZE];
    uint32_t state;

    mup_sha256_of(digest, extended.data, extended.size);
    if (has_accepted(agent) && memcmp(digest, agent->extended_digest, MUP_AGENT_COPY_SIZE) == 0)
        return MUP_STATE_OK;
    state = check_cheap(agent, &c, extended);
    if (state == MUP_STATE_OK)
        state = check_signatures(agent, &c);
    if (state == MUP_STATE_OK)
        state = check_fields(agent, &c);
    if (state == MUP_STATE_OK)
        state = commit(agent, &c, digest);
    return state;
}

/* ---- VERIFY-UPDATE ----------------------------------------------------------------------- */

/* The image in flash against its signed digest; then it is the bootloader's. */
static uint32_t hand_over(struct mup_agent *agent, struct mup_boot_image *image)
{
    struct mup_manifest manifest;
    enum mup_status status;

    if (!load_manifest(agent, &manifest))
        return MUP_STATE_FLASH_FAILURE;
    image->version = manifest.new_version;
    image->size = manifest.image_size;
    memcpy(image->digest, manifest.digest, sizeof image->digest);
    status = mup_pipeline_finish(&agent->pipeline, image->size, image->digest);
    if (status != MUP_OK && status != MUP_ERR_DIGEST)
        return MUP_STATE_FLASH_FAILURE;
    if (mup_pipeline_drop(&agent->pipeline) != MUP_OK)
        return MUP_STATE_FLASH_FAILURE;
    if (status != MUP_OK)
        return MUP_STATE_IMAGE_INVALID;
    status =
        mup_boot_request(agent->config->boot, image, agent->config->request, agent->vendor_size);
    return status == MUP_OK ? MUP_STATE_OK : MUP_STATE_FLASH_FAILURE;
}

uint32_t mup_agent_verify_update(struct mup_agent *agent)
{
    struct mup_boot_image image;
    uint32_t state;

    image.version = 0;
    if (agent->phase == MUP_AGENT_RESTARTING)
        return MUP_STATE_OK;
    if (agent->phase == MUP_AGENT_RECEIVING)
        return MUP_STATE_INCOMPLETE;
    if (agent->phase != MUP_AGENT_COMPLETE)
        return MUP_STATE_NO_MANIFEST;
    state = hand_over(agent, &image);
    mup_agent_notify(agent, MUP_AGENT_VERIFIED, state, image.version);
    if (state == MUP_STATE_OK) {
        mup_agent_enter(agent, MUP_AGENT_RESTARTING);
        agent->restart_wait = true;
    } else {
        mup_agent_enter(agent,
                        state == MUP_STATE_IMAGE_INVALID ? MUP_AGENT_IDLE : MUP_AGENT_FAILED);
    }
    return state;
}
