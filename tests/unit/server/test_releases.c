/* A release comes in whole and verified, or not at all (docs/SPEC.md section 21). */
#include "server_support.h"

struct outcome {
    struct bench *bench;
    unsigned waits;
    enum mup_fault_code code;
    char message[MUP_FAULT_MESSAGE_SIZE];
    int64_t id;
};

static void on_added(void *arg, const struct mup_fault *fault,
                     const struct mup_stored_release *release)
{
    struct outcome *outcome = arg;

    outcome->code = fault ? fault->code : MUP_FAULT_NONE;
    snprintf(outcome->message, sizeof outcome->message, "%s", fault ? fault->message : "");
    outcome->id = release ? release->id : 0;
    if (--outcome->waits == 0) {
        mup_loop_stop(&outcome->bench->loop);
    }
}

static struct outcome add_url(struct bench *bench, const char *url)
{
    struct outcome outcome = {.bench = bench, .waits = 1};
    struct mup_fault fault;
    enum mup_fault_code code = mup_releases_add(bench->releases, url, on_added, &outcome, &fault);

    if (code != MUP_FAULT_NONE) {
        outcome.code = code;
        snprintf(outcome.message, sizeof outcome.message, "%s", fault.message);
        return outcome;
    }
    mup_loop_run(&bench->loop);
    return outcome;
}

static struct outcome add(struct bench *bench)
{
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d/r", bench->port);
    return add_url(bench, url);
}

/* Refused with this code, and nothing stays: not in memory, not in the store. */
static void assert_refused(struct bench *bench, enum mup_fault_code code)
{
    struct outcome outcome = add(bench);
    uint8_t *payload;
    size_t size;

    if (outcome.code != code) {
        fprintf(stderr, "%s: %s\n", mup_fault_name(outcome.code), outcome.message);
    }
    assert_int_equal(outcome.code, code);
    assert_true(strlen(outcome.message) > 0);
    assert_int_equal(mup_releases_count(bench->releases), 0);
    assert_int_equal(mup_server_store_get_payload(bench->store, 1, &payload, &size), MUP_ERR_RANGE);
}

static void a_good_release_is_kept_and_there_after_a_restart(void **state)
{
    struct bench *bench = *state;
    struct mup_release release;

    make_release(bench, &release, 2, 1, &bench->vendor);
    serve_release(bench, &release);
    struct outcome outcome = add(bench);
    assert_int_equal(outcome.code, MUP_FAULT_NONE);
    assert_int_equal(outcome.id, 1);
    close_parts(bench);
    open_parts(bench);
    const struct mup_stored_release *kept = mup_releases_find(bench->releases, "lamp", 2, "nrf51");
    assert_non_null(kept);
    assert_int_equal(kept->image_size, 5000);
    assert_int_equal(kept->payload_size, 5000 + 4 * 32);
    assert_memory_equal(kept->vendor_kid, bench->vendor.kid, MUP_KID_SIZE);
    assert_null(mup_releases_find(bench->releases, "lamp", 3, "nrf51"));
    struct mup_bytes payload = mup_releases_hold(bench->releases, kept->id);
    assert_int_equal(payload.size, release.payload_size);
    assert_memory_equal(payload.data, release.payload, payload.size);
    struct mup_bytes again = mup_releases_hold(bench->releases, kept->id);
    assert_ptr_equal(again.data, payload.data);
    mup_releases_drop(bench->releases, kept->id);
    mup_releases_drop(bench->releases, kept->id);
    mup_release_free(&release);
}

static void the_same_release_twice_is_one_and_another_image_a_conflict(void **state)
{
    struct bench *bench = *state;
    struct mup_release first;
    struct mup_release other;

    make_release(bench, &first, 2, 1, &bench->vendor);
    make_release(bench, &other, 2, 9, &bench->vendor);
    serve_release(bench, &first);
    assert_int_equal(add(bench).id, 1);
    assert_int_equal(add(bench).id, 1);
    serve_release(bench, &other);
    assert_int_equal(add(bench).code, MUP_FAULT_RELEASE_CONFLICT);
    assert_int_equal(mup_releases_count(bench->releases), 1);
    mup_release_free(&first);
    mup_release_free(&other);
}

static void the_same_release_at_the_same_time_is_one(void **state)
{
    struct bench *bench = *state;
    struct outcome outcomes[2] = {{.bench = bench, .waits = 1}, {.bench = bench, .waits = 1}};
    struct mup_release release;
    struct mup_fault fault;
    char url[64];

    make_release(bench, &release, 2, 1, &bench->vendor);
    serve_release(bench, &release);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/r", bench->port);
    assert_int_equal(mup_releases_add(bench->releases, url, on_added, &outcomes[0], &fault),
                     MUP_FAULT_NONE);
    assert_int_equal(mup_releases_add(bench->releases, url, on_added, &outcomes[1], &fault),
                     MUP_FAULT_NONE);
    while (outcomes[0].waits + outcomes[1].waits > 0) {
        mup_loop_run(&bench->loop);
    }
    assert_int_equal(outcomes[0].code, MUP_FAULT_NONE);
    assert_int_equal(outcomes[1].code, MUP_FAULT_NONE);
    assert_int_equal(outcomes[0].id, outcomes[1].id);
    assert_int_equal(mup_releases_count(bench->releases), 1);
    mup_release_free(&release);
}

