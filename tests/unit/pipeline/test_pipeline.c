/* The pipeline's invariants P1 to P3 (mup/pipeline.h), blocks at every split, and failing flash. */
#include "support/cmocka_all.h"

#include <openssl/sha.h>

#include "mup/pipeline.h"
#include "mup/port/hostile.h"

#define PAGE       1024u
#define SLOT_PAGES 24u
#define FLASH_SIZE ((2 * SLOT_PAGES + MUP_STATE_PAGES) * PAGE)
#define IMAGE_MAX  ((SLOT_PAGES - 1) * PAGE)
#define BLOCK_MAX  1024u

struct fixture {
    uint8_t bytes[FLASH_SIZE];
    uint8_t programmed[FLASH_SIZE / 4];
    struct mup_hostile_flash flash;
    struct mup_port_flash port;
    struct mup_flash_map map;
    struct mup_pipeline pipeline;
    uint8_t *block; /* on the heap in its exact size */
    struct mup_manifest manifest;
    uint8_t digest[MUP_DIGEST_SIZE]; /* that names the manifest */
    uint8_t image[IMAGE_MAX];
    uint8_t payload[IMAGE_MAX + 96 * MUP_DIGEST_SIZE];
};

static void release(struct fixture *f, uint32_t image_size, uint32_t block_size, uint8_t seed)
{
    uint32_t stride = block_size + MUP_DIGEST_SIZE;
    uint8_t hash[MUP_DIGEST_SIZE];

    f->manifest = (struct mup_manifest){
        .image_size = image_size,
        .block_size = block_size,
        .payload_size = mup_plain_payload_size(image_size, block_size),
    };
    memset(f->digest, seed, sizeof f->digest);
    for (uint32_t i = 0; i < image_size; i++)
        f->image[i] = (uint8_t)(i * 11 + (i >> 8) * 5 + seed);
    SHA256(f->image, image_size, f->manifest.digest);
    for (uint32_t i = mup_block_count(image_size, block_size); i > 0; i--) {
        uint32_t at = (i - 1) * block_size;
        uint32_t size = image_size - at < block_size ? image_size - at : block_size;
        uint8_t *block = f->payload + (i - 1) * stride;
        bool is_last = at + size == image_size;

        memcpy(block, f->image + at, size);
        if (!is_last)
            memcpy(block + size, hash, sizeof hash);
        SHA256(block, size + (is_last ? 0 : sizeof hash), hash);
    }
    memcpy(f->manifest.first_block_hash, hash, sizeof hash);
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);

    mup_hostile_flash_init(&f->flash, f->bytes, f->programmed, FLASH_SIZE, PAGE);
    f->port = mup_hostile_flash_port(&f->flash);
    f->map = (struct mup_flash_map){.flash = &f->port,
                                    .execution_at = 0,
                                    .staging_at = SLOT_PAGES * PAGE,
                                    .slot_size = SLOT_PAGES * PAGE,
                                    .state_at = 2 * SLOT_PAGES * PAGE};
    f->block = test_malloc(MUP_PIPELINE_BUFFER_SIZE(BLOCK_MAX));
    release(f, 9000, 1024, 1);
    assert_int_equal(mup_pipeline_init(&f->pipeline, &f->map, f->block), MUP_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(f->flash.violation_count, 0);
    test_free(f->block);
    test_free(f);
    return 0;
}

static void begin(struct fixture *f)
{
    assert_int_equal(mup_pipeline_begin(&f->pipeline, &f->manifest, f->digest), MUP_OK);
}

/* From next to the end, in pieces of one size. */
static enum mup_status feed_rest(struct fixture *f, size_t piece)
{
    enum mup_status status = MUP_OK;

    while (status == MUP_OK && !mup_pipeline_is_complete(&f->pipeline)) {
        uint32_t at = mup_pipeline_next(&f->pipeline);
        size_t left = f->manifest.payload_size - at;

        status = mup_pipeline_feed(&f->pipeline, f->payload + at, piece < left ? piece : left);
    }
    return status;
}

static enum mup_status finish(struct fixture *f)
{
    return mup_pipeline_finish(&f->pipeline, f->manifest.image_size, f->manifest.digest);
}

static void a_payload_arrives_whole_in_pieces_of_any_size(void **state)
{
    static const size_t pieces[] = {1,    2,    31,   32,   33,   255,  1023,
                                    1024, 1055, 1056, 1057, 5000, 20000};
    static const uint32_t blocks[] = {256, 512, 1024};
    struct fixture *f = *state;
    uint8_t seed = 1;

    for (size_t b = 0; b < 3; b++)
        for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
            release(f, 9000 + 100 * (uint32_t)i, blocks[b], seed++);
            begin(f);
            assert_int_equal(feed_rest(f, pieces[i]), MUP_OK);
            assert_int_equal(finish(f), MUP_OK);
        }
}

