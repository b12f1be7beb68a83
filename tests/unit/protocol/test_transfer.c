/* Slices and acknowledgements (docs/SPEC.md sections 15 and 16), which arrive in any portions. */
#include "mup/token.h"
#include "support/cmocka_all.h"
#include "unit/protocol/messages.h"

/* What a decoder says that has got the first `size` bytes of the message, and no readable more. */
static enum mup_status decode_start(struct mup_slice_header *header, size_t *header_size,
                                    const struct message *message, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);

    assert_non_null(exact);
    memcpy(exact, message->bytes, size);
    enum mup_status status = mup_slice_header_decode(header, header_size, exact, size);
    free(exact);
    return status;
}

static void a_slice_can_be_split_anywhere(void **state)
{
    struct message slice = from_spec("Slice");
    const size_t head = slice.size - 5;

    (void)state;
    for (size_t size = 0; size <= slice.size; size++) {
        struct mup_slice_header header = {1, 2, 3, 4};
        size_t header_size = 4711;
        enum mup_status status = decode_start(&header, &header_size, &slice, size);

        if (size < head) {
            assert_int_equal(status, MUP_ERR_SHORT);
            assert_int_equal(header.transfer, 1);
            assert_int_equal(header.attempt, 2);
            assert_int_equal(header.offset, 3);
            assert_int_equal(header.size, 4);
            assert_int_equal(header_size, 4711);
        } else {
            assert_int_equal(status, MUP_OK);
            assert_int_equal(header.transfer, 0xfedc);
            assert_int_equal(header.attempt, 0xba98);
            assert_int_equal(header.offset, 0x76543210);
            assert_int_equal(header.size, 5);
            assert_int_equal(header_size, head);
        }
    }
}

static void a_slice_header_is_written_as_the_vector(void **state)
{
    struct message slice = from_spec("Slice");
    const struct mup_slice_header header = {0xfedc, 0xba98, 0x76543210, 5};
    uint8_t bytes[MUP_SLICE_HEADER_MAX];

    (void)state;
    assert_int_equal(mup_slice_header_encode(bytes, &header), slice.size - 5);
    assert_memory_equal(bytes, slice.bytes, slice.size - 5);
}

static void slice_headers_have_5_to_15_bytes(void **state)
{
    const struct mup_slice_header least = {0, 0, 0, 1};
    const struct mup_slice_header most = {MUP_TRANSFER_ID_MAX, MUP_ATTEMPT_MAX, UINT32_MAX,
                                          MUP_SLICE_DATA_MAX};
    struct message written = from_hex("84 19 ff ff 19 ff ff 1a ff ff ff ff 59 80 00");
    struct mup_slice_header header;
    size_t header_size = 0;
    uint8_t bytes[MUP_SLICE_HEADER_MAX];

    (void)state;
    assert_int_equal(mup_slice_header_encode(bytes, &least), MUP_SLICE_HEADER_MIN);
    assert_memory_equal(bytes, "\x84\x00\x00\x00\x41", MUP_SLICE_HEADER_MIN);
    assert_int_equal(mup_slice_header_encode(bytes, &most), MUP_SLICE_HEADER_MAX);
    assert_memory_equal(bytes, written.bytes, MUP_SLICE_HEADER_MAX);
    assert_int_equal(decode_start(&header, &header_size, &written, written.size), MUP_OK);
    assert_int_equal(header.offset, UINT32_MAX);
    assert_int_equal(header.size, MUP_SLICE_DATA_MAX);
}

