/* COSE_Sign1 and certificates: what was signed opens, what was changed does not. */
#include "sign_support.h"

#include "mup/sign/certify.h"
#include "mup/sign/sign1.h"

static const uint8_t payload_bytes[] = {0xa1, 0x01, 0x02, 0x03, 0x05, 0x07, 0x0b, 0x0d};
static const struct mup_bytes payload = {payload_bytes, sizeof payload_bytes};

static void what_was_signed_opens_with_the_same_key(void **state)
{
    struct mup_signer signer = test_signer("same");
    uint8_t bytes[128];
    struct mup_bytes found = {NULL, 0};
    size_t size = 0;

    (void)state;
    assert_int_equal(mup_sign1_make(bytes, sizeof bytes, &size, &signer, payload), MUP_OK);
    /* tag 18, array of 4, protected header {1: -7, 4: kid}: SPEC section 2 */
    static const uint8_t start[] = {0xd2, 0x84, 0x4d, 0xa2, 0x01, 0x26, 0x04, 0x48};
    assert_memory_equal(bytes, start, sizeof start);
    assert_memory_equal(bytes + sizeof start, signer.kid, MUP_KID_SIZE);
    assert_int_equal(mup_sign1_open(&found, bytes, size, signer.public_key), MUP_OK);
    assert_int_equal(found.size, payload.size);
    assert_memory_equal(found.data, payload.data, payload.size);
    mup_signer_close(&signer);
    mup_signer_close(&signer);
}

static void every_changed_bit_is_noticed(void **state)
{
    struct mup_signer signer = test_signer("bits");
    uint8_t bytes[128];
    size_t size = 0;

    (void)state;
    assert_int_equal(mup_sign1_make(bytes, sizeof bytes, &size, &signer, payload), MUP_OK);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        struct mup_bytes found = {NULL, 99};
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_not_equal(mup_sign1_open(&found, bytes, size, signer.public_key), MUP_OK);
        assert_int_equal(found.size, 99);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    mup_signer_close(&signer);
}

static void another_key_is_named_as_such(void **state)
{
    struct mup_signer signer = test_signer("one");
    struct mup_signer other = test_signer("other");
    uint8_t bytes[128];
    struct mup_bytes found;
    size_t size = 0;

    (void)state;
    assert_int_equal(mup_sign1_make(bytes, sizeof bytes, &size, &signer, payload), MUP_OK);
    assert_int_equal(mup_sign1_open(&found, bytes, size, other.public_key), MUP_ERR_KEY);
    /* the other's key under the first one's id: a forger who knows whom to imitate */
    memcpy(other.kid, signer.kid, sizeof other.kid);
    assert_int_equal(mup_sign1_make(bytes, sizeof bytes, &size, &other, payload), MUP_OK);
    assert_int_equal(mup_sign1_open(&found, bytes, size, signer.public_key), MUP_ERR_SIGNATURE);
    mup_signer_close(&signer);
    mup_signer_close(&other);
}

static void a_buffer_that_is_too_small_is_never_overrun(void **state)
{
    struct mup_signer signer = test_signer("small");
    uint8_t whole[128];
    size_t size = 0;

    (void)state;
    assert_int_equal(mup_sign1_make(whole, sizeof whole, &size, &signer, payload), MUP_OK);
    for (size_t capacity = 0; capacity < size; capacity++) {
        uint8_t *exact = test_malloc(capacity);
        size_t written = 77;
        assert_int_equal(mup_sign1_make(exact, capacity, &written, &signer, payload),
                         MUP_ERR_SPACE);
        assert_int_equal(written, 77);
        test_free(exact);
    }
    mup_signer_close(&signer);
}

static void a_certificate_opens_with_the_vendors_key_alone(void **state)
{
    struct mup_signer vendor = test_signer("vendor");
    struct mup_signer stranger = test_signer("stranger");
    struct mup_certificate made = {.epoch = 0x01020304, .label = "edge 7"};
    struct mup_certificate found = {.epoch = 9};
    struct mup_error error = {""};
    uint8_t bytes[MUP_CERTIFICATE_SIGNED_MAX];
    size_t size = 0;

    (void)state;
    memcpy(made.public_key, stranger.public_key, sizeof made.public_key);
    assert_int_equal(mup_certify(bytes, &size, &made, &vendor, &error), MUP_OK);
    assert_int_equal(
        mup_certificate_open(&found, (struct mup_bytes){bytes, size}, stranger.public_key, &error),
        MUP_ERR_KEY);
    assert_int_equal(found.epoch, 9);
    assert_int_equal(
        mup_certificate_open(&found, (struct mup_bytes){bytes, size}, vendor.public_key, &error),
        MUP_OK);
    assert_int_equal(found.epoch, 0x01020304);
    assert_string_equal(found.label, "edge 7");
    assert_memory_equal(found.public_key, stranger.public_key, sizeof found.public_key);
    made.epoch = 0;
    assert_int_equal(mup_certify(bytes, &size, &made, &vendor, &error), MUP_ERR_RANGE);
    mup_signer_close(&vendor);
    mup_signer_close(&stranger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_signed_opens_with_the_same_key),
        cmocka_unit_test(every_changed_bit_is_noticed),
        cmocka_unit_test(another_key_is_named_as_such),
        cmocka_unit_test(a_buffer_that_is_too_small_is_never_overrun),
        cmocka_unit_test(a_certificate_opens_with_the_vendors_key_alone),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
