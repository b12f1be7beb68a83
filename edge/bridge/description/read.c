/* Which syntax bytes are in, and the reader for it. */
#include <string.h>

#include "bridge/description/jsonld.h"
#include "bridge/description/rdf.h"

static enum mup_description_format guess_format(const char *bytes, size_t size)
{
    size_t at = 0;
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    while (at < size && strchr(" \t\r\n", bytes[at]) && bytes[at])
        at++;
    size -= at;
    bytes += at;
    if (size == 0 || bytes[0] == '{')
        return MUP_DESCRIPTION_JSONLD;
    if (bytes[0] == '[') {
        /* `[` also begins a blank node of Turtle, but JSON goes on with a node or an end. */
        for (at = 1; at < size && strchr(" \t\r\n", bytes[at]) && bytes[at]; at++)
            continue;
        return at == size || strchr("{[]", bytes[at]) ? MUP_DESCRIPTION_JSONLD
                                                      : MUP_DESCRIPTION_TURTLE;
    }
    if ((size >= 2 && memcmp(bytes, "<?", 2) == 0) || (size >= 2 && memcmp(bytes, "<!", 2) == 0) ||
        (size >= 8 && memcmp(bytes, "<rdf:RDF", 8) == 0))
        return MUP_DESCRIPTION_RDFXML;
    return MUP_DESCRIPTION_TURTLE;
}

enum mup_status mup_rdf_read_any(struct mup_triples *out, struct mup_problems *problems,
                                 struct mup_rdf *rdf, const char *bytes, size_t size,
                                 enum mup_description_format format)
{
    if (size > MUP_DESCRIPTION_SIZE_MAX) {
        mup_problems_error(problems, 0, NULL, "%zu bytes, but at most %u are read", size,
                           MUP_DESCRIPTION_SIZE_MAX);
        return MUP_ERR_RANGE;
    }
    if (size == 0) {
        mup_problems_error(problems, 0, NULL, "the description is empty");
        return MUP_ERR_FORMAT;
    }
    if (format == MUP_DESCRIPTION_AUTO)
        format = guess_format(bytes, size);
    if (format == MUP_DESCRIPTION_JSONLD)
        return mup_jsonld_read(out, problems, bytes, size);
    return mup_rdf_read(out, problems, rdf, bytes, size, format);
}
