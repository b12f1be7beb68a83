/* Keys on disk: modes, refusals, key ids. */
#include "sign_support.h"

#include "mup/sign/sign1.h"

/* RFC 6979 appendix A.2.5: the public key of its P-256 example. */
static const uint8_t rfc6979_public_key[MUP_PUBLIC_KEY_SIZE] = {
    0x60, 0xfe, 0xd4, 0xba, 0x25, 0x5a, 0x9d, 0x31, 0xc9, 0x61, 0xeb, 0x74, 0xc6, 0x35, 0x6d, 0x68,
    0xc0, 0x49, 0xb8, 0x92, 0x3b, 0x61, 0xfa, 0x6c, 0xe6, 0x69, 0x62, 0x2e, 0x60, 0xf2, 0x9f, 0xb6,
    0x79, 0x03, 0xfe, 0x10, 0x08, 0xb8, 0xbc, 0x99, 0xa4, 0x1a, 0xe9, 0xe9, 0x56, 0x28, 0xbc, 0x64,
    0xf2, 0xf1, 0xb2, 0x0c, 0x2d, 0x7e, 0x9f, 0x51, 0x77, 0xa3, 0xc2, 0x94, 0xd4, 0x46, 0x22, 0x99};

static void a_private_key_is_readable_by_its_owner_alone(void **state)
{
    struct mup_error error = {""};
    struct stat info;

    (void)state;
    umask(0);
    assert_int_equal(mup_key_generate(test_path("mode"), &error), MUP_OK);
    assert_int_equal(stat(test_path("mode.key"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(stat(test_path("mode.pub"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0644);
}

static void a_key_is_never_overwritten(void **state)
{
    struct mup_error error = {""};
    uint8_t before[MUP_PUBLIC_KEY_SIZE];
    uint8_t after[MUP_PUBLIC_KEY_SIZE];

    (void)state;
    assert_int_equal(mup_key_generate(test_path("once"), &error), MUP_OK);
    assert_int_equal(mup_public_key_read(before, test_path("once.pub"), &error), MUP_OK);
    assert_int_equal(mup_key_generate(test_path("once"), &error), MUP_ERR_STATE);
    assert_non_null(strstr(error.text, "once.key is there already"));
    assert_int_equal(mup_public_key_read(after, test_path("once.pub"), &error), MUP_OK);
    assert_memory_equal(before, after, sizeof before);
}

static void a_public_file_in_the_way_leaves_no_private_key_behind(void **state)
{
    struct mup_error error = {""};

    (void)state;
    test_write("half.pub", "x", 1);
    assert_int_equal(mup_key_generate(test_path("half"), &error), MUP_ERR_STATE);
    assert_int_not_equal(access(test_path("half.key"), F_OK), 0);
}

static void a_private_key_that_others_can_read_is_refused(void **state)
{
    struct mup_error error = {""};
    struct mup_signer signer = {.context = NULL};

    (void)state;
    assert_int_equal(mup_key_generate(test_path("open"), &error), MUP_OK);
    assert_int_equal(chmod(test_path("open.key"), 0640), 0);
    assert_int_equal(mup_signer_open_file(&signer, test_path("open.key"), &error), MUP_ERR_KEY);
    assert_non_null(strstr(error.text, "chmod 600"));
    assert_null(signer.context);
    /* a public file is no key that ought to be hidden */
    assert_int_equal(mup_signer_open_file(&signer, test_path("open.pub"), &error), MUP_ERR_KEY);
    assert_null(strstr(error.text, "chmod"));
    assert_non_null(strstr(error.text, "open.pub: not an unencrypted"));
}

static void what_is_no_p256_key_is_refused_by_name(void **state)
{
    static const char *const texts[] = {
        "", "not a key\n",
        /* an Ed25519 key (RFC 8410 section 10.3) */
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n"};
    struct mup_error error = {""};
    struct mup_signer signer;
    uint8_t raw[MUP_PUBLIC_KEY_SIZE] = {7};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        test_write("bad.key", texts[i], strlen(texts[i]));
        assert_int_equal(chmod(test_path("bad.key"), 0600), 0);
        assert_int_equal(mup_signer_open_file(&signer, test_path("bad.key"), &error), MUP_ERR_KEY);
        assert_non_null(strstr(error.text, "bad.key"));
        assert_int_equal(mup_public_key_read(raw, test_path("bad.key"), &error), MUP_ERR_KEY);
        assert_int_equal(raw[0], 7);
    }
    assert_int_equal(mup_public_key_read(raw, test_path("missing"), &error), MUP_ERR_KEY);
    assert_non_null(strstr(error.text, "missing"));
}

static void a_key_id_is_the_start_of_the_hash_of_the_raw_key(void **state)
{
    /* printf the 64 bytes of rfc6979_public_key | sha256sum, first 8 bytes */
    static const uint8_t expected[MUP_KID_SIZE] = {0xd6, 0xc2, 0x3e, 0x27, 0x44, 0xa8, 0x40, 0xcb};
    uint8_t kid[MUP_KID_SIZE];

    (void)state;
    mup_key_id(kid, rfc6979_public_key);
    assert_memory_equal(kid, expected, sizeof kid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_private_key_is_readable_by_its_owner_alone),
        cmocka_unit_test(a_key_is_never_overwritten),
        cmocka_unit_test(a_public_file_in_the_way_leaves_no_private_key_behind),
        cmocka_unit_test(a_private_key_that_others_can_read_is_refused),
        cmocka_unit_test(what_is_no_p256_key_is_refused_by_name),
        cmocka_unit_test(a_key_id_is_the_start_of_the_hash_of_the_raw_key),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
