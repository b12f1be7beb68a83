/*
 * Every number, length and choice of docs/SPEC.md at its limit and one beyond, and every rule
 * about how fields fit each other. Each case is a vector with one value replaced.
 */
#include "mup/state.h"
#include "support/cmocka_all.h"
#include "unit/protocol/messages.h"

struct bad_value {
    uint8_t key;
    const char *hex;
    enum mup_status want;
};

/* What a decoder says of the vector with this one value, and an encoder of what was taken. */
static void check(int codec, const char *vector, const struct bad_value *cases, size_t count)
{
    struct message good = from_spec(vector);

    for (size_t i = 0; i < count; i++) {
        struct message changed = with_value(&good, cases[i].key, cases[i].hex);
        enum mup_status status = verdict(&codecs[codec], &changed);
        if (status != cases[i].want)
            fail_msg("%s, key %u, value %s: status %d, not %d", vector, cases[i].key, cases[i].hex,
                     status, cases[i].want);
    }
}

#define CHECK(codec, vector, cases) check(codec, vector, cases, sizeof(cases) / sizeof(cases)[0])

/* 1, 32 and 33 characters; none; what is not printable; bytes in place of text. */
#define TEXT_1_TO_32(key)                                                                      \
    {key, "61 7e", MUP_OK}, {key, "78 20 61*32", MUP_OK}, {key, "78 21 61*33", MUP_ERR_RANGE}, \
        {key, "60", MUP_ERR_RANGE}, {key, "61 1f", MUP_ERR_FORMAT},                            \
        {key, "61 7f", MUP_ERR_FORMAT}, {key, "62 c3 a4", MUP_ERR_FORMAT},                     \
        {key, "62 61 00", MUP_ERR_FORMAT},                                                     \
    {                                                                                          \
        key, "41 61", MUP_ERR_FORMAT                                                           \
    }

#define BYTES_8(key)                                                                            \
    {key, "48 00*8", MUP_OK}, {key, "47 00*7", MUP_ERR_RANGE}, {key, "49 00*9", MUP_ERR_RANGE}, \
    {                                                                                           \
        key, "68 61*8", MUP_ERR_FORMAT                                                          \
    }
#define BYTES_16(key)                                                                              \
    {key, "50 00*16", MUP_OK}, {key, "4f 00*15", MUP_ERR_RANGE}, {key, "51 00*17", MUP_ERR_RANGE}, \
    {                                                                                              \
        key, "70 61*16", MUP_ERR_FORMAT                                                            \
    }
#define BYTES_32(key)                                                  \
    {key, "58 20 00*32", MUP_OK}, {key, "58 1f 00*31", MUP_ERR_RANGE}, \
        {key, "58 21 00*33", MUP_ERR_RANGE},                           \
    {                                                                  \
        key, "78 20 61*32", MUP_ERR_FORMAT                             \
    }
#define ANY_UINT(key)                                                                     \
    {key, "00", MUP_OK}, {key, "1a ff ff ff ff", MUP_OK},                                 \
        {key, "1b 00 00 00 01 00 00 00 00", MUP_ERR_FORMAT}, {key, "20", MUP_ERR_FORMAT}, \
    {                                                                                     \
        key, "f6", MUP_ERR_FORMAT                                                         \
    }
#define ANY_BOOL(key)                                                      \
    {key, "f4", MUP_OK}, {key, "f5", MUP_OK}, {key, "f6", MUP_ERR_FORMAT}, \
    {                                                                      \
        key, "01", MUP_ERR_FORMAT                                          \
    }

