/*
 * The conformance suite itself: a port that keeps its promises passes, and each port here breaks
 * one in a way that has been seen in drivers, and is found out.
 */
#include "support/cmocka_all.h"

#include <stdio.h>

#include "board.h"
#include "port/hostile_device.h"

#define PROMISES 30

static struct hostile_device device;
static struct hostile_device
    good; /* the contracts as they were, for what a bad port leaves alone */
static char lines[16384];

static void print(const char *text)
{
    size_t size = strlen(lines);

    assert_true(size + strlen(text) < sizeof lines);
    memcpy(lines + size, text, strlen(text) + 1);
}

static void begin(void)
{
    lines[0] = '\0';
    hostile_device_init(&device, false, print);
    good.flash_port = device.flash_port;
    good.random_port = device.random_port;
    good.transport_port = device.transport_port;
    good.clock_port = device.clock_port;
}

static unsigned count(const char *text)
{
    unsigned found = 0;

    for (const char *at = lines; (at = strstr(at, text)) != NULL; at++)
        found++;
    return found;
}

/* Run, and want the promise of that text to be found broken. */
static void assert_found_out(const char *promise)
{
    char line[128];
    const char *end;
    uint32_t failed = hostile_device_run(&device);

    assert_true(failed > 0);
    snprintf(line, sizeof line, " %s", promise);
    end = strstr(lines, line);
    assert_non_null(end);
    while (end > lines && end[-1] != '\n')
        end--;
    if (strncmp(end, "not ok ", 7) != 0)
        print_message("%s", lines);
    assert_memory_equal(end, "not ok ", 7);
}

/* ---- flash ----------------------------------------------------------------------------------- */

static int flash_erase_some(void *context, uint32_t page_at)
{
    int answer = good.flash_port.erase(context, page_at);

    if (answer == 0)
        device.bytes[page_at + HOSTILE_DEVICE_PAGE_SIZE - 1] = 0x7f;
    return answer;
}

static int flash_erase_two(void *context, uint32_t page_at)
{
    int answer = good.flash_port.erase(context, page_at);

    if (answer == 0 && page_at + HOSTILE_DEVICE_PAGE_SIZE < HOSTILE_DEVICE_FLASH_SIZE)
        answer = good.flash_port.erase(context, page_at + HOSTILE_DEVICE_PAGE_SIZE);
    return answer;
}

static int flash_erase_rounding_down(void *context, uint32_t page_at)
{
    return good.flash_port.erase(context, page_at - page_at % HOSTILE_DEVICE_PAGE_SIZE);
}

static int flash_program_pairs(void *context, uint32_t at, const uint32_t *words, size_t count_)
{
    int answer = good.flash_port.program(context, at, words, count_);

    if (answer == 0 && at % 8 == 0 && count_ % 2 == 1)
        device.bytes[at + count_ * 4] = 0;
    return answer;
}

static int flash_program_wrapping(void *context, uint32_t at, const uint32_t *words, size_t count_)
{
    uint32_t left = (HOSTILE_DEVICE_PAGE_SIZE - at % HOSTILE_DEVICE_PAGE_SIZE) / 4;
    uint32_t page_at = at - at % HOSTILE_DEVICE_PAGE_SIZE;

    if (at % 4 != 0 || count_ > 1000 || count_ <= left)
        return good.flash_port.program(context, at, words, count_);
    return good.flash_port.program(context, at, words, left) != 0
               ? -1
               : good.flash_port.program(context, page_at, words + left, count_ - left);
}

static int flash_program_swapped(void *context, uint32_t at, const uint32_t *words, size_t count_)
{
    if (at % 4 != 0 || count_ > 1000)
        return -1;
    for (size_t i = 0; i < count_; i++, at += 4) {
        uint32_t word = words[i];

        word = word << 24 | (word & 0xff00u) << 8 | (word >> 8 & 0xff00u) | word >> 24;
        if (good.flash_port.program(context, at, &word, 1) != 0)
            return -1;
    }
    return 0;
}

static int flash_program_as_ram(void *context, uint32_t at, const uint32_t *words, size_t count_)
{
    int answer = good.flash_port.program(context, at, words, count_);

    if (answer == 0)
        memcpy(device.bytes + at, words, count_ * 4);
    return answer;
}

static int flash_program_unaligned(void *context, uint32_t at, const uint32_t *words, size_t count_)
{
    return good.flash_port.program(context, at & ~3u, words, count_);
}

