/* Part by part. */
#include "server/web/route.h"

#include <stdlib.h>
#include <string.h>

bool mup_route_match(const char *pattern, const char *path, struct mup_route_parts *parts)
{
    size_t count = 0;

    while (*pattern) {
        if (*pattern != '*') {
            if (*pattern++ != *path++) {
                return false;
            }
            continue;
        }
        size_t size = strcspn(path, "/");
        if (size == 0 || size >= MUP_ROUTE_PART_SIZE || count == MUP_ROUTE_PARTS_MAX) {
            return false;
        }
        memcpy(parts->texts[count], path, size);
        parts->texts[count++][size] = '\0';
        path += size;
        pattern++;
    }
    return *path == '\0';
}

int64_t mup_route_id(const char *text)
{
    if (text[0] < '1' || text[0] > '9' || strspn(text, "0123456789") != strlen(text) ||
        strlen(text) > 18) {
        return 0;
    }
    return strtoll(text, NULL, 10);
}
