/* Turns in between (firmware/microbit/turns.h): when there is one, and that nothing else changes.
 */
#include "support/cmocka_all.h"

#include "firmware.h"
#include "mup/port/nrf51.h"
#include "turns.h"

static uint32_t now_ms;
static unsigned turns_given;
static unsigned depth;
static uint32_t programmed[64];
static size_t parts;
static int flash_result;
static uint32_t work_ms; /* what each call of the board's functions takes */
static uint32_t waited_us;

uint32_t microbit_now_ms(void)
{
    return now_ms;
}

void microbit_meanwhile(void)
{
    assert_int_equal(depth++, 0);
    turns_given++;
    microbit_give_way(); /* as if something in there were long, too */
    now_ms += MICROBIT_TURN_MS;
    microbit_give_way();
    microbit_turn_ended();
    depth--;
}

void mup_nrf51_wait_us(uint32_t wait_us)
{
    assert_true(wait_us <= 0xffff);
    waited_us += wait_us;
}

static int board_read(void *context, uint32_t at, void *out, size_t size)
{
    (void)context, (void)at;
    memset(out, 0x5a, size);
    return flash_result;
}

static int board_program(void *context, uint32_t at, const uint32_t *words, size_t word_count)
{
    (void)context;
    now_ms += work_ms;
    parts++;
    for (size_t i = 0; i < word_count; i++)
        programmed[at / 4 + i] = words[i];
    return flash_result;
}

static int board_erase(void *context, uint32_t page_at)
{
    (void)context, (void)page_at;
    return flash_result;
}

struct mup_port_flash mup_nrf51_flash_port(void)
{
    return (struct mup_port_flash){.size = MUP_NRF51_FLASH_SIZE,
                                   .page_size = MUP_NRF51_FLASH_PAGE_SIZE,
                                   .read = board_read,
                                   .program = board_program,
                                   .erase = board_erase};
}

static int board_fill(void *context, uint8_t *out, size_t size)
{
    (void)context;
    now_ms += work_ms;
    parts++;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(0xa0 + i);
    return flash_result;
}

struct mup_port_random mup_nrf51_random_port(void)
{
    return (struct mup_port_random){.fill = board_fill};
}

static int forget(void **state)
{
    (void)state;
    now_ms = 0xffffffffu; /* the clock is about to wrap */
    turns_given = depth = 0;
    parts = 0;
    flash_result = 0;
    work_ms = 0;
    waited_us = 0;
    memset(programmed, 0, sizeof programmed);
    return 0;
}

/* The first test: nothing has begun yet. */
static void before_the_beginning_there_is_no_turn(void **state)
{
    (void)state;
    now_ms += 1000;
    microbit_give_way();
    assert_int_equal(turns_given, 0);
}

static void a_turn_is_given_when_the_last_one_is_long_ago(void **state)
{
    (void)state;
    microbit_turns_begin();
    now_ms += MICROBIT_TURN_MS - 1;
    microbit_give_way();
    assert_int_equal(turns_given, 0);
    now_ms++;
    microbit_give_way();
    assert_int_equal(turns_given, 1);
    microbit_give_way();
    assert_int_equal(turns_given, 1);
}

static void long_writes_are_interrupted_and_whole(void **state)
{
    struct mup_port_flash flash = microbit_flash_port();
    uint32_t words[50];

    (void)state;
    for (uint32_t i = 0; i < 50; i++)
        words[i] = 0x01020304u + i;
    microbit_turns_begin();
    work_ms = 2;
    assert_int_equal(flash.program(flash.context, 8, words, 50), 0);
    assert_int_equal(programmed[1], 0);
    assert_memory_equal(programmed + 2, words, sizeof words);
    assert_int_equal(programmed[52], 0);
    assert_int_equal(parts, 4);
    assert_int_equal(turns_given, 1);
}