static void a_change_in_any_byte_of_the_manifest_is_refused(void **state)
{
    struct bench *bench = *state;
    struct mup_release release;

    make_release(bench, &release, 2, 1, &bench->vendor);
    serve_release(bench, &release);
    for (size_t at = 0; at < release.signed_manifest_size; at++) {
        uint8_t bytes[MUP_VENDOR_SIGNED_MAX];
        memcpy(bytes, release.signed_manifest, release.signed_manifest_size);
        bytes[at] ^= 0x01;
        serve(bench, "/r/manifest.cose", bytes, release.signed_manifest_size);
        struct outcome outcome = add(bench);
        assert_true(outcome.code == MUP_FAULT_RELEASE_NOT_VALID ||
                    outcome.code == MUP_FAULT_RELEASE_WRONG_KEY ||
                    outcome.code == MUP_FAULT_RELEASE_SIGNATURE_INVALID);
    }
    assert_int_equal(mup_releases_count(bench->releases), 0);
    mup_release_free(&release);
}

static void a_manifest_cut_anywhere_is_refused(void **state)
{
    struct bench *bench = *state;
    struct mup_release release;

    make_release(bench, &release, 2, 1, &bench->vendor);
    for (size_t size = 0; size < release.signed_manifest_size; size += 7) {
        serve(bench, "/r/manifest.cose", release.signed_manifest, size);
        assert_refused(bench, MUP_FAULT_RELEASE_NOT_VALID);
    }
    mup_release_free(&release);
}

static void a_change_in_any_block_of_the_payload_is_refused(void **state)
{
    struct bench *bench = *state;
    struct mup_release release;

    make_release(bench, &release, 2, 1, &bench->vendor);
    serve_release(bench, &release);
    for (size_t at = 0; at < release.payload_size; at += 500) {
        uint8_t *bytes = malloc(release.payload_size);
        memcpy(bytes, release.payload, release.payload_size);
        bytes[at] ^= 0x80;
        serve(bench, "/r/payload.bin", bytes, release.payload_size);
        assert_refused(bench, MUP_FAULT_RELEASE_DIGEST);
        free(bytes);
    }
    mup_release_free(&release);
}

static void a_payload_of_another_size_is_refused(void **state)
{
    struct bench *bench = *state;
    struct mup_release release;
    uint8_t *longer;

    make_release(bench, &release, 2, 1, &bench->vendor);
    serve_release(bench, &release);
    serve(bench, "/r/payload.bin", release.payload, release.payload_size - 1);
    assert_refused(bench, MUP_FAULT_RELEASE_WRONG_SIZE);
    serve(bench, "/r/payload.bin", release.payload, 0);
    assert_refused(bench, MUP_FAULT_RELEASE_WRONG_SIZE);
    longer = calloc(1, release.payload_size + 1);
    memcpy(longer, release.payload, release.payload_size);
    serve(bench, "/r/payload.bin", longer, release.payload_size + 1);
    assert_refused(bench, MUP_FAULT_RELEASE_TOO_BIG);
    free(longer);
    mup_release_free(&release);
}

static void a_transfer_that_ends_early_is_incomplete(void **state)
{
    struct bench *bench = *state;
    struct mup_release release;

    make_release(bench, &release, 2, 1, &bench->vendor);
    serve_release(bench, &release);
    serve_claiming(bench, "/r/payload.bin", release.payload, 3000, release.payload_size);
    assert_refused(bench, MUP_FAULT_RELEASE_INCOMPLETE);
    mup_release_free(&release);
}

static void what_another_vendor_signed_is_refused(void **state)
{
    struct bench *bench = *state;
    struct mup_release release;

    make_release(bench, &release, 2, 1, &bench->stranger);
    serve_release(bench, &release);
    assert_refused(bench, MUP_FAULT_RELEASE_WRONG_KEY);
    mup_release_free(&release);
}

static void a_manifest_without_end_is_cut_off(void **state)
{
    struct bench *bench = *state;
    char junk[1000];
    int head = snprintf(junk, sizeof junk, "HTTP/1.1 200 OK\r\n\r\n");

    memset(junk + head, 'x', sizeof junk - (size_t)head);
    serve_raw(bench, "/r/manifest.cose", junk, sizeof junk);
    bench->files[0].endless = true;
    assert_refused(bench, MUP_FAULT_RELEASE_TOO_BIG);
    serve_claiming(bench, "/r/manifest.cose", junk, 305, 305);
    assert_refused(bench, MUP_FAULT_RELEASE_TOO_BIG);
    serve_claiming(bench, "/r/manifest.cose", junk, 10, 4000000000u);
    assert_refused(bench, MUP_FAULT_RELEASE_TOO_BIG);
}