static void vendor_manifest(void **state)
{
    static const struct bad_value cases[] = {
        {1, "02", MUP_ERR_FORMAT},
        {1, "03", MUP_ERR_FORMAT},
        {1, "00", MUP_ERR_FORMAT},
        TEXT_1_TO_32(2),
        ANY_UINT(3),
        BYTES_32(4),
        {5, "00", MUP_ERR_RANGE},
        {5, "1a 01 00 00 01", MUP_ERR_RANGE},
        {5, "1a 00 01 57 08", MUP_ERR_RANGE}, /* one more than the payload's size says */
        {6, "00", MUP_ERR_RANGE},
        {6, "01", MUP_OK},
        {6, "1a ff ff ff ff", MUP_OK},
        {7, "01", MUP_ERR_RANGE}, /* a delta in plain encoding */
        TEXT_1_TO_32(8),
        {9, "18 ff", MUP_ERR_RANGE},
        {9, "19 01 00", MUP_ERR_RANGE}, /* in range, but then the payload is longer */
        {9, "19 03 ff", MUP_ERR_RANGE},
        {9, "19 10 01", MUP_ERR_RANGE},
        {9, "19 20 00", MUP_ERR_RANGE},
        BYTES_32(10),
        {11, "1a 00 01 61 a6", MUP_ERR_RANGE},
        {11, "1a 00 01 61 a8", MUP_ERR_RANGE},
        {11, "00", MUP_ERR_RANGE},
        {12, "01", MUP_OK},
        {12, "18 ff", MUP_OK},
        {12, "19 01 00", MUP_ERR_RANGE},
    };

    (void)state;
    CHECK(CODEC_MANIFEST, "Vendor manifest", cases);
}

/* Another encoding leaves the payload's size open and allows an old version below the new one. */
static void vendor_manifest_of_another_encoding(void **state)
{
    static const struct {
        uint8_t key;
        const char *hex;
        enum mup_status want;
    } cases[] = {
        {11, "00", MUP_OK},
        {11, "1a ff ff ff ff", MUP_OK},
        {7, "19 12 33", MUP_OK},
        {7, "19 12 34", MUP_ERR_RANGE}, /* the new version itself */
        {7, "19 12 35", MUP_ERR_RANGE},
        {9, "19 01 00", MUP_OK},
        {9, "19 10 00", MUP_OK},
        {9, "19 0f ff", MUP_ERR_RANGE},
        {9, "19 03 00", MUP_ERR_RANGE}, /* 768 is no power of two */
        {5, "01", MUP_OK},
        {5, "1a 01 00 00 00", MUP_OK},
    };
    struct message plain = from_spec("Vendor manifest");
    struct message other = with_value(&plain, 12, "07");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct message changed = with_value(&other, cases[i].key, cases[i].hex);
        assert_int_equal(verdict(&codecs[CODEC_MANIFEST], &changed), cases[i].want);
    }
}

static void block_counts_round_up(void **state)
{
    static const struct {
        uint32_t image_size;
        uint32_t block_size;
        uint32_t count;
        uint32_t payload_size;
    } cases[] = {
        {0, 1024, 0, 0},
        {1, 1024, 1, 1},
        {1023, 1024, 1, 1023},
        {1024, 1024, 1, 1024},
        {1025, 1024, 2, 1057},
        {2048, 1024, 2, 2080},
        {2049, 1024, 3, 2113},
        {87815, 1024, 86, 90535},
        {16777216, 256, 65536, 18874336},
        {16777215, 256, 65536, 18874335},
        {16777216, 4096, 4096, 16908256},
        {257, 256, 2, 289},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(mup_block_count(cases[i].image_size, cases[i].block_size), cases[i].count);
        assert_int_equal(mup_plain_payload_size(cases[i].image_size, cases[i].block_size),
                         cases[i].payload_size);
    }
}

static void extended_manifest(void **state)
{
    static const struct bad_value cases[] = {
        {1, "01", MUP_ERR_FORMAT},
        {1, "03", MUP_ERR_FORMAT},
        {2, "40", MUP_ERR_RANGE},
        {2, "41 00", MUP_OK},
        {2, "59 01 30 00*304", MUP_OK},
        {2, "59 01 31 00*305", MUP_ERR_RANGE},
        {2, "61 61", MUP_ERR_FORMAT},
        BYTES_16(3),
        BYTES_16(4),
        ANY_UINT(5),
    };

    (void)state;
    CHECK(CODEC_EXTENDED, "Extended manifest", cases);
}

