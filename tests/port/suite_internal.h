/* What the files of the suite share. */
#ifndef PORT_SUITE_INTERNAL_H
#define PORT_SUITE_INTERNAL_H

#include "suite.h"

enum port_suite_result {
    PORT_SUITE_KEPT,
    PORT_SUITE_BROKEN,
    PORT_SUITE_UNTRIED, /* the host gave no means to try it */
};

typedef enum port_suite_result port_suite_check(struct port_suite *suite);

struct port_suite_promise {
    const char *text;
    port_suite_check *check;
};

/* The promises of each contract, in the order in which they are tried; ended by a NULL text. */
extern const struct port_suite_promise port_suite_flash[];
extern const struct port_suite_promise port_suite_clock[];
extern const struct port_suite_promise port_suite_random[];
extern const struct port_suite_promise port_suite_transport[];
extern const struct port_suite_promise port_suite_after_reset[];

/* Print a comment of two parts. */
void port_suite_say(const struct port_suite *suite, const char *text, const char *more);

/* Report where a promise was found broken, once for each. */
enum port_suite_result port_suite_broken(struct port_suite *suite, const char *where,
                                         const char *what);

#define PORT_SUITE_TEXT_(x) #x
#define PORT_SUITE_TEXT(x)  PORT_SUITE_TEXT_(x)

/* Leave the check, broken, unless the condition holds. */
#define WANT(condition)                                                                  \
    do {                                                                                 \
        if (!(condition))                                                                \
            return port_suite_broken(suite, __FILE__ ":" PORT_SUITE_TEXT(__LINE__) ": ", \
                                     #condition);                                        \
    } while (0)

void port_suite_idle(const struct port_suite *suite);

/* The two halves' bond (reset.c): keep the count of failures where a reset finds it, ... */
bool port_suite_leave_record(struct port_suite *suite);

/* ... find it again. False when there is none: this is the first half. */
bool port_suite_find_record(struct port_suite *suite);

#endif
