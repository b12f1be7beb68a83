/* Log lines: nothing from outside can forge one or reach a terminal. */
#include "support/cmocka_all.h"

#include "runtime/log.h"

static char line[MUP_LOG_LINE_SIZE];

static const char *with(struct mup_log_field field)
{
    size_t size = mup_log_format(line, "T", MUP_LOG_INFO, "test", &field, 1);

    assert_int_equal(size, strlen(line));
    return line;
}

static void a_line_has_time_level_component_and_fields(void **state)
{
    const struct mup_log_field fields[] = {mup_log_event("a b"), mup_log_number("n", -7),
                                           mup_log_text("none", NULL)};
    (void)state;

    mup_log_format(line, "T", MUP_LOG_WARNING, "mqtt", fields, 3);
    assert_string_equal(line, "T warning mqtt event=\"a b\" n=-7 none=-\n");
}

static void text_from_outside_is_escaped(void **state)
{
    (void)state;
    assert_string_equal(with(mup_log_text("k", "a\nT error x y=\"1\"\\")),
                        "T info test k=\"a\\x0aT error x y=\\\"1\\\"\\\\\"\n");
    assert_string_equal(with(mup_log_text("k", "\x1b[31m\x7f")),
                        "T info test k=\"\\x1b[31m\\x7f\"\n");
    assert_string_equal(with(mup_log_text("k", "\xc3\xa4\xc2\x9b\xff\xe2\x82")),
                        "T info test k=\"\xc3\xa4\\xc2\\x9b\\xff\\xe2\\x82\"\n");
    assert_string_equal(with(mup_log_bytes("k", "a\0b", 3)), "T info test k=\"a\\x00b\"\n");
}

static void long_text_and_long_lines_are_cut(void **state)
{
    char text[MUP_LOG_TEXT_SIZE + 2];
    struct mup_log_field fields[8];
    (void)state;

    memset(text, 'x', sizeof text);
    text[MUP_LOG_TEXT_SIZE + 1] = '\0';
    with(mup_log_text("k", text));
    assert_string_equal(line + strlen(line) - 6, "x\"...\n");
    for (size_t i = 0; i < 8; i++) {
        fields[i] = mup_log_text("k", text);
    }
    size_t size = mup_log_format(line, "T", MUP_LOG_INFO, "test", fields, 8);
    assert_true(size < MUP_LOG_LINE_SIZE);
    assert_int_equal(strlen(line), size);
    assert_string_equal(line + size - 4, "...\n");
}

static void levels_have_names(void **state)
{
    enum mup_log_level level = MUP_LOG_INFO;
    (void)state;

    assert_int_equal(mup_log_level_from_name(&level, "error"), 0);
    assert_int_equal(level, MUP_LOG_ERROR);
    assert_int_equal(mup_log_level_from_name(&level, "loud"), -1);
    assert_int_equal(level, MUP_LOG_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_component_and_fields),
        cmocka_unit_test(text_from_outside_is_escaped),
        cmocka_unit_test(long_text_and_long_lines_are_cut),
        cmocka_unit_test(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