static void certificate(void **state)
{
    static const struct bad_value cases[] = {
        {1, "01", MUP_ERR_FORMAT},
        {1, "02", MUP_ERR_FORMAT},
        {2, "00", MUP_ERR_RANGE},
        {2, "01", MUP_OK},
        {2, "1a ff ff ff ff", MUP_OK},
        {3, "58 3f 00*63", MUP_ERR_RANGE},
        {3, "58 40 00*64", MUP_OK},
        {3, "58 41 00*65", MUP_ERR_RANGE},
        TEXT_1_TO_32(4),
    };

    (void)state;
    CHECK(CODEC_CERTIFICATE, "Certificate", cases);
}

static void announcement(void **state)
{
    static const struct bad_value cases[] = {
        {1, "00", MUP_ERR_FORMAT},
        {1, "02", MUP_ERR_FORMAT}, /* a protocol of the future */
        BYTES_16(2),
        BYTES_32(3),
        {4, "00", MUP_ERR_RANGE},
        {4, "01", MUP_OK},
        {4, "19 ff ff", MUP_OK},
        {4, "1a 00 01 00 00", MUP_ERR_RANGE},
        ANY_UINT(5),
        ANY_BOOL(6),
        {7, "00", MUP_ERR_FORMAT}, /* a key without an epoch */
        {7, "01", MUP_OK},
        {7, "1a ff ff ff ff", MUP_OK},
        BYTES_8(8),
        BYTES_8(9),
    };
    static const struct bad_value without[] = {
        {7, "01", MUP_ERR_FORMAT}, /* an epoch without a key */
    };

    (void)state;
    CHECK(CODEC_ANNOUNCEMENT, "Announcement", cases);
    CHECK(CODEC_ANNOUNCEMENT, "Announcement without a key", without);
}

static void description_piece(void **state)
{
    static const struct bad_value cases[] = {
        BYTES_8(1),
        {2, "00", MUP_OK},
        {2, "19 03 ff", MUP_OK},
        {2, "19 04 00", MUP_ERR_RANGE},
        ANY_BOOL(3),
        {4, "40", MUP_ERR_RANGE},
        {4, "41 00", MUP_OK},
        {4, "59 04 00 00*1024", MUP_OK},
        {4, "59 04 01 00*1025", MUP_ERR_RANGE},
        {4, "61 61", MUP_ERR_FORMAT},
    };

    (void)state;
    CHECK(CODEC_PIECE, "Description piece", cases);
}

static void bootstrap_reply(void **state)
{
    static const struct bad_value with_certificate[] = {
        {1, "09", MUP_ERR_RANGE},
        {1, "0b", MUP_ERR_RANGE},
        {1, "18 3c", MUP_ERR_RANGE}, /* a certificate beside another state than 10 */
        {1, "18 3d", MUP_ERR_RANGE},
        {1, "18 3e", MUP_ERR_RANGE},
        BYTES_32(2),
        {3, "40", MUP_ERR_RANGE},
        {3, "41 00", MUP_OK},
        {3, "58 ce 00*206", MUP_OK},
        {3, "58 cf 00*207", MUP_ERR_RANGE},
        {4, "60", MUP_ERR_RANGE},
        {4, "61 61", MUP_OK},
        {4, "78 78 61*120", MUP_OK},
        {4, "78 79 61*121", MUP_ERR_RANGE},
        {4, "61 c3", MUP_ERR_FORMAT},
        {4, "41 61", MUP_ERR_FORMAT},
    };
    static const struct bad_value without[] = {
        {1, "0a", MUP_OK},
        {1, "0b", MUP_ERR_RANGE},
        {1, "18 3b", MUP_ERR_RANGE},
        {1, "18 3d", MUP_OK},
        {1, "18 3e", MUP_OK},
        {1, "18 3f", MUP_ERR_RANGE},
        {1, "61 61", MUP_ERR_FORMAT},
    };

    (void)state;
    CHECK(CODEC_REPLY, "Bootstrap reply", with_certificate);
    CHECK(CODEC_REPLY, "Bootstrap reply that asks for the description", without);
}

