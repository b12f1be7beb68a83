/*
 * Paths with places: "/api/v1/devices/<*>/rpcs/<*>" without the brackets; `*` stands for one part
 * that is not empty.
 */
#ifndef MUP_SERVER_WEB_ROUTE_H
#define MUP_SERVER_WEB_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#define MUP_ROUTE_PARTS_MAX 2u
#define MUP_ROUTE_PART_SIZE 129u

struct mup_route_parts {
    char texts[MUP_ROUTE_PARTS_MAX][MUP_ROUTE_PART_SIZE]; /* in the order of the path */
};

/* Does the path fit the pattern? Then *parts has what stood in its places. */
bool mup_route_match(const char *pattern, const char *path, struct mup_route_parts *parts);

/* A whole number from 1 on, in digits alone; 0: it is none. */
int64_t mup_route_id(const char *text);

#endif
