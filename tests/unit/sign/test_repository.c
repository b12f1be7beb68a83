/* The release repository: whole, readable by anybody's JSON, never overwritten, never half. */
#include <unistd.h>
#include <sys/stat.h>
#include <stdlib.h>
#include <stdio.h>
#include "sign_support.h"

#include <jansson.h>

#include "mup/sign/repository.h"

static struct mup_release make_release(const struct mup_signer *vendor, const char *app,
                                       uint32_t version)
{
    struct mup_manifest fields = {.hardware_class = "nrf51", .block_size = 1024};
    struct mup_release release;
    struct mup_error error = {""};

    fields.new_version = version;
    snprintf(fields.app_id, sizeof fields.app_id, "%s", app);
    if (mup_release_make(&release, &fields, (const uint8_t *)"an image", 8, vendor, &error) !=
        MUP_OK)
        fail_msg("%s", error.text);
    return release;
}

static json_t *load_index(void)
{
    return json_load_file(test_path("repo/index.json"), 0, NULL);
}

static void releases_are_listed_in_the_index_with_their_facts(void **state)
{
    struct mup_signer vendor = test_signer("listed");
    struct mup_error error = {""};
    char path[MUP_PATH_MAX];
    json_t *index;
    const json_t *entry;

    (void)state;
    for (uint32_t version = 1; version <= 2; version++) {
        struct mup_release release = make_release(&vendor, "lamp", version);
        assert_int_equal(mup_repository_add(test_path("repo"), &release, path, &error), MUP_OK);
        mup_release_free(&release);
    }
    assert_string_equal(path, "lamp/2/nrf51");
    index = load_index();
    assert_int_equal(json_array_size(json_object_get(index, "releases")), 2);
    entry = json_array_get(json_object_get(index, "releases"), 1);
    assert_string_equal(json_string_value(json_object_get(entry, "path")), "lamp/2/nrf51");
    assert_int_equal(json_integer_value(json_object_get(entry, "version")), 2);
    assert_int_equal(json_integer_value(json_object_get(entry, "image_size")), 8);
    json_decref(index);
    assert_int_equal(access(test_path("repo/lamp/2/nrf51/payload.bin"), R_OK), 0);
    assert_int_equal(access(test_path("repo/lamp/2/nrf51/manifest.cose"), R_OK), 0);
    mup_signer_close(&vendor);
}

static void a_published_version_is_never_changed(void **state)
{
    struct mup_signer vendor = test_signer("again");
    struct mup_release release = make_release(&vendor, "lamp", 1);
    struct mup_error error = {""};
    char path[MUP_PATH_MAX] = "untouched";

    (void)state;
    assert_int_equal(mup_repository_add(test_path("repo"), &release, path, &error), MUP_ERR_STATE);
    assert_non_null(strstr(error.text, "higher version"));
    assert_string_equal(path, "untouched");
    mup_release_free(&release);
    mup_signer_close(&vendor);
}

static void names_that_leave_the_repository_are_refused(void **state)
{
    static const char *const names[] = {"..", ".", ".hidden", "a/b", "a b", "a\\b"};
    struct mup_signer vendor = test_signer("names");
    struct mup_error error = {""};
    char path[MUP_PATH_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct mup_release release = make_release(&vendor, names[i], 3);
        assert_int_equal(mup_repository_add(test_path("repo"), &release, path, &error),
                         MUP_ERR_RANGE);
        mup_release_free(&release);
    }
    mup_signer_close(&vendor);
}

static void a_release_under_a_wrong_name_is_refused(void **state)
{
    static const struct {
        const char *place;
        enum mup_status want;
    } cases[] = {
        {"lamp/2/nrf51", MUP_OK},
        {"repo/lamp/2/nrf51", MUP_OK},
        {"http://host:80/x/lamp/2/nrf51//", MUP_OK},
        {"repo/lamp/3/nrf51", MUP_ERR_STATE},
        {"http://host/fan/2/nrf51", MUP_ERR_STATE},
        {"lamp/2/nrf52", MUP_ERR_STATE},
        {"lamp/02/nrf51", MUP_ERR_STATE},
        {"a/folder/anywhere", MUP_OK}, /* says nothing of a version */
        {"/tmp/2", MUP_OK},
        {"", MUP_OK},
    };
    const struct mup_manifest manifest = {
        .app_id = "lamp", .hardware_class = "nrf51", .new_version = 2};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_error error = {""};
        assert_int_equal(mup_repository_check_place(cases[i].place, &manifest, &error),
                         cases[i].want);
        if (cases[i].want != MUP_OK)
            assert_non_null(strstr(error.text, "lamp/2/nrf51 by its signed manifest"));
    }
}

static void a_broken_index_is_named_and_leaves_no_half_release(void **state)
{
    struct mup_signer vendor = test_signer("broken");
    struct mup_release release = make_release(&vendor, "lamp", 9);
    struct mup_error error = {""};
    char path[MUP_PATH_MAX];

    (void)state;
    test_write("repo/index.json", "{]", 2);
    assert_int_equal(mup_repository_add(test_path("repo"), &release, path, &error), MUP_ERR_FORMAT);
    assert_non_null(strstr(error.text, "index.json"));
    assert_int_not_equal(access(test_path("repo/lamp/9/nrf51/manifest.cose"), F_OK), 0);
    assert_int_not_equal(access(test_path("repo/lamp/9/nrf51/payload.bin"), F_OK), 0);
    mup_release_free(&release);
    mup_signer_close(&vendor);
}

static void a_file_larger_than_its_limit_is_not_read(void **state)
{
    struct mup_error error = {""};
    uint8_t *bytes = NULL;
    size_t size = 0;

    (void)state;
    test_write("five", "12345", 5);
    assert_int_equal(mup_file_read(&bytes, &size, test_path("five"), 4, &error), MUP_ERR_RANGE);
    assert_null(bytes);
    assert_int_equal(mup_file_read(&bytes, &size, test_path("five"), 5, &error), MUP_OK);
    assert_int_equal(size, 5);
    free(bytes);
    assert_int_equal(mup_file_read(&bytes, &size, test_folder, 5, &error), MUP_ERR_STATE);
}

static void a_file_that_waits_beside_is_not_written_into(void **state)
{
    char folder[] = "/tmp/mup-sign-XXXXXX";
    char path[64];
    char beside[96];
    char trap[64];
    struct mup_error error;
    struct stat info;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(trap, sizeof trap, "%s/trap", folder);
    snprintf(beside, sizeof beside, "%s.new.%ld", path, (long)getpid());
    /* Another name for the file in which our bytes would land. */
    fclose(fopen(trap, "we"));
    assert_int_equal(link(trap, beside), 0);
    assert_int_equal(mup_file_write(path, "bytes", 5, 0600, &error), MUP_OK);
    assert_int_equal(stat(trap, &info), 0);
    assert_int_equal(info.st_size, 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 5);
    assert_int_equal(access(beside, F_OK), -1);
    unlink(path);
    unlink(trap);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(releases_are_listed_in_the_index_with_their_facts),
        cmocka_unit_test(a_published_version_is_never_changed),
        cmocka_unit_test(names_that_leave_the_repository_are_refused),
        cmocka_unit_test(a_release_under_a_wrong_name_is_refused),
        cmocka_unit_test(a_broken_index_is_named_and_leaves_no_half_release),
        cmocka_unit_test(a_file_larger_than_its_limit_is_not_read),
        cmocka_unit_test(a_file_that_waits_beside_is_not_written_into),
    };
    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