static void presence(void **state)
{
    static const struct bad_value cases[] = {ANY_BOOL(1)};
    static const char *const others[] = {"a0", "a2 01 f5 02 f5", "a1 02 f5", "a1 01",
                                         "f5", "81 f5"};

    (void)state;
    CHECK(CODEC_PRESENCE, "Presence, online", cases);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct message message = from_hex(others[i]);
        assert_int_not_equal(verdict(&codecs[CODEC_PRESENCE], &message), MUP_OK);
    }
}

static void request(void **state)
{
    static const struct bad_value cases[] = {
        TEXT_1_TO_32(1),
        {2, "80", MUP_ERR_RANGE},
        {2, "81 00", MUP_OK},
        {2, "90 00*16", MUP_OK},
        {2, "91 00*17", MUP_ERR_RANGE},
        {2, "a1 01 00", MUP_ERR_FORMAT},
        {2, "00", MUP_ERR_FORMAT},
        {2, "f6", MUP_ERR_FORMAT},
        {2, "81 f6", MUP_OK},
        {2, "81 80", MUP_ERR_FORMAT},
        {2, "81 a0", MUP_ERR_FORMAT},
        {2, "82 00 81 00", MUP_ERR_FORMAT},
        {2, "81 d2 00", MUP_ERR_FORMAT},
        {2, "81 3a 80 00 00 00", MUP_ERR_RANGE},
        {2, "81 61 c3", MUP_ERR_FORMAT},
        {2, "81 f9 3c 00", MUP_ERR_FORMAT},
        /* a2 01 68, the method's 8 bytes, 02 and 81 59 xx xx are 16 bytes */
        {2, "81 59 01 f0 00*496", MUP_OK},
        {2, "81 59 01 f1 00*497", MUP_ERR_RANGE},
    };

    (void)state;
    CHECK(CODEC_REQUEST, "Request with arguments of every kind", cases);
}

static void response(void **state)
{
    static const struct bad_value cases[] = {
        {1, "00", MUP_ERR_RANGE},
        {1, "01", MUP_OK},
        {1, "18 63", MUP_OK},
        {1, "18 64", MUP_ERR_RANGE},
        {1, "20", MUP_ERR_FORMAT},
        {1, "60", MUP_ERR_RANGE},
        {1, "61 61", MUP_OK},
        {1, "78 40 61*64", MUP_OK},
        {1, "78 41 61*65", MUP_ERR_RANGE},
        {1, "61 c3", MUP_ERR_FORMAT},
        {1, "41 61", MUP_ERR_FORMAT},
        {1, "f6", MUP_ERR_FORMAT},
        {1, "81 01", MUP_ERR_FORMAT},
        {2, "f6", MUP_OK},
        {2, "00", MUP_OK},
        {2, "81 81 81 81 00", MUP_OK},
        {2, "81 81 81 81 80", MUP_ERR_FORMAT},
        {2, "d2 00", MUP_ERR_FORMAT},
        /* a2 01 0a 02 59 xx xx are 7 bytes */
        {2, "59 01 f9 00*505", MUP_OK},
        {2, "59 01 fa 00*506", MUP_ERR_RANGE},
    };
    static const struct bad_value authenticated[] = {
        {15, "40", MUP_OK},
        {15, "58 40 00*64", MUP_OK},
        {15, "58 41 00*65", MUP_ERR_RANGE},
        {15, "61 61", MUP_ERR_FORMAT},
    };

    (void)state;
    CHECK(CODEC_RESPONSE, "Response with a value", cases);
    CHECK(CODEC_RESPONSE, "Response with a text, a nested value and authentication", authenticated);
}

