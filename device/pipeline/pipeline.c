/*
 * The payload of one manifest from its first byte to its last: begin, go on, feed, record, finish.
 * What happens to a complete block stands in block.c.
 */
#include "pipeline_internal.h"

#include <string.h>

enum mup_status mup_pipeline_init(struct mup_pipeline *pipeline, const struct mup_flash_map *map,
                                  uint8_t *block)
{
    struct mup_progress progress;
    bool found;
    enum mup_status status;

    memset(pipeline, 0, sizeof *pipeline);
    pipeline->state = PIPELINE_UNREAD;
    pipeline->writer.map = map;
    pipeline->block = block;
    status = mup_progress_open(&pipeline->log, &progress, &found, map);
    if (status != MUP_OK)
        return status;
    pipeline->state = PIPELINE_EMPTY;
    if (!found)
        return MUP_OK;
    pipeline->state = PIPELINE_KEPT;
    pipeline->verified_size = progress.payload_offset;
    pipeline->recorded_size = progress.output_offset;
    memcpy(pipeline->expected, progress.next_hash, MUP_DIGEST_SIZE);
    memcpy(pipeline->manifest_digest, progress.manifest_digest, MUP_DIGEST_SIZE);
    return MUP_OK;
}

/* P3: the record stands at the border of a block of this manifest, before its end. */
static bool record_fits(const struct mup_pipeline *pipeline, const struct mup_manifest *manifest)
{
    uint32_t blocks = mup_block_count(pipeline->recorded_size, manifest->block_size);

    return (pipeline->recorded_size & (manifest->block_size - 1)) == 0 &&
           pipeline->recorded_size < manifest->image_size &&
           pipeline->verified_size == blocks * MUP_PIPELINE_BUFFER_SIZE(manifest->block_size);
}

static void fill_in(struct mup_progress *progress, const struct mup_pipeline *pipeline,
                    uint32_t written)
{
    memcpy(progress->manifest_digest, pipeline->manifest_digest, MUP_DIGEST_SIZE);
    memcpy(progress->next_hash, pipeline->expected, MUP_DIGEST_SIZE);
    progress->payload_offset = pipeline->verified_size;
    progress->output_offset = written;
}

/* From where the record that was found says (F7). */
static enum mup_status go_on(struct mup_pipeline *pipeline, const struct mup_manifest *manifest)
{
    struct mup_progress progress;
    enum mup_status status;

    fill_in(&progress, pipeline, pipeline->recorded_size);
    status = mup_progress_settle(&pipeline->log, &progress);
    return status == MUP_OK ? mup_slot_resume(&pipeline->writer, pipeline->writer.map,
                                              manifest->image_size, pipeline->recorded_size)
                            : status;
}

static enum mup_status begin_anew(struct mup_pipeline *pipeline,
                                  const struct mup_manifest *manifest)
{
    enum mup_status status = mup_pipeline_drop(pipeline);

    if (status == MUP_OK)
        status = mup_slot_begin(&pipeline->writer, pipeline->writer.map, manifest->image_size);
    if (status != MUP_OK)
        return status;
    pipeline->recorded_size = 0;
    memcpy(pipeline->expected, manifest->first_block_hash, MUP_DIGEST_SIZE);
    return MUP_OK;
}

enum mup_status mup_pipeline_begin(struct mup_pipeline *pipeline,
                                   const struct mup_manifest *manifest,
                                   const uint8_t manifest_digest[MUP_DIGEST_SIZE])
{
    enum mup_status status = MUP_OK;
    bool same;

    if (manifest->image_size > mup_flash_map_image_size_max(pipeline->writer.map))
        return MUP_ERR_SPACE;
    if (pipeline->state == PIPELINE_UNREAD)
        status = mup_pipeline_init(pipeline, pipeline->writer.map, pipeline->block);
    if (status != MUP_OK)
        return status;
    same = memcmp(pipeline->manifest_digest, manifest_digest, MUP_DIGEST_SIZE) == 0;
    if (pipeline->state == PIPELINE_OPEN && same)
        return MUP_OK;
    if (pipeline->state != PIPELINE_KEPT || !same || !record_fits(pipeline, manifest) ||
        go_on(pipeline, manifest) != MUP_OK) {
        status = begin_anew(pipeline, manifest);
        if (status != MUP_OK)
            return status;
    }
    pipeline->block_size = manifest->block_size;
    pipeline->payload_size = manifest->payload_size;
    pipeline->block_filled = 0;
    memcpy(pipeline->manifest_digest, manifest_digest, MUP_DIGEST_SIZE);
    pipeline->state = PIPELINE_OPEN;
    return MUP_OK;
}

