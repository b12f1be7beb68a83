/*
 * What a device can do, for a page that makes forms of it: its YANG module as JSON (the parts
 * `description`, `rpcs`, `telemetry` and `events` of DeviceDetails in docs/openapi.json).
 */
#ifndef MUP_SERVER_FORMS_FORM_H
#define MUP_SERVER_FORMS_FORM_H

#include <jansson.h>

#include "server/forms/schema.h"

#define MUP_FORM_DEPTH_MAX 8u /* of structures; what is deeper is left out */

/* `reserved` are the RPCs of an update, ends with NULL. New reference; NULL: no memory. */
json_t *mup_form_json(const struct mup_schema *schema, const char *const *reserved);

/* How many digits after the point a decimal leaf has. */
unsigned mup_form_fraction_digits(const struct lysc_node *leaf);

#endif
