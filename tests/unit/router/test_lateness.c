/* What a report says of lateness: mean, percentile, greatest. */
#include "support/cmocka_all.h"

#include "lateness.h"

static struct mup_lateness lateness;

static int begin(void **state)
{
    (void)state;
    memset(&lateness, 0, sizeof lateness);
    return 0;
}

static void nothing_is_not_late(void **state)
{
    (void)state;
    assert_true(mup_lateness_mean_us(&lateness) == 0);
    assert_int_equal(mup_lateness_percentile_us(&lateness, 99), 0);
}

static void of_one_to_a_hundred_the_99th_is_99(void **state)
{
    (void)state;
    for (unsigned us = 100; us >= 1; us--)
        mup_lateness_add(&lateness, us);
    assert_true(mup_lateness_mean_us(&lateness) == 50.5);
    assert_int_equal(mup_lateness_percentile_us(&lateness, 99), 99);
    assert_int_equal(mup_lateness_percentile_us(&lateness, 100), 100);
    assert_int_equal(mup_lateness_percentile_us(&lateness, 50), 50);
    assert_int_equal(mup_lateness_percentile_us(&lateness, 1), 1);
    assert_int_equal(lateness.max_us, 100);
    assert_int_equal(lateness.count, 100);
}

static void
one_late_frame_in_fifty_is_seen_by_the_percentile_and_in_a_hundred_by_the_greatest(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 98; i++)
        mup_lateness_add(&lateness, 7);
    mup_lateness_add(&lateness, 5000);
    assert_int_equal(mup_lateness_percentile_us(&lateness, 99), 5000);
    mup_lateness_add(&lateness, 7);
    assert_int_equal(mup_lateness_percentile_us(&lateness, 99), 7);
    assert_int_equal(lateness.max_us, 5000);
}

static void what_lies_above_the_bins_is_the_greatest(void **state)
{
    (void)state;
    mup_lateness_add(&lateness, MUP_LATENESS_EXACT_US - 1);
    assert_int_equal(mup_lateness_percentile_us(&lateness, 99), MUP_LATENESS_EXACT_US - 1);
    mup_lateness_add(&lateness, MUP_LATENESS_EXACT_US);
    mup_lateness_add(&lateness, 3000000);
    assert_int_equal(mup_lateness_percentile_us(&lateness, 34), 3000000);
    assert_int_equal(mup_lateness_percentile_us(&lateness, 33), MUP_LATENESS_EXACT_US - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_not_late, begin),
        cmocka_unit_test_setup(of_one_to_a_hundred_the_99th_is_99, begin),
        cmocka_unit_test_setup(
            one_late_frame_in_fifty_is_seen_by_the_percentile_and_in_a_hundred_by_the_greatest,
            begin),
        cmocka_unit_test_setup(what_lies_above_the_bins_is_the_greatest, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