static void what_is_not_there_is_unreachable(void **state)
{
    struct bench *bench = *state;
    struct mup_release release;

    assert_refused(bench, MUP_FAULT_RELEASE_UNREACHABLE);
    make_release(bench, &release, 2, 1, &bench->vendor);
    serve(bench, "/r/manifest.cose", release.signed_manifest, release.signed_manifest_size);
    assert_refused(bench, MUP_FAULT_RELEASE_UNREACHABLE); /* no payload.bin */
    assert_int_equal(add_url(bench, "http://127.0.0.1:1/r").code, MUP_FAULT_RELEASE_UNREACHABLE);
    serve_raw(bench, "/r/manifest.cose", "rubbish\r\n\r\n", 11);
    assert_refused(bench, MUP_FAULT_RELEASE_UNREACHABLE);
    mup_release_free(&release);
}

static void a_redirect_leads_to_the_web_only(void **state)
{
    struct bench *bench = *state;
    struct mup_release release;
    char redirect[200];

    make_release(bench, &release, 2, 1, &bench->vendor);
    serve(bench, "/r/payload.bin", release.payload, release.payload_size);
    serve(bench, "/moved", release.signed_manifest, release.signed_manifest_size);
    snprintf(redirect, sizeof redirect,
             "HTTP/1.1 302 F\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n\r\n");
    serve_raw(bench, "/r/manifest.cose", redirect, strlen(redirect));
    assert_refused(bench, MUP_FAULT_RELEASE_UNREACHABLE);
    snprintf(redirect, sizeof redirect,
             "HTTP/1.1 302 F\r\nLocation: /r/manifest.cose\r\nContent-Length: 0\r\n\r\n");
    serve_raw(bench, "/r/manifest.cose", redirect, strlen(redirect));
    assert_refused(bench, MUP_FAULT_RELEASE_UNREACHABLE);
    snprintf(redirect, sizeof redirect,
             "HTTP/1.1 302 F\r\nLocation: /moved\r\nContent-Length: 0\r\n\r\n");
    serve_raw(bench, "/r/manifest.cose", redirect, strlen(redirect));
    assert_int_equal(add(bench).code, MUP_FAULT_NONE);
    mup_release_free(&release);
}

static void only_urls_of_folders_are_taken(void **state)
{
    struct bench *bench = *state;
    static const char *const urls[] = {"",
                                       "/",
                                       "file:///etc/passwd",
                                       "ftp://127.0.0.1/r",
                                       "http",
                                       "http://h/?",
                                       "http://h/#",
                                       "http://h/a b",
                                       "http://h/\n",
                                       "gopher://h/",
                                       "http://h/\xc3\xa9"};
    char longest[2000];

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        assert_int_equal(add_url(bench, urls[i]).code, MUP_FAULT_URL_NOT_VALID);
    }
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memcpy(longest, "http://h/", 9);
    assert_int_equal(add_url(bench, longest).code, MUP_FAULT_URL_NOT_VALID);
}

static void too_many_at_once_are_told_to_wait(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome = {.bench = bench, .waits = MUP_RELEASES_ADDING_MAX};
    struct mup_fault fault;
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d/r", bench->port);
    for (unsigned i = 0; i < MUP_RELEASES_ADDING_MAX; i++) {
        assert_int_equal(mup_releases_add(bench->releases, url, on_added, &outcome, &fault),
                         MUP_FAULT_NONE);
    }
    assert_int_equal(mup_releases_add(bench->releases, url, on_added, &outcome, &fault),
                     MUP_FAULT_BUSY);
    mup_loop_run(&bench->loop);
    assert_int_equal(add(bench).code, MUP_FAULT_RELEASE_UNREACHABLE);
}

static void a_stop_in_mid_transfer_leaves_nothing(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome = {.bench = bench, .waits = 1};
    struct mup_fault fault;
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d/r", bench->port);
    assert_int_equal(mup_releases_add(bench->releases, url, on_added, &outcome, &fault),
                     MUP_FAULT_NONE);
    close_parts(bench);
    open_parts(bench);
    assert_int_equal(outcome.waits, 1);
    assert_int_equal(mup_releases_count(bench->releases), 0);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_release_is_kept_and_there_after_a_restart),
        cmocka_unit_test(the_same_release_twice_is_one_and_another_image_a_conflict),
        cmocka_unit_test(the_same_release_at_the_same_time_is_one),
        cmocka_unit_test(a_change_in_any_byte_of_the_manifest_is_refused),
        cmocka_unit_test(a_manifest_cut_anywhere_is_refused),
        cmocka_unit_test(a_change_in_any_block_of_the_payload_is_refused),
        cmocka_unit_test(a_payload_of_another_size_is_refused),
        cmocka_unit_test(a_transfer_that_ends_early_is_incomplete),
        cmocka_unit_test(what_another_vendor_signed_is_refused),
        cmocka_unit_test(a_manifest_without_end_is_cut_off),
        cmocka_unit_test(what_is_not_there_is_unreachable),
        cmocka_unit_test(a_redirect_leads_to_the_web_only),
        cmocka_unit_test(only_urls_of_folders_are_taken),
        cmocka_unit_test(too_many_at_once_are_told_to_wait),
        cmocka_unit_test(a_stop_in_mid_transfer_leaves_nothing),
    };
    run_bench_tests(tests);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
