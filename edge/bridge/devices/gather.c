/* Joining the pieces of descriptions: see gather.h. */
#include "bridge/devices/gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/description/capability.h"

void mup_gather_end(struct mup_gather *gather)
{
    free(gather->bytes);
    memset(gather, 0, sizeof *gather);
}

void mup_gathers_free(struct mup_gathers *gathers)
{
    for (size_t i = 0; i < MUP_GATHERS_MAX; i++)
        mup_gather_end(&gathers->list[i]);
}

void mup_gathers_expire(struct mup_gathers *gathers, uint64_t now_ms)
{
    for (size_t i = 0; i < MUP_GATHERS_MAX; i++)
        if (gathers->list[i].name[0] != '\0' && !gathers->list[i].whole &&
            now_ms - gathers->list[i].last_ms >= MUP_GATHER_TIMEOUT_MS)
            mup_gather_end(&gathers->list[i]);
}

/* The entry of a device; for the empty name, an unused one. */
static struct mup_gather *find(struct mup_gathers *gathers, const char *name)
{
    for (size_t i = 0; i < MUP_GATHERS_MAX; i++)
        if (strcmp(gathers->list[i].name, name) == 0)
            return &gathers->list[i];
    return NULL;
}

enum mup_status mup_gather_begin(struct mup_gathers *gathers, const char *name,
                                 const uint8_t digest[MUP_DIGEST_SIZE], size_t size,
                                 uint64_t now_ms)
{
    struct mup_gather *gather = find(gathers, name);

    if (size == 0 || size > MUP_DESCRIPTION_MAX)
        return MUP_ERR_RANGE;
    if (gather != NULL && gather->whole && gather->size == size &&
        memcmp(gather->digest, digest, MUP_DIGEST_SIZE) == 0)
        return MUP_OK;
    if (gather != NULL)
        mup_gather_end(gather);
    else
        gather = find(gathers, "");
    if (gather == NULL)
        return MUP_ERR_BUSY;
    gather->bytes = malloc(size);
    if (gather->bytes == NULL)
        return MUP_ERR_BUSY;
    snprintf(gather->name, sizeof gather->name, "%s", name);
    memcpy(gather->digest, digest, MUP_DIGEST_SIZE);
    gather->size = size;
    gather->last_ms = now_ms;
    return MUP_OK;
}

static enum mup_status drop(struct mup_gather *gather, enum mup_status status)
{
    mup_gather_end(gather);
    return status;
}

static enum mup_status check_whole(struct mup_gather *gather)
{
    uint8_t digest[MUP_DIGEST_SIZE];

    if (gather->done != gather->size ||
        mup_description_digest(digest, gather->bytes, gather->size) != MUP_OK ||
        memcmp(digest, gather->digest, sizeof digest) != 0)
        return drop(gather, MUP_ERR_DIGEST);
    return MUP_OK;
}

enum mup_status mup_gather_add(struct mup_gathers *gathers, struct mup_gather **out,
                               const char *name, const struct mup_piece *piece, uint64_t now_ms)
{
    struct mup_gather *gather = find(gathers, name);
    enum mup_status status;

    if (gather == NULL || memcmp(piece->digest_prefix, gather->digest, MUP_DIGEST_PREFIX_SIZE) != 0)
        return MUP_ERR_STATE;
    if (gather->whole || piece->number < gather->next_number)
        return MUP_ERR_SHORT;
    if (piece->number > gather->next_number)
        return drop(gather, MUP_ERR_STATE);
    if (piece->data.size > gather->size - gather->done)
        return drop(gather, MUP_ERR_RANGE);
    memcpy(gather->bytes + gather->done, piece->data.data, piece->data.size);
    gather->done += piece->data.size;
    gather->next_number++;
    gather->last_ms = now_ms;
    if (!piece->last)
        return MUP_ERR_SHORT;
    status = check_whole(gather);
    if (status == MUP_OK) {
        gather->whole = true;
        *out = gather;
    }
    return status;
}

struct mup_gather *
mup_gathers_waiting(struct mup_gathers *gathers,
                    bool (*may)(const void *arg, const struct mup_gather *gather), const void *arg)
{
    struct mup_gather *oldest = NULL;

    for (size_t i = 0; i < MUP_GATHERS_MAX; i++) {
        struct mup_gather *gather = &gathers->list[i];
        if (gather->whole && (oldest == NULL || gather->last_ms < oldest->last_ms) &&
            may(arg, gather))
            oldest = gather;
    }
    return oldest;
}