static void one_byte_more_than_the_payload_is_not_taken(void **state)
{
    struct fixture *f = *state;

    begin(f);
    assert_int_equal(feed_rest(f, 1000), MUP_OK);
    assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload, 1), MUP_ERR_SPACE);
    assert_int_equal(finish(f), MUP_OK);
}

static void without_a_manifest_nothing_is_taken(void **state)
{
    struct fixture *f = *state;
    const uint8_t *kept;

    assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload, 1), MUP_ERR_STATE);
    assert_int_equal(finish(f), MUP_ERR_SHORT);
    assert_false(mup_pipeline_kept(&f->pipeline, &kept));
    assert_int_equal(mup_pipeline_next(&f->pipeline), 0);
}

static void p1_a_spoiled_block_never_reaches_flash_wherever_it_is_spoiled(void **state)
{
    struct fixture *f = *state;

    begin(f);
    while (!mup_pipeline_is_complete(&f->pipeline)) {
        uint32_t at = mup_pipeline_next(&f->pipeline);
        uint32_t left = f->manifest.payload_size - at;
        uint32_t size = left < 1056 ? left : 1056;

        for (uint32_t i = 0; i < size; i += 97) {
            uint32_t operations = f->flash.operation_count;

            f->payload[at + i] ^= 0x20;
            assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload + at, size),
                             MUP_ERR_DIGEST);
            f->payload[at + i] ^= 0x20;
            assert_int_equal(f->flash.operation_count, operations);
            assert_int_equal(mup_pipeline_next(&f->pipeline), at);
        }
        assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload + at, size), MUP_OK);
    }
    assert_int_equal(finish(f), MUP_OK);
}

static void two_blocks_in_the_wrong_order_are_refused(void **state)
{
    struct fixture *f = *state;

    begin(f);
    assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload + 1056, 1056), MUP_ERR_DIGEST);
    assert_int_equal(mup_pipeline_next(&f->pipeline), 0);
}

static void p2_after_a_reset_at_any_moment_what_is_kept_is_true(void **state)
{
    static const uint32_t blocks[] = {256, 1024};
    struct fixture *f = *state;

    for (uint32_t stop = 0; stop < 9000; stop += 431)
        for (size_t b = 0; b < 2; b++) {
            uint32_t kept_size;
            const uint8_t *kept;

            release(f, 9000, blocks[b], (uint8_t)(2 + stop / 431 * 2 + b));
            begin(f);
            assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload, stop), MUP_OK);
            assert_int_equal(mup_pipeline_init(&f->pipeline, &f->map, f->block), MUP_OK);
            kept_size = mup_pipeline_next(&f->pipeline);
            assert_true(kept_size <= stop);
            assert_true(stop - kept_size < 2 * MUP_PIPELINE_RECORD_SIZE);
            if (kept_size > 0) {
                assert_true(mup_pipeline_kept(&f->pipeline, &kept));
                assert_memory_equal(kept, f->digest, sizeof f->digest);
            }
            begin(f);
            assert_int_equal(mup_pipeline_next(&f->pipeline), kept_size);
            assert_int_equal(feed_rest(f, 700), MUP_OK);
            assert_int_equal(finish(f), MUP_OK);
        }
}

static void p3_a_record_is_not_used_for_another_manifest(void **state)
{
    struct fixture *f = *state;
    const uint8_t *kept;

    begin(f);
    assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload, 6000), MUP_OK);
    assert_int_equal(mup_pipeline_init(&f->pipeline, &f->map, f->block), MUP_OK);
    assert_true(mup_pipeline_kept(&f->pipeline, &kept));
    f->digest[31] ^= 1;
    begin(f);
    assert_int_equal(mup_pipeline_next(&f->pipeline), 0);
    assert_int_equal(mup_pipeline_init(&f->pipeline, &f->map, f->block), MUP_OK);
    assert_false(mup_pipeline_kept(&f->pipeline, &kept)); /* and it is gone */
}

static void p3_a_record_that_is_not_at_a_border_of_the_manifest_is_not_used(void **state)
{
    struct fixture *f = *state;

    begin(f);
    assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload, 6000), MUP_OK);
    assert_int_equal(mup_pipeline_init(&f->pipeline, &f->map, f->block), MUP_OK);
    f->manifest.block_size = 512; /* the same digest, as no honest manifest would have */
    f->manifest.payload_size = mup_plain_payload_size(9000, 512);
    begin(f);
    assert_int_equal(mup_pipeline_next(&f->pipeline), 0);
}

