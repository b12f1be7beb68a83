/* The bounded list of problems of a description (report.h): keeps the first ones, counts all. */
#include "bridge/report.h"

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

static void add(struct mup_report *report, enum mup_severity severity, unsigned line,
                const char *where, const char *format, va_list arguments)
{
    if (severity == MUP_SEVERITY_ERROR)
        report->error_count++;
    else
        report->warning_count++;

    size_t at = report->count;
    if (at == MUP_REPORT_PROBLEMS_MAX) {
        /* An error must not be lost behind warnings: it takes the place of the last one kept. */
        if (severity != MUP_SEVERITY_ERROR || report->error_count > 1)
            return;
        at--;
    } else {
        report->count++;
    }
    struct mup_problem *problem = &report->problems[at];
    problem->severity = severity;
    problem->line = line;
    copy_where(problem->where, where ? where : "");
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    drop_torn_tail(problem->text);
    make_printable(problem->text);
}

void mup_report_error(struct mup_report *report, unsigned line, const char *where,
                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(report, MUP_SEVERITY_ERROR, line, where, format, arguments);
    va_end(arguments);
}

void mup_report_warning(struct mup_report *report, unsigned line, const char *where,
                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(report, MUP_SEVERITY_WARNING, line, where, format, arguments);
    va_end(arguments);
}

const char *mup_report_line(char *out, size_t out_size, const struct mup_report *report, size_t at,
                            const char *source)
{
    const struct mup_problem *problem = &report->problems[at];
    const char *severity = problem->severity == MUP_SEVERITY_ERROR ? "error" : "warning";
    char line[16] = "";
    if (problem->line)
        snprintf(line, sizeof line, ":%u", problem->line);
    snprintf(out, out_size, "%s%s: %s%s%s: %s", source ? source : "description", line,
             problem->where, problem->where[0] ? ": " : "", severity, problem->text);
    return out;
}
