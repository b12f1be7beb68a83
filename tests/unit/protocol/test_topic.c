/* Names, UUIDs and topics (docs/SPEC.md section 7). */
#include "mup/topic.h"
#include "support/cmocka_all.h"
#include "unit/protocol/spec.h"

static const uint8_t uuid[MUP_UUID_SIZE] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                            0xf0, 0xe1, 0xd2, 0xc3, 0xb4, 0xa5, 0x96, 0x87};
static const char text[] = "01234567-89ab-cdef-f0e1-d2c3b4a59687";

static void a_uuid_is_written_in_lower_case(void **state)
{
    char written[MUP_UUID_TEXT_SIZE];

    (void)state;
    mup_uuid_format(written, uuid);
    assert_string_equal(written, text);
}

static void a_uuid_is_read_in_either_case(void **state)
{
    static const char upper[] = "01234567-89AB-CDEF-F0E1-D2C3B4A59687";
    uint8_t read[MUP_UUID_SIZE];

    (void)state;
    assert_int_equal(mup_uuid_parse(read, text, strlen(text)), MUP_OK);
    assert_memory_equal(read, uuid, sizeof uuid);
    memset(read, 0, sizeof read);
    assert_int_equal(mup_uuid_parse(read, upper, strlen(upper)), MUP_OK);
    assert_memory_equal(read, uuid, sizeof uuid);
}

static void each_other_character_in_a_uuid_is_a_format_error(void **state)
{
    (void)state;
    for (size_t at = 0; at < strlen(text); at++) {
        for (int c = 0; c <= UINT8_MAX; c++) {
            char changed[MUP_UUID_TEXT_SIZE];
            uint8_t read[MUP_UUID_SIZE];
            bool is_hyphen = text[at] == '-';
            bool is_digit = c != 0 && strchr("0123456789abcdefABCDEF", c) != NULL;

            memcpy(changed, text, sizeof changed);
            changed[at] = (char)c;
            memset(read, 0xa5, sizeof read);
            enum mup_status status = mup_uuid_parse(read, changed, strlen(text));
            assert_int_equal(status, (is_hyphen ? c == '-' : is_digit) ? MUP_OK : MUP_ERR_FORMAT);
            if (status != MUP_OK)
                assert_int_equal(read[0], 0xa5);
        }
    }
}

static void each_other_length_of_a_uuid_is_a_format_error(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 40; size++) {
        uint8_t read[MUP_UUID_SIZE];
        char *exact = malloc(size > 0 ? size : 1);

        assert_non_null(exact);
        for (size_t i = 0; i < size; i++)
            exact[i] = i < strlen(text) ? text[i] : '0';
        assert_int_equal(mup_uuid_parse(read, exact, size), size == 36 ? MUP_OK : MUP_ERR_FORMAT);
        free(exact);
    }
}

static void a_name_has_1_to_36_letters_digits_and_three_more(void **state)
{
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz._-";

    (void)state;
    for (int c = 0; c <= UINT8_MAX; c++) {
        char name[3] = {'a', (char)c, 'z'};
        assert_int_equal(mup_name_is_valid(name, 3), c != 0 && strchr(good, c) != NULL);
    }
    assert_false(mup_name_is_valid(good, 0));
    assert_true(mup_name_is_valid(good, 1));
    assert_true(mup_name_is_valid(good, 48));
    assert_false(mup_name_is_valid(good, 49));
}

static void every_topic_of_the_table_is_defined(void **state)
{
    static const char *const prefixes[] = {
        MUP_TOPIC_ANNOUNCE, MUP_TOPIC_DESCRIPTION, MUP_TOPIC_BOOTSTRAP, MUP_TOPIC_PRESENCE,
        MUP_TOPIC_TOKEN,    MUP_TOPIC_MANIFEST,    MUP_TOPIC_VERIFY,    MUP_TOPIC_RESPONSE,
        MUP_TOPIC_FIRMWARE, MUP_TOPIC_ACK,         MUP_TOPIC_REPORT};
    char *page = spec_text();
    const char *row = page;

    (void)state;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        char expected[64] = "\n| `";
        strcat(expected, prefixes[i]);
        strcat(expected, "NAME` |");
        row = strstr(row, expected);
        assert_non_null(row);
        assert_true(strlen(prefixes[i]) + MUP_NAME_MAX <= MUP_TOPIC_MAX);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uuid_is_written_in_lower_case),
        cmocka_unit_test(a_uuid_is_read_in_either_case),
        cmocka_unit_test(each_other_character_in_a_uuid_is_a_format_error),
        cmocka_unit_test(each_other_length_of_a_uuid_is_a_format_error),
        cmocka_unit_test(a_name_has_1_to_36_letters_digits_and_three_more),
        cmocka_unit_test(every_topic_of_the_table_is_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
