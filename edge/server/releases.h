/*
 * The releases that this server may hand out: fetched, verified, kept.
 *
 * A release enters only whole: the manifest's signature by the configured vendor, the payload's
 * size, the hash of each block and the digest of the image are checked in memory, then manifest
 * and payload are committed together (docs/SPEC.md section 21). Whatever fails leaves nothing.
 *
 *     releases = mup_releases_new(&loop, store, fetcher, vendor_key, &fault);
 *     mup_releases_add(releases, "https://vendor.example/r/app/2/hw", on_added, arg);
 *     release = mup_releases_find(releases, "app", 2, "hw");
 *     payload = mup_releases_hold(releases, release->id) ... mup_releases_drop(releases, id)
 */
#ifndef MUP_SERVER_RELEASES_H
#define MUP_SERVER_RELEASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "server/fault.h"
#include "server/fetch.h"
#include "store/server_store.h"

#define MUP_RELEASES_MAX         4096u
#define MUP_RELEASES_REFUSED_MAX 32u /* remembered; the oldest goes */
#define MUP_RELEASES_ADDING_MAX  8u  /* each holds up to 17 MiB while it is checked */

struct mup_releases;

/* A release that was to be fetched and was refused: remembered until the server ends. */
struct mup_refused_release {
    char url[MUP_FETCH_URL_SIZE_MAX + 1];
    struct mup_fault fault;
    uint64_t at_ms; /* ms since 1970 */
};

/* Called once, never from inside mup_releases_add(). On success fault is NULL and release lives as
 * long as the table; a release that was there already, byte for byte, is success. */
typedef void mup_releases_on_added(void *arg, const struct mup_fault *fault,
                                   const struct mup_stored_release *release);

/* Reads what is kept. NULL: *fault says why. vendor_key is raw x || y. */
struct mup_releases *mup_releases_new(struct mup_loop *loop, struct mup_server_store *store,
                                      struct mup_fetcher *fetcher,
                                      const uint8_t vendor_key[MUP_PUBLIC_KEY_SIZE],
                                      struct mup_fault *fault);

/* Free the fetcher first and close the store before it: neither may call back any more. */
void mup_releases_free(struct mup_releases *releases);

/* Begin to fetch the release whose folder is at `url`. On failure *fault says why and there will
 * be no callback: MUP_FAULT_URL_NOT_VALID, _BUSY. Returns MUP_FAULT_NONE when begun. */
enum mup_fault_code mup_releases_add(struct mup_releases *releases, const char *url,
                                     mup_releases_on_added *on_added, void *arg,
                                     struct mup_fault *fault);

size_t mup_releases_count(const struct mup_releases *releases);
const struct mup_stored_release *mup_releases_at(const struct mup_releases *releases, size_t at);

/* The newest first; NULL: there are not so many. */
const struct mup_refused_release *mup_releases_refused(const struct mup_releases *releases,
                                                       size_t at);

/* NULL: not there. The pointer lives as long as the table. */
const struct mup_stored_release *mup_releases_by_id(const struct mup_releases *releases,
                                                    int64_t id);
const struct mup_stored_release *mup_releases_find(const struct mup_releases *releases,
                                                   const char *app_id, uint32_t version,
                                                   const char *hardware_class);

/* What the vendor signed, from the kept bytes, which were verified on the way in. False: the store
 * is damaged. */
bool mup_release_manifest(const struct mup_stored_release *release, struct mup_manifest *manifest);

/* Whether it is signed by the vendor whom this server believes now: the key may have been another
 * one when the release came in. */
bool mup_releases_is_trusted(const struct mup_releases *releases,
                             const struct mup_stored_release *release);

/* The payload, read on the first hold and kept until the last drop. data is NULL on failure. */
struct mup_bytes mup_releases_hold(struct mup_releases *releases, int64_t id);
void mup_releases_drop(struct mup_releases *releases, int64_t id);

#endif
