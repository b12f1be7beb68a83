/*
 * What was wrong with a description: a bounded list of errors and warnings that a person can act
 * on.
 *
 * Each problem says where (a line, or a path into the document, or an IRI) and which rule is
 * broken. An error refuses the description; a warning only tells its author. The list is a plain
 * value that owns nothing: put it on the stack, copy it, keep it with the device.
 */
#ifndef MUP_BRIDGE_PROBLEMS_H
#define MUP_BRIDGE_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#define MUP_PROBLEMS_MAX       24u  /* further ones are only counted */
#define MUP_PROBLEM_WHERE_SIZE 160u /* longer places keep their end, which says more */
#define MUP_PROBLEM_TEXT_SIZE  240u

enum mup_severity {
    MUP_SEVERITY_WARNING,
    MUP_SEVERITY_ERROR,
};

struct mup_problem {
    enum mup_severity severity;
    unsigned line;                      /* from 1; 0 when only a path or an IRI is known */
    char where[MUP_PROBLEM_WHERE_SIZE]; /* JSON path or IRI; empty when the line says it */
    char text[MUP_PROBLEM_TEXT_SIZE];   /* the rule that is broken, printable UTF-8 */
};

/* `{0}` is an empty list. */
struct mup_problems {
    size_t error_count;   /* all, also those that found no room */
    size_t warning_count; /* likewise */
    size_t count;         /* items[0..count) are kept, in the order found */
    struct mup_problem items[MUP_PROBLEMS_MAX];
};

/* Add a problem. `where` may be NULL. Bytes that are not printable become `?`. Cannot fail. */
void mup_problems_error(struct mup_problems *problems, unsigned line, const char *where,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));
void mup_problems_warning(struct mup_problems *problems, unsigned line, const char *where,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Write problem `at` as one line without a line end, such as
 * "thing.jsonld:12: error: unknown keyword @nest" or "thing.jsonld: /@graph/3: warning: ...".
 * `source` names the document and may be NULL. Truncates to out_size; returns `out`.
 */
const char *mup_problems_line(char *out, size_t out_size, const struct mup_problems *problems,
                              size_t at, const char *source);

#endif
