/*
 * The web page's files, which are part of the program: `/` and `/page/NAME`, and the description of
 * REST. Open to everybody: there is nothing in them that is not in the source.
 */
#ifndef MUP_SERVER_WEB_PAGE_H
#define MUP_SERVER_WEB_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/http.h"

/* cmake/embed.cmake makes the table of them. */
struct mup_page_file {
    const char *path; /* as it is asked for */
    const char *type;
    const char *etag; /* with its quotes */
    const unsigned char *bytes;
    size_t size;
    const char *packed_etag; /* the same by gzip */
    const unsigned char *packed;
    size_t packed_size;
};

extern const struct mup_page_file mup_page_files[]; /* ends with a NULL path */

/* Answer, if there is a file at this path; else false. */
bool mup_page_answer(struct mup_http_request *request, const struct mup_http_view *view);

#endif
