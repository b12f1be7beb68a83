/* The staging slot: any pieces, resumption at pages, limits, and F6. */
#include "support/cmocka_all.h"

#include "mup/slot.h"
#include "support/flash_memory.h"

#define IMAGE_SIZE 3001u
#define IMAGE_AT   (TEST_SLOT_SIZE + TEST_PAGE_SIZE) /* one page up in staging */

static uint8_t *new_image(void)
{
    uint8_t *image = malloc(IMAGE_SIZE);

    for (uint32_t i = 0; i < IMAGE_SIZE; i++)
        image[i] = (uint8_t)(i * 7 + i / 251);
    return image;
}

static void pieces_of_every_size_give_the_same_image(void **state)
{
    uint8_t *image = new_image();

    (void)state;
    for (uint32_t piece = 4; piece <= 1200; piece += 4) {
        struct flash_memory *memory = flash_memory_new();
        struct mup_slot_writer writer;

        assert_int_equal(mup_slot_begin(&writer, &memory->map, IMAGE_SIZE), MUP_OK);
        for (uint32_t at = 0; at < IMAGE_SIZE; at += piece) {
            uint32_t size = IMAGE_SIZE - at < piece ? IMAGE_SIZE - at : piece;

            assert_int_equal(mup_slot_offset(&writer), at);
            assert_int_equal(mup_slot_write(&writer, image + at, size), MUP_OK);
        }
        assert_memory_equal(memory->flash.bytes + IMAGE_AT, image, IMAGE_SIZE);
        assert_int_equal(memory->flash.bytes[IMAGE_AT + IMAGE_SIZE], 0xff);
        assert_int_equal(memory->flash.violation_count, 0);
        flash_memory_free(memory);
    }
    free(image);
}

static void nothing_outside_of_the_slot_is_touched(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    uint32_t size = mup_flash_map_image_size_max(&memory->map);
    uint8_t *zeros = calloc(1, size);
    struct mup_slot_writer writer;

    (void)state;
    memset(memory->flash.bytes, 0x3c, memory->flash.size);
    assert_int_equal(mup_slot_begin(&writer, &memory->map, size), MUP_OK);
    assert_int_equal(mup_slot_write(&writer, zeros, size), MUP_OK);
    assert_int_equal(mup_slot_erase_ahead(&writer), MUP_OK);
    for (uint32_t i = 0; i < memory->flash.size; i++) {
        bool written = i >= IMAGE_AT && i < IMAGE_AT + size;

        assert_int_equal(memory->flash.bytes[i], written ? 0 : 0x3c);
    }
    free(zeros);
    flash_memory_free(memory);
}

static void refuses_what_does_not_fit(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    uint32_t max = mup_flash_map_image_size_max(&memory->map);
    struct mup_slot_writer writer;
    uint8_t bytes[11] = {0};

    (void)state;
    assert_int_equal(mup_slot_begin(&writer, &memory->map, max + 1), MUP_ERR_SPACE);
    assert_int_equal(mup_slot_begin(&writer, &memory->map, UINT32_MAX), MUP_ERR_SPACE);
    assert_int_equal(mup_slot_begin(&writer, &memory->map, 0), MUP_ERR_RANGE);
    assert_int_equal(mup_slot_begin(&writer, &memory->map, 10), MUP_OK);
    assert_int_equal(mup_slot_write(&writer, bytes, 11), MUP_ERR_SPACE);
    for (size_t size = 1; size < 10; size++) /* words, or all that is left */
        if (size % 4 != 0)
            assert_int_equal(mup_slot_write(&writer, bytes, size), MUP_ERR_RANGE);
    assert_int_equal(memory->flash.operation_count, 0);
    assert_int_equal(mup_slot_write(&writer, bytes, 8), MUP_OK);
    assert_int_equal(mup_slot_write(&writer, bytes, 3), MUP_ERR_SPACE);
    assert_int_equal(mup_slot_write(&writer, bytes, 1), MUP_ERR_RANGE);
    assert_int_equal(mup_slot_write(&writer, bytes, 2), MUP_OK);
    assert_int_equal(mup_slot_write(&writer, bytes, 1), MUP_ERR_SPACE);
    flash_memory_free(memory);
}

static void resumes_only_at_a_page(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_slot_writer writer;

    (void)state;
    for (uint32_t offset = 0; offset <= 5000; offset++) {
        bool right = offset % TEST_PAGE_SIZE == 0 && offset <= IMAGE_SIZE;
        enum mup_status status = mup_slot_resume(&writer, &memory->map, IMAGE_SIZE, offset);

        assert_int_equal(status, right ? MUP_OK : MUP_ERR_RANGE);
        if (right) {
            assert_int_equal(mup_slot_offset(&writer), offset);
            assert_true(mup_slot_is_at_page(&writer));
        }
    }
    flash_memory_free(memory);
}

