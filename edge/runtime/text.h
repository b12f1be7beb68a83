/*
 * A growing text with a sticky error: append as often as needed, look at `failed` once.
 *
 *     struct mup_text text = {0};
 *     mup_text_format(&text, "<a b=\"%u\">", 7);
 *     mup_text_escape(&text, outside);
 *     if (!text.failed) use(text.bytes, text.size);
 *     mup_text_free(&text);
 */
#ifndef MUP_RUNTIME_TEXT_H
#define MUP_RUNTIME_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct mup_text {
    char *bytes; /* NUL-terminated; NULL before the first append */
    size_t size; /* without the NUL */
    size_t capacity;
    bool failed; /* no memory: everything since is missing */
};

void mup_text_append(struct mup_text *text, const char *bytes, size_t size);
void mup_text_add(struct mup_text *text, const char *words);
void mup_text_format(struct mup_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Append with each byte that is no part of a character that XML can carry as "?". */
void mup_text_clean(struct mup_text *text, const char *words);

/* The same with & < > " as entities. */
void mup_text_escape(struct mup_text *text, const char *words);

/* The bytes, now the caller's to free(); NULL if anything failed. The text is empty after. */
char *mup_text_take(struct mup_text *text);

void mup_text_free(struct mup_text *text);

#endif
