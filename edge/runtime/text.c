/* The growing text; doubles its memory, so that appending is linear over all. */
#include "runtime/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/xml.h"

#define TEXT_CAPACITY_MIN 256u

static char *reserve(struct mup_text *text, size_t more)
{
    if (text->failed || more > SIZE_MAX / 4 - text->size) {
        text->failed = true;
        return NULL;
    }
    if (text->size + more + 1 > text->capacity) {
        size_t capacity = text->capacity ? text->capacity : TEXT_CAPACITY_MIN;
        while (capacity < text->size + more + 1) {
            capacity *= 2;
        }
        char *grown = realloc(text->bytes, capacity);
        if (!grown) {
            text->failed = true;
            return NULL;
        }
        text->bytes = grown;
        text->capacity = capacity;
    }
    return text->bytes + text->size;
}

void mup_text_append(struct mup_text *text, const char *bytes, size_t size)
{
    char *at = reserve(text, size);

    if (at) {
        if (size > 0) {
            memcpy(at, bytes, size);
        }
        text->size += size;
        text->bytes[text->size] = '\0';
    }
}

void mup_text_add(struct mup_text *text, const char *words)
{
    mup_text_append(text, words, strlen(words));
}

void mup_text_format(struct mup_text *text, const char *format, ...)
{
    va_list measured;
    va_list written;

    va_start(measured, format);
    va_copy(written, measured);
    int size = vsnprintf(NULL, 0, format, measured);
    va_end(measured);
    char *at = size < 0 ? NULL : reserve(text, (size_t)size);
    if (at) {
        vsnprintf(at, (size_t)size + 1, format, written);
        text->size += (size_t)size;
    } else {
        text->failed = true;
    }
    va_end(written);
}

/* One character, or "?" for a byte that is none; returns how many bytes of `words` it was. */
static size_t append_character(struct mup_text *text, const char *words)
{
    size_t size = mup_xml_character_size(words, strnlen(words, 4));

    mup_text_append(text, size == 0 ? "?" : words, size == 0 ? 1 : size);
    return size == 0 ? 1 : size;
}

void mup_text_clean(struct mup_text *text, const char *words)
{
    while (*words) {
        words += append_character(text, words);
    }
}

void mup_text_escape(struct mup_text *text, const char *words)
{
    while (*words) {
        switch (*words) {
        case '&':
            mup_text_add(text, "&amp;");
            break;
        case '<':
            mup_text_add(text, "&lt;");
            break;
        case '>':
            mup_text_add(text, "&gt;");
            break;
        case '"':
            mup_text_add(text, "&quot;");
            break;
        default:
            words += append_character(text, words);
            continue;
        }
        words++;
    }
}

char *mup_text_take(struct mup_text *text)
{
    char *bytes = NULL;

    mup_text_append(text, "", 0);
    if (!text->failed) {
        bytes = text->bytes;
        text->bytes = NULL;
    }
    mup_text_free(text);
    return bytes;
}

void mup_text_free(struct mup_text *text)
{
    free(text->bytes);
    *text = (struct mup_text){0};
}
