/* The bounded list of problems of a description (problems.h): keeps the first ones, counts all. */
#include "bridge/description/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Control characters from a hostile description must not reach a terminal or a log line. */
static void make_printable(char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            *text = '?';
    }
}

/* Cut inside a UTF-8 sequence: drop the bytes of the sequence that is incomplete. */
static void drop_torn_tail(char *text)
{
    size_t length = strlen(text);
    size_t start = length;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (length - start < need)
        text[start - 1] = '\0';
}

/* The end of a path says more than its beginning. */
static void copy_where(char out[MUP_PROBLEM_WHERE_SIZE], const char *where)
{
    size_t length = strlen(where);
    if (length < MUP_PROBLEM_WHERE_SIZE) {
        memcpy(out, where, length + 1);
    } else {
        const char *from = where + length - (MUP_PROBLEM_WHERE_SIZE - 1 - 3);
        while (((unsigned char)*from & 0xc0) == 0x80)
            from++;
        memcpy(out, "...", 3);
        memcpy(out + 3, from, strlen(from) + 1);
    }
    make_printable(out);
}

static void add(struct mup_problems *problems, enum mup_severity severity, unsigned line,
                const char *where, const char *format, va_list arguments)
{
    if (severity == MUP_SEVERITY_ERROR)
        problems->error_count++;
    else
        problems->warning_count++;

    size_t at = problems->count;
    if (at == MUP_PROBLEMS_MAX) {
        /* An error must not be lost behind warnings: it takes the place of the last one kept. */
        if (severity != MUP_SEVERITY_ERROR || problems->error_count > 1)
            return;
        at--;
    } else {
        problems->count++;
    }
    struct mup_problem *problem = &problems->items[at];
    problem->severity = severity;
    problem->line = line;
    copy_where(problem->where, where ? where : "");
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    drop_torn_tail(problem->text);
    make_printable(problem->text);
}

void mup_problems_error(struct mup_problems *problems, unsigned line, const char *where,
                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(problems, MUP_SEVERITY_ERROR, line, where, format, arguments);
    va_end(arguments);
}

void mup_problems_warning(struct mup_problems *problems, unsigned line, const char *where,
                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(problems, MUP_SEVERITY_WARNING, line, where, format, arguments);
    va_end(arguments);
}

const char *mup_problems_line(char *out, size_t out_size, const struct mup_problems *problems,
                              size_t at, const char *source)
{
    const struct mup_problem *problem = &problems->items[at];
    const char *severity = problem->severity == MUP_SEVERITY_ERROR ? "error" : "warning";
    char line[16] = "";
    if (problem->line)
        snprintf(line, sizeof line, ":%u", problem->line);
    snprintf(out, out_size, "%s%s: %s%s%s: %s", source ? source : "description", line,
             problem->where, problem->where[0] ? ": " : "", severity, problem->text);
    return out;
}
