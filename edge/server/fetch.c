/* libcurl's multi interface on the daemon's loop: it says which sockets and which timeout it
 * wants, libuv watches them. */
#include "server/fetch.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct transfer {
    struct transfer *next;
    struct mup_fetcher *fetcher;
    CURL *easy;
    char url[MUP_FETCH_URL_SIZE_MAX + 1];
    char why[CURL_ERROR_SIZE];
    size_t size_max;
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    bool too_big;
    bool no_memory;
    mup_fetch_on_done *on_done;
    void *arg;
};

/* Outlives the fetcher until libuv has closed it. */
struct watch {
    uv_poll_t poll;
    curl_socket_t socket;
    struct mup_fetcher *fetcher;
};

struct mup_fetcher {
    struct mup_loop *loop;
    CURLM *multi;
    struct mup_timer *timer;
    struct transfer *transfers;
    size_t count;
    char *ca_file;
    char *proxy;
    uint32_t timeout_s;
};

/* ---- what libcurl wants watched ---- */

static void finish_ended(struct mup_fetcher *fetcher);

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    int running;

    flags |= (events & UV_READABLE) ? CURL_CSELECT_IN : 0;
    flags |= (events & UV_WRITABLE) ? CURL_CSELECT_OUT : 0;
    struct mup_fetcher *fetcher = watch->fetcher;
    curl_multi_socket_action(fetcher->multi, watch->socket, flags, &running);
    finish_ended(fetcher);
}

static void on_timeout(void *arg)
{
    struct mup_fetcher *fetcher = arg;
    int running;

    curl_multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_ended(fetcher);
}

static int on_timer_wish(CURLM *multi, long timeout_ms, void *arg)
{
    struct mup_fetcher *fetcher = arg;

    (void)multi;
    if (timeout_ms < 0) {
        mup_timer_stop(fetcher->timer);
    } else {
        mup_timer_start(fetcher->timer, (uint64_t)timeout_ms);
    }
    return 0;
}

static void watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static struct watch *watch_new(struct mup_fetcher *fetcher, curl_socket_t socket)
{
    struct watch *watch = calloc(1, sizeof *watch);

    if (!watch || uv_poll_init(&fetcher->loop->uv, &watch->poll, socket) != 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch->socket = socket;
    watch->fetcher = fetcher;
    curl_multi_assign(fetcher->multi, socket, watch);
    return watch;
}

static int on_socket_wish(CURL *easy, curl_socket_t socket, int what, void *arg, void *assigned)
{
    struct mup_fetcher *fetcher = arg;
    struct watch *watch = assigned;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            curl_multi_assign(fetcher->multi, socket, NULL);
            uv_close((uv_handle_t *)&watch->poll, watch_closed);
        }
        return 0;
    }
    if (!watch && (watch = watch_new(fetcher, socket)) == NULL) {
        return -1;
    }
    int events = (what & CURL_POLL_IN) ? UV_READABLE : 0;
    events |= (what & CURL_POLL_OUT) ? UV_WRITABLE : 0;
    return uv_poll_start(&watch->poll, events, on_socket_ready) == 0 ? 0 : -1;
}

/* ---- one transfer ---- */

static size_t on_body(char *bytes, size_t one, size_t count, void *arg)
{
    struct transfer *transfer = arg;

    (void)one;
    if (count > transfer->size_max - transfer->size) {
        transfer->too_big = true;
        return 0;
    }
    if (count > transfer->capacity - transfer->size) {
        size_t capacity = 2 * transfer->capacity + count;
        uint8_t *larger = realloc(transfer->bytes, capacity);
        if (!larger) {
            transfer->no_memory = true;
            return 0;
        }
        transfer->bytes = larger;
        transfer->capacity = capacity;
    }
    memcpy(transfer->bytes + transfer->size, bytes, count);
    transfer->size += count;
    return count;
}

static void transfer_free(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    free(transfer->bytes);
    free(transfer);
}

/* Out of libcurl's hands and out of our list. */
static void detach(struct transfer *transfer)
{
    struct mup_fetcher *fetcher = transfer->fetcher;
    struct transfer **at = &fetcher->transfers;

    while (*at != transfer) {
        at = &(*at)->next;
    }
    *at = transfer->next;
    fetcher->count--;
    curl_multi_remove_handle(fetcher->multi, transfer->easy);
}

