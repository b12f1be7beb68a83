/* SHA-256 against FIPS 180-4's examples, ECDSA P-256 against RFC 6979, appendix A.2.5. */
#include "support/cmocka_all.h"

#include "mup/crypto.h"

static const uint8_t digest_of_abc[MUP_SHA256_SIZE] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
};

static const uint8_t digest_of_nothing[MUP_SHA256_SIZE] = {
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
};

static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
static const uint8_t digest_of_two_blocks[MUP_SHA256_SIZE] = {
    0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8, 0xe5, 0xc0, 0x26, 0x93, 0x0c, 0x3e, 0x60, 0x39,
    0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff, 0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1,
};

static const uint8_t public_key[MUP_P256_KEY_SIZE] = {
    0x60, 0xfe, 0xd4, 0xba, 0x25, 0x5a, 0x9d, 0x31, 0xc9, 0x61, 0xeb, 0x74, 0xc6, 0x35, 0x6d, 0x68,
    0xc0, 0x49, 0xb8, 0x92, 0x3b, 0x61, 0xfa, 0x6c, 0xe6, 0x69, 0x62, 0x2e, 0x60, 0xf2, 0x9f, 0xb6,
    0x79, 0x03, 0xfe, 0x10, 0x08, 0xb8, 0xbc, 0x99, 0xa4, 0x1a, 0xe9, 0xe9, 0x56, 0x28, 0xbc, 0x64,
    0xf2, 0xf1, 0xb2, 0x0c, 0x2d, 0x7e, 0x9f, 0x51, 0x77, 0xa3, 0xc2, 0x94, 0xd4, 0x46, 0x22, 0x99,
};

static const uint8_t signature_of_sample[MUP_P256_SIG_SIZE] = {
    0xef, 0xd4, 0x8b, 0x2a, 0xac, 0xb6, 0xa8, 0xfd, 0x11, 0x40, 0xdd, 0x9c, 0xd4, 0x5e, 0x81, 0xd6,
    0x9d, 0x2c, 0x87, 0x7b, 0x56, 0xaa, 0xf9, 0x91, 0xc3, 0x4d, 0x0e, 0xa8, 0x4e, 0xaf, 0x37, 0x16,
    0xf7, 0xcb, 0x1c, 0x94, 0x2d, 0x65, 0x7c, 0x41, 0xd4, 0x36, 0xc7, 0xa1, 0xb6, 0xe2, 0x9f, 0x65,
    0xf3, 0xe9, 0x00, 0xdb, 0xb9, 0xaf, 0xf4, 0x06, 0x4d, 0xc4, 0xab, 0x2f, 0x84, 0x3a, 0xcd, 0xa8,
};

static const uint8_t signature_of_test[MUP_P256_SIG_SIZE] = {
    0xf1, 0xab, 0xb0, 0x23, 0x51, 0x83, 0x51, 0xcd, 0x71, 0xd8, 0x81, 0x56, 0x7b, 0x1e, 0xa6, 0x63,
    0xed, 0x3e, 0xfc, 0xf6, 0xc5, 0x13, 0x2b, 0x35, 0x4f, 0x28, 0xd3, 0xb0, 0xb7, 0xd3, 0x83, 0x67,
    0x01, 0x9f, 0x41, 0x13, 0x74, 0x2a, 0x2b, 0x14, 0xbd, 0x25, 0x92, 0x6b, 0x49, 0xc6, 0x49, 0x15,
    0x5f, 0x26, 0x7e, 0x60, 0xd3, 0x81, 0x4b, 0x4c, 0x0c, 0xc8, 0x42, 0x50, 0xe4, 0x6f, 0x00, 0x83,
};

static void digests_the_examples_of_the_standard(void **state)
{
    uint8_t digest[MUP_SHA256_SIZE];

    (void)state;
    mup_sha256_of(digest, "", 0);
    assert_memory_equal(digest, digest_of_nothing, sizeof digest);
    mup_sha256_of(digest, "abc", 3);
    assert_memory_equal(digest, digest_of_abc, sizeof digest);
    mup_sha256_of(digest, two_blocks, strlen(two_blocks));
    assert_memory_equal(digest, digest_of_two_blocks, sizeof digest);
}

static void gives_the_same_digest_however_the_stream_is_split(void **state)
{
    (void)state;
    for (size_t first = 0; first <= strlen(two_blocks); first++) {
        struct mup_sha256 sha;
        uint8_t digest[MUP_SHA256_SIZE];

        mup_sha256_init(&sha);
        mup_sha256_update(&sha, two_blocks, first);
        mup_sha256_update(&sha, two_blocks + first, strlen(two_blocks) - first);
        mup_sha256_finish(&sha, digest);
        assert_memory_equal(digest, digest_of_two_blocks, sizeof digest);
    }
}

