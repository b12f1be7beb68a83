/* Leaves with a stranger's text: see leaf.h. */
#include "bridge/devices/leaf.h"

#include <stdio.h>
#include <time.h>

#include "runtime/text.h"

LY_ERR mup_leaf_add(struct lyd_node *parent, const char *name, const char *value)
{
    char cut[MUP_LEAF_SIZE_MAX + 1];
    struct mup_text clean = {0};
    LY_ERR bad = LY_EMEM;

    snprintf(cut, sizeof cut, "%s", value);
    mup_text_append(&clean, "", 0);
    mup_text_clean(&clean, cut);
    if (!clean.failed)
        bad = lyd_new_term(parent, NULL, name, clean.bytes, 0, NULL);
    mup_text_free(&clean);
    return bad;
}

void mup_format_time(char text[MUP_TIME_SIZE], uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    strftime(text, MUP_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
}
