/* Faults of the air as text: each name, each form of a value, and what is no value. */
#include "support/cmocka_all.h"

#include "faults.h"

static struct mup_faults faults;

static int begin(void **state)
{
    (void)state;
    memset(&faults, 0, sizeof faults);
    return 0;
}

static bool set(const char *name, const char *value)
{
    const char *why = NULL;
    bool good = mup_faults_set(&faults, name, value, &why);

    assert_non_null(why);
    return good;
}

static void assert_refused(const char *name, const char *value)
{
    struct mup_faults before = faults;

    if (set(name, value))
        fail_msg("%s=%s was taken", name, value);
    assert_memory_equal(&faults, &before, sizeof faults);
}

static void each_share_goes_where_it_belongs(void **state)
{
    (void)state;
    assert_true(set("loss", "10%"));
    assert_true(set("ack-loss", "2.5%"));
    assert_true(set("corrupt", "0.0001%"));
    assert_true(set("duplicate", "100%"));
    assert_int_equal(faults.medium.frame_loss_ppm, 100000);
    assert_int_equal(faults.medium.ack_loss_ppm, 25000);
    assert_int_equal(faults.medium.corrupt_ppm, 1);
    assert_int_equal(faults.medium.duplicate_ppm, 1000000);
    assert_true(set("loss", "0%"));
    assert_int_equal(faults.medium.frame_loss_ppm, 0);
    assert_true(set("loss", "99.9999%"));
    assert_int_equal(faults.medium.frame_loss_ppm, 999999);
    assert_true(set("loss", "007.1000%"));
    assert_int_equal(faults.medium.frame_loss_ppm, 71000);
}

static void what_is_no_share_is_refused(void **state)
{
    static const char *const bad[] = {
        "",         "%",   "10",   "10%%",      "-1%",  "+1%",
        " 1%",      "1 %", "1%x",  "100.0001%", "101%", "999999999%",
        "1.23456%", ".5%", "1e1%", "0x10%",     "nan%", "99999999999999999999999999%"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_refused("loss", bad[i]);
        assert_refused("ack-loss", bad[i]);
        assert_refused("corrupt", bad[i]);
        assert_refused("duplicate", bad[i]);
    }
}

static void a_burst_has_three_shares(void **state)
{
    static const char *const bad[] = {
        "",         "12.5%",        "12.5%,25%",   "12.5%,25%,90%,", "on",
        "1%;2%;3%", "101%,25%,90%", "1%,101%,90%", "1%,25%,101%",    "1,2,3",
        "OFF"};

    (void)state;
    assert_true(set("burst", "12.5%,25%,90%"));
    assert_int_equal(faults.medium.burst.to_bad_ppm, 125000);
    assert_int_equal(faults.medium.burst.to_good_ppm, 250000);
    assert_int_equal(faults.medium.burst.loss_ppm, 900000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused("burst", bad[i]);
    assert_true(set("burst", "off"));
    assert_int_equal(faults.medium.burst.to_bad_ppm, 0);
}

static void sleep_is_in_milliseconds(void **state)
{
    static const char *const bad[] = {
        "",        "125",       "125,5",     "125,5,",      "125,5,100,1",
        "0,5,100", "125,0,100", "125,126,1", "60001,5,100", "125,5,60001",
        "1.5,1,1", "-1,1,1",    "125,5,1ms", "on"};

    (void)state;
    assert_true(set("sleep", "125,5,100"));
    assert_int_equal(faults.sleep.period_us, 125000);
    assert_int_equal(faults.sleep.awake_us, 5000);
    assert_int_equal(faults.sleep.linger_us, 100000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused("sleep", bad[i]);
    assert_true(set("sleep", "60000,60000,0"));
    assert_int_equal(faults.sleep.period_us, 60000000);
    assert_true(set("sleep", "off"));
    assert_int_equal(faults.sleep.period_us, 0);
}

static void the_link_is_on_or_off(void **state)
{
    (void)state;
    assert_true(set("link", "off"));
    assert_true(faults.medium.is_cut);
    assert_refused("link", "");
    assert_refused("link", "yes");
    assert_true(set("link", "on"));
    assert_false(faults.medium.is_cut);
}

static void a_seed_is_any_number(void **state)
{
    (void)state;
    assert_true(set("seed", "18446744073709551615"));
    assert_true(faults.medium.seed == UINT64_MAX);
    assert_refused("seed", "18446744073709551616");
    assert_refused("seed", "-1");
    assert_refused("seed", " 1");
    assert_refused("seed", "");
    assert_refused("seed", "1x");
    assert_true(set("seed", "7"));
    assert_true(faults.medium.seed == 7);
}

static void a_frame_is_offered_again_three_times_unless_told(void **state)
{
    (void)state;
    memset(&faults, 0xff, sizeof faults);
    mup_faults_init(&faults);
    assert_int_equal(faults.medium.offers_max, 3);
    assert_int_equal(faults.medium.frame_loss_ppm, 0);
    assert_false(faults.medium.is_cut);
    assert_true(set("offers", "0"));
    assert_int_equal(faults.medium.offers_max, 0);
    assert_true(set("offers", "15"));
    assert_int_equal(faults.medium.offers_max, 15);
    assert_refused("offers", "16");
    assert_refused("offers", "4294967296");
    assert_refused("offers", "-1");
    assert_refused("offers", "");
}

static void another_name_is_refused_with_those_that_are(void **state)
{
    const char *why = NULL;

    (void)state;
    assert_refused("", "1%");
    assert_refused("losses", "1%");
    assert_false(mup_faults_set(&faults, "rain", "1%", &why));
    assert_string_equal(
        why, "is none of loss, ack-loss, corrupt, duplicate, burst, sleep, link, offers, seed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_share_goes_where_it_belongs, begin),
        cmocka_unit_test_setup(what_is_no_share_is_refused, begin),
        cmocka_unit_test_setup(a_burst_has_three_shares, begin),
        cmocka_unit_test_setup(sleep_is_in_milliseconds, begin),
        cmocka_unit_test_setup(the_link_is_on_or_off, begin),
        cmocka_unit_test_setup(a_seed_is_any_number, begin),
        cmocka_unit_test_setup(a_frame_is_offered_again_three_times_unless_told, begin),
        cmocka_unit_test_setup(another_name_is_refused_with_those_that_are, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