static void writing_counts_also_where_the_clock_stands_still(void **state)
{
    struct mup_port_flash flash = microbit_flash_port();
    uint32_t words[64] = {0};

    (void)state;
    microbit_turns_begin();
    for (int i = 0; i < 4; i++)
        assert_int_equal(flash.program(flash.context, 0, words, 16), 0);
    assert_int_equal(turns_given, 0);
    microbit_give_way();
    assert_int_equal(turns_given, 1);
}

static void after_an_erasure_there_is_a_turn(void **state)
{
    struct mup_port_flash flash = microbit_flash_port();
    uint8_t byte;

    (void)state;
    microbit_turns_begin();
    assert_int_equal(flash.erase(flash.context, 1024), 0);
    assert_int_equal(turns_given, 0);
    assert_int_equal(flash.read(flash.context, 1024, &byte, 1), 0);
    assert_int_equal(turns_given, 1);
    assert_int_equal(byte, 0x5a);
}

static void what_the_flash_cannot_do_is_told_at_once(void **state)
{
    struct mup_port_flash flash = microbit_flash_port();
    uint32_t words[50] = {0};
    uint8_t byte;

    (void)state;
    flash_result = -1;
    assert_true(flash.program(flash.context, 0, words, 50) < 0);
    assert_int_equal(parts, 1);
    assert_true(flash.erase(flash.context, 0) < 0);
    assert_true(flash.read(flash.context, 0, &byte, 1) < 0);
    assert_int_equal(flash.size, MUP_NRF51_FLASH_SIZE);
    assert_int_equal(flash.page_size, MUP_NRF51_FLASH_PAGE_SIZE);
}

static void random_bytes_come_in_parts(void **state)
{
    static const uint8_t expected[] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa0, 0xa1,
                                       0xa2, 0xa3, 0xa0, 0xa1, 0x00};
    struct mup_port_random random = microbit_random_port();
    uint8_t bytes[11] = {0};

    (void)state;
    microbit_turns_begin();
    work_ms = 3;
    assert_int_equal(random.fill(random.context, bytes, 10), 0);
    assert_memory_equal(bytes, expected, sizeof bytes);
    assert_int_equal(turns_given, 1);
    flash_result = -1;
    assert_true(random.fill(random.context, bytes, 10) < 0);
    assert_int_equal(parts, 4);
}

/* The last test: there is no way back. 46.3 us a word, of 16 at most; 22.3 ms a page. */
static void flash_takes_its_times_if_told(void **state)
{
    struct mup_port_flash flash = microbit_flash_port();
    uint32_t words[50] = {0};

    (void)state;
    assert_int_equal(flash.erase(flash.context, 0), 0);
    assert_int_equal(flash.program(flash.context, 0, words, 50), 0);
    assert_int_equal(waited_us, 0);
    microbit_turns_take_flash_times();
    assert_int_equal(flash.erase(flash.context, 0), 0);
    assert_int_equal(waited_us, 22300);
    waited_us = 0;
    assert_int_equal(flash.program(flash.context, 0, words, 50), 0);
    assert_int_equal(waited_us, 741 + 741 + 741 + 93);
    waited_us = 0;
    flash_result = -1;
    assert_true(flash.program(flash.context, 0, words, 50) < 0);
    assert_int_equal(waited_us, 741);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(before_the_beginning_there_is_no_turn, forget),
        cmocka_unit_test_setup(a_turn_is_given_when_the_last_one_is_long_ago, forget),
        cmocka_unit_test_setup(long_writes_are_interrupted_and_whole, forget),
        cmocka_unit_test_setup(writing_counts_also_where_the_clock_stands_still, forget),
        cmocka_unit_test_setup(after_an_erasure_there_is_a_turn, forget),
        cmocka_unit_test_setup(what_the_flash_cannot_do_is_told_at_once, forget),
        cmocka_unit_test_setup(random_bytes_come_in_parts, forget),
        cmocka_unit_test_setup(flash_takes_its_times_if_told, forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
