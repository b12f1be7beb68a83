/*
 * The stage between air and flash: a complete block in RAM, its hash against the promised one, its
 * data to the slot (docs/SPEC.md section 6).
 */
#include "pipeline_internal.h"

#include <string.h>

uint32_t mup_pipeline_block_target(const struct mup_pipeline *pipeline)
{
    uint32_t left = pipeline->payload_size - pipeline->verified_size;
    uint32_t full = MUP_PIPELINE_BUFFER_SIZE(pipeline->block_size);

    return left < full ? left : full;
}

uint32_t mup_pipeline_image_offset(const struct mup_pipeline *pipeline)
{
    return mup_slot_offset(&pipeline->writer);
}

enum mup_status mup_pipeline_block_done(struct mup_pipeline *pipeline)
{
    uint8_t digest[MUP_DIGEST_SIZE];
    uint32_t size = pipeline->block_filled;
    bool is_last = pipeline->verified_size + size == pipeline->payload_size;
    uint32_t data_size = is_last ? size : size - MUP_DIGEST_SIZE;
    enum mup_status status;

    pipeline->block_filled = 0;
    mup_sha256_of(digest, pipeline->block, size);
    if (!mup_crypto_equal(digest, pipeline->expected, sizeof digest))
        return MUP_ERR_DIGEST;
    status = mup_slot_write(&pipeline->writer, pipeline->block, data_size);
    if (status != MUP_OK)
        return status;
    if (!is_last)
        memcpy(pipeline->expected, pipeline->block + data_size, MUP_DIGEST_SIZE);
    pipeline->verified_size += size;
    return MUP_OK;
}
