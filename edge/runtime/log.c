/* Log lines: formatted whole into one buffer and written with one write(), so that lines of
 * several daemons on one terminal do not mix. */
#include "runtime/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static enum mup_log_level lowest = MUP_LOG_INFO;

static const char *const level_names[] = {"debug", "info", "warning", "error"};

struct mup_log_field mup_log_text(const char *key, const char *text)
{
    return mup_log_bytes(key, text, text ? strlen(text) : 0);
}

struct mup_log_field mup_log_bytes(const char *key, const void *bytes, size_t size)
{
    return (struct mup_log_field){
        .key = key, .kind = MUP_LOG_KIND_TEXT, .text = bytes, .text_size = size};
}

struct mup_log_field mup_log_number(const char *key, int64_t number)
{
    return (struct mup_log_field){.key = key, .kind = MUP_LOG_KIND_NUMBER, .number = number};
}

struct mup_log_field mup_log_event(const char *words)
{
    return mup_log_text("event", words);
}

void mup_log_set_level(enum mup_log_level level)
{
    lowest = level;
}

int mup_log_level_from_name(enum mup_log_level *level, const char *name)
{
    for (int i = MUP_LOG_DEBUG; i <= MUP_LOG_ERROR; i++) {
        if (strcmp(level_names[i], name) == 0) {
            *level = (enum mup_log_level)i;
            return 0;
        }
    }
    return -1;
}

/* A line under construction; what does not fit is dropped and `cut` remembers it. */
struct line {
    char *text;
    size_t size;
    bool cut;
};

/* Room that is kept for "...\n" and the NUL. */
#define LINE_TAIL_SIZE 5u

static void append(struct line *line, const char *text, size_t size)
{
    if (line->cut || size > MUP_LOG_LINE_SIZE - LINE_TAIL_SIZE - line->size) {
        line->cut = true;
        return;
    }
    memcpy(line->text + line->size, text, size);
    line->size += size;
}

static void append_text(struct line *line, const char *text)
{
    append(line, text, strlen(text));
}

/* Bytes of the valid UTF-8 character at bytes[0..size), 0 if there is none. C1 controls
 * (U+0080..U+009F) count as none, since a terminal obeys them. */
static size_t character_size(const uint8_t *bytes, size_t size)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t smallest;
    } forms[] = {{0xe0, 0xc0, 0xa0}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

    if (bytes[0] >= 0x20 && bytes[0] < 0x7f) {
        return 1;
    }
    for (size_t form = 0; form < 3; form++) {
        size_t length = form + 2;
        if ((bytes[0] & forms[form].mask) != forms[form].lead || length > size) {
            continue;
        }
        uint32_t value = bytes[0] & (uint8_t)~forms[form].mask;
        for (size_t i = 1; i < length; i++) {
            if ((bytes[i] & 0xc0) != 0x80) {
                return 0;
            }
            value = value << 6 | (bytes[i] & 0x3fu);
        }
        bool surrogate = value >= 0xd800 && value <= 0xdfff;
        return value >= forms[form].smallest && value <= 0x10ffff && !surrogate ? length : 0;
    }
    return 0;
}

static void append_quoted(struct line *line, const uint8_t *bytes, size_t size)
{
    size_t shown = size > MUP_LOG_TEXT_SIZE ? MUP_LOG_TEXT_SIZE : size;

    append(line, "\"", 1);
    for (size_t at = 0; at < shown;) {
        size_t length = character_size(bytes + at, shown - at);
        if (length == 0) {
            char escaped[5];
            snprintf(escaped, sizeof escaped, "\\x%02x", bytes[at]);
            append(line, escaped, 4);
            at++;
            continue;
        }
        if (bytes[at] == '"' || bytes[at] == '\\') {
            append(line, "\\", 1);
        }
        append(line, (const char *)bytes + at, length);
        at += length;
    }
    append_text(line, shown < size ? "\"..." : "\"");
}

static void append_field(struct line *line, const struct mup_log_field *field)
{
    append(line, " ", 1);
    append_text(line, field->key);
    append(line, "=", 1);
    if (field->kind == MUP_LOG_KIND_NUMBER) {
        char digits[24];
        snprintf(digits, sizeof digits, "%lld", (long long)field->number);
        append_text(line, digits);
    } else if (!field->text) {
        append(line, "-", 1);
    } else {
        append_quoted(line, field->text, field->text_size);
    }
}

size_t mup_log_format(char text[MUP_LOG_LINE_SIZE], const char *when, enum mup_log_level level,
                      const char *component, const struct mup_log_field *fields, size_t count)
{
    struct line line = {.text = text};

    append_text(&line, when);
    append(&line, " ", 1);
    append_text(&line, level_names[level]);
    append(&line, " ", 1);
    append_text(&line, component);
    for (size_t i = 0; i < count; i++) {
        append_field(&line, &fields[i]);
    }
    if (line.cut) {
        memcpy(text + line.size, "...", 3);
        line.size += 3;
    }
    text[line.size++] = '\n';
    text[line.size] = '\0';
    return line.size;
}

void mup_log_write(enum mup_log_level level, const char *component,
                   const struct mup_log_field *fields, size_t count)
{
    char text[MUP_LOG_LINE_SIZE];
    char day[32];
    char when[48];
    struct timespec now;
    struct tm utc;

    if (level < lowest) {
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(when, sizeof when, "%s.%03ldZ", day, now.tv_nsec / 1000000);
    size_t size = mup_log_format(text, when, level, component, fields, count);
    /* A log that cannot be written has nowhere to be reported. */
    ssize_t written = write(STDERR_FILENO, text, size);
    (void)written;
}
