/* What the stages of the pipeline share; not for others. */
#ifndef MUP_PIPELINE_INTERNAL_H
#define MUP_PIPELINE_INTERNAL_H

#include "mup/pipeline.h"

enum pipeline_state {
    PIPELINE_EMPTY = 0, /* nothing is kept */
    PIPELINE_UNREAD,    /* the flash could not be read: it is not known what is kept */
    PIPELINE_KEPT,      /* a progress record was found; its manifest is not here yet */
    PIPELINE_OPEN,      /* a manifest was begun */
};

/* Bytes of the block being gathered, with its hash of the next one. */
uint32_t mup_pipeline_block_target(const struct mup_pipeline *pipeline);

/* Bytes of the image in the blocks before the one being gathered. */
uint32_t mup_pipeline_image_offset(const struct mup_pipeline *pipeline);

/*
 * A block is complete in the buffer: check it (P1), write its data, take over its hash of the next.
 * MUP_ERR_DIGEST: dropped. MUP_ERR_FLASH: not written.
 */
MUP_MUST_CHECK
enum mup_status mup_pipeline_block_done(struct mup_pipeline *pipeline);

#endif
