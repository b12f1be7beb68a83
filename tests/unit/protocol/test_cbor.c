/* Reader and writer: the boundaries of deterministic CBOR, and that the first error stays. */
#include "mup/cbor.h"
#include "support/cmocka_all.h"
#include "unit/protocol/messages.h"

/* A reader over an exact-size copy, which lives until the next call. */
static struct mup_cbor_reader over(const char *hex)
{
    static uint8_t *exact;
    struct message message = from_hex(hex);
    struct mup_cbor_reader reader;

    free(exact);
    exact = malloc(message.size > 0 ? message.size : 1);
    assert_non_null(exact);
    memcpy(exact, message.bytes, message.size);
    mup_cbor_reader_init(&reader, exact, message.size);
    return reader;
}

static void integers_have_one_form_each(void **state)
{
    static const struct {
        const char *hex;
        uint32_t value;
    } cases[] = {
        {"00", 0},
        {"17", 23},
        {"1818", 24},
        {"18ff", 255},
        {"190100", 256},
        {"19ffff", 65535},
        {"1a00010000", 65536},
        {"1a12345678", 0x12345678},
        {"1affffffff", UINT32_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_cbor_reader reader = over(cases[i].hex);
        struct message expected = from_hex(cases[i].hex);
        struct mup_cbor_writer writer;
        uint8_t bytes[5];
        size_t size = 0;

        assert_int_equal(mup_cbor_read_uint(&reader, UINT32_MAX), cases[i].value);
        assert_int_equal(mup_cbor_reader_finish(&reader), MUP_OK);
        mup_cbor_writer_init(&writer, bytes, expected.size);
        mup_cbor_write_uint(&writer, cases[i].value);
        assert_int_equal(mup_cbor_writer_finish(&writer, &size), MUP_OK);
        assert_int_equal(size, expected.size);
        assert_memory_equal(bytes, expected.bytes, size);
    }
}

static void other_forms_of_an_integer_are_format_errors(void **state)
{
    static const char *const cases[] = {
        "1800",
        "1817",
        "190000",
        "1900ff",
        "1a00000000",
        "1a0000ffff",
        "1b0000000000000000",
        "1b00000000ffffffff",
        "1c",
        "1b0000000100000000",
        "1d",
        "1e",
        "1f",
        "20",
        "40",
        "f4",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_cbor_reader reader = over(cases[i]);
        assert_int_equal(mup_cbor_read_uint(&reader, UINT32_MAX), 0);
        assert_int_equal(mup_cbor_reader_finish(&reader), MUP_ERR_FORMAT);
    }
}

static void an_integer_above_most_is_a_range_error(void **state)
{
    struct mup_cbor_reader reader = over("1864");

    (void)state;
    assert_int_equal(mup_cbor_read_uint(&reader, 100), 100);
    reader = over("1865");
    assert_int_equal(mup_cbor_read_uint(&reader, 100), 0);
    assert_int_equal(reader.error, MUP_ERR_RANGE);
}

static void signed_integers_have_31_bits_and_a_sign(void **state)
{
    static const struct {
        const char *hex;
        int32_t value;
        enum mup_status want;
    } cases[] = {
        {"00", 0, MUP_OK},
        {"20", -1, MUP_OK},
        {"37", -24, MUP_OK},
        {"3818", -25, MUP_OK},
        {"38ff", -256, MUP_OK},
        {"390100", -257, MUP_OK},
        {"1a7fffffff", INT32_MAX, MUP_OK},
        {"1a80000000", 0, MUP_ERR_RANGE},
        {"3a7fffffff", INT32_MIN, MUP_OK},
        {"3a80000000", 0, MUP_ERR_RANGE},
        {"3817", 0, MUP_ERR_FORMAT},
        {"3b000000007fffffff", 0, MUP_ERR_FORMAT},
        {"60", 0, MUP_ERR_FORMAT},
        {"", 0, MUP_ERR_SHORT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_cbor_reader reader = over(cases[i].hex);
        struct message expected = from_hex(cases[i].hex);
        struct mup_cbor_writer writer;
        uint8_t bytes[5];
        size_t size = 0;

        assert_int_equal(mup_cbor_read_int(&reader), cases[i].value);
        assert_int_equal(mup_cbor_reader_finish(&reader), cases[i].want);
        if (cases[i].want != MUP_OK)
            continue;
        mup_cbor_writer_init(&writer, bytes, sizeof bytes);
        mup_cbor_write_int(&writer, cases[i].value);
        assert_int_equal(mup_cbor_writer_finish(&writer, &size), MUP_OK);
        assert_int_equal(size, expected.size);
        assert_memory_equal(bytes, expected.bytes, size);
    }
}

static void strings_have_from_least_to_most_bytes(void **state)
{
    static const struct {
        const char *hex;
        enum mup_status want;
    } cases[] = {
        {"41 0a", MUP_ERR_RANGE},
        {"42 0a 0b", MUP_OK},
        {"43 0a 0b 0c", MUP_OK},
        {"40", MUP_ERR_RANGE},
        {"44 0a 0b 0c 0d", MUP_ERR_RANGE},
        {"43 0a 0b", MUP_ERR_SHORT},
        {"62 41 42", MUP_ERR_FORMAT},
        {"58 02 0a 0b", MUP_ERR_FORMAT},
        {"5f 42 0a 0b ff", MUP_ERR_FORMAT},
        {"5a ff ff ff ff", MUP_ERR_RANGE},
        {"5b ff ff ff ff ff ff ff ff", MUP_ERR_FORMAT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_cbor_reader reader = over(cases[i].hex);
        struct mup_bytes bytes = mup_cbor_read_bytes(&reader, 2, 3);

        assert_int_equal(mup_cbor_reader_finish(&reader), cases[i].want);
        if (cases[i].want != MUP_OK) {
            assert_null(bytes.data);
            assert_int_equal(bytes.size, 0);
        }
    }
}

static void a_length_beyond_the_input_is_short_whatever_its_size(void **state)
{
    struct mup_cbor_reader reader = over("5a ff ff ff ff 01");

    (void)state;
    assert_null(mup_cbor_read_bytes(&reader, 0, UINT32_MAX).data);
    assert_int_equal(reader.error, MUP_ERR_SHORT);
    reader = over("7a 7f ff ff ff 41");
    assert_null(mup_cbor_read_item(&reader).data);
    assert_int_equal(reader.error, MUP_ERR_SHORT);
}

static void a_fixed_string_is_copied_only_whole(void **state)
{
    uint8_t out[3] = {1, 2, 3};
    struct mup_cbor_reader reader = over("42 0a 0b");

    (void)state;
    mup_cbor_read_fixed(&reader, out, sizeof out);
    assert_int_equal(reader.error, MUP_ERR_RANGE);
    assert_memory_equal(out, "\x01\x02\x03", 3);
    reader = over("43 0a 0b 0c");
    mup_cbor_read_fixed(&reader, out, sizeof out);
    assert_memory_equal(out, "\x0a\x0b\x0c", 3);
}

static void ascii_is_0x20_to_0x7e(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
        uint8_t message[2] = {0x61, (uint8_t)byte};
        struct mup_cbor_reader reader;

        mup_cbor_reader_init(&reader, message, sizeof message);
        struct mup_bytes text = mup_cbor_read_text(&reader, 0, 9);
        bool is_printable = byte >= 0x20 && byte <= 0x7e;
        assert_int_equal(reader.error, is_printable ? MUP_OK : MUP_ERR_FORMAT);
        assert_int_equal(text.size, is_printable ? 1 : 0);
    }
}

static void utf8_is_well_formed_and_without_nul(void **state)
{
    static const struct {
        const char *hex;
        bool is_good;
    } cases[] = {
        {"60", true},
        {"61 00", false}, /* NUL */
        {"61 01", true},
        {"61 7f", true},
        {"61 80", false},    /* continuation without a start */
        {"62 c1 bf", false}, /* overlong */
        {"62 c2 80", true},
        {"62 df bf", true},
        {"62 c2 7f", false},
        {"62 c2 c0", false},
        {"61 c2", false},       /* ends within a character */
        {"63 e0 9f bf", false}, /* overlong */
        {"63 e0 a0 80", true},
        {"63 ed 9f bf", true},
        {"63 ed a0 80", false}, /* surrogate */
        {"63 ee 80 80", true},
        {"63 ef bf bf", true},
        {"63 e2 82 41", false},
        {"62 e2 82", false},
        {"64 f0 8f bf bf", false}, /* overlong */
        {"64 f0 90 80 80", true},
        {"64 f4 8f bf bf", true},
        {"64 f4 90 80 80", false}, /* beyond U+10FFFF */
        {"64 f5 80 80 80", false},
        {"63 f0 90 80", false},
        {"64 f0 90 80 c0", false},
        {"61 ff", false},
        {"66 41 c3 a4 e2 82 ac", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_cbor_reader reader = over(cases[i].hex);
        (void)mup_cbor_read_utf8(&reader, 0, 9);
        assert_int_equal(mup_cbor_reader_finish(&reader),
                         cases[i].is_good ? MUP_OK : MUP_ERR_FORMAT);
    }
}

static void only_false_true_and_null_are_simple_values(void **state)
{
    (void)state;
    for (unsigned byte = 0xe0; byte <= UINT8_MAX; byte++) {
        uint8_t message[9] = {(uint8_t)byte, 0x14, 0x15};
        struct mup_cbor_reader reader;

        mup_cbor_reader_init(&reader, message, sizeof message);
        bool value = mup_cbor_read_bool(&reader);
        assert_int_equal(value, byte == 0xf5);
        assert_int_equal(reader.error, byte == 0xf4 || byte == 0xf5 ? MUP_OK : MUP_ERR_FORMAT);

        mup_cbor_reader_init(&reader, message, sizeof message);
        (void)mup_cbor_read_item(&reader);
        assert_int_equal(reader.error, byte >= 0xf4 && byte <= 0xf6 ? MUP_OK : MUP_ERR_FORMAT);
    }
}

static void keys_ascend_from_1_to_23(void **state)
{
    struct mup_cbor_reader reader = over("01 02 17");
    uint32_t previous = 0;

    (void)state;
    assert_int_equal(mup_cbor_read_key(&reader, &previous), 1);
    assert_int_equal(mup_cbor_read_key(&reader, &previous), 2);
    assert_int_equal(mup_cbor_read_key(&reader, &previous), 23);
    assert_int_equal(previous, 23);
    assert_int_equal(mup_cbor_reader_finish(&reader), MUP_OK);

    static const char *const bad[] = {"00", "05", "04", "1818", "20", "6105"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        reader = over(bad[i]);
        previous = 5;
        assert_int_equal(mup_cbor_read_key(&reader, &previous), 0);
        assert_int_equal(previous, 5);
        assert_int_equal(reader.error, MUP_ERR_FORMAT);
    }
}

static void a_tag_is_the_one_that_is_asked_for(void **state)
{
    struct mup_cbor_reader reader = over("d2");

    (void)state;
    mup_cbor_read_tag(&reader, 18);
    assert_int_equal(mup_cbor_reader_finish(&reader), MUP_OK);
    reader = over("d3");
    mup_cbor_read_tag(&reader, 18);
    assert_int_equal(reader.error, MUP_ERR_FORMAT);
    reader = over("d812");
    mup_cbor_read_tag(&reader, 18);
    assert_int_equal(reader.error, MUP_ERR_FORMAT);
}

static void an_item_is_taken_whole_to_its_depth(void **state)
{
    static const struct {
        const char *hex;
        enum mup_status want;
    } cases[] = {
        {"00", MUP_OK},
        {"39 01 00", MUP_OK},
        {"43 01 02 03", MUP_OK},
        {"63 e2 82 ac", MUP_OK},
        {"80", MUP_OK},
        {"a0", MUP_OK},
        {"f6", MUP_OK},
        {"83 01 82 02 03 04", MUP_OK},
        {"a2 01 a1 02 03 04 05", MUP_OK},
        {"a2 01 80 02 a0", MUP_OK},
        {"81 81 81 81 05", MUP_OK},
        {"81 81 81 80", MUP_OK},
        {"81 81 81 81 80", MUP_ERR_FORMAT}, /* five deep */
        {"a1 01 a1 01 a1 01 a1 01 00", MUP_OK},
        {"a1 01 a1 01 a1 01 a1 01 a0", MUP_ERR_FORMAT},
        {"82 81 81 81 05 81 81 81 06", MUP_OK}, /* a level that was left is free again */
        {"82 81 81 81 05 81 81 81 81 06", MUP_ERR_FORMAT},
        {"a2 02 00 01 00", MUP_ERR_FORMAT},
        {"a2 01 00 01 00", MUP_ERR_FORMAT},
        {"a1 00 00", MUP_ERR_FORMAT},
        {"a1 61 41 00", MUP_ERR_FORMAT},
        {"a1 01", MUP_ERR_SHORT},
        {"82 01", MUP_ERR_SHORT},
        {"9a ff ff ff ff 01", MUP_ERR_SHORT},
        {"ba ff ff ff ff 01 02", MUP_ERR_SHORT},
        {"9b 00 00 00 01 00 00 00 00", MUP_ERR_FORMAT},
        {"9f 01 ff", MUP_ERR_FORMAT},
        {"bf 01 02 ff", MUP_ERR_FORMAT},
        {"d2 00", MUP_ERR_FORMAT},
        {"81 d2 00", MUP_ERR_FORMAT},
        {"f9 3c 00", MUP_ERR_FORMAT},
        {"61 c2", MUP_ERR_FORMAT},
        {"3a 80 00 00 00", MUP_ERR_RANGE},
        {"", MUP_ERR_SHORT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_cbor_reader reader = over(cases[i].hex);
        size_t whole = reader.left;
        const uint8_t *start = reader.at;
        struct mup_bytes item = mup_cbor_read_item(&reader);

        assert_int_equal(mup_cbor_reader_finish(&reader), cases[i].want);
        assert_ptr_equal(item.data, cases[i].want == MUP_OK ? start : NULL);
        assert_int_equal(item.size, cases[i].want == MUP_OK ? whole : 0);
    }
}

static void an_item_ends_where_the_next_begins(void **state)
{
    struct mup_cbor_reader reader = over("82 01 02 03");

    (void)state;
    assert_int_equal(mup_cbor_read_item(&reader).size, 3);
    assert_int_equal(mup_cbor_read_uint(&reader, 9), 3);
    assert_int_equal(mup_cbor_reader_finish(&reader), MUP_OK);
}

static void the_readers_first_error_stays_and_later_reads_give_nothing(void **state)
{
    struct mup_cbor_reader reader = over("40 05 f5 81 01 41 07");
    uint8_t untouched = 9;
    uint32_t previous = 3;

    (void)state;
    assert_int_equal(mup_cbor_read_uint(&reader, 9), 0);
    assert_int_equal(reader.error, MUP_ERR_FORMAT);
    size_t left = reader.left;
    assert_int_equal(mup_cbor_read_uint(&reader, 9), 0);
    assert_int_equal(mup_cbor_read_int(&reader), 0);
    assert_false(mup_cbor_read_bool(&reader));
    assert_int_equal(mup_cbor_read_array(&reader, 9), 0);
    assert_int_equal(mup_cbor_read_map(&reader, 9), 0);
    assert_int_equal(mup_cbor_read_key(&reader, &previous), 0);
    assert_int_equal(previous, 3);
    assert_null(mup_cbor_read_bytes(&reader, 0, 9).data);
    assert_null(mup_cbor_read_text(&reader, 0, 9).data);
    assert_null(mup_cbor_read_utf8(&reader, 0, 9).data);
    assert_null(mup_cbor_read_item(&reader).data);
    mup_cbor_read_fixed(&reader, &untouched, 1);
    mup_cbor_read_tag(&reader, 18);
    assert_int_equal(untouched, 9);
    assert_int_equal(mup_cbor_peek(&reader), MUP_CBOR_SIMPLE);
    assert_int_equal(reader.left, left);
    assert_int_equal(mup_cbor_reader_finish(&reader), MUP_ERR_FORMAT);
}

static void peek_tells_the_type_and_the_end(void **state)
{
    static const char *const one_of_each[] = {"00", "20", "40", "60", "80", "a0", "c0", "f5"};

    (void)state;
    for (unsigned type = 0; type < 8; type++) {
        struct mup_cbor_reader reader = over(one_of_each[type]);
        assert_int_equal(mup_cbor_peek(&reader), type);
        assert_int_equal(reader.left, 1);
    }
    struct mup_cbor_reader reader = over("");
    assert_int_equal(mup_cbor_peek(&reader), MUP_CBOR_SIMPLE);
    assert_int_equal(reader.error, MUP_ERR_SHORT);
}

static void counts_have_a_limit(void **state)
{
    struct mup_cbor_reader reader = over("83");

    (void)state;
    assert_int_equal(mup_cbor_read_array(&reader, 3), 3);
    reader = over("84");
    assert_int_equal(mup_cbor_read_array(&reader, 3), 0);
    assert_int_equal(reader.error, MUP_ERR_RANGE);
    reader = over("a3");
    assert_int_equal(mup_cbor_read_map(&reader, 3), 3);
    reader = over("a4");
    assert_int_equal(mup_cbor_read_map(&reader, 3), 0);
    assert_int_equal(reader.error, MUP_ERR_RANGE);
}

static void write_one_of_each(struct mup_cbor_writer *writer)
{
    mup_cbor_write_tag(writer, 18);
    mup_cbor_write_array(writer, 7);
    mup_cbor_write_uint(writer, 1000);
    mup_cbor_write_int(writer, -500);
    mup_cbor_write_bytes(writer, "\x0a\x0b", 2);
    mup_cbor_write_text(writer, "xyz", 3);
    mup_cbor_write_map(writer, 1);
    mup_cbor_write_uint(writer, 4);
    mup_cbor_write_bool(writer, true);
    mup_cbor_write_null(writer);
    mup_cbor_write_raw(writer, "\xf4", 1);
}

static void the_writer_reports_a_full_buffer_and_stays_within(void **state)
{
    struct message expected = from_hex("d2 87 1903e8 3901f3 42 0a0b 63 78797a a1 04 f5 f6 f4");

    (void)state;
    for (size_t capacity = 0; capacity <= expected.size; capacity++) {
        uint8_t *exact = malloc(capacity > 0 ? capacity : 1);
        struct mup_cbor_writer writer;
        size_t size = 4711;

        assert_non_null(exact);
        mup_cbor_writer_init(&writer, exact, capacity);
        write_one_of_each(&writer);
        if (capacity < expected.size) {
            assert_int_equal(mup_cbor_writer_finish(&writer, &size), MUP_ERR_SPACE);
            assert_int_equal(size, 4711);
            size_t written = writer.size;
            mup_cbor_write_raw(&writer, NULL, 0); /* would fit, but the error stays */
            assert_int_equal(writer.size, written);
        } else {
            assert_int_equal(mup_cbor_writer_finish(&writer, &size), MUP_OK);
            assert_int_equal(size, expected.size);
            assert_memory_equal(exact, expected.bytes, size);
        }
        free(exact);
    }
}

static void after_an_error_what_would_fit_is_not_written(void **state)
{
    uint8_t bytes[3] = {7, 7, 7};
    struct mup_cbor_writer writer;

    (void)state;
    mup_cbor_writer_init(&writer, bytes, sizeof bytes);
    mup_cbor_write_uint(&writer, 65536);
    mup_cbor_write_uint(&writer, 1);
    assert_int_equal(writer.error, MUP_ERR_SPACE);
    assert_memory_equal(bytes, "\x07\x07\x07", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_have_one_form_each),
        cmocka_unit_test(other_forms_of_an_integer_are_format_errors),
        cmocka_unit_test(an_integer_above_most_is_a_range_error),
        cmocka_unit_test(signed_integers_have_31_bits_and_a_sign),
        cmocka_unit_test(strings_have_from_least_to_most_bytes),
        cmocka_unit_test(a_length_beyond_the_input_is_short_whatever_its_size),
        cmocka_unit_test(a_fixed_string_is_copied_only_whole),
        cmocka_unit_test(ascii_is_0x20_to_0x7e),
        cmocka_unit_test(utf8_is_well_formed_and_without_nul),
        cmocka_unit_test(only_false_true_and_null_are_simple_values),
        cmocka_unit_test(keys_ascend_from_1_to_23),
        cmocka_unit_test(a_tag_is_the_one_that_is_asked_for),
        cmocka_unit_test(an_item_is_taken_whole_to_its_depth),
        cmocka_unit_test(an_item_ends_where_the_next_begins),
        cmocka_unit_test(the_readers_first_error_stays_and_later_reads_give_nothing),
        cmocka_unit_test(peek_tells_the_type_and_the_end),
        cmocka_unit_test(counts_have_a_limit),
        cmocka_unit_test(the_writer_reports_a_full_buffer_and_stays_within),
        cmocka_unit_test(after_an_error_what_would_fit_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
