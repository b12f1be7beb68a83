/* The network settings in flash (firmware/microbit/settings.h). */
#include "support/cmocka_all.h"

#include "settings.h"
#include "support/flash_memory.h"

#define FLASH_SIZE 262144u
#define PAGE_SIZE  1024u

static const struct microbit_settings example = {
    .address = {.eui64 = {0xbe, 0xf5, 0x04, 0xc0, 0xa6, 0x49, 0x75, 0x18}, .short_address = 0x1234},
    .broker = {0xfe, 0x80, [15] = 1},
    .broker_port = 1883,
    .pan_id = 0xabcd,
    .trial_s = 20,
    .password = "correct horse battery staple",
};

struct memory {
    struct mup_hostile_flash flash;
    struct mup_port_flash port;
    struct mup_flash_map map;
};

static int open_memory(void **state)
{
    struct memory *memory = malloc(sizeof *memory);

    mup_hostile_flash_init(&memory->flash, malloc(FLASH_SIZE), malloc(FLASH_SIZE / 4), FLASH_SIZE,
                           PAGE_SIZE);
    memory->port = mup_hostile_flash_port(&memory->flash);
    *state = memory;
    return mup_flash_map_default(&memory->map, &memory->port) == MUP_OK ? 0 : -1;
}

static int close_memory(void **state)
{
    struct memory *memory = *state;

    free(memory->flash.bytes);
    free(memory->flash.programmed);
    free(memory);
    return 0;
}

static void what_was_saved_is_loaded(void **state)
{
    struct memory *memory = *state;
    struct microbit_settings read;

    assert_int_equal(microbit_settings_save(&memory->map, &example), MUP_OK);
    assert_int_equal(microbit_settings_load(&read, &memory->map), MUP_OK);
    assert_memory_equal(&read, &example, sizeof read);
}

static void they_can_be_saved_again(void **state)
{
    struct memory *memory = *state;
    struct microbit_settings other = example;
    struct microbit_settings read;

    other.broker_port = 8883;
    assert_int_equal(microbit_settings_save(&memory->map, &example), MUP_OK);
    assert_int_equal(microbit_settings_save(&memory->map, &other), MUP_OK);
    assert_int_equal(microbit_settings_load(&read, &memory->map), MUP_OK);
    assert_int_equal(read.broker_port, 8883);
}

static void an_empty_flash_has_none(void **state)
{
    struct memory *memory = *state;
    struct microbit_settings read = {.broker_port = 99};

    assert_int_equal(microbit_settings_load(&read, &memory->map), MUP_ERR_FORMAT);
    assert_int_equal(read.broker_port, 99);
}

static void each_flipped_bit_is_noticed(void **state)
{
    struct memory *memory = *state;
    struct microbit_settings read;
    uint8_t *bytes = memory->flash.bytes + MICROBIT_SETTINGS_AT;

    assert_int_equal(microbit_settings_save(&memory->map, &example), MUP_OK);
    for (size_t bit = 0; bit < 8 * (sizeof(struct microbit_settings_record)); bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(microbit_settings_load(&read, &memory->map), MUP_ERR_FORMAT);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(microbit_settings_load(&read, &memory->map), MUP_OK);
}

static void they_lie_within_the_bootloaders_area(void **state)
{
    struct memory *memory = *state;

    assert_int_equal(MICROBIT_SETTINGS_AT % PAGE_SIZE, 0);
    assert_int_equal(MICROBIT_SETTINGS_AT + PAGE_SIZE, memory->map.execution_at);
    assert_true(sizeof(struct microbit_settings_record) <= PAGE_SIZE);
}

#define SETTINGS_TEST(name) cmocka_unit_test_setup_teardown(name, open_memory, close_memory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SETTINGS_TEST(what_was_saved_is_loaded),
        SETTINGS_TEST(they_can_be_saved_again),
        SETTINGS_TEST(an_empty_flash_has_none),
        SETTINGS_TEST(each_flipped_bit_is_noticed),
        SETTINGS_TEST(they_lie_within_the_bootloaders_area),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