static int flash_program_half_of_what_is_too_long(void *context, uint32_t at, const uint32_t *words,
                                                  size_t count_)
{
    if (at < HOSTILE_DEVICE_FLASH_SIZE && count_ * 4 > HOSTILE_DEVICE_FLASH_SIZE - at)
        good.flash_port.program(context, at, words, 1);
    return good.flash_port.program(context, at, words, count_);
}

static int flash_read_words(void *context, uint32_t at, void *out, size_t size)
{
    return good.flash_port.read(context, at & ~3u, out, size);
}

static int flash_read_wrapping(void *context, uint32_t at, void *out, size_t size)
{
    if (at + (uint32_t)size <= HOSTILE_DEVICE_FLASH_SIZE && size < 1000)
        return good.flash_port.read(context, at % HOSTILE_DEVICE_FLASH_SIZE, out,
                                    at < HOSTILE_DEVICE_FLASH_SIZE ? size : 0);
    return -1;
}

static void finds_bad_flash(void **state)
{
    static const struct {
        int (*read)(void *context, uint32_t at, void *out, size_t size);
        int (*program)(void *context, uint32_t at, const uint32_t *words, size_t word_count);
        int (*erase)(void *context, uint32_t page_at);
        const char *promise;
    } bad[] = {
        {NULL, NULL, flash_erase_some, "flash: erasing sets the page to ones and no other"},
        {NULL, NULL, flash_erase_two, "flash: erasing sets the page to ones and no other"},
        {NULL, NULL, flash_erase_rounding_down, "flash: erasing is refused where misaligned"},
        {NULL, flash_program_pairs, NULL, "flash: programming changes the word and no other"},
        {NULL, flash_program_wrapping, NULL, "flash: a run of words goes across the border"},
        {NULL, flash_program_swapped, NULL, "flash: bytes are read back in the order"},
        {NULL, flash_program_as_ram, NULL, "flash: programming never sets a bit"},
        {NULL, flash_program_unaligned, NULL, "flash: programming is refused where misaligned"},
        {NULL, flash_program_half_of_what_is_too_long, NULL,
         "flash: programming is refused where misaligned"},
        {flash_read_words, NULL, NULL, "flash: reading knows no alignment"},
        {flash_read_wrapping, NULL, NULL, "flash: reading reaches the last byte"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin();
        if (bad[i].read != NULL)
            device.flash_port.read = bad[i].read;
        if (bad[i].program != NULL)
            device.flash_port.program = bad[i].program;
        if (bad[i].erase != NULL)
            device.flash_port.erase = bad[i].erase;
        assert_found_out(bad[i].promise);
    }
}

static void finds_a_flash_of_a_bad_shape(void **state)
{
    (void)state;
    begin();
    device.flash_port.page_size = 384;
    assert_found_out("flash: the memory is whole pages");
    begin();
    device.flash_port.size -= 4;
    assert_found_out("flash: the memory is whole pages");
}

/* ---- clock ----------------------------------------------------------------------------------- */

static uint32_t clock_stands(void *context)
{
    (void)context;
    return 1234;
}

static uint32_t clock_steps_back(void *context)
{
    uint32_t now = good.clock_port.now_ms(context);

    return now % 100 == 50 ? now - 60 : now;
}

/* Seconds, times 1000. */
static uint32_t clock_is_coarse(void *context)
{
    return good.clock_port.now_ms(context) / 1000 * 1000;
}

/* A counter of 24 bits. */
static uint32_t clock_wraps_early(void *context)
{
    return good.clock_port.now_ms(context) & 0xffffffu;
}

static void finds_a_bad_clock(void **state)
{
    static const struct {
        uint32_t (*now_ms)(void *context);
        const char *promise;
    } bad[] = {
        {clock_stands, "clock: it goes on"},
        {clock_steps_back, "clock: it never runs backwards"},
        {clock_is_coarse, "clock: its steps are 20 ms or finer"},
        {clock_wraps_early, "clock: it wraps at 32 bits"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin();
        device.suite.patience = 10000;
        device.clock_port.now_ms = bad[i].now_ms;
        assert_found_out(bad[i].promise);
    }
}

/* ---- random ---------------------------------------------------------------------------------- */

static int random_short(void *context, uint8_t *out, size_t size)
{
    return good.random_port.fill(context, out, size - size % 4);
}

static int random_long(void *context, uint8_t *out, size_t size)
{
    return good.random_port.fill(context, out, (size + 3) / 4 * 4);
}

static int random_same(void *context, uint8_t *out, size_t size)
{
    (void)context;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)i;
    return 0;
}

static int random_poor(void *context, uint8_t *out, size_t size)
{
    static uint8_t turns;

    (void)context;
    memset(out, ++turns, size);
    return 0;
}

static void finds_bad_randomness(void **state)
{
    static const struct {
        int (*fill)(void *context, uint8_t *out, size_t size);
        const char *promise;
    } bad[] = {
        {random_short, "random: it fills all bytes asked for and no other"},
        {random_long, "random: it fills all bytes asked for and no other"},
        {random_same, "random: it does not repeat itself"},
        {random_poor, "random: its bytes take many values"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin();
        device.random_port.fill = bad[i].fill;
        assert_found_out(bad[i].promise);
    }
    begin();
    device.random_broken_port.fill = random_same; /* improvises */
    assert_found_out("random: without a source it fails");
}

/* ---- transport ------------------------------------------------------------------------------- */

static int open_never(void *context)
{
    (void)context;
    return 0;
}

static int open_says_nothing_when_open(void *context)
{
    return device.stream.is_open ? 0 : good.transport_port.open(context);
}

/* As recv() of POSIX. */
static int receive_says_nothing_when_closed(void *context, uint8_t *out, size_t size)
{
    int answer = good.transport_port.receive(context, out, size);

    return answer < 0 ? 0 : answer;
}

/* As read() without EAGAIN in mind. */
static int receive_fails_when_empty(void *context, uint8_t *out, size_t size)
{
    int answer = good.transport_port.receive(context, out, size);

    return answer == 0 ? -1 : answer;
}

static int receive_one_too_many(void *context, uint8_t *out, size_t size)
{
    return good.transport_port.receive(context, out, size + 1);
}

static int receive_loses_bytes_at_the_end(void *context, uint8_t *out, size_t size)
{
    return device.stream.ends ? -1 : good.transport_port.receive(context, out, size);
}

static int send_claims_all(void *context, const uint8_t *bytes, size_t size)
{
    int answer = good.transport_port.send(context, bytes, size > 10 ? 10 : size);

    return answer > 0 ? (int)size : answer;
}

static int send_fails_when_full(void *context, const uint8_t *bytes, size_t size)
{
    int answer = good.transport_port.send(context, bytes, size);

    return answer == 0 ? -1 : answer;
}

/* The whole piece or nothing. */
static int send_fails_when_it_is_much(void *context, const uint8_t *bytes, size_t size)
{
    return size > 256 ? -1 : good.transport_port.send(context, bytes, size);
}

/* Each stream leaves something behind, and after ten there is no room. */
static int open_wears_out(void *context)
{
    static unsigned opened;
    bool is_new = !device.stream.is_open;
    int answer;

    if (count("\nok 19 ") == 0)
        opened = 0; /* the first promise of the transport is being tried */
    answer = opened == 10 ? -1 : good.transport_port.open(context);
    opened += is_new && device.stream.is_open;
    return answer;
}

static void close_keeps_old_bytes(void *context)
{
    size_t size = device.stream.incoming_size;
    bool ends = device.stream.ends;

    good.transport_port.close(context);
    if (!ends) {
        device.stream.incoming_size = size;
        device.stream.outgoing_size = size;
    }
}

static void finds_a_bad_transport(void **state)
{
    static const struct {
        struct mup_port_transport port; /* NULL = as the good one */
        const char *promise;
    } bad[] = {
        {{.open = open_never}, "transport: opening ends connected"},
        {{.open = open_says_nothing_when_open}, "transport: opening an open stream says 1"},
        {{.receive = receive_says_nothing_when_closed},
         "transport: a stream that the peer closed is negative"},
        {{.receive = receive_fails_when_empty}, "transport: receiving says 0 while there is"},
        {{.receive = receive_one_too_many}, "transport: bytes arrive in order"},
        {{.receive = receive_loses_bytes_at_the_end},
         "transport: a stream that the peer closed is negative"},
        {{.send = send_claims_all}, "transport: bytes arrive in order"},
        {{.send = send_fails_when_full}, "transport: sending says 0 when there is no room"},
        {{.send = send_fails_when_it_is_much}, "transport: sending says 0 when there is no room"},
        {{.open = open_wears_out}, "transport: closing, also twice, makes room"},
        {{.close = close_keeps_old_bytes}, "transport: closing, also twice, makes room"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin();
        if (bad[i].port.open != NULL)
            device.transport_port.open = bad[i].port.open;
        if (bad[i].port.send != NULL)
            device.transport_port.send = bad[i].port.send;
        if (bad[i].port.receive != NULL)
            device.transport_port.receive = bad[i].port.receive;
        if (bad[i].port.close != NULL)
            device.transport_port.close = bad[i].port.close;
        assert_found_out(bad[i].promise);
    }
    begin();
    device.transport_alone_port.open = open_never;
    assert_found_out("transport: opening to nobody ends negative");
}

/* ---- reset ----------------------------------------------------------------------------------- */

static void reset_does_nothing(void *context)
{
    (void)context;
}

/* A flash that was only a cache. */
static void reset_forgets(void *context)
{
    memset(device.bytes, 0xff, sizeof device.bytes);
    memset(device.programmed, 0, sizeof device.programmed);
    good.reset_port.now(context);
}

static void reset_forgets_a_page(void *context)
{
    memset(device.bytes + device.suite.flash_at, 0, HOSTILE_DEVICE_PAGE_SIZE);
    good.reset_port.now(context);
}

static void finds_a_bad_reset(void **state)
{
    (void)state;
    begin();
    device.reset_port.now = reset_does_nothing;
    assert_found_out("reset: the device starts again");

    begin();
    good.reset_port = device.reset_port;
    device.reset_port.now = reset_forgets;
    assert_true(hostile_device_run(&device) == UINT32_MAX);
    assert_true(count("1..") > 1); /* by which a runner knows */

    begin();
    device.reset_port.now = reset_forgets_a_page;
    assert_found_out("reset: the flash is as it was left");
}

/* ---- a good port ----------------------------------------------------------------------------- */

static void passes_a_good_port_and_numbers_its_lines(void **state)
{
    (void)state;
    begin();
    assert_int_equal(hostile_device_run(&device), 0);
    assert_int_equal(count("1..30\n"), 1);
    assert_int_equal(count("not ok"), 0);
    assert_int_equal(count("# SKIP"), 0);
    for (int number = 1; number <= PROMISES; number++) {
        char line[16];

        snprintf(line, sizeof line, "\nok %d ", number);
        assert_int_equal(count(line), 1);
    }
}

static void can_be_run_again(void **state)
{
    (void)state;
    begin();
    assert_int_equal(hostile_device_run(&device), 0);
    lines[0] = '\0';
    assert_int_equal(hostile_device_run(&device), 0);
    assert_int_equal(count("\nok "), PROMISES);
}

static void skips_what_a_port_has_not(void **state)
{
    (void)state;
    begin();
    device.suite = (struct port_suite){.print = print};
    assert_int_equal(hostile_device_run(&device), 0);
    assert_int_equal(count("# SKIP this port has none\n"), PROMISES);
}

/* What the first half found is not forgotten over the reset. */
static void counts_the_failures_of_both_halves(void **state)
{
    (void)state;
    begin();
    device.random_port.fill = random_same;
    device.transport_alone_port.open = open_never;
    assert_int_equal(hostile_device_run(&device), 2);
    assert_int_equal(count("not ok "), 2);
}

/* Nothing of it works, nothing hangs, and no reset is tried over such a flash. Its size is good,
 * its clock stands and so never runs backwards, and what can not be provoked is skipped. */
static void fails_the_skeleton(void **state)
{
    (void)state;
    begin();
    device.suite = (struct port_suite){.flash = &board_flash,
                                       .clock = &board_clock,
                                       .random = &board_random,
                                       .transport = &board_transport,
                                       .reset = &board_reset,
                                       .patience = 1000,
                                       .flood_size_max = 1000,
                                       .print = print};
    assert_int_equal(hostile_device_run(&device), PROMISES - 2 - 3);
    assert_int_equal(count("# SKIP"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_a_good_port_and_numbers_its_lines),
        cmocka_unit_test(can_be_run_again),
        cmocka_unit_test(skips_what_a_port_has_not),
        cmocka_unit_test(counts_the_failures_of_both_halves),
        cmocka_unit_test(fails_the_skeleton),
        cmocka_unit_test(finds_bad_flash),
        cmocka_unit_test(finds_a_flash_of_a_bad_shape),
        cmocka_unit_test(finds_a_bad_clock),
        cmocka_unit_test(finds_bad_randomness),
        cmocka_unit_test(finds_a_bad_transport),
        cmocka_unit_test(finds_a_bad_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
