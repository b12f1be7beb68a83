/*
 * One line per event on stderr: time, level, component, then key=value.
 *
 *     2026-11-21T23:10:01.123Z info netconf event="session opened" user="alice" session=3
 *
 * Text is always quoted and escaped (control characters, quotes, backslashes and bytes that are
 * not UTF-8 become \xHH), so that nothing that came from outside can forge a line or reach a
 * terminal. Text is cut after MUP_LOG_TEXT_SIZE bytes. Never log a key, password or nonce.
 */
#ifndef MUP_RUNTIME_LOG_H
#define MUP_RUNTIME_LOG_H

#include <stddef.h>
#include <stdint.h>

#define MUP_LOG_LINE_SIZE 2048u /* longer lines are cut and end in "..." */
#define MUP_LOG_TEXT_SIZE 400u  /* bytes of one text before escaping */

enum mup_log_level {
    MUP_LOG_DEBUG,
    MUP_LOG_INFO,
    MUP_LOG_WARNING, /* something was refused or retried; the daemon goes on */
    MUP_LOG_ERROR,   /* a person has to do something */
};

enum mup_log_kind { MUP_LOG_KIND_TEXT, MUP_LOG_KIND_NUMBER };

/* One key=value; made by the three functions below, lives only during the call. */
struct mup_log_field {
    const char *key;
    enum mup_log_kind kind;
    const void *text; /* NULL is printed as - */
    size_t text_size;
    int64_t number;
};

struct mup_log_field mup_log_text(const char *key, const char *text);
struct mup_log_field mup_log_bytes(const char *key, const void *bytes, size_t size);
struct mup_log_field mup_log_number(const char *key, int64_t number);

/* What happened, in words of ours: the first field of every line. */
struct mup_log_field mup_log_event(const char *words);

/* Lines below this level are not written; MUP_LOG_INFO unless set. */
void mup_log_set_level(enum mup_log_level level);

/* 0 and *level for "debug", "info", "warning", "error"; -1 for any other name. */
int mup_log_level_from_name(enum mup_log_level *level, const char *name);

void mup_log_write(enum mup_log_level level, const char *component,
                   const struct mup_log_field *fields, size_t count);

/* The line that mup_log_write() would write, newline included, always NUL-terminated. Returns
 * its length. `text` holds at least MUP_LOG_LINE_SIZE bytes. For tests. */
size_t mup_log_format(char text[MUP_LOG_LINE_SIZE], const char *when, enum mup_log_level level,
                      const char *component, const struct mup_log_field *fields, size_t count);

/* mup_log(MUP_LOG_INFO, "mqtt", mup_log_event("connected"), mup_log_number("port", 1883)); */
#define mup_log(level, component, ...)                                               \
    mup_log_write((level), (component), (const struct mup_log_field[]){__VA_ARGS__}, \
                  sizeof((const struct mup_log_field[]){__VA_ARGS__}) /              \
                      sizeof(struct mup_log_field))

#endif
