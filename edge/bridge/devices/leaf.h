/*
 * Leaves of myno-devices whose text may be a stranger's.
 *
 * libyang prints what XML cannot carry as it is, and a whole answer would be unreadable to its
 * client for the sake of one device; so would it be for a text without end.
 */
#ifndef MUP_BRIDGE_LEAF_H
#define MUP_BRIDGE_LEAF_H

#include <stdint.h>

#include <libyang/libyang.h>

#include "store/bridge_store.h"

#define MUP_LEAF_SIZE_MAX MUP_STORED_REASON_SIZE_MAX /* bytes; no other text is longer */
#define MUP_TIME_SIZE     32u

/* Add a leaf, its text cut and cleaned. */
LY_ERR mup_leaf_add(struct lyd_node *parent, const char *name, const char *value);

/* RFC 3339 in UTC, as ietf-yang-types wants date-and-time. */
void mup_format_time(char text[MUP_TIME_SIZE], uint64_t ms);

#endif
