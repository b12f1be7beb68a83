/* Files by their path. */
#include "server/web/page.h"

#include <string.h>
#include <strings.h>

#include "server/web/answer.h"

static const struct mup_page_file *find(const char *path)
{
    for (const struct mup_page_file *file = mup_page_files; file->path; file++) {
        if (strcmp(file->path, path) == 0) {
            return file;
        }
    }
    return NULL;
}

/* If-None-Match is a list; one of ours is enough, and so is `*`. */
static bool is_known(const struct mup_http_request *request, const char *etag)
{
    const char *known = mup_http_header(request, "If-None-Match");

    return known && (strstr(known, etag) || strcmp(known, "*") == 0);
}

/* Accept-Encoding is a list of names, each perhaps with a weight; `gzip;q=0` forbids it. */
static bool takes_gzip(const struct mup_http_request *request)
{
    static const char name[] = "gzip";
    const char *at = mup_http_header(request, "Accept-Encoding");

    while (at && *at) {
        at += strspn(at, " \t,");
        size_t size = strcspn(at, " \t,;");
        const char *end = at + strcspn(at, ",");
        if (size == sizeof name - 1 && strncasecmp(at, name, size) == 0) {
            const char *weight = memchr(at, '=', (size_t)(end - at));
            return !weight || strspn(weight + 1, "0.") != strcspn(weight + 1, ", \t");
        }
        at = end;
    }
    return false;
}

bool mup_page_answer(struct mup_http_request *request, const struct mup_http_view *view)
{
    const struct mup_page_file *file = find(view->path);

    if (!file) {
        return false;
    }
    if (strcmp(view->method, "GET") != 0 && strcmp(view->method, "HEAD") != 0) {
        mup_answer_refuse(request, MUP_FAULT_METHOD_NOT_ALLOWED,
                          "this path does not take this method");
        return true;
    }
    bool packed = takes_gzip(request);
    const char *etag = packed ? file->packed_etag : file->etag;

    mup_http_add_header(request, "ETag", etag);
    mup_http_add_header(request, "Vary", "Accept-Encoding");
    mup_http_add_header(request, "Cache-Control", "no-cache"); /* ask each time: it may be newer */
    if (is_known(request, etag)) {
        mup_http_reply_static(request, 304, file->type, "", 0);
    } else if (packed) {
        mup_http_add_header(request, "Content-Encoding", "gzip");
        mup_http_reply_static(request, 200, file->type, file->packed, file->packed_size);
    } else {
        mup_http_reply_static(request, 200, file->type, file->bytes, file->size);
    }
    return true;
}
