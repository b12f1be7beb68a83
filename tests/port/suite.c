/* The frame of the suite: order, numbers and lines. */
#include "suite_internal.h"

struct contract {
    const char *name;
    const struct port_suite_promise *promises;
};

static const struct contract first_half[] = {
    {"flash", port_suite_flash},
    {"clock", port_suite_clock},
    {"random", port_suite_random},
    {"transport", port_suite_transport},
};
static const struct contract second_half = {"reset", port_suite_after_reset};

#define CONTRACTS (sizeof first_half / sizeof first_half[0])

static void print_number(const struct port_suite *suite, uint32_t number)
{
    char text[11];
    size_t at = sizeof text - 1;

    text[at] = '\0';
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    suite->print(text + at);
}

void port_suite_say(const struct port_suite *suite, const char *text, const char *more)
{
    suite->print("# ");
    suite->print(text);
    suite->print(more);
    suite->print("\n");
}

enum port_suite_result port_suite_broken(struct port_suite *suite, const char *where,
                                         const char *what)
{
    /* The folders of __FILE__ are the builder's affair. */
    const char *name = where;

    for (; *where != '\0'; where++)
        if (*where == '/')
            name = where + 1;
    if (!suite->failed)
        port_suite_say(suite, name, what);
    suite->failed = true;
    return PORT_SUITE_BROKEN;
}

void port_suite_idle(const struct port_suite *suite)
{
    if (suite->idle != NULL)
        suite->idle();
}

static bool has(const struct port_suite *suite, const struct port_suite_promise *promises)
{
    if (promises == port_suite_flash)
        return suite->flash != NULL;
    if (promises == port_suite_clock)
        return suite->clock != NULL;
    if (promises == port_suite_random)
        return suite->random != NULL;
    if (promises == port_suite_transport)
        return suite->transport != NULL;
    return suite->reset != NULL && suite->flash != NULL;
}

static uint32_t count(const struct contract *contract)
{
    uint32_t promises = 0;

    while (contract->promises[promises].text != NULL)
        promises++;
    return promises;
}

static uint32_t count_first_half(void)
{
    uint32_t promises = 0;

    for (size_t i = 0; i < CONTRACTS; i++)
        promises += count(&first_half[i]);
    return promises;
}

static void print_result(struct port_suite *suite, uint32_t number, const char *contract,
                         const char *text, enum port_suite_result result)
{
    if (result == PORT_SUITE_BROKEN)
        suite->failed_count++;
    suite->print(result == PORT_SUITE_BROKEN ? "not ok " : "ok ");
    print_number(suite, number);
    suite->print(" ");
    suite->print(contract);
    suite->print(": ");
    suite->print(text);
}

/* Try a contract whose first promise has that number. `lost` = it can not be tried, and that is the
 * port's fault. */
static void try_contract(struct port_suite *suite, const struct contract *contract, uint32_t number,
                         bool lost)
{
    const char *none = has(suite, contract->promises) ? NULL : " # SKIP this port has none";

    for (const struct port_suite_promise *promise = contract->promises; promise->text != NULL;
         promise++) {
        enum port_suite_result result = lost ? PORT_SUITE_BROKEN : PORT_SUITE_UNTRIED;

        suite->failed = false;
        if (none == NULL && !lost)
            result = promise->check(suite);
        print_result(suite, number++, contract->name, promise->text, result);
        if (result == PORT_SUITE_UNTRIED)
            suite->print(none != NULL ? none : " # SKIP the host can not provoke it");
        suite->print("\n");
    }
}

uint32_t port_suite_run(struct port_suite *suite)
{
    uint32_t number = 1;
    bool has_reset = has(suite, port_suite_after_reset);
    bool lost = false;

    suite->failed_count = 0;
    if (has_reset && port_suite_find_record(suite)) {
        try_contract(suite, &second_half, count_first_half() + 1, false);
        return suite->failed_count;
    }
    suite->print("1..");
    print_number(suite, count_first_half() + count(&second_half));
    suite->print("\n");
    for (size_t i = 0; i < CONTRACTS; i++) {
        try_contract(suite, &first_half[i], number, false);
        number += count(&first_half[i]);
    }
    if (has_reset) {
        lost = true;
        if (port_suite_leave_record(suite))
            suite->reset->now(suite->reset->context);
        port_suite_say(suite, "no reset: the flash took no record, or reset.now() returned", "");
    }
    try_contract(suite, &second_half, number, lost);
    return suite->failed_count;
}
