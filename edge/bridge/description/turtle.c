/* As much of Turtle's lexer (W3C, 2014, section 6.5) as it takes to tell a brace from a text. */
#include "bridge/description/turtle.h"

#include <stdbool.h>
#include <string.h>

struct text {
    const char *at, *end;
    unsigned line;
};

static void step(struct text *text)
{
    text->line += *text->at == '\n';
    text->at++;
}

static bool stands(const struct text *text, const char *token, size_t size)
{
    return (size_t)(text->end - text->at) >= size && memcmp(text->at, token, size) == 0;
}

/* At an opening quote: a short text ends with its line, a long one may have several. */
static void skip_quoted(struct text *text)
{
    const char quotes[3] = {*text->at, *text->at, *text->at};
    bool is_long = stands(text, quotes, 3);
    size_t size = is_long ? 3 : 1;
    text->at += size;
    while (text->at < text->end && !stands(text, quotes, size) && (is_long || *text->at != '\n')) {
        if (*text->at == '\\')
            step(text);
        if (text->at < text->end)
            step(text);
    }
    text->at += stands(text, quotes, size) ? size : 0;
}

/* At `<`: to behind the `>`, when all between may stand in an IRI. */
static void skip_iri(struct text *text)
{
    const char *at = text->at + 1;
    while (at < text->end && (unsigned char)*at > 0x20 && !strchr("<>\"{}|^`", *at))
        at++;
    text->at = at < text->end && *at == '>' ? at + 1 : text->at + 1;
}

unsigned mup_turtle_brace_line(const char *bytes, size_t size)
{
    struct text text = {bytes, bytes + size, 1};
    while (text.at < text.end) {
        switch (*text.at) {
        case '{':
        case '}':
            return text.line;
        case '"':
        case '\'':
            skip_quoted(&text);
            break;
        case '<':
            skip_iri(&text);
            break;
        case '#':
            while (text.at < text.end && *text.at != '\n')
                text.at++;
            break;
        default:
            step(&text);
        }
    }
    return 0;
}
