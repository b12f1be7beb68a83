/* A release: the chain of blocks, the manifest over it, and every way to damage them. */
#include "sign_support.h"

#include "mup/sign/release.h"
#include "mup/sign/sign1.h"

#define BLOCK 256u

static const struct mup_manifest fields = {.app_id = "lamp",
                                           .hardware_class = "nrf51",
                                           .link_offset = 0x6000,
                                           .new_version = 7,
                                           .block_size = BLOCK};

static uint8_t *make_image(size_t size)
{
    uint8_t *image = test_malloc(size);

    for (size_t i = 0; i < size; i++)
        image[i] = (uint8_t)(i * 31u + (i >> 8));
    return image;
}

static struct mup_release make_release(const struct mup_signer *vendor, size_t size)
{
    struct mup_release release;
    struct mup_error error = {""};
    uint8_t *image = make_image(size);

    if (mup_release_make(&release, &fields, image, size, vendor, &error) != MUP_OK)
        fail_msg("%s", error.text);
    test_free(image);
    return release;
}

static void the_chain_is_the_one_of_spec_section_6(void **state)
{
    /* 600 bytes in blocks of 256: 256 + hash, 256 + hash, 88. */
    struct mup_signer vendor = test_signer("chain");
    struct mup_release release = make_release(&vendor, 600);
    uint8_t *image = make_image(600);
    uint8_t hash[32];

    (void)state;
    assert_int_equal(release.payload_size, 600 + 2 * 32);
    assert_memory_equal(release.payload, image, 256);
    assert_memory_equal(release.payload + 288, image + 256, 256);
    assert_memory_equal(release.payload + 576, image + 512, 88);
    mup_sha256_host(hash, release.payload + 576, 88);
    assert_memory_equal(release.payload + 544, hash, 32);
    mup_sha256_host(hash, release.payload + 288, 288);
    assert_memory_equal(release.payload + 256, hash, 32);
    mup_sha256_host(hash, release.payload, 288);
    assert_memory_equal(release.manifest.first_block_hash, hash, 32);
    mup_sha256_host(hash, image, 600);
    assert_memory_equal(release.manifest.digest, hash, 32);
    test_free(image);
    mup_release_free(&release);
    mup_signer_close(&vendor);
}

static void images_of_every_size_around_a_block_are_whole(void **state)
{
    static const size_t sizes[] = {1, 2, 255, 256, 257, 511, 512, 513, 1024, 70001};
    struct mup_signer vendor = test_signer("sizes");

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct mup_release release = make_release(&vendor, sizes[i]);
        struct mup_manifest manifest;
        struct mup_error error = {""};
        struct mup_bytes payload = {release.payload, release.payload_size};

        assert_int_equal(mup_release_open(&manifest,
                                          (struct mup_bytes){release.signed_manifest,
                                                             release.signed_manifest_size},
                                          vendor.public_key, &error),
                         MUP_OK);
        assert_int_equal(manifest.image_size, sizes[i]);
        assert_int_equal(mup_release_check_payload(&manifest, payload, &error), MUP_OK);
        mup_release_free(&release);
    }
    mup_signer_close(&vendor);
}

static void a_damaged_byte_names_its_block(void **state)
{
    struct mup_signer vendor = test_signer("damage");
    struct mup_release release = make_release(&vendor, 600);
    struct mup_bytes payload = {release.payload, release.payload_size};
    struct mup_error error;
    char expected[32];

    (void)state;
    for (size_t at = 0; at < release.payload_size; at++) {
        release.payload[at] ^= 0x10;
        assert_int_equal(mup_release_check_payload(&release.manifest, payload, &error),
                         MUP_ERR_DIGEST);
        snprintf(expected, sizeof expected, "block %zu of 3", at / 288);
        assert_non_null(strstr(error.text, expected));
        release.payload[at] ^= 0x10;
    }
    mup_release_free(&release);
    mup_signer_close(&vendor);
}

static void a_payload_of_another_length_is_refused(void **state)
{
    struct mup_signer vendor = test_signer("length");
    struct mup_release release = make_release(&vendor, 600);
    struct mup_error error;

    (void)state;
    for (size_t size = 0; size < release.payload_size; size += 7) {
        uint8_t *exact = test_malloc(size);
        memcpy(exact, release.payload, size);
        assert_int_equal(
            mup_release_check_payload(&release.manifest, (struct mup_bytes){exact, size}, &error),
            MUP_ERR_RANGE);
        test_free(exact);
    }
    mup_release_free(&release);
    mup_signer_close(&vendor);
}