static void a_bad_slice_header_is_refused(void **state)
{
    static const struct {
        const char *hex;
        enum mup_status want;
    } cases[] = {
        {"84 00 00 00 41", MUP_OK},
        {"83 00 00 00 41", MUP_ERR_RANGE},                          /* three elements */
        {"85 00 00 00 41", MUP_ERR_RANGE},                          /* five */
        {"9f 00 00 00 41", MUP_ERR_FORMAT},                         /* indefinite */
        {"98 04 00 00 00 41", MUP_ERR_FORMAT},                      /* longer than it need be */
        {"a4 00 00 00 41", MUP_ERR_FORMAT},                         /* a map */
        {"84 20 00 00 41", MUP_ERR_FORMAT},                         /* negative */
        {"84 1a 00 01 00 00 00 00 41", MUP_ERR_RANGE},              /* transfer 65,536 */
        {"84 00 1a 00 01 00 00 00 41", MUP_ERR_RANGE},              /* attempt 65,536 */
        {"84 00 00 1b 00 00 00 01 00 00 00 00 41", MUP_ERR_FORMAT}, /* 64 bits */
        {"84 00 00 18 17 41", MUP_ERR_FORMAT},                      /* 23 in two bytes */
        {"84 00 00 18 18 41", MUP_OK},                              /* 24 in two bytes */
        {"84 00 00 19 00 ff 41", MUP_ERR_FORMAT},                   /* 255 in three bytes */
        {"84 00 00 19 01 00 41", MUP_OK},
        {"84 00 00 1a 00 00 ff ff 41", MUP_ERR_FORMAT}, /* 65,535 in five bytes */
        {"84 00 00 1a 00 01 00 00 41", MUP_OK},
        {"84 00 00 00 40", MUP_ERR_RANGE},       /* no data */
        {"84 00 00 00 59 80 00", MUP_OK},        /* 32,768 bytes */
        {"84 00 00 00 59 80 01", MUP_ERR_RANGE}, /* and one more */
        {"84 00 00 00 61", MUP_ERR_FORMAT},      /* text */
        {"84 00 00 00 5f", MUP_ERR_FORMAT},      /* indefinite */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct message message = from_hex(cases[i].hex);
        struct mup_slice_header header;
        size_t header_size;
        assert_int_equal(decode_start(&header, &header_size, &message, message.size),
                         cases[i].want);
    }
}

static void a_bad_slice_header_is_not_written(void **state)
{
    static const struct mup_slice_header cases[] = {
        {65536, 0, 0, 1}, {0, 65536, 0, 1}, {0, 0, 0, 0}, {0, 0, 0, 32769}};
    uint8_t bytes[MUP_SLICE_HEADER_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(mup_slice_header_encode(bytes, &cases[i]), 0);
}

static void a_bad_acknowledgement_is_refused(void **state)
{
    static const struct {
        const char *hex;
        enum mup_status want;
    } cases[] = {
        {"85 00 00 00 00 0a", MUP_OK},
        {"84 00 00 00 00", MUP_ERR_RANGE},
        {"86 00 00 00 00 0a 00", MUP_ERR_RANGE},
        {"85 1a 00 01 00 00 00 00 00 0a", MUP_ERR_RANGE},
        {"85 19 ff ff 00 00 00 0a", MUP_OK},
        {"85 00 1a 00 01 00 00 00 00 0a", MUP_ERR_RANGE},
        {"85 00 00 05 04 0a", MUP_ERR_RANGE}, /* limit below next */
        {"85 00 00 05 05 0a", MUP_OK},
        {"85 00 00 1a ff ff ff ff 1a ff ff ff ff 0a", MUP_OK},
        {"85 00 00 00 00 00", MUP_ERR_RANGE}, /* state 0 */
        {"85 00 00 00 00 01", MUP_OK},
        {"85 00 00 00 00 18 63", MUP_OK}, /* state 99 */
        {"85 00 00 00 00 18 64", MUP_ERR_RANGE},
        {"85 00 00 00 00 f6", MUP_ERR_FORMAT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct message message = from_hex(cases[i].hex);
        assert_int_equal(verdict(&codecs[CODEC_ACK], &message), cases[i].want);
    }
}

static void a_bad_acknowledgement_is_not_written(void **state)
{
    static const struct mup_ack cases[] = {{65536, 0, 0, 0, 10},
                                           {0, 65536, 0, 0, 10},
                                           {0, 0, 1, 0, 10},
                                           {0, 0, 0, 0, 0},
                                           {0, 0, 0, 0, 100}};
    const struct mup_ack longest = {65535, 65535, UINT32_MAX, UINT32_MAX, 99};
    uint8_t bytes[MUP_ACK_MAX];
    size_t size = 4711;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(mup_ack_encode(bytes, &size, &cases[i]), MUP_ERR_RANGE);
        assert_int_equal(size, 4711);
    }
    assert_int_equal(mup_ack_encode(bytes, &size, &longest), MUP_OK);
    assert_int_equal(size, MUP_ACK_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_can_be_split_anywhere),
        cmocka_unit_test(a_slice_header_is_written_as_the_vector),
        cmocka_unit_test(slice_headers_have_5_to_15_bytes),
        cmocka_unit_test(a_bad_slice_header_is_refused),
        cmocka_unit_test(a_bad_slice_header_is_not_written),
        cmocka_unit_test(a_bad_acknowledgement_is_refused),
        cmocka_unit_test(a_bad_acknowledgement_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
