/* Print facts as JSON: one object on one line of stdout. */
#ifndef MUP_CLI_JSON_H
#define MUP_CLI_JSON_H

#include <jansson.h>

/* Print and release `value`. A NULL (out of memory, text that is not UTF-8) prints nothing. */
void mup_print_json(json_t *value);

/* Members of an object with a stand-in when they are missing or of another type. */
const char *mup_json_text(const json_t *object, const char *key, const char *otherwise);
json_int_t mup_json_number(const json_t *object, const char *key, json_int_t otherwise);

/*
 * The same text for a terminal: what is not printable becomes '?', so that a device's name cannot
 * move the cursor. Static storage, four texts at a time.
 */
const char *mup_json_clean(const json_t *object, const char *key, const char *otherwise);

#endif
