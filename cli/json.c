/* JSON out, and careful looks into JSON that came from elsewhere. */
#include "json.h"

#include <stdio.h>
#include <string.h>

#define CLEAN_TEXTS 4u
#define CLEAN_SIZE  256u

void mup_print_json(json_t *value)
{
    if (value == NULL)
        return;
    json_dumpf(value, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15)); /* 68.157, no more */
    fputc('\n', stdout);
    json_decref(value);
}

const char *mup_json_text(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? otherwise : text;
}

json_int_t mup_json_number(const json_t *object, const char *key, json_int_t otherwise)
{
    const json_t *member = json_object_get(object, key);

    return json_is_integer(member) ? json_integer_value(member) : otherwise;
}

const char *mup_json_clean(const json_t *object, const char *key, const char *otherwise)
{
    static char texts[CLEAN_TEXTS][CLEAN_SIZE];
    static unsigned turn;
    char *text = texts[turn++ % CLEAN_TEXTS];
    char *at;

    snprintf(text, CLEAN_SIZE, "%s", mup_json_text(object, key, otherwise));
    for (at = text; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    return text;
}
