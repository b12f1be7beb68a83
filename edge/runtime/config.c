/* Configuration files: every line is parsed into a scratch value beside its key, and the caller's
 * variables are written only after the whole file was found good. */
#include "runtime/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scratch {
    bool seen;
    char *text;
    int64_t number;
    bool flag;
    struct mup_config_list list;
};

struct parse {
    const char *name;
    size_t line;
    const struct mup_config_key *keys;
    size_t count;
    struct scratch scratch[MUP_CONFIG_KEYS_MAX];
    char *error;
};

#define fail(parse, status, ...) \
    (snprintf((parse)->error, MUP_CONFIG_ERROR_SIZE, __VA_ARGS__), (status))

static void free_list(struct mup_config_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
    *list = (struct mup_config_list){0};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static enum mup_status take_number(struct parse *parse, const struct mup_config_key *key,
                                   struct scratch *into, const char *value)
{
    char *end;

    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end != '\0') {
        return fail(parse, MUP_ERR_FORMAT, "%s:%zu: %s wants a whole number, not \"%.64s\"",
                    parse->name, parse->line, key->name, value);
    }
    if (errno == ERANGE || number < key->min || number > key->max) {
        return fail(parse, MUP_ERR_RANGE, "%s:%zu: %s must lie between %lld and %lld", parse->name,
                    parse->line, key->name, (long long)key->min, (long long)key->max);
    }
    into->number = number;
    return MUP_OK;
}

static enum mup_status take_flag(struct parse *parse, const struct mup_config_key *key,
                                 struct scratch *into, const char *value)
{
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0) {
        return fail(parse, MUP_ERR_FORMAT, "%s:%zu: %s is yes or no, not \"%.64s\"", parse->name,
                    parse->line, key->name, value);
    }
    into->flag = strcmp(value, "yes") == 0;
    return MUP_OK;
}

static enum mup_status take_item(struct parse *parse, const struct mup_config_key *key,
                                 struct scratch *into, const char *value)
{
    if (into->list.count == MUP_CONFIG_LIST_COUNT_MAX) {
        return fail(parse, MUP_ERR_RANGE, "%s:%zu: more than %u lines of %s", parse->name,
                    parse->line, MUP_CONFIG_LIST_COUNT_MAX, key->name);
    }
    char **items = realloc(into->list.items, (into->list.count + 1) * sizeof *items);
    if (!items) {
        return fail(parse, MUP_ERR_SPACE, "%s:%zu: no memory", parse->name, parse->line);
    }
    into->list.items = items;
    items[into->list.count] = strdup(value);
    if (!items[into->list.count]) {
        return fail(parse, MUP_ERR_SPACE, "%s:%zu: no memory", parse->name, parse->line);
    }
    into->list.count++;
    return MUP_OK;
}

static enum mup_status take_text(struct parse *parse, struct scratch *into, const char *value)
{
    into->text = strdup(value);
    if (!into->text) {
        return fail(parse, MUP_ERR_SPACE, "%s:%zu: no memory", parse->name, parse->line);
    }
    return MUP_OK;
}

static enum mup_status take_value(struct parse *parse, size_t index, const char *value)
{
    const struct mup_config_key *key = &parse->keys[index];
    struct scratch *into = &parse->scratch[index];

    if (into->seen && key->kind != MUP_CONFIG_LIST) {
        return fail(parse, MUP_ERR_FORMAT, "%s:%zu: %s stands here a second time: remove one",
                    parse->name, parse->line, key->name);
    }
    into->seen = true;
    switch (key->kind) {
    case MUP_CONFIG_TEXT:
        return take_text(parse, into, value);
    case MUP_CONFIG_NUMBER:
        return take_number(parse, key, into, value);
    case MUP_CONFIG_FLAG:
        return take_flag(parse, key, into, value);
    case MUP_CONFIG_LIST:
        return take_item(parse, key, into, value);
    }
    return MUP_ERR_FORMAT;
}

/* `line` is NUL-terminated and ours to cut. */
static enum mup_status take_line(struct parse *parse, char *line)
{
    size_t size = strlen(line);

    while (size > 0 && is_blank(line[size - 1])) {
        line[--size] = '\0';
    }
    while (is_blank(*line)) {
        line++;
    }
    if (*line == '\0' || *line == '#') {
        return MUP_OK;
    }
    char *value = line;
    while (*value && !is_blank(*value)) {
        value++;
    }
    if (*value == '\0') {
        return fail(parse, MUP_ERR_FORMAT, "%s:%zu: \"%.64s\" has no value", parse->name,
                    parse->line, line);
    }
    *value++ = '\0';
    while (is_blank(*value)) {
        value++;
    }
    for (size_t i = 0; i < parse->count; i++) {
        if (strcmp(parse->keys[i].name, line) == 0) {
            return take_value(parse, i, value);
        }
    }
    return fail(parse, MUP_ERR_FORMAT, "%s:%zu: unknown key \"%.64s\"", parse->name, parse->line,
                line);
}

