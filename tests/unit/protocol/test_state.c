/* The names of states, reasons and statuses; those of states stand in docs/SPEC.md section 18. */
#include <stdio.h>

#include "mup/state.h"
#include "mup/status.h"
#include "support/cmocka_all.h"
#include "unit/protocol/spec.h"

static void states_are_named_as_in_the_table(void **state)
{
    char *page = spec_text();
    char *section = strstr(page, "\n## 18. States");

    (void)state;
    assert_non_null(section);
    *strstr(section, "\n## 19.") = '\0';
    for (uint32_t number = 0; number <= 120; number++) {
        char row[80];
        char start[16];
        const char *name = mup_state_name(number);

        (void)snprintf(start, sizeof start, "\n| %u | ", number);
        (void)snprintf(row, sizeof row, "\n| %u | %s | ", number, name);
        if (strstr(section, start) != NULL)
            assert_non_null(strstr(section, row));
        else
            assert_string_equal(name, "unknown");
    }
    free(page);
}

static void reasons_are_named_as_in_the_sentence(void **state)
{
    char *page = spec_text();
    char sentence[200];

    (void)state;
    (void)snprintf(sentence, sizeof sentence,
                   "\nReasons of a revert: 1 %s, 2 %s, 3 %s, 4 %s, 5 %s.\n",
                   mup_revert_reason_name(1), mup_revert_reason_name(2), mup_revert_reason_name(3),
                   mup_revert_reason_name(4), mup_revert_reason_name(5));
    assert_non_null(strstr(page, sentence));
    assert_string_equal(mup_revert_reason_name(0), "none");
    assert_string_equal(mup_revert_reason_name(6), "unknown");
    free(page);
}

static void every_status_has_a_name_and_exactly_one_kind(void **state)
{
    static const struct {
        enum mup_status status;
        const char *name;
    } cases[] = {
        {MUP_ERR_SHORT, "short"}, {MUP_ERR_BUSY, "busy"},           {MUP_ERR_FORMAT, "format"},
        {MUP_ERR_RANGE, "range"}, {MUP_ERR_SIGNATURE, "signature"}, {MUP_ERR_KEY, "key"},
        {MUP_ERR_STALE, "stale"}, {MUP_ERR_DIGEST, "digest"},       {MUP_ERR_STATE, "state"},
        {MUP_ERR_FLASH, "flash"}, {MUP_ERR_RANDOM, "random"},       {MUP_ERR_SPACE, "space"},
    };

    (void)state;
    assert_string_equal(mup_status_name(MUP_OK), "ok");
    assert_string_equal(mup_status_name((enum mup_status)5), "unknown");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum mup_status status = cases[i].status;
        assert_string_equal(mup_status_name(status), cases[i].name);
        assert_int_equal(mup_status_is_again(status) + mup_status_is_peer(status) +
                             mup_status_is_trouble(status),
                         1);
    }
    assert_true(mup_status_is_again(MUP_ERR_BUSY));
    assert_true(mup_status_is_peer(MUP_ERR_FORMAT));
    assert_true(mup_status_is_trouble(MUP_ERR_FLASH));
    assert_false(mup_status_is_again(MUP_OK) || mup_status_is_peer(MUP_OK) ||
                 mup_status_is_trouble(MUP_OK));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_are_named_as_in_the_table),
        cmocka_unit_test(reasons_are_named_as_in_the_sentence),
        cmocka_unit_test(every_status_has_a_name_and_exactly_one_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
