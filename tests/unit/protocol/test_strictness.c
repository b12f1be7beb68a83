/*
 * What no decoder accepts: each vector of docs/SPEC.md changed in every systematic way. The rule
 * behind all of them: whatever decodes has exactly one encoding, so either the bytes are refused
 * and the output is untouched, or encoding gives the same bytes again.
 */
#include "support/cmocka_all.h"
#include "unit/protocol/messages.h"

/* Key 15, which is read and not written again. A change may also have made it from another key. */
static bool has_authentication(const struct codec *codec, const struct message *message)
{
    struct pair pairs[24];

    if (codec != &codecs[CODEC_RESPONSE] && codec != &codecs[CODEC_REPORT])
        return false;
    size_t count = find_pairs(message, pairs);
    return message->bytes[pairs[count - 1].key] == 15;
}

/* True if the bytes were taken; then they were also written again as they came. */
static bool is_taken_faithfully(const struct codec *codec, const struct message *message)
{
    union any_message out;
    struct message again;
    uint8_t *kept;
    bool is_taken = decode_exactly(codec, &out, message, &kept) == MUP_OK;

    if (is_taken) {
        assert_int_equal(codec->encode(again.bytes, sizeof again.bytes, &again.size, &out), MUP_OK);
        if (has_authentication(codec, message)) {
            free(kept);
            return true;
        }
        assert_int_equal(again.size, message->size);
        assert_memory_equal(again.bytes, message->bytes, message->size);
    }
    free(kept);
    return is_taken;
}

static void for_each_vector(void (*check)(const struct known_vector *, const struct codec *,
                                          const struct message *))
{
    for (size_t i = 0; i < KNOWN_VECTORS; i++) {
        struct message message = from_spec(known_vectors[i].name);
        check(&known_vectors[i], &codecs[known_vectors[i].codec], &message);
    }
}

static void check_cut(const struct known_vector *vector, const struct codec *codec,
                      const struct message *message)
{
    (void)vector;
    assert_int_equal(verdict(codec, message), MUP_OK);
    for (size_t size = 0; size < message->size; size++) {
        struct message cut = *message;
        cut.size = size;
        assert_int_equal(verdict(codec, &cut), MUP_ERR_SHORT);
    }
}

static void every_truncation_is_short(void **state)
{
    (void)state;
    for_each_vector(check_cut);
}

static void check_trailing(const struct known_vector *vector, const struct codec *codec,
                           const struct message *message)
{
    (void)vector;
    for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
        struct message longer = *message;
        longer.bytes[longer.size++] = (uint8_t)byte;
        assert_int_equal(verdict(codec, &longer), MUP_ERR_FORMAT);
    }
}

static void any_byte_behind_a_message_is_a_format_error(void **state)
{
    (void)state;
    for_each_vector(check_trailing);
}

/* The head at `at`, written with 1, 2, 4 or 8 bytes of argument. */
static struct message with_long_head(const struct message *message, size_t at, unsigned power)
{
    uint8_t first = message->bytes[at];
    size_t following = (first & 31) < 24 ? 0 : (size_t)1 << ((first & 31) - 24);
    uint64_t argument = following == 0 ? first & 31u : 0;
    uint8_t head[9];
    size_t size = (size_t)1 << power;

    for (size_t i = 1; i <= following; i++)
        argument = argument << 8 | message->bytes[at + i];
    head[0] = (uint8_t)((first & 0xe0) | (24 + power));
    for (size_t i = size; i > 0; i--, argument >>= 8)
        head[i] = (uint8_t)argument;
    return replaced(message, at, at + 1 + following, head, 1 + size);
}

static void check_long_heads(const struct known_vector *vector, const struct codec *codec,
                             const struct message *message)
{
    size_t offsets[MESSAGE_MAX];
    size_t count = find_heads(message, offsets);

    (void)vector;
    for (size_t i = 0; i < count; i++) {
        unsigned info = message->bytes[offsets[i]] & 31u;
        for (unsigned power = info < 24 ? 0 : info - 24 + 1; power <= 3; power++) {
            struct message longer = with_long_head(message, offsets[i], power);
            assert_int_equal(verdict(codec, &longer), MUP_ERR_FORMAT);
        }
    }
}

static void every_longer_form_of_every_head_is_a_format_error(void **state)
{
    (void)state;
    for_each_vector(check_long_heads);
}