static void device_token(void **state)
{
    static const struct bad_value cases[] = {
        BYTES_16(1),
        ANY_UINT(2),
        BYTES_16(3),
        TEXT_1_TO_32(4),
        TEXT_1_TO_32(5),
        ANY_UINT(6),
        {7, "00", MUP_ERR_RANGE},
        {7, "01", MUP_OK},
        {7, "1a 01 00 00 00", MUP_OK},
        {7, "1a 01 00 00 01", MUP_ERR_RANGE},
        {8, "18 ff", MUP_ERR_RANGE},
        {8, "19 01 00", MUP_OK},
        {8, "19 10 00", MUP_OK},
        {8, "19 10 01", MUP_ERR_RANGE},
        {9, "18 3f", MUP_ERR_RANGE},
        {9, "18 40", MUP_OK},
        {9, "1a 00 01 00 00", MUP_OK},
        {9, "1a 00 01 00 01", MUP_ERR_RANGE},
        {10, "0f", MUP_ERR_RANGE},
        {10, "10", MUP_OK},
        {10, "19 80 00", MUP_OK},
        {10, "19 80 01", MUP_ERR_RANGE},
        {11, "00", MUP_ERR_RANGE},
        {11, "01", MUP_OK},
        {11, "1a 00 01 51 80", MUP_OK},
        {11, "1a 00 01 51 81", MUP_ERR_RANGE},
        BYTES_8(12),
        BYTES_8(13),
        BYTES_32(14),
        ANY_UINT(15),
    };

    static const struct bad_value qos1[] = {
        {16, "00", MUP_ERR_RANGE}, {16, "02", MUP_ERR_FORMAT}, /* paced without a pause */
        {16, "03", MUP_ERR_RANGE}, {16, "18 20", MUP_ERR_RANGE}, {16, "f6", MUP_ERR_FORMAT},
    };
    static const struct bad_value paced[] = {
        {16, "00", MUP_ERR_RANGE}, {16, "01", MUP_ERR_FORMAT}, /* a pause, and not paced */
        {16, "03", MUP_ERR_RANGE}, {17, "00", MUP_ERR_RANGE},       {17, "01", MUP_OK},
        {17, "19 13 88", MUP_OK},  {17, "19 13 89", MUP_ERR_RANGE}, {17, "40", MUP_ERR_FORMAT},
    };

    (void)state;
    CHECK(CODEC_TOKEN, "Device token", cases);
    CHECK(CODEC_TOKEN, "Device token of a device that wants its slices by QoS 1", qos1);
    CHECK(CODEC_TOKEN, "Device token of a device that wants one slice each 273 ms", paced);
}

static void final_report(void **state)
{
    static const struct bad_value confirmed[] = {
        BYTES_16(1),
        ANY_UINT(2),
        {3, "18 31", MUP_ERR_RANGE},
        {3, "18 33", MUP_ERR_RANGE}, /* reverted without a reason */
        {3, "18 34", MUP_ERR_RANGE},
        BYTES_32(4),
        {5, "01", MUP_ERR_RANGE}, /* confirmed with one */
        {6, "00", MUP_OK},
        {6, "18 ff", MUP_OK},
        {6, "19 01 00", MUP_ERR_RANGE},
    };
    static const struct bad_value reverted[] = {
        {3, "18 32", MUP_ERR_RANGE}, {5, "00", MUP_ERR_RANGE},           {5, "05", MUP_OK},
        {5, "18 1f", MUP_OK},        {5, "18 20", MUP_ERR_RANGE},        {15, "40", MUP_OK},
        {15, "58 40 00*64", MUP_OK}, {15, "58 41 00*65", MUP_ERR_RANGE}, {15, "f6", MUP_ERR_FORMAT},
    };

    (void)state;
    CHECK(CODEC_REPORT, "Final report", confirmed);
    CHECK(CODEC_REPORT, "Final report of a revert, with authentication", reverted);
}

