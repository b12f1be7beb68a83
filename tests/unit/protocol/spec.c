/* Find a vector in docs/SPEC.md: a heading, a fenced block, hex digits, text behind '#'. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/protocol/spec.h"

#define SPEC_PATH MUP_SOURCE_DIR "/docs/SPEC.md"
#define SPEC_MAX  200000u

static void die(const char *what, const char *name)
{
    (void)fprintf(stderr, "%s: %s: %s\n", SPEC_PATH, what, name);
    exit(EXIT_FAILURE);
}

char *spec_text(void)
{
    FILE *file = fopen(SPEC_PATH, "r");
    char *text = calloc(1, SPEC_MAX);

    if (file == NULL || text == NULL)
        die("cannot be read", "check that it is there");
    if (fread(text, 1, SPEC_MAX - 1, file) == SPEC_MAX - 1)
        die("is too long", "raise SPEC_MAX");
    (void)fclose(file);
    return text;
}

/* The digits of one line up to '#' or its end. */
static void take_line(struct spec_vector *vector, const char *line, const char *name)
{
    for (; *line != '#' && *line != '\n'; line++) {
        char pair[3] = {line[0], line[1], '\0'};
        char *end;

        if (*line == ' ')
            continue;
        if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]) ||
            vector->size == SPEC_VECTOR_MAX)
            die("bad hex, or too much of it", name);
        vector->bytes[vector->size++] = (uint8_t)strtoul(pair, &end, 16);
        line++;
    }
}

struct spec_vector spec_vector(const char *name)
{
    struct spec_vector vector = {.size = 0};
    char heading[128];
    char *text = spec_text();

    (void)snprintf(heading, sizeof heading, "\n### %s\n\n```\n", name);
    const char *line = strstr(text, heading);
    if (line == NULL)
        die("no such vector", name);
    line += strlen(heading);
    while (strncmp(line, "```", 3) != 0) {
        take_line(&vector, line, name);
        line = strchr(line, '\n');
        if (line == NULL)
            die("unfinished block", name);
        line++;
    }
    free(text);
    return vector;
}