static void check_indefinite(const struct known_vector *vector, const struct codec *codec,
                             const struct message *message)
{
    static const uint8_t stop = 0xff;
    size_t offsets[MESSAGE_MAX];
    size_t count = find_heads(message, offsets);

    (void)vector;
    for (size_t i = 0; i < count; i++) {
        size_t at = offsets[i];
        uint8_t type = message->bytes[at] & 0xe0;
        uint8_t open = type | 31;
        size_t end = item_end(message, at);

        if (type < 0x40 || type > 0xa0)
            continue;
        struct message stopped = replaced(message, end, end, &stop, 1);
        /* A string keeps its head as the one chunk; the others have a head of one byte here. */
        size_t head = type <= 0x60 ? at : at + 1;
        struct message opened = replaced(&stopped, at, head, &open, 1);
        assert_int_equal(verdict(codec, &opened), MUP_ERR_FORMAT);
    }
}

static void every_indefinite_length_is_a_format_error(void **state)
{
    (void)state;
    for_each_vector(check_indefinite);
}

static void check_order(const struct known_vector *vector, const struct codec *codec,
                        const struct message *message)
{
    struct pair pairs[24];
    size_t count = vector->is_map ? find_pairs(message, pairs) : 0;

    for (size_t i = 0; i + 1 < count; i++) {
        struct message swapped =
            replaced(message, pairs[i].key, pairs[i + 1].end, message->bytes + pairs[i + 1].key,
                     pairs[i + 1].end - pairs[i + 1].key);
        swapped = replaced(&swapped, pairs[i].key + (pairs[i + 1].end - pairs[i + 1].key),
                           pairs[i].key + (pairs[i + 1].end - pairs[i + 1].key),
                           message->bytes + pairs[i].key, pairs[i].end - pairs[i].key);
        assert_int_equal(swapped.size, message->size);
        assert_int_equal(verdict(codec, &swapped), MUP_ERR_FORMAT);
    }
}

static void keys_out_of_order_are_a_format_error(void **state)
{
    (void)state;
    for_each_vector(check_order);
}

static void check_duplicates(const struct known_vector *vector, const struct codec *codec,
                             const struct message *message)
{
    struct pair pairs[24];
    size_t count = vector->is_map ? find_pairs(message, pairs) : 0;

    for (size_t i = 0; i < count; i++) {
        struct message twice = replaced(message, pairs[i].end, pairs[i].end,
                                        message->bytes + pairs[i].key, pairs[i].end - pairs[i].key);
        twice.bytes[0]++;
        /* MUP_ERR_RANGE where a long value twice is more than the message may have at all. */
        assert_true(mup_status_is_peer(verdict(codec, &twice)));
        /* In place of the pair that follows: the count is right, a key is missing. */
        if (i + 1 < count) {
            twice = replaced(message, pairs[i + 1].key, pairs[i + 1].end,
                             message->bytes + pairs[i].key, pairs[i].end - pairs[i].key);
            assert_true(mup_status_is_peer(verdict(codec, &twice)));
        }
    }
}

static void duplicate_keys_are_a_format_error(void **state)
{
    (void)state;
    for_each_vector(check_duplicates);
}

/* Every key but the optional ones of docs/SPEC.md; those are looked at in test_limits.c. */
static bool is_optional(int codec, uint8_t key)
{
    return (codec == CODEC_TOKEN && key >= 13) || (codec == CODEC_REPLY && key >= 3) ||
           (codec == CODEC_RESPONSE && key >= 2) || (codec == CODEC_REQUEST && key == 2) ||
           (codec == CODEC_REPORT && key == 15);
}

static void check_missing(const struct known_vector *vector, const struct codec *codec,
                          const struct message *message)
{
    struct pair pairs[24];
    size_t count = vector->is_map ? find_pairs(message, pairs) : 0;

    for (size_t i = 0; i < count; i++) {
        struct message without = replaced(message, pairs[i].key, pairs[i].end, NULL, 0);
        without.bytes[0]--;
        if (!is_optional(vector->codec, message->bytes[pairs[i].key]))
            assert_int_equal(verdict(codec, &without), MUP_ERR_FORMAT);
    }
}

static void a_missing_key_is_a_format_error(void **state)
{
    (void)state;
    for_each_vector(check_missing);
}