static void a_digest_may_be_taken_in_the_middle_and_a_copy_goes_its_own_way(void **state)
{
    struct mup_sha256 sha;
    struct mup_sha256 copy;
    uint8_t digest[MUP_SHA256_SIZE];

    (void)state;
    mup_sha256_init(&sha);
    mup_sha256_update(&sha, "abc", 3);
    mup_sha256_finish(&sha, digest);
    assert_memory_equal(digest, digest_of_abc, sizeof digest);
    copy = sha;
    mup_sha256_update(&sha, two_blocks + 3, strlen(two_blocks) - 3);
    mup_sha256_finish(&sha, digest);
    assert_memory_equal(digest, digest_of_two_blocks, sizeof digest);
    mup_sha256_finish(&copy, digest);
    assert_memory_equal(digest, digest_of_abc, sizeof digest);
}

static void accepts_the_signatures_of_the_rfc(void **state)
{
    uint8_t digest[MUP_SHA256_SIZE];

    (void)state;
    mup_sha256_of(digest, "sample", 6);
    assert_int_equal(mup_p256_verify(public_key, digest, signature_of_sample), MUP_OK);
    mup_sha256_of(digest, "test", 4);
    assert_int_equal(mup_p256_verify(public_key, digest, signature_of_test), MUP_OK);
}

static void refuses_the_signature_of_another_message(void **state)
{
    uint8_t digest[MUP_SHA256_SIZE];

    (void)state;
    mup_sha256_of(digest, "sample", 6);
    assert_int_equal(mup_p256_verify(public_key, digest, signature_of_test), MUP_ERR_SIGNATURE);
}

/* One bit of each byte, in turn, of all three inputs. */
static void refuses_every_input_with_one_bit_changed(void **state)
{
    uint8_t digest[MUP_SHA256_SIZE];
    uint8_t changed[MUP_P256_SIG_SIZE];

    (void)state;
    mup_sha256_of(digest, "sample", 6);
    for (size_t i = 0; i < MUP_P256_SIG_SIZE; i++) {
        memcpy(changed, signature_of_sample, sizeof changed);
        changed[i] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(mup_p256_verify(public_key, digest, changed), MUP_ERR_SIGNATURE);
        memcpy(changed, public_key, sizeof changed);
        changed[i] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(mup_p256_verify(changed, digest, signature_of_sample), MUP_ERR_SIGNATURE);
    }
    for (size_t i = 0; i < MUP_SHA256_SIZE; i++) {
        memcpy(changed, digest, sizeof digest);
        changed[i] ^= (uint8_t)(1u << i % 8);
        assert_int_equal(mup_p256_verify(public_key, changed, signature_of_sample),
                         MUP_ERR_SIGNATURE);
    }
}

static void refuses_zeros_for_key_and_for_signature(void **state)
{
    uint8_t digest[MUP_SHA256_SIZE];
    static const uint8_t zeros[MUP_P256_SIG_SIZE];
    uint8_t half[MUP_P256_SIG_SIZE];

    (void)state;
    mup_sha256_of(digest, "sample", 6);
    assert_int_equal(mup_p256_verify(public_key, digest, zeros), MUP_ERR_SIGNATURE);
    assert_int_equal(mup_p256_verify(zeros, digest, signature_of_sample), MUP_ERR_SIGNATURE);
    memcpy(half, signature_of_sample, sizeof half);
    memset(half, 0, 32); /* r = 0 */
    assert_int_equal(mup_p256_verify(public_key, digest, half), MUP_ERR_SIGNATURE);
    memcpy(half, signature_of_sample, sizeof half);
    memset(half + 32, 0, 32); /* s = 0 */
    assert_int_equal(mup_p256_verify(public_key, digest, half), MUP_ERR_SIGNATURE);
}

static void compares_every_byte(void **state)
{
    uint8_t other[MUP_SHA256_SIZE];

    (void)state;
    assert_true(mup_crypto_equal(digest_of_abc, digest_of_abc, MUP_SHA256_SIZE));
    for (size_t i = 0; i < MUP_SHA256_SIZE; i++) {
        memcpy(other, digest_of_abc, sizeof other);
        other[i] ^= 0x80;
        assert_false(mup_crypto_equal(digest_of_abc, other, MUP_SHA256_SIZE));
    }
    assert_true(mup_crypto_equal(digest_of_abc, digest_of_nothing, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_the_examples_of_the_standard),
        cmocka_unit_test(gives_the_same_digest_however_the_stream_is_split),
        cmocka_unit_test(a_digest_may_be_taken_in_the_middle_and_a_copy_goes_its_own_way),
        cmocka_unit_test(accepts_the_signatures_of_the_rfc),
        cmocka_unit_test(refuses_the_signature_of_another_message),
        cmocka_unit_test(refuses_every_input_with_one_bit_changed),
        cmocka_unit_test(refuses_zeros_for_key_and_for_signature),
        cmocka_unit_test(compares_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
