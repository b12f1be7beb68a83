/* Files by their path. */
#include "server/web/page.h"

#include <string.h>

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
static bool is_known(const struct mup_http_request *request, const struct mup_page_file *file)
{
    const char *known = mup_http_header(request, "If-None-Match");

    return known && (strstr(known, file->etag) || strcmp(known, "*") == 0);
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
    mup_http_add_header(request, "ETag", file->etag);
    if (is_known(request, file)) {
        mup_http_reply_static(request, 304, file->type, "", 0);
    } else {
        mup_http_reply_static(request, 200, file->type, file->bytes, file->size);
    }
    return true;
}