/* F6: cut at each operation, resume at the last page boundary; the image is whole in the end. */
static void a_cut_transfer_goes_on_at_the_page_before(void **state)
{
    uint8_t *image = new_image();

    (void)state;
    for (int cut = 0; cut < MUP_HOSTILE_CUT_COUNT; cut++) {
        for (uint32_t at = 1; at < 3 + (IMAGE_SIZE + 3) / 4; at += 13) {
            struct flash_memory *memory = flash_memory_new();
            struct mup_slot_writer writer;
            uint32_t done = 0;

            memory->flash.cut_at = at;
            memory->flash.cut = (enum mup_hostile_cut)cut;
            assert_int_equal(mup_slot_begin(&writer, &memory->map, IMAGE_SIZE), MUP_OK);
            while (done < IMAGE_SIZE - 1 && mup_slot_write(&writer, image + done, 4) == MUP_OK)
                done += 4;
            mup_hostile_flash_power_on(&memory->flash);
            done -= done % TEST_PAGE_SIZE;
            assert_int_equal(mup_slot_resume(&writer, &memory->map, IMAGE_SIZE, done), MUP_OK);
            assert_int_equal(mup_slot_write(&writer, image + done, IMAGE_SIZE - done), MUP_OK);
            assert_memory_equal(memory->flash.bytes + IMAGE_AT, image, IMAGE_SIZE);
            assert_int_equal(memory->flash.violation_count, 0);
            flash_memory_free(memory);
        }
    }
    free(image);
}

static void erasing_ahead_saves_the_wait_and_stops_at_two_pages(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    uint8_t *image = new_image();
    struct mup_slot_writer writer;
    uint32_t operations;

    (void)state;
    assert_int_equal(mup_slot_begin(&writer, &memory->map, IMAGE_SIZE), MUP_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(mup_slot_erase_ahead(&writer), MUP_OK);
    assert_int_equal(memory->flash.operation_count, 2);
    operations = memory->flash.operation_count;
    assert_int_equal(mup_slot_write(&writer, image, 2048), MUP_OK);
    assert_int_equal(memory->flash.operation_count, operations + 512);
    for (int i = 0; i < 5; i++)
        assert_int_equal(mup_slot_erase_ahead(&writer), MUP_OK);
    assert_int_equal(memory->flash.operation_count,
                     operations + 512 + 1); /* the image ends there */
    assert_int_equal(mup_slot_write(&writer, image + 2048, IMAGE_SIZE - 2048), MUP_OK);
    assert_memory_equal(memory->flash.bytes + IMAGE_AT, image, IMAGE_SIZE);
    free(image);
    flash_memory_free(memory);
}

static void reads_and_digests_both_slots(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    uint8_t *image = new_image();
    uint8_t expected[MUP_SHA256_SIZE];
    uint8_t digest[MUP_SHA256_SIZE];
    uint8_t bytes[5];

    (void)state;
    memcpy(memory->flash.bytes, image, IMAGE_SIZE);
    memcpy(memory->flash.bytes + IMAGE_AT, image, IMAGE_SIZE);
    for (uint32_t size = 0; size <= IMAGE_SIZE; size += 77) {
        mup_sha256_of(expected, image, size);
        assert_int_equal(mup_slot_digest(&memory->map, MUP_SLOT_EXECUTION, size, digest), MUP_OK);
        assert_memory_equal(digest, expected, sizeof digest);
        assert_int_equal(mup_slot_digest(&memory->map, MUP_SLOT_STAGING, size, digest), MUP_OK);
        assert_memory_equal(digest, expected, sizeof digest);
    }
    assert_int_equal(mup_slot_read(&memory->map, MUP_SLOT_STAGING, 17, bytes, 5), MUP_OK);
    assert_memory_equal(bytes, image + 17, 5);
    assert_int_equal(mup_slot_read(&memory->map, MUP_SLOT_STAGING, 4092, bytes, 5), MUP_ERR_RANGE);
    assert_int_equal(mup_slot_read(&memory->map, MUP_SLOT_EXECUTION, UINT32_MAX, bytes, 5),
                     MUP_ERR_RANGE);
    assert_int_equal(mup_slot_digest(&memory->map, MUP_SLOT_STAGING, 4097, digest), MUP_ERR_RANGE);
    memory->flash.fail_at = memory->flash.call_count + 2;
    assert_int_equal(mup_slot_digest(&memory->map, MUP_SLOT_STAGING, 4096, digest), MUP_ERR_FLASH);
    free(image);
    flash_memory_free(memory);
}

static void each_failing_call_stops_the_writer(void **state)
{
    uint8_t *image = new_image();

    (void)state;
    for (uint32_t at = 1;; at++) {
        struct flash_memory *memory = flash_memory_new();
        struct mup_slot_writer writer;
        enum mup_status status;

        memory->flash.fail_at = at;
        assert_int_equal(mup_slot_begin(&writer, &memory->map, IMAGE_SIZE), MUP_OK);
        status = mup_slot_write(&writer, image, IMAGE_SIZE);
        if (status == MUP_OK) {
            assert_true(at > memory->flash.call_count);
            flash_memory_free(memory);
            break;
        }
        assert_int_equal(status, MUP_ERR_FLASH);
        assert_int_equal(memory->flash.call_count, at);
        flash_memory_free(memory);
    }
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_every_size_give_the_same_image),
        cmocka_unit_test(nothing_outside_of_the_slot_is_touched),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(resumes_only_at_a_page),
        cmocka_unit_test(a_cut_transfer_goes_on_at_the_page_before),
        cmocka_unit_test(erasing_ahead_saves_the_wait_and_stops_at_two_pages),
        cmocka_unit_test(reads_and_digests_both_slots),
        cmocka_unit_test(each_failing_call_stops_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