static void check_unknown(const struct known_vector *vector, const struct codec *codec,
                          const struct message *message)
{
    struct pair pairs[24];
    size_t count = vector->is_map ? find_pairs(message, pairs) : 0;

    /* A key of 0 in front, and keys that no message has behind. */
    static const uint8_t front[] = {0x00, 0xf6};
    static const char *const behind[] = {"10f6", "17f6",   "1818f6", "18fff6", "1a00010000f6",
                                         "20f6", "6131f6", "4131f6", "f5f6"};
    for (size_t i = 0; i < sizeof behind / sizeof behind[0] && count > 0; i++) {
        struct message pair = from_hex(behind[i]);
        struct message more =
            replaced(message, message->size, message->size, pair.bytes, pair.size);
        more.bytes[0]++;
        assert_int_equal(verdict(codec, &more), MUP_ERR_FORMAT);
    }
    if (count > 0) {
        struct message more = replaced(message, 1, 1, front, sizeof front);
        more.bytes[0]++;
        assert_int_equal(verdict(codec, &more), MUP_ERR_FORMAT);
    }
}

static void an_unknown_key_is_a_format_error(void **state)
{
    (void)state;
    for_each_vector(check_unknown);
}

static void check_kinds(const struct known_vector *vector, const struct codec *codec,
                        const struct message *message)
{
    (void)vector;
    /* One of each kind that CBOR has, those that MUP does not use included. */
    static const char *const kinds[] = {"00",     "20",         "1b0000000100000000",
                                        "40",     "60",         "80",
                                        "a0",     "c000",       "d240",
                                        "f4",     "f6",         "f7",
                                        "e0",     "f818",       "f820",
                                        "f93c00", "fa00000000", "fb0000000000000000",
                                        "1c",     "ff"};
    size_t offsets[MESSAGE_MAX];
    size_t count = find_heads(message, offsets);

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            struct message kind = from_hex(kinds[k]);
            struct message changed =
                replaced(message, offsets[i], item_end(message, offsets[i]), kind.bytes, kind.size);
            (void)is_taken_faithfully(codec, &changed);
        }
    }
}

static void an_item_of_another_kind_is_refused_or_written_again(void **state)
{
    (void)state;
    for_each_vector(check_kinds);
}

static void check_bytes(const struct known_vector *vector, const struct codec *codec,
                        const struct message *message)
{
    (void)vector;
    for (size_t at = 0; at < message->size; at++) {
        for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
            struct message changed = *message;
            changed.bytes[at] = (uint8_t)byte;
            (void)is_taken_faithfully(codec, &changed);
        }
    }
}

static void every_value_of_every_byte_is_refused_or_written_again(void **state)
{
    (void)state;
    for_each_vector(check_bytes);
}

static void no_message_is_taken_for_one_of_another_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < KNOWN_VECTORS; i++) {
        struct message message = from_spec(known_vectors[i].name);
        for (int codec = 0; codec < CODEC_COUNT; codec++) {
            bool is_own = codec == known_vectors[i].codec;
            /* Any small map can be a response; it has a topic of its own. */
            if (codec == CODEC_RESPONSE)
                continue;
            if ((verdict(&codecs[codec], &message) == MUP_OK) != is_own)
                fail_msg("%s and %s", known_vectors[i].name, codecs[codec].name);
        }
    }
}

static void an_encoder_writes_all_or_reports_no_space(void **state)
{
    (void)state;
    for (size_t i = 0; i < KNOWN_VECTORS; i++) {
        const struct codec *codec = &codecs[known_vectors[i].codec];
        struct message message = from_spec(known_vectors[i].name);
        union any_message in;
        uint8_t *kept;

        if (known_vectors[i].has_authentication)
            continue;
        assert_int_equal(decode_exactly(codec, &in, &message, &kept), MUP_OK);
        for (size_t capacity = 0; capacity < message.size; capacity++) {
            size_t size = 4711;
            uint8_t *exact = malloc(capacity > 0 ? capacity : 1);
            assert_int_equal(codec->encode(exact, capacity, &size, &in), MUP_ERR_SPACE);
            if (known_vectors[i].codec != CODEC_ACK)
                assert_int_equal(size, 4711);
            free(exact);
        }
        free(kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_truncation_is_short),
        cmocka_unit_test(any_byte_behind_a_message_is_a_format_error),
        cmocka_unit_test(every_longer_form_of_every_head_is_a_format_error),
        cmocka_unit_test(every_indefinite_length_is_a_format_error),
        cmocka_unit_test(keys_out_of_order_are_a_format_error),
        cmocka_unit_test(duplicate_keys_are_a_format_error),
        cmocka_unit_test(a_missing_key_is_a_format_error),
        cmocka_unit_test(an_unknown_key_is_a_format_error),
        cmocka_unit_test(an_item_of_another_kind_is_refused_or_written_again),
        cmocka_unit_test(every_value_of_every_byte_is_refused_or_written_again),
        cmocka_unit_test(no_message_is_taken_for_one_of_another_kind),
        cmocka_unit_test(an_encoder_writes_all_or_reports_no_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
