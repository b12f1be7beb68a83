/* The promises of random.h, as far as bytes can show them. */
#include <string.h>

#include "suite_internal.h"

#define GUARD   0xa5u
#define LONGEST 17u
#define ROUNDS  4u /* hardware may take a millisecond for a byte */
#define REPEATS 8u

static int fill(const struct port_suite *suite, uint8_t *out, size_t size)
{
    return suite->random->fill(suite->random->context, out, size);
}

/* A byte that was written differs from the guard in some round, for all but one in 256^4. */
static enum port_suite_result fills_exactly(struct port_suite *suite)
{
    uint8_t bytes[LONGEST + 8];
    bool written[LONGEST];

    for (size_t size = 0; size <= LONGEST; size++) {
        memset(written, 0, sizeof written);
        for (uint32_t round = 0; round < ROUNDS; round++) {
            memset(bytes, GUARD, sizeof bytes);
            WANT(fill(suite, bytes + 1, size) == 0);
            WANT(bytes[0] == GUARD);
            for (size_t i = size + 1; i < sizeof bytes; i++)
                WANT(bytes[i] == GUARD);
            for (size_t i = 0; i < size; i++)
                if (bytes[i + 1] != GUARD)
                    written[i] = true;
        }
        for (size_t i = 0; i < size; i++)
            WANT(written[i]);
    }
    return PORT_SUITE_KEPT;
}

static enum port_suite_result never_repeats(struct port_suite *suite)
{
    uint8_t first[16];
    uint8_t next[16];

    WANT(fill(suite, first, sizeof first) == 0);
    for (uint32_t round = 0; round < REPEATS; round++) {
        WANT(fill(suite, next, sizeof next) == 0);
        WANT(memcmp(first, next, sizeof first) != 0);
    }
    return PORT_SUITE_KEPT;
}

/* Of 256 random bytes 162 differ on average; fewer than 100 come once in more than 10^20 runs. */
static enum port_suite_result uses_all_values(struct port_suite *suite)
{
    uint8_t bytes[256];
    bool seen[256];
    uint32_t different = 0;

    memset(seen, 0, sizeof seen);
    WANT(fill(suite, bytes, sizeof bytes) == 0);
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (!seen[bytes[i]])
            different++;
        seen[bytes[i]] = true;
    }
    WANT(different >= 100);
    return PORT_SUITE_KEPT;
}

static enum port_suite_result fails_without_a_source(struct port_suite *suite)
{
    uint8_t bytes[16];

    if (suite->random_broken == NULL)
        return PORT_SUITE_UNTRIED;
    WANT(suite->random_broken->fill(suite->random_broken->context, bytes, sizeof bytes) < 0);
    return PORT_SUITE_KEPT;
}

const struct port_suite_promise port_suite_random[] = {
    {"it fills all bytes asked for and no other", fills_exactly},
    {"it does not repeat itself", never_repeats},
    {"its bytes take many values", uses_all_values},
    {"without a source it fails", fails_without_a_source},
    {NULL, NULL},
};
