/* The envelope (docs/SPEC.md section 2): its one shape, and what the signature is over. */
#include "support/cmocka_all.h"
#include "unit/protocol/messages.h"

static const char *const signed_names[] = {"Vendor manifest", "Extended manifest", "Certificate"};

static struct message named(const char *name, const char *suffix)
{
    char whole[64];

    assert_true(strlen(name) + strlen(suffix) < sizeof whole);
    strcpy(whole, name);
    strcat(whole, suffix);
    return from_spec(whole);
}

static void the_envelope_gives_key_id_payload_and_signature(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct message envelope = named(signed_names[i], ", signed");
        struct message payload = from_spec(signed_names[i]);
        struct message kid = from_spec("Key id");
        struct mup_cose_sign1 out;

        assert_int_equal(mup_cose_sign1_decode(&out, envelope.bytes, envelope.size), MUP_OK);
        assert_int_equal(kid.size, MUP_KID_SIZE);
        assert_memory_equal(out.kid, kid.bytes, MUP_KID_SIZE);
        assert_int_equal(out.payload.size, payload.size);
        assert_memory_equal(out.payload.data, payload.bytes, payload.size);
        assert_ptr_equal(out.signature, envelope.bytes + envelope.size - MUP_SIGNATURE_SIZE);
    }
}

static void the_prefix_is_the_sig_structure_up_to_the_payload(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct message structure = named(signed_names[i], ", Sig_structure");
        struct message payload = from_spec(signed_names[i]);
        struct message kid = from_spec("Key id");
        uint8_t prefix[MUP_COSE_PREFIX_MAX];
        size_t size = mup_cose_prefix(prefix, kid.bytes, payload.size);

        assert_int_equal(size + payload.size, structure.size);
        assert_memory_equal(prefix, structure.bytes, size);
    }
}

/* Key id 11 to 18, payload h'21', signature of 64 times 55. */
#define SMALL "d2 84 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 41 21 58 40 55*64"

static void another_shape_is_refused(void **state)
{
    static const struct {
        const char *hex;
        enum mup_status want;
    } cases[] = {
        {SMALL, MUP_OK},
        /* no tag, another tag, more or fewer elements */
        {"84 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 41 21 58 40 55*64", MUP_ERR_FORMAT},
        {"d1 84 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 41 21 58 40 55*64", MUP_ERR_FORMAT},
        {"d2 83 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 41 21 58 40 55*64", MUP_ERR_FORMAT},
        {"d2 85 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 41 21 58 40 55*64 00", MUP_ERR_RANGE},
        {"d2 80 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 41 21 58 40 55*64", MUP_ERR_FORMAT},
        /* algorithm ES384 (-35), -8; the key id first; no key id; a longer one */
        {"d2 84 4e a2 01 38 22 04 48 11 12 13 14 15 16 17 18 a0 41 21 58 40 55*64", MUP_ERR_RANGE},
        {"d2 84 4d a2 01 27 04 48 11 12 13 14 15 16 17 18 a0 41 21 58 40 55*64", MUP_ERR_FORMAT},
        {"d2 84 4d a2 04 48 11 12 13 14 15 16 17 18 01 26 a0 41 21 58 40 55*64", MUP_ERR_FORMAT},
        {"d2 84 43 a1 01 26 a0 41 21 58 40 55*64", MUP_ERR_RANGE},
        {"d2 84 4e a2 01 26 04 49 11 12 13 14 15 16 17 18 19 a0 41 21 58 40 55*64", MUP_ERR_RANGE},
        {"d2 84 4d a2 01 26 05 48 11 12 13 14 15 16 17 18 a0 41 21 58 40 55*64", MUP_ERR_FORMAT},
        {"d2 84 4d a1 01 26 04 48 11 12 13 14 15 16 17 18 a0 41 21 58 40 55*64", MUP_ERR_FORMAT},
        /* something unprotected */
        {"d2 84 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a1 01 26 41 21 58 40 55*64",
         MUP_ERR_RANGE},
        /* detached or empty payload, payload as text */
        {"d2 84 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 f6 58 40 55*64", MUP_ERR_FORMAT},
        {"d2 84 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 40 58 40 55*64", MUP_ERR_RANGE},
        {"d2 84 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 61 21 58 40 55*64", MUP_ERR_FORMAT},
        /* the payload's limit and one beyond */
        {"d2 84 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 59 04 00 21*1024 58 40 55*64", MUP_OK},
        {"d2 84 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 59 04 01 21*1025 58 40 55*64",
         MUP_ERR_RANGE},
        /* signatures of 63 and 65 bytes */
        {"d2 84 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 41 21 58 3f 55*63", MUP_ERR_RANGE},
        {"d2 84 4d a2 01 26 04 48 11 12 13 14 15 16 17 18 a0 41 21 58 41 55*65", MUP_ERR_RANGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct message message = from_hex(cases[i].hex);
        assert_int_equal(verdict(&codecs[CODEC_COSE], &message), cases[i].want);
    }
}

static void an_encoder_refuses_a_payload_outside_its_limits(void **state)
{
    static const uint8_t data[MUP_COSE_PAYLOAD_MAX + 1];
    uint8_t bytes[MUP_COSE_PAYLOAD_MAX + 1 + MUP_COSE_OVERHEAD_MAX];
    size_t size = 4711;

    (void)state;
    assert_int_equal(
        mup_cose_sign1_encode(bytes, sizeof bytes, &size, data, (struct mup_bytes){data, 0}, data),
        MUP_ERR_RANGE);
    assert_int_equal(mup_cose_sign1_encode(bytes, sizeof bytes, &size, data,
                                           (struct mup_bytes){data, sizeof data}, data),
                     MUP_ERR_RANGE);
    assert_int_equal(size, 4711);
}

static void the_named_maxima_are_reached_and_no_more(void **state)
{
    static const uint8_t data[MUP_COSE_PAYLOAD_MAX];
    uint8_t bytes[MUP_COSE_PAYLOAD_MAX + MUP_COSE_OVERHEAD_MAX];
    uint8_t prefix[MUP_COSE_PREFIX_MAX];
    size_t size = 0;

    (void)state;
    assert_int_equal(mup_cose_sign1_encode(bytes, sizeof bytes, &size, data,
                                           (struct mup_bytes){data, sizeof data}, data),
                     MUP_OK);
    assert_int_equal(size, MUP_COSE_PAYLOAD_MAX + MUP_COSE_OVERHEAD_MAX);
    assert_int_equal(mup_cose_prefix(prefix, data, MUP_COSE_PAYLOAD_MAX), MUP_COSE_PREFIX_MAX);
    /* The head of a payload has 1, 2 or 3 bytes. */
    assert_int_equal(mup_cose_prefix(prefix, data, 23), MUP_COSE_PREFIX_MAX - 2);
    assert_int_equal(prefix[27], 0x57);
    assert_int_equal(mup_cose_prefix(prefix, data, 255), MUP_COSE_PREFIX_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_envelope_gives_key_id_payload_and_signature),
        cmocka_unit_test(the_prefix_is_the_sig_structure_up_to_the_payload),
        cmocka_unit_test(another_shape_is_refused),
        cmocka_unit_test(an_encoder_refuses_a_payload_outside_its_limits),
        cmocka_unit_test(the_named_maxima_are_reached_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