static void a_digest_that_the_blocks_do_not_have_is_refused(void **state)
{
    struct mup_signer vendor = test_signer("digest");
    struct mup_release release = make_release(&vendor, 600);
    struct mup_bytes payload = {release.payload, release.payload_size};
    struct mup_error error;

    (void)state;
    release.manifest.digest[5] ^= 1;
    assert_int_equal(mup_release_check_payload(&release.manifest, payload, &error), MUP_ERR_DIGEST);
    assert_non_null(strstr(error.text, "digest"));
    mup_release_free(&release);
    mup_signer_close(&vendor);
}

static void a_truncated_or_foreign_manifest_is_refused(void **state)
{
    struct mup_signer vendor = test_signer("whole");
    struct mup_signer stranger = test_signer("foreign");
    struct mup_release release = make_release(&vendor, 600);
    struct mup_manifest manifest = {.new_version = 99};
    struct mup_error error;

    (void)state;
    for (size_t size = 0; size < release.signed_manifest_size; size++) {
        uint8_t *exact = test_malloc(size);
        memcpy(exact, release.signed_manifest, size);
        assert_int_not_equal(
            mup_release_open(&manifest, (struct mup_bytes){exact, size}, vendor.public_key, &error),
            MUP_OK);
        test_free(exact);
    }
    assert_int_equal(
        mup_release_open(&manifest,
                         (struct mup_bytes){release.signed_manifest, release.signed_manifest_size},
                         stranger.public_key, &error),
        MUP_ERR_KEY);
    assert_int_equal(manifest.new_version, 99);
    mup_release_free(&release);
    mup_signer_close(&vendor);
    mup_signer_close(&stranger);
}

static void each_field_outside_its_limits_is_named(void **state)
{
    static const struct {
        struct mup_manifest fields;
        size_t image_size;
        const char *says;
    } cases[] = {
        {{.app_id = "", .hardware_class = "h", .new_version = 1, .block_size = 256}, 9, "applicat"},
        {{.app_id = "a", .hardware_class = "", .new_version = 1, .block_size = 256}, 9, "hardware"},
        {{.app_id = "a", .hardware_class = "h", .new_version = 0, .block_size = 256}, 9, "version"},
        {{.app_id = "a", .hardware_class = "h", .new_version = 1, .block_size = 255}, 9, "block"},
        {{.app_id = "a", .hardware_class = "h", .new_version = 1, .block_size = 300}, 9, "block"},
        {{.app_id = "a", .hardware_class = "h", .new_version = 1, .block_size = 8192}, 9, "block"},
        {{.app_id = "a", .hardware_class = "h", .new_version = 1, .block_size = 256}, 0, "image"},
        {{.app_id = "a\n", .hardware_class = "h", .new_version = 1, .block_size = 256}, 9, "ASCII"},
        {{.app_id = "a",
          .hardware_class = "h",
          .new_version = 2,
          .old_version = 1,
          .block_size = 256},
         9,
         "old version"},
    };
    struct mup_signer vendor = test_signer("fields");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_release release = {.payload_size = 5};
        struct mup_error error = {""};
        uint8_t *image = make_image(9);

        assert_int_equal(mup_release_make(&release, &cases[i].fields, image, cases[i].image_size,
                                          &vendor, &error),
                         MUP_ERR_RANGE);
        assert_non_null(strstr(error.text, cases[i].says));
        assert_int_equal(release.payload_size, 5);
        test_free(image);
    }
    mup_signer_close(&vendor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chain_is_the_one_of_spec_section_6),
        cmocka_unit_test(images_of_every_size_around_a_block_are_whole),
        cmocka_unit_test(a_damaged_byte_names_its_block),
        cmocka_unit_test(a_payload_of_another_length_is_refused),
        cmocka_unit_test(a_digest_that_the_blocks_do_not_have_is_refused),
        cmocka_unit_test(a_truncated_or_foreign_manifest_is_refused),
        cmocka_unit_test(each_field_outside_its_limits_is_named),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
