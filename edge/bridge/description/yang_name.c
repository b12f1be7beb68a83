/* Legal and unique YANG identifiers (yang_name.h). */
#include "bridge/description/yang_name.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_byte(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

void mup_yang_name_make(char out[MUP_YANG_NAME_ROOM], const char *name)
{
    size_t size = 0;
    if (!is_letter(name[0]) || strncasecmp(name, "xml", 3) == 0)
        out[size++] = '_';
    for (; *name && size < MUP_YANG_NAME_SIZE_MAX; name++) {
        if (is_name_byte(*name))
            out[size++] = *name;
        else if (((unsigned char)*name & 0xc0) != 0x80) /* one dash for each character */
            out[size++] = '-';
    }
    out[size] = '\0';
}

static bool is_taken(const struct mup_yang_scope *scope, const char *name)
{
    for (size_t i = 0; i < scope->count; i++) {
        if (strcmp(scope->names[i], name) == 0)
            return true;
    }
    return false;
}

static bool take(struct mup_yang_scope *scope, struct mup_arena *arena, const char *name)
{
    if (scope->count == scope->room) {
        size_t room = scope->room ? scope->room * 2 : 16;
        const char **names = mup_arena_take(arena, room * sizeof *names);
        if (!names)
            return false;
        if (scope->count)
            memcpy(names, scope->names, scope->count * sizeof *names);
        scope->names = names;
        scope->room = room;
    }
    scope->names[scope->count++] = name;
    return true;
}

const char *mup_yang_name_unique(struct mup_yang_scope *scope, struct mup_arena *arena,
                                 const char *name)
{
    char made[MUP_YANG_NAME_ROOM];
    mup_yang_name_make(made, name);
    size_t length = strlen(made);
    for (unsigned number = 2; is_taken(scope, made); number++) {
        char suffix[16];
        int size = snprintf(suffix, sizeof suffix, "-%u", number);
        size_t keep = MUP_YANG_NAME_SIZE_MAX - (size_t)size;
        memcpy(made + (length < keep ? length : keep), suffix, (size_t)size + 1);
    }
    const char *name_copy = mup_arena_copy(arena, made, strlen(made));
    return name_copy && take(scope, arena, name_copy) ? name_copy : NULL;
}