static enum mup_status take_lines(struct parse *parse, char *text)
{
    while (text) {
        char *end = strchr(text, '\n');
        if (end) {
            *end++ = '\0';
        }
        parse->line++;
        enum mup_status status = take_line(parse, text);
        if (status) {
            return status;
        }
        text = end;
    }
    for (size_t i = 0; i < parse->count; i++) {
        if (parse->keys[i].required && !parse->scratch[i].seen) {
            return fail(parse, MUP_ERR_FORMAT, "%s: %s is missing: add a line \"%s VALUE\"",
                        parse->name, parse->keys[i].name, parse->keys[i].name);
        }
    }
    return MUP_OK;
}

static void commit(const struct mup_config_key *key, struct scratch *from)
{
    switch (key->kind) {
    case MUP_CONFIG_TEXT:
        free(*(char **)key->out);
        *(char **)key->out = from->text;
        from->text = NULL;
        break;
    case MUP_CONFIG_NUMBER:
        *(int64_t *)key->out = from->number;
        break;
    case MUP_CONFIG_FLAG:
        *(bool *)key->out = from->flag;
        break;
    case MUP_CONFIG_LIST:
        free_list(key->out);
        *(struct mup_config_list *)key->out = from->list;
        from->list = (struct mup_config_list){0};
        break;
    }
}

/* `text` is NUL-terminated and ours to cut. */
static enum mup_status parse_text(const char *name, char *text, size_t size,
                                  const struct mup_config_key *keys, size_t count, char *error)
{
    struct parse parse = {.name = name, .keys = keys, .count = count, .error = error};

    if (count > MUP_CONFIG_KEYS_MAX) {
        return fail(&parse, MUP_ERR_SPACE, "%s: more keys than MUP_CONFIG_KEYS_MAX", name);
    }
    if (memchr(text, '\0', size)) {
        return fail(&parse, MUP_ERR_FORMAT, "%s: has a NUL byte: this is not a text file", name);
    }
    enum mup_status status = take_lines(&parse, text);
    for (size_t i = 0; i < count; i++) {
        if (status == MUP_OK && parse.scratch[i].seen) {
            commit(&keys[i], &parse.scratch[i]);
        }
        free(parse.scratch[i].text);
        free_list(&parse.scratch[i].list);
    }
    return status;
}

enum mup_status mup_config_parse(const char *name, const char *text, size_t size,
                                 const struct mup_config_key *keys, size_t count,
                                 char error[MUP_CONFIG_ERROR_SIZE])
{
    char *copy = malloc(size + 1);

    if (!copy) {
        snprintf(error, MUP_CONFIG_ERROR_SIZE, "%s: no memory", name);
        return MUP_ERR_SPACE;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    enum mup_status status = parse_text(name, copy, size, keys, count, error);
    free(copy);
    return status;
}

enum mup_status mup_config_read(const char *path, const struct mup_config_key *keys, size_t count,
                                char error[MUP_CONFIG_ERROR_SIZE])
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(MUP_CONFIG_FILE_SIZE_MAX + 1);
    enum mup_status status = MUP_ERR_SPACE;
    size_t size = 0;

    if (!file) {
        snprintf(error, MUP_CONFIG_ERROR_SIZE, "%s: %s", path, strerror(errno));
        status = MUP_ERR_STATE;
        goto out;
    }
    if (!text) {
        snprintf(error, MUP_CONFIG_ERROR_SIZE, "%s: no memory", path);
        goto out;
    }
    size = fread(text, 1, MUP_CONFIG_FILE_SIZE_MAX + 1, file);
    if (ferror(file)) {
        snprintf(error, MUP_CONFIG_ERROR_SIZE, "%s: %s", path, strerror(errno));
        status = MUP_ERR_STATE;
    } else if (size > MUP_CONFIG_FILE_SIZE_MAX) {
        snprintf(error, MUP_CONFIG_ERROR_SIZE, "%s: larger than %u bytes", path,
                 MUP_CONFIG_FILE_SIZE_MAX);
        status = MUP_ERR_RANGE;
    } else {
        text[size] = '\0';
        status = parse_text(path, text, size, keys, count, error);
    }
out:
    free(text);
    if (file) {
        fclose(file);
    }
    return status;
}

void mup_config_free(const struct mup_config_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (keys[i].kind == MUP_CONFIG_TEXT) {
            free(*(char **)keys[i].out);
            *(char **)keys[i].out = NULL;
        } else if (keys[i].kind == MUP_CONFIG_LIST) {
            free_list(keys[i].out);
        }
    }
}
