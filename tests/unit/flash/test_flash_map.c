/* The default partition, every mistake in a map, and checked access. */
#include "support/cmocka_all.h"

#include "mup/flash_access.h"
#include "support/flash_memory.h"

static void the_default_partition_fills_256_kB(void **state)
{
    struct mup_port_flash port = {.size = 262144, .page_size = 1024};
    struct mup_flash_map map;

    (void)state;
    assert_int_equal(mup_flash_map_default(&map, &port), MUP_OK);
    assert_int_equal(map.execution_at, 24 * 1024);
    assert_int_equal(map.staging_at, 136 * 1024);
    assert_int_equal(map.slot_size, 112 * 1024);
    assert_int_equal(map.state_at, 248 * 1024);
    assert_int_equal(mup_flash_map_image_size_max(&map), 111 * 1024);
}

static void the_default_partition_needs_its_size_and_page(void **state)
{
    struct mup_port_flash small = {.size = 262144 - 1024, .page_size = 1024};
    struct mup_port_flash coarse = {.size = 262144, .page_size = 4096};
    struct mup_flash_map map;

    (void)state;
    memset(&map, 0x5a, sizeof map);
    assert_int_equal(mup_flash_map_default(&map, &small), MUP_ERR_SPACE);
    assert_int_equal(mup_flash_map_default(&map, &coarse), MUP_ERR_SPACE);
    assert_int_equal(map.slot_size, 0x5a5a5a5a);
}

static void every_mistake_in_a_map_is_found(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    const struct mup_flash_map good = memory->map;
    const struct {
        uint32_t execution_at;
        uint32_t staging_at;
        uint32_t slot_size;
        uint32_t state_at;
    } bad[] = {
        {4, TEST_SLOT_SIZE, TEST_SLOT_SIZE, 2 * TEST_SLOT_SIZE}, /* alignment */
        {0, TEST_SLOT_SIZE + 4, TEST_SLOT_SIZE, 2 * TEST_SLOT_SIZE},
        {0, TEST_SLOT_SIZE, TEST_SLOT_SIZE - 4, 2 * TEST_SLOT_SIZE},
        {0, TEST_SLOT_SIZE, TEST_SLOT_SIZE, 2 * TEST_SLOT_SIZE + 4},
        {0, TEST_SLOT_SIZE - 1024, TEST_SLOT_SIZE, 2 * TEST_SLOT_SIZE}, /* overlaps */
        {TEST_SLOT_SIZE, TEST_SLOT_SIZE, TEST_SLOT_SIZE, 2 * TEST_SLOT_SIZE},
        {0, TEST_SLOT_SIZE, TEST_SLOT_SIZE, 2 * TEST_SLOT_SIZE - 1024},
        {0, TEST_SLOT_SIZE, TEST_SLOT_SIZE, 0},
        {0, TEST_SLOT_SIZE, TEST_SLOT_SIZE, 2 * TEST_SLOT_SIZE + 1024}, /* beyond the end */
        {0, 0xfffffc00u, TEST_SLOT_SIZE, 2 * TEST_SLOT_SIZE},
        {0, TEST_SLOT_SIZE, 0xfffffc00u, 2 * TEST_SLOT_SIZE},
        {0, TEST_SLOT_SIZE, 1024, 2 * TEST_SLOT_SIZE}, /* no room for the free page */
        {0, TEST_SLOT_SIZE, 0, 2 * TEST_SLOT_SIZE},
    };

    (void)state;
    assert_int_equal(mup_flash_map_check(&good), MUP_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct mup_flash_map map = {&memory->port, bad[i].execution_at, bad[i].staging_at,
                                    bad[i].slot_size, bad[i].state_at};

        assert_int_equal(mup_flash_map_check(&map), MUP_ERR_RANGE);
    }
    memory->port.page_size = 512;
    assert_int_equal(mup_flash_map_check(&good), MUP_ERR_RANGE);
    memory->port.page_size = 1536;
    assert_int_equal(mup_flash_map_check(&good), MUP_ERR_RANGE);
    flash_memory_free(memory);
}

static void a_write_that_did_not_take_is_noticed(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    uint32_t word = 0x01020304;

    (void)state;
    memory->flash.bytes[8] = 0; /* a bit that is stuck at zero */
    assert_int_equal(mup_flash_write(&memory->port, 4, &word, 4), MUP_OK);
    assert_int_equal(mup_flash_write(&memory->port, 8, &word, 4), MUP_ERR_FLASH);
    flash_memory_free(memory);
}

static void each_failing_call_stops_a_copied_page(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    uint32_t calls;

    (void)state;
    memset(memory->flash.bytes, 0xa7, TEST_PAGE_SIZE);
    assert_int_equal(mup_flash_copy_page(&memory->port, 1024, 0), MUP_OK);
    assert_memory_equal(memory->flash.bytes, memory->flash.bytes + 1024, 1024);
    calls = memory->flash.call_count;
    assert_int_equal(calls, 1 + 16 * 3); /* erase; then read, program, read back */
    for (uint32_t n = 1; n <= calls; n++) {
        mup_hostile_flash_power_on(&memory->flash);
        memory->flash.fail_at = n;
        assert_int_equal(mup_flash_copy_page(&memory->port, 1024, 0), MUP_ERR_FLASH);
        assert_int_equal(memory->flash.call_count, n);
    }
    flash_memory_free(memory);
}

static void the_crc_is_that_of_ieee_802_3(void **state)
{
    (void)state;
    assert_int_equal(mup_flash_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(mup_flash_crc32(mup_flash_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
    assert_int_equal(mup_flash_crc32(0, "", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_partition_fills_256_kB),
        cmocka_unit_test(the_default_partition_needs_its_size_and_page),
        cmocka_unit_test(every_mistake_in_a_map_is_found),
        cmocka_unit_test(a_write_that_did_not_take_is_noticed),
        cmocka_unit_test(each_failing_call_stops_a_copied_page),
        cmocka_unit_test(the_crc_is_that_of_ieee_802_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