/* A record that cannot be written costs only that more is fetched again (progress.h). */
static void record(struct mup_pipeline *pipeline)
{
    struct mup_progress progress;
    uint32_t written = mup_pipeline_image_offset(pipeline);

    if (written - pipeline->recorded_size < MUP_PIPELINE_RECORD_SIZE ||
        !mup_slot_is_at_page(&pipeline->writer) || mup_pipeline_is_complete(pipeline))
        return;
    fill_in(&progress, pipeline, written);
    if (mup_progress_append(&pipeline->log, &progress) == MUP_OK)
        pipeline->recorded_size = written;
}

/* The flash failed in mid-transfer: what the newest record says is all that is left. When not even
 * that can be read, begin() tries again. */
static enum mup_status fail(struct mup_pipeline *pipeline, enum mup_status status)
{
    enum mup_status found = mup_pipeline_init(pipeline, pipeline->writer.map, pipeline->block);

    (void)found;
    return status;
}

static enum mup_status block_complete(struct mup_pipeline *pipeline)
{
    enum mup_status status = mup_pipeline_block_done(pipeline);

    if (status == MUP_OK)
        record(pipeline);
    else if (status != MUP_ERR_DIGEST)
        status = fail(pipeline, status);
    return status;
}

enum mup_status mup_pipeline_feed(struct mup_pipeline *pipeline, const uint8_t *bytes, size_t size)
{
    enum mup_status status = MUP_OK;

    if (pipeline->state != PIPELINE_OPEN)
        return MUP_ERR_STATE;
    while (size > 0 && status == MUP_OK) {
        uint32_t target = mup_pipeline_block_target(pipeline);
        size_t part = target - pipeline->block_filled;

        if (part == 0)
            return MUP_ERR_SPACE;
        if (part > size)
            part = size;
        memcpy(pipeline->block + pipeline->block_filled, bytes, part);
        pipeline->block_filled += (uint32_t)part;
        bytes += part;
        size -= part;
        if (pipeline->block_filled == target)
            status = block_complete(pipeline);
    }
    return status;
}

uint32_t mup_pipeline_next(const struct mup_pipeline *pipeline)
{
    return pipeline->verified_size + pipeline->block_filled;
}

bool mup_pipeline_kept(const struct mup_pipeline *pipeline, const uint8_t **manifest_digest)
{
    *manifest_digest = pipeline->manifest_digest;
    return pipeline->state >= PIPELINE_KEPT;
}

bool mup_pipeline_is_complete(const struct mup_pipeline *pipeline)
{
    return pipeline->state == PIPELINE_OPEN && pipeline->verified_size == pipeline->payload_size;
}

enum mup_status mup_pipeline_finish(struct mup_pipeline *pipeline, uint32_t image_size,
                                    const uint8_t digest[MUP_DIGEST_SIZE])
{
    uint8_t found[MUP_DIGEST_SIZE];
    enum mup_status status;

    if (!mup_pipeline_is_complete(pipeline))
        return MUP_ERR_SHORT;
    status = mup_slot_digest(pipeline->writer.map, MUP_SLOT_STAGING, image_size, found);
    if (status != MUP_OK)
        return status;
    return mup_crypto_equal(found, digest, MUP_DIGEST_SIZE) ? MUP_OK : MUP_ERR_DIGEST;
}

enum mup_status mup_pipeline_drop(struct mup_pipeline *pipeline)
{
    enum mup_status status = mup_progress_clear(&pipeline->log);

    if (status != MUP_OK)
        return status;
    pipeline->state = PIPELINE_EMPTY;
    pipeline->verified_size = 0;
    pipeline->block_filled = 0;
    pipeline->payload_size = 0;
    return MUP_OK;
}