static void the_same_manifest_again_goes_on_in_the_middle_of_a_block(void **state)
{
    struct fixture *f = *state;

    begin(f);
    assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload, 1500), MUP_OK);
    begin(f);
    assert_int_equal(mup_pipeline_next(&f->pipeline), 1500);
    assert_int_equal(feed_rest(f, 100), MUP_OK);
    assert_int_equal(finish(f), MUP_OK);
    begin(f);
    assert_true(mup_pipeline_is_complete(&f->pipeline));
}

static void an_image_that_does_not_fit_is_refused_before_anything_is_forgotten(void **state)
{
    struct fixture *f = *state;

    begin(f);
    assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload, 1500), MUP_OK);
    f->manifest.image_size = IMAGE_MAX + 1;
    assert_int_equal(mup_pipeline_begin(&f->pipeline, &f->manifest, f->digest), MUP_ERR_SPACE);
    assert_int_equal(mup_pipeline_next(&f->pipeline), 1500);
}

static void what_rots_in_flash_is_found_at_the_end(void **state)
{
    struct fixture *f = *state;

    begin(f);
    assert_int_equal(feed_rest(f, 1000), MUP_OK);
    f->bytes[f->map.staging_at + PAGE + 8999] ^= 1;
    assert_int_equal(finish(f), MUP_ERR_DIGEST);
}

static void dropped_is_forgotten_also_after_a_reset(void **state)
{
    struct fixture *f = *state;
    const uint8_t *kept;

    begin(f);
    assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload, 6000), MUP_OK);
    assert_int_equal(mup_pipeline_drop(&f->pipeline), MUP_OK);
    assert_false(mup_pipeline_kept(&f->pipeline, &kept));
    assert_int_equal(mup_pipeline_init(&f->pipeline, &f->map, f->block), MUP_OK);
    assert_false(mup_pipeline_kept(&f->pipeline, &kept));
}

/* Each call of the flash fails once: the payload can be begun again and comes out whole. */
static void the_flash_may_fail_at_any_call(void **state)
{
    struct fixture *f = *state;
    uint32_t calls;

    begin(f);
    assert_int_equal(feed_rest(f, 1056), MUP_OK);
    calls = f->flash.call_count;
    for (uint32_t n = 1; n <= calls; n += n < 40 ? 1 : 13) {
        enum mup_status status;

        release(f, 9000, 1024, (uint8_t)(n + 1));
        f->flash.fail_at = f->flash.call_count + n;
        status = mup_pipeline_begin(&f->pipeline, &f->manifest, f->digest);
        if (status == MUP_OK)
            status = feed_rest(f, 1056);
        f->flash.fail_at = 0;
        assert_true(status == MUP_OK || status == MUP_ERR_FLASH);
        begin(f);
        assert_int_equal(feed_rest(f, 1056), MUP_OK);
        assert_int_equal(finish(f), MUP_OK);
    }
}

/* Not one call but all fail for a while, also the one that looks for what is left. */
static void a_flash_that_was_dead_for_a_while_is_used_again(void **state)
{
    struct fixture *f = *state;
    const uint8_t *kept;

    begin(f);
    assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload, 5 * 1056), MUP_OK);
    f->flash.dead = true;
    assert_int_equal(mup_pipeline_feed(&f->pipeline, f->payload + 5 * 1056, 1056), MUP_ERR_FLASH);
    assert_int_equal(mup_pipeline_begin(&f->pipeline, &f->manifest, f->digest), MUP_ERR_FLASH);
    assert_false(mup_pipeline_kept(&f->pipeline, &kept));
    f->flash.dead = false;

    begin(f); /* what the record speaks of is found again */
    assert_int_equal(mup_pipeline_next(&f->pipeline), 4 * 1056);
    assert_int_equal(feed_rest(f, 1056), MUP_OK);
    assert_int_equal(finish(f), MUP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_payload_arrives_whole_in_pieces_of_any_size),
        TEST(one_byte_more_than_the_payload_is_not_taken),
        TEST(without_a_manifest_nothing_is_taken),
        TEST(p1_a_spoiled_block_never_reaches_flash_wherever_it_is_spoiled),
        TEST(two_blocks_in_the_wrong_order_are_refused),
        TEST(p2_after_a_reset_at_any_moment_what_is_kept_is_true),
        TEST(p3_a_record_is_not_used_for_another_manifest),
        TEST(p3_a_record_that_is_not_at_a_border_of_the_manifest_is_not_used),
        TEST(the_same_manifest_again_goes_on_in_the_middle_of_a_block),
        TEST(an_image_that_does_not_fit_is_refused_before_anything_is_forgotten),
        TEST(what_rots_in_flash_is_found_at_the_end),
        TEST(dropped_is_forgotten_also_after_a_reset),
        TEST(the_flash_may_fail_at_any_call),
        TEST(a_flash_that_was_dead_for_a_while_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
