/* The wait before the next attempt: its bounds, its doubling, its corners. */
#include "support/cmocka_all.h"

#include "mup/backoff.h"

static void the_ceiling_doubles_up_to_the_maximum(void **state)
{
    static const uint32_t ceilings_ms[] = {200, 400, 800, 1000, 1000};
    struct mup_backoff backoff;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        mup_backoff_init(&backoff, 100, 1000);
        for (size_t failure = 0; failure < i; failure++)
            (void)mup_backoff_next_ms(&backoff, 0);
        for (uint32_t random = 0; random < 2000; random++) {
            struct mup_backoff copy = backoff;
            uint32_t wait_ms = mup_backoff_next_ms(&copy, random);

            assert_in_range(wait_ms, 100, ceilings_ms[i]);
            if (random <= ceilings_ms[i] - 100)
                assert_int_equal(wait_ms, 100 + random); /* every value can come */
        }
    }
}

static void reset_starts_again_and_saturate_goes_to_the_top(void **state)
{
    struct mup_backoff backoff;

    (void)state;
    mup_backoff_init(&backoff, 100, 60000);
    mup_backoff_saturate(&backoff);
    assert_int_equal(mup_backoff_next_ms(&backoff, 59900), 60000);
    mup_backoff_reset(&backoff);
    assert_int_equal(mup_backoff_next_ms(&backoff, 100), 200);
    assert_int_equal(mup_backoff_next_ms(&backoff, 101), 201);
}

static void strange_bounds_are_made_sane(void **state)
{
    struct mup_backoff backoff;

    (void)state;
    mup_backoff_init(&backoff, 0, 0);
    assert_int_equal(mup_backoff_next_ms(&backoff, UINT32_MAX), 1);
    mup_backoff_init(&backoff, 500, 100);
    assert_int_equal(mup_backoff_next_ms(&backoff, 12345), 500);
    mup_backoff_init(&backoff, 1, UINT32_MAX);
    mup_backoff_saturate(&backoff);
    assert_int_equal(mup_backoff_next_ms(&backoff, UINT32_MAX - 1), UINT32_MAX);
    mup_backoff_init(&backoff, 3000000000u, UINT32_MAX);
    assert_true(mup_backoff_next_ms(&backoff, UINT32_MAX) >= 3000000000u);
    assert_true(mup_backoff_next_ms(&backoff, 7) >= 3000000000u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ceiling_doubles_up_to_the_maximum),
        cmocka_unit_test(reset_starts_again_and_saturate_goes_to_the_top),
        cmocka_unit_test(strange_bounds_are_made_sane),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