static bool judge(const struct transfer *transfer, CURLcode code, struct mup_fault *fault)
{
    const char *why = transfer->why[0] ? transfer->why : curl_easy_strerror(code);
    long http = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http);
    if (transfer->no_memory || code == CURLE_OUT_OF_MEMORY) {
        mup_fault_set(fault, MUP_FAULT_BUSY, "no memory for %.150s", transfer->url);
    } else if (code != CURLE_FILESIZE_EXCEEDED && !transfer->too_big && code != CURLE_OK &&
               code != CURLE_PARTIAL_FILE && transfer->size == 0) {
        mup_fault_set(fault, MUP_FAULT_RELEASE_UNREACHABLE, "%.120s: %.100s", transfer->url, why);
    } else if (http != 200) {
        mup_fault_set(fault, MUP_FAULT_RELEASE_UNREACHABLE, "%.150s: HTTP status %ld, not 200",
                      transfer->url, http);
    } else if (transfer->too_big || code == CURLE_FILESIZE_EXCEEDED) {
        mup_fault_set(fault, MUP_FAULT_RELEASE_TOO_BIG, "%.150s has more than %zu bytes",
                      transfer->url, transfer->size_max);
    } else if (code != CURLE_OK) {
        mup_fault_set(fault, MUP_FAULT_RELEASE_INCOMPLETE, "%.100s ended after %zu bytes: %.80s",
                      transfer->url, transfer->size, why);
    } else {
        return true;
    }
    return false;
}

static void finish(struct transfer *transfer, CURLcode code)
{
    struct mup_fault fault = {MUP_FAULT_NONE, ""};
    bool good = judge(transfer, code, &fault);

    detach(transfer);
    transfer->on_done(transfer->arg, good ? NULL : &fault, transfer->bytes,
                      good ? transfer->size : 0);
    transfer_free(transfer);
}

static void finish_ended(struct mup_fetcher *fetcher)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
        struct transfer *transfer;
        if (message->msg == CURLMSG_DONE) {
            CURLcode code = message->data.result;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
            finish(transfer, code);
        }
    }
}

static void set_options(struct transfer *transfer)
{
    const struct mup_fetcher *fetcher = transfer->fetcher;
    CURL *easy = transfer->easy;
    bool https = strncasecmp(transfer->url, "https:", 6) == 0;

    curl_easy_setopt(easy, CURLOPT_URL, transfer->url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->why);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mup-server");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, https ? "https" : "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, MUP_FETCH_REDIRECTS_MAX);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, MUP_FETCH_CONNECT_TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)fetcher->timeout_s);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, MUP_FETCH_STALL_BYTES_PER_S);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, MUP_FETCH_STALL_TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->size_max);
    curl_easy_setopt(easy, CURLOPT_PROXY, fetcher->proxy ? fetcher->proxy : "");
    if (fetcher->ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, fetcher->ca_file);
    }
}

static bool is_web_url(const char *url)
{
    return (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0) &&
           strlen(url) <= MUP_FETCH_URL_SIZE_MAX;
}

enum mup_status mup_fetch(struct mup_fetcher *fetcher, const char *url, size_t size_max,
                          mup_fetch_on_done *on_done, void *arg)
{
    if (!is_web_url(url)) {
        return MUP_ERR_FORMAT;
    }
    if (fetcher->count == MUP_FETCH_COUNT_MAX) {
        return MUP_ERR_BUSY;
    }
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer || !(transfer->easy = curl_easy_init())) {
        free(transfer);
        return MUP_ERR_SPACE;
    }
    transfer->fetcher = fetcher;
    transfer->size_max = size_max;
    transfer->on_done = on_done;
    transfer->arg = arg;
    snprintf(transfer->url, sizeof transfer->url, "%s", url);
    set_options(transfer);
    if (curl_multi_add_handle(fetcher->multi, transfer->easy) != CURLM_OK) {
        transfer_free(transfer);
        return MUP_ERR_SPACE;
    }
    transfer->next = fetcher->transfers;
    fetcher->transfers = transfer;
    fetcher->count++;
    return MUP_OK;
}

/* ---- the fetcher ---- */

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

struct mup_fetcher *mup_fetcher_new(struct mup_loop *loop,
                                    const struct mup_fetch_settings *settings)
{
    struct mup_fetcher *fetcher = calloc(1, sizeof *fetcher);

    if (!fetcher) {
        return NULL;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    fetcher->loop = loop;
    fetcher->timeout_s = settings->timeout_s ? settings->timeout_s : (uint32_t)MUP_FETCH_TIMEOUT_S;
    fetcher->ca_file = copy(settings->ca_file);
    fetcher->proxy = copy(settings->proxy);
    fetcher->multi = curl_multi_init();
    fetcher->timer = mup_timer_new(loop, on_timeout, fetcher);
    if (!fetcher->multi || !fetcher->timer) {
        mup_fetcher_free(fetcher);
        return NULL;
    }
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
    return fetcher;
}

void mup_fetcher_free(struct mup_fetcher *fetcher)
{
    if (!fetcher) {
        return;
    }
    while (fetcher->transfers) {
        struct transfer *transfer = fetcher->transfers;
        detach(transfer);
        transfer_free(transfer);
    }
    curl_multi_cleanup(fetcher->multi);
    mup_timer_free(fetcher->timer);
    free(fetcher->ca_file);
    free(fetcher->proxy);
    free(fetcher);
    curl_global_cleanup();
}