/* Take the pair with this key out of the outermost map. */
static struct message without(const struct message *message, uint8_t key)
{
    struct pair pairs[24];
    size_t count = find_pairs(message, pairs);

    for (size_t i = 0; i < count; i++) {
        if (message->bytes[pairs[i].key] == key) {
            struct message less = replaced(message, pairs[i].key, pairs[i].end, NULL, 0);
            less.bytes[0]--;
            return less;
        }
    }
    fail_msg("no key %u", key);
    return *message;
}

static void a_kept_part_has_a_digest_and_a_size_or_neither(void **state)
{
    struct message token = from_spec("Device token");
    struct message no_digest = without(&token, 14);
    struct message no_offset = without(&token, 15);
    struct message neither = without(&no_digest, 15);
    struct message no_server = without(&token, 13);

    (void)state;
    assert_int_equal(verdict(&codecs[CODEC_TOKEN], &no_digest), MUP_ERR_FORMAT);
    assert_int_equal(verdict(&codecs[CODEC_TOKEN], &no_offset), MUP_ERR_FORMAT);
    assert_int_equal(verdict(&codecs[CODEC_TOKEN], &neither), MUP_OK);
    assert_int_equal(verdict(&codecs[CODEC_TOKEN], &no_server), MUP_OK);
}

static void a_pause_is_there_if_and_only_if_slices_are_paced(void **state)
{
    struct message token = from_spec("Device token of a device that wants one slice each 273 ms");
    struct message no_flow = without(&token, 16);
    struct message no_pause = without(&token, 17);
    struct message neither = without(&no_pause, 16);

    (void)state;
    assert_int_equal(verdict(&codecs[CODEC_TOKEN], &no_flow), MUP_ERR_FORMAT);
    assert_int_equal(verdict(&codecs[CODEC_TOKEN], &no_pause), MUP_ERR_FORMAT);
    assert_int_equal(verdict(&codecs[CODEC_TOKEN], &neither), MUP_OK);
}

static void other_optional_keys_may_be_missing(void **state)
{
    static const struct {
        int codec;
        const char *vector;
        uint8_t key;
    } cases[] = {
        {CODEC_REPLY, "Bootstrap reply", 3},
        {CODEC_REPLY, "Bootstrap reply", 4},
        {CODEC_REQUEST, "Request with arguments of every kind", 2},
        {CODEC_RESPONSE, "Response with a value", 2},
        {CODEC_RESPONSE, "Response with a text, a nested value and authentication", 2},
        {CODEC_RESPONSE, "Response with a text, a nested value and authentication", 15},
        {CODEC_REPORT, "Final report of a revert, with authentication", 15},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct message whole = from_spec(cases[i].vector);
        struct message less = without(&whole, cases[i].key);
        assert_int_equal(verdict(&codecs[cases[i].codec], &less), MUP_OK);
    }
}

