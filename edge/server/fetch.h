/*
 * Fetch a file over HTTP or HTTPS without blocking the daemon's loop (libcurl).
 *
 *     fetcher = mup_fetcher_new(&loop, &settings);
 *     mup_fetch(fetcher, "https://vendor.example/r/app/2/hw/manifest.cose", 304, on_done, arg);
 *     mup_fetcher_free(fetcher);             what is under way is dropped without a callback
 *
 * Only http and https, redirects included, at most MUP_FETCH_REDIRECTS_MAX of them, and never from
 * https to http. A body larger than asked for ends the transfer at once. Proxies come from the
 * settings, not from the environment.
 */
#ifndef MUP_SERVER_FETCH_H
#define MUP_SERVER_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"
#include "runtime/loop.h"
#include "server/fault.h"

#define MUP_FETCH_REDIRECTS_MAX     5L
#define MUP_FETCH_CONNECT_TIMEOUT_S 10L
#define MUP_FETCH_TIMEOUT_S         600L /* a whole file */
#define MUP_FETCH_STALL_TIMEOUT_S   30L  /* without MUP_FETCH_STALL_BYTES_PER_S */
#define MUP_FETCH_STALL_BYTES_PER_S 16L
#define MUP_FETCH_URL_SIZE_MAX      1024u
#define MUP_FETCH_COUNT_MAX         16u

struct mup_fetch_settings {
    const char *ca_file; /* PEM of whom to believe for https; NULL: the system's */
    const char *proxy;   /* NULL: none */
    uint32_t timeout_s;  /* a whole file; 0: MUP_FETCH_TIMEOUT_S */
};

struct mup_fetcher;

/* Called once, on the loop's thread, never from inside mup_fetch(). fault is NULL on success;
 * the bytes live only during the call. */
typedef void mup_fetch_on_done(void *arg, const struct mup_fault *fault, const uint8_t *bytes,
                               size_t size);

/* Settings are copied. NULL: no memory. */
struct mup_fetcher *mup_fetcher_new(struct mup_loop *loop,
                                    const struct mup_fetch_settings *settings);
void mup_fetcher_free(struct mup_fetcher *fetcher); /* NULL is allowed */

/*
 * MUP_ERR_FORMAT  not an http or https URL, or longer than MUP_FETCH_URL_SIZE_MAX.
 * MUP_ERR_BUSY    MUP_FETCH_COUNT_MAX are under way.
 * MUP_ERR_SPACE   no memory.
 *
 * The callback's faults: MUP_FAULT_RELEASE_UNREACHABLE (no answer, or not 200),
 * _INCOMPLETE (it ended early or stalled), _TOO_BIG (more than size_max bytes).
 */
MUP_MUST_CHECK
enum mup_status mup_fetch(struct mup_fetcher *fetcher, const char *url, size_t size_max,
                          mup_fetch_on_done *on_done, void *arg);

#endif
