/* Both framings of NETCONF over SSH (RFC 6242 4.2, 4.3), split at every byte. */
#include "support/cmocka_all.h"

#include "runtime/netconf_framing.h"

#define SIZE_MAX_HERE 100u

static void *exact_copy(const char *bytes, size_t size)
{
    void *copy = malloc(size ? size : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

/* Feed bytes[0..size) from an exact copy. */
static enum mup_status feed(struct mup_netconf_framing *framing, size_t *used, const char *bytes,
                            size_t size)
{
    void *copy = exact_copy(bytes, size);
    enum mup_status status = mup_netconf_framing_feed(framing, used, copy, size);

    free(copy);
    return status;
}

static void split_everywhere(enum mup_netconf_mode mode, const char *stream, const char *message)
{
    size_t size = strlen(stream);

    for (size_t split = 0; split <= size; split++) {
        struct mup_netconf_framing framing;
        size_t used = 99;
        mup_netconf_framing_init(&framing, SIZE_MAX_HERE);
        framing.mode = mode;
        if (split < size) {
            assert_int_equal(feed(&framing, &used, stream, split), MUP_ERR_SHORT);
            assert_int_equal(used, split);
            assert_int_equal(feed(&framing, &used, stream + split, size - split), MUP_OK);
            assert_int_equal(used, size - split);
        } else {
            assert_int_equal(feed(&framing, &used, stream, size), MUP_OK);
            assert_int_equal(used, size);
        }
        assert_string_equal(framing.message, message);
        assert_int_equal(framing.message_size, strlen(message));
        mup_netconf_framing_free(&framing);
    }
}

static void a_marked_message_may_be_split_at_every_byte(void **state)
{
    (void)state;
    split_everywhere(MUP_NETCONF_END_OF_MESSAGE, "<a/>]]>]]>", "<a/>");
    split_everywhere(MUP_NETCONF_END_OF_MESSAGE, "]]>]]]>]]>", "]]>]");
}

static void a_chunked_message_may_be_split_at_every_byte(void **state)
{
    (void)state;
    split_everywhere(MUP_NETCONF_CHUNKED, "\n#4\n<rpc\n#11\n id=\"1\"><a/\n#7\n></rpc>\n##\n",
                     "<rpc id=\"1\"><a/></rpc>");
    split_everywhere(MUP_NETCONF_CHUNKED, "\n#5\n\n##\n!\n##\n", "\n##\n!");
}

static void every_malformed_chunk_header_is_refused(void **state)
{
    static const char *const streams[] = {"x",
                                          "\r",
                                          "\nx",
                                          "\n\n",
                                          "\n#x",
                                          "\n#\n",
                                          "\n#0",
                                          "\n#01\n",
                                          "\n#-1\n",
                                          "\n# 1\n",
                                          "\n#1 \n",
                                          "\n#1\r\n",
                                          "\n#+1\n",
                                          "\n#1x\n",
                                          "\n##\n",
                                          "\n#1\nab",
                                          "\n#1\na\n#x",
                                          "\n#1\na\n##x",
                                          "\n#1\na\n# #",
                                          "\n#zzz\n",
                                          "\n#1\na\n\n",
                                          "\n#1\na]]>]]>",
                                          "\n#4294967296\n",
                                          "\n#12345678901"};
    (void)state;

    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        for (size_t step = 1; step <= strlen(streams[i]); step++) {
            struct mup_netconf_framing framing;
            enum mup_status status = MUP_ERR_SHORT;
            size_t used;
            mup_netconf_framing_init(&framing, SIZE_MAX_HERE);
            framing.mode = MUP_NETCONF_CHUNKED;
            for (size_t at = 0; at < strlen(streams[i]) && status == MUP_ERR_SHORT; at += step) {
                size_t part = strlen(streams[i]) - at;
                status = feed(&framing, &used, streams[i] + at, part < step ? part : step);
            }
            assert_int_equal(status, MUP_ERR_FORMAT);
            mup_netconf_framing_free(&framing);
        }
    }
}

/* A message of exactly `size` bytes in one chunk or behind a mark. */
static enum mup_status feed_sized(enum mup_netconf_mode mode, size_t size)
{
    struct mup_netconf_framing framing;
    char message[200];
    size_t framed_size;
    size_t used;

    memset(message, 'm', size);
    char *framed = mup_netconf_frame(mode, message, size, &framed_size);
    assert_non_null(framed);
    mup_netconf_framing_init(&framing, SIZE_MAX_HERE);
    framing.mode = mode;
    enum mup_status status = mup_netconf_framing_feed(&framing, &used, framed, framed_size);
    mup_netconf_framing_free(&framing);
    free(framed);
    return status;
}

static void a_message_may_be_as_large_as_the_limit_and_no_larger(void **state)
{
    (void)state;
    for (int mode = MUP_NETCONF_END_OF_MESSAGE; mode <= MUP_NETCONF_CHUNKED; mode++) {
        assert_int_equal(feed_sized((enum mup_netconf_mode)mode, SIZE_MAX_HERE), MUP_OK);
        assert_int_equal(feed_sized((enum mup_netconf_mode)mode, SIZE_MAX_HERE + 1), MUP_ERR_RANGE);
    }
}

static void chunks_together_may_not_exceed_the_limit(void **state)
{
    struct mup_netconf_framing framing;
    size_t used;
    (void)state;

    mup_netconf_framing_init(&framing, 5);
    framing.mode = MUP_NETCONF_CHUNKED;
    assert_int_equal(feed(&framing, &used, "\n#3\nabc\n#3\n", 11), MUP_ERR_RANGE);
    mup_netconf_framing_free(&framing);
}

static void the_mode_may_change_between_two_messages_of_one_read(void **state)
{
    static const char stream[] = "<hello/>]]>]]>\n#4\n<a/>\n##\n\n#4\n<b/>\n##\n";
    struct mup_netconf_framing framing;
    size_t at = 0;
    size_t used;
    (void)state;

    mup_netconf_framing_init(&framing, SIZE_MAX_HERE);
    assert_int_equal(feed(&framing, &used, stream, sizeof stream - 1), MUP_OK);
    assert_string_equal(framing.message, "<hello/>");
    at += used;
    framing.mode = MUP_NETCONF_CHUNKED;
    assert_int_equal(feed(&framing, &used, stream + at, sizeof stream - 1 - at), MUP_OK);
    assert_string_equal(framing.message, "<a/>");
    at += used;
    assert_int_equal(feed(&framing, &used, stream + at, sizeof stream - 1 - at), MUP_OK);
    assert_string_equal(framing.message, "<b/>");
    assert_int_equal(at + used, sizeof stream - 1);
    mup_netconf_framing_free(&framing);
}

static void frames_are_the_bytes_of_the_standard(void **state)
{
    size_t size;
    char *framed = mup_netconf_frame(MUP_NETCONF_CHUNKED, "<ok/>", 5, &size);
    (void)state;

    assert_int_equal(size, 13);
    assert_memory_equal(framed, "\n#5\n<ok/>\n##\n", 13);
    free(framed);
    framed = mup_netconf_frame(MUP_NETCONF_END_OF_MESSAGE, "<ok/>", 5, &size);
    assert_int_equal(size, 11);
    assert_memory_equal(framed, "<ok/>]]>]]>", 11);
    free(framed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_marked_message_may_be_split_at_every_byte),
        cmocka_unit_test(a_chunked_message_may_be_split_at_every_byte),
        cmocka_unit_test(every_malformed_chunk_header_is_refused),
        cmocka_unit_test(a_message_may_be_as_large_as_the_limit_and_no_larger),
        cmocka_unit_test(chunks_together_may_not_exceed_the_limit),
        cmocka_unit_test(the_mode_may_change_between_two_messages_of_one_read),
        cmocka_unit_test(frames_are_the_bytes_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