/* Everything at its longest fits the sizes that the headers promise to callers. */
static void the_longest_messages_fit_their_named_sizes(void **state)
{
    static const struct {
        int codec;
        const char *hex;
        size_t most;
    } cases[] = {
        {CODEC_MANIFEST,
         "ac 01 01 02 78 20 61*32 03 1a 80 00 00 00 04 58 20 01*32 05 1a 01 00 00 00 06 1a ff ff "
         "ff "
         "ff 07 1a ff ff ff fe 08 78 20 62*32 09 19 10 00 0a 58 20 02*32 0b 1a ff ff ff ff 0c 18 "
         "ff",
         MUP_VENDOR_MANIFEST_MAX},
        {CODEC_EXTENDED, "a5 01 02 02 59 01 30 01*304 03 50 02*16 04 50 03*16 05 1a ff ff ff ff",
         MUP_EXTENDED_PAYLOAD_MAX},
        {CODEC_CERTIFICATE, "a4 01 03 02 1a ff ff ff ff 03 58 40 01*64 04 78 20 61*32",
         MUP_CERTIFICATE_MAX},
        {CODEC_TOKEN,
         "b1 01 50 01*16 02 1a ff ff ff ff 03 50 02*16 04 78 20 61*32 05 78 20 62*32 06 1a ff ff "
         "ff "
         "ff 07 1a 01 00 00 00 08 19 10 00 09 1a 00 01 00 00 0a 19 80 00 0b 1a 00 01 51 80 0c 48 "
         "03*8 0d 48 04*8 0e 58 20 05*32 0f 1a ff ff ff ff 10 02 11 19 13 88",
         MUP_TOKEN_MAX},
        {CODEC_ANNOUNCEMENT,
         "a9 01 01 02 50 01*16 03 58 20 02*32 04 19 ff ff 05 1a ff ff ff ff 06 f5 07 1a ff ff ff "
         "ff "
         "08 48 03*8 09 48 04*8",
         MUP_ANNOUNCEMENT_MAX},
        {CODEC_PIECE, "a4 01 48 01*8 02 19 03 ff 03 f5 04 59 04 00 02*1024",
         MUP_PIECE_OVERHEAD_MAX + MUP_PIECE_DATA_MAX},
        {CODEC_REPLY, "a4 01 0a 02 58 20 01*32 03 58 ce 02*206 04 78 78 61*120",
         MUP_BOOTSTRAP_REPLY_MAX},
        {CODEC_REPORT,
         "a7 01 50 01*16 02 1a ff ff ff ff 03 18 33 04 58 20 02*32 05 18 1f 06 18 ff 0f 58 40 "
         "03*64",
         MUP_REPORT_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct message longest = from_hex(cases[i].hex);
        assert_int_equal(verdict(&codecs[cases[i].codec], &longest), MUP_OK);
        assert_true(longest.size <= cases[i].most);
    }
    assert_true(MUP_VENDOR_MANIFEST_MAX + MUP_COSE_OVERHEAD_MAX <= MUP_VENDOR_SIGNED_MAX);
    assert_true(MUP_EXTENDED_PAYLOAD_MAX + MUP_COSE_OVERHEAD_MAX <= MUP_EXTENDED_SIGNED_MAX);
    assert_true(MUP_CERTIFICATE_MAX + MUP_COSE_OVERHEAD_MAX <= MUP_CERTIFICATE_SIGNED_MAX);
}

/* Encode the vector's fields after one of them was spoilt. */
#define REFUSES(codec_number, vector, statement)                                         \
    do {                                                                                 \
        struct message good_bytes = from_spec(vector);                                   \
        union any_message in;                                                            \
        uint8_t *kept;                                                                   \
        uint8_t bytes[MESSAGE_MAX];                                                      \
        size_t size = 4711;                                                              \
        const struct codec *codec = &codecs[codec_number];                               \
        assert_int_equal(decode_exactly(codec, &in, &good_bytes, &kept), MUP_OK);        \
        statement;                                                                       \
        assert_int_equal(codec->encode(bytes, sizeof bytes, &size, &in), MUP_ERR_RANGE); \
        assert_int_equal(size, 4711);                                                    \
        free(kept);                                                                      \
    } while (0)

static void an_encoder_refuses_what_a_decoder_would(void **state)
{
    static const char reply[] = "Bootstrap reply";
    static const char arguments[] = "Request with arguments of every kind";
    static const char value[] = "Response with a value";
    static const uint8_t two_items[] = {0x01, 0x02};

    (void)state;
    REFUSES(CODEC_MANIFEST, "Vendor manifest", in.manifest.payload_size++);
    REFUSES(CODEC_MANIFEST, "Vendor manifest", in.manifest.old_version = 1);
    REFUSES(CODEC_MANIFEST, "Vendor manifest", in.manifest.new_version = 0);
    REFUSES(CODEC_MANIFEST, "Vendor manifest", in.manifest.block_size = 1000);
    REFUSES(CODEC_MANIFEST, "Vendor manifest", in.manifest.app_id[0] = '\0');
    REFUSES(CODEC_MANIFEST, "Vendor manifest", in.manifest.app_id[0] = '\n');
    REFUSES(CODEC_MANIFEST, "Vendor manifest",
            memset(in.manifest.app_id, 'a', sizeof in.manifest.app_id)); /* no NUL in it */
    REFUSES(CODEC_MANIFEST, "Vendor manifest", in.manifest.encoding = 256);
    REFUSES(CODEC_EXTENDED, "Extended manifest", in.extended.inner.size = 0);
    REFUSES(CODEC_CERTIFICATE, "Certificate", in.certificate.epoch = 0);
    REFUSES(CODEC_TOKEN, "Device token", in.token.lifetime_s = 0);
    REFUSES(CODEC_TOKEN, "Device token", in.token.window_size = MUP_WINDOW_MAX + 1);
    REFUSES(CODEC_TOKEN, "Device token", in.token.flow = MUP_FLOW_PACED + 1);
    REFUSES(CODEC_TOKEN, "Device token", in.token.flow = MUP_FLOW_PACED); /* no pause */
    REFUSES(CODEC_ANNOUNCEMENT, "Announcement", in.announcement.description_size = 65536);
    REFUSES(CODEC_PIECE, "Description piece", in.piece.number = MUP_PIECE_NUMBER_MAX + 1);
    REFUSES(CODEC_PIECE, "Description piece", in.piece.data.size = 0);
    REFUSES(CODEC_REPLY, reply, in.reply.state = MUP_STATE_SEND_DESCRIPTION);
    REFUSES(CODEC_REPLY, reply, in.reply.state = MUP_STATE_NOOP);
    REFUSES(CODEC_REPLY, reply, in.reply.detail.size = 2); /* ends within a character */
    REFUSES(CODEC_REQUEST, arguments, in.request.method.size = 0);
    REFUSES(CODEC_REQUEST, arguments, in.request.argument_count = 7);
    REFUSES(CODEC_REQUEST, arguments, in.request.argument_count = 9);
    REFUSES(CODEC_REQUEST, arguments, in.request.argument_count = 0);
    REFUSES(CODEC_REQUEST, arguments, in.request.arguments.size = 0);
    REFUSES(CODEC_RESPONSE, value, in.response.state = 0);
    REFUSES(CODEC_RESPONSE, value, in.response.state = MUP_STATE_MAX + 1);
    REFUSES(CODEC_RESPONSE, value, in.response.state_text = in.response.value);
    REFUSES(CODEC_RESPONSE, value, in.response.value = ((struct mup_bytes){two_items, 2}));
    REFUSES(CODEC_REPORT, "Final report", in.report.reason = MUP_REVERT_DEADLINE);
    REFUSES(CODEC_REPORT, "Final report", in.report.outcome = MUP_STATE_REVERTED);
    REFUSES(CODEC_REPORT, "Final report", in.report.trial_boots = 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vendor_manifest),
        cmocka_unit_test(vendor_manifest_of_another_encoding),
        cmocka_unit_test(block_counts_round_up),
        cmocka_unit_test(extended_manifest),
        cmocka_unit_test(certificate),
        cmocka_unit_test(announcement),
        cmocka_unit_test(description_piece),
        cmocka_unit_test(bootstrap_reply),
        cmocka_unit_test(presence),
        cmocka_unit_test(request),
        cmocka_unit_test(response),
        cmocka_unit_test(device_token),
        cmocka_unit_test(final_report),
        cmocka_unit_test(a_kept_part_has_a_digest_and_a_size_or_neither),
        cmocka_unit_test(a_pause_is_there_if_and_only_if_slices_are_paced),
        cmocka_unit_test(other_optional_keys_may_be_missing),
        cmocka_unit_test(the_longest_messages_fit_their_named_sizes),
        cmocka_unit_test(an_encoder_refuses_what_a_decoder_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
