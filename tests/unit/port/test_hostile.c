/* The hostile port itself: a simulator that is too kind would make every other test worthless. */
#include "support/cmocka_all.h"

#include "support/flash_memory.h"

static const struct mup_port_flash *port_of(struct flash_memory *memory)
{
    return &memory->port;
}

static int program(struct flash_memory *memory, uint32_t at, uint32_t word)
{
    return port_of(memory)->program(&memory->flash, at, &word, 1);
}

static uint32_t word_at(struct flash_memory *memory, uint32_t at)
{
    uint32_t word = 0;

    assert_int_equal(port_of(memory)->read(&memory->flash, at, &word, 4), 0);
    return word;
}

/* Cut the programming of 0x12345678 in an erased word; the first four reads afterwards. */
static void each_cut_of_a_word_leaves_what_its_name_says(void **state)
{
    static const uint32_t expected[MUP_HOSTILE_TORN_ANY][4] = {
        [MUP_HOSTILE_BEFORE] = {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
        [MUP_HOSTILE_AFTER] = {0x12345678, 0x12345678, 0x12345678, 0x12345678},
        [MUP_HOSTILE_TORN_LOW] = {0xffff5678, 0xffff5678, 0xffff5678, 0xffff5678},
        [MUP_HOSTILE_TORN_HIGH] = {0x1234ffff, 0x1234ffff, 0x1234ffff, 0x1234ffff},
        [MUP_HOSTILE_TORN_MID] = {0xff3456ff, 0xff3456ff, 0xff3456ff, 0xff3456ff},
        [MUP_HOSTILE_TORN_EVEN] = {0xbabefefa, 0xbabefefa, 0xbabefefa, 0xbabefefa},
        [MUP_HOSTILE_ALMOST] = {0x12345679, 0x12345679, 0x12345679, 0x12345679},
        [MUP_HOSTILE_WEAK_FIRST] = {0x12345678, 0xffffffff, 0xffffffff, 0xffffffff},
        [MUP_HOSTILE_WEAK_LATER] = {0xffffffff, 0x12345678, 0x12345678, 0x12345678},
        [MUP_HOSTILE_WEAK_TURNS] = {0x12345678, 0xffffffff, 0x12345678, 0xffffffff},
        [MUP_HOSTILE_WEAK_BOOT] = {0x12345678, 0x12345678, 0x12345678, 0x12345678},
    };

    (void)state;
    for (int cut = 0; cut < MUP_HOSTILE_TORN_ANY; cut++) {
        struct flash_memory *memory = flash_memory_new();
        uint32_t word = 0;

        memory->flash.cut_at = 2;
        memory->flash.cut = (enum mup_hostile_cut)cut;
        assert_int_equal(program(memory, 0, 0x01020304), 0);
        assert_int_equal(program(memory, 4, 0x12345678), -1);
        assert_int_equal(port_of(memory)->read(&memory->flash, 0, &word, 4), -1);
        assert_int_equal(program(memory, 8, 0), -1);
        assert_int_equal(port_of(memory)->erase(&memory->flash, 0), -1);
        mup_hostile_flash_power_on(&memory->flash);
        for (int read = 0; read < 4; read++)
            assert_int_equal(word_at(memory, 4), expected[cut][read]);
        assert_int_equal(word_at(memory, 0), 0x01020304);
        assert_int_equal(word_at(memory, 8), 0xffffffff);
        mup_hostile_flash_power_on(&memory->flash);
        assert_int_equal(word_at(memory, 0), 0x01020304);
        if (cut == MUP_HOSTILE_WEAK_BOOT)
            assert_int_equal(word_at(memory, 4), 0xffffffff);
        flash_memory_free(memory);
    }
}

/* How many words of a page of zeros read as erased, as zero, and as neither, after a cut. */
static void each_cut_of_an_erasure_leaves_what_its_name_says(void **state)
{
    static const uint32_t erased_count[MUP_HOSTILE_TORN_ANY] = {0, 256, 128, 128, 128, 0,
                                                                0, 256, 0,   256, 256};

    (void)state;
    for (int cut = 0; cut < MUP_HOSTILE_TORN_ANY; cut++) {
        struct flash_memory *memory = flash_memory_new();
        uint32_t words[256];
        uint32_t erased = 0;

        memset(memory->flash.bytes + 1024, 0, 1024);
        memory->flash.cut_at = 1;
        memory->flash.cut = (enum mup_hostile_cut)cut;
        assert_int_equal(port_of(memory)->erase(&memory->flash, 1024), -1);
        mup_hostile_flash_power_on(&memory->flash);
        assert_int_equal(port_of(memory)->read(&memory->flash, 1024, words, 1024), 0);
        for (int i = 0; i < 256; i++)
            erased += words[i] == 0xffffffff ? 1 : 0;
        assert_int_equal(erased, erased_count[cut]);
        flash_memory_free(memory);
    }
}

/* A cut of kind ANY in the programming of a word, from a seed; *word is the first read. Returns
 * whether a thousand reads agreed. */
static bool reads_of_any_cut_agree(enum mup_hostile_cut cut, uint32_t seed, uint32_t *word)
{
    struct flash_memory *memory = flash_memory_new();
    bool agree = true;

    memory->flash.cut_at = 1;
    memory->flash.cut = cut;
    memory->flash.random = seed;
    assert_int_equal(program(memory, 4, 0x12345678), -1);
    mup_hostile_flash_power_on(&memory->flash);
    *word = word_at(memory, 4);
    for (int read = 0; read < 1000; read++) {
        uint32_t again = word_at(memory, 4);

        assert_int_equal(again & 0x12345678, 0x12345678); /* nothing but what should change */
        agree = agree && again == *word;
    }
    assert_int_equal(word_at(memory, 0), 0xffffffff);
    assert_int_equal(program(memory, 4, 0x12345678), 0);
    assert_int_equal(word_at(memory, 4), 0x12345678); /* settled */
    assert_int_equal(memory->flash.violation_count, 0);
    flash_memory_free(memory);
    return agree;
}

static void any_cut_of_a_word_leaves_any_of_its_bits_and_a_weak_one_wavers(void **state)
{
    uint32_t never = 0xffffffff;
    uint32_t always = 0;
    uint32_t wavering = 0;
    uint32_t word;

    (void)state;
    for (uint32_t seed = 1; seed <= 200; seed++) {
        assert_true(reads_of_any_cut_agree(MUP_HOSTILE_TORN_ANY, seed * 77, &word));
        never &= word;
        always |= word;
        wavering += reads_of_any_cut_agree(MUP_HOSTILE_WEAK_ANY, seed * 77, &word) ? 0 : 1;
    }
    assert_int_equal(never, 0x12345678);  /* each bit was programmed by some cut ... */
    assert_int_equal(always, 0xffffffff); /* ... and left out by some other */
    assert_in_range(wavering, 50, 190);
}

static void a_page_weakly_erased_wavers_until_it_is_erased_again(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 50; seed++) {
        struct flash_memory *memory = flash_memory_new();
        uint32_t words[2][256];
        uint32_t different = 0;

        memset(memory->flash.bytes + 1024, 0, 1024);
        memory->flash.cut_at = 1;
        memory->flash.cut = MUP_HOSTILE_WEAK_ANY;
        memory->flash.random = seed;
        assert_int_equal(port_of(memory)->erase(&memory->flash, 1024), -1);
        for (int boot = 0; boot < 20; boot++) {
            mup_hostile_flash_power_on(&memory->flash);
            for (int read = 0; read < 2; read++)
                assert_int_equal(port_of(memory)->read(&memory->flash, 1024, words[read], 1024), 0);
            different += memcmp(words[0], words[1], 1024) != 0 ? 1 : 0;
        }
        assert_true(different > 0);
        assert_int_equal(port_of(memory)->erase(&memory->flash, 1024), 0);
        for (uint32_t at = 1024; at < 2048; at += 4)
            assert_int_equal(word_at(memory, at), 0xffffffff);
        flash_memory_free(memory);
    }
}

/* The first cut's place stays weak while a second one is. */
static void two_places_are_weak_at_once(void **state)
{
    struct flash_memory *memory = flash_memory_new();

    (void)state;
    for (uint32_t at = 4; at <= 8; at += 4) {
        memory->flash.cut_at = 1;
        memory->flash.cut = MUP_HOSTILE_WEAK_TURNS;
        assert_int_equal(program(memory, at, 0x12345678), -1);
        mup_hostile_flash_power_on(&memory->flash);
    }
    for (uint32_t at = 4; at <= 8; at += 4) {
        assert_int_equal(word_at(memory, at), 0x12345678);
        assert_int_equal(word_at(memory, at), 0xffffffff);
    }
    assert_int_equal(program(memory, 4, 0x12345678), 0);
    for (int read = 0; read < 3; read++)
        assert_int_equal(word_at(memory, 4), 0x12345678);
    assert_int_equal(word_at(memory, 8), 0x12345678);
    assert_int_equal(word_at(memory, 8), 0xffffffff);
    flash_memory_free(memory);
}

static void a_second_programming_is_a_violation_unless_it_is_the_same(void **state)
{
    struct flash_memory *memory = flash_memory_new();

    (void)state;
    assert_int_equal(program(memory, 4, 0xffff0000), 0);
    assert_int_equal(program(memory, 4, 0xffff0000), 0);
    assert_int_equal(memory->flash.violation_count, 0);
    assert_int_equal(program(memory, 4, 0xff000000), 0);
    assert_int_equal(memory->flash.violation_count, 1);
    assert_int_equal(word_at(memory, 4), 0xff000000);
    assert_int_equal(port_of(memory)->erase(&memory->flash, 0), 0);
    assert_int_equal(program(memory, 4, 0x00ff0000), 0);
    assert_int_equal(memory->flash.violation_count, 1);
    flash_memory_free(memory);
}

static void programming_a_half_erased_page_is_a_violation(void **state)
{
    struct flash_memory *memory = flash_memory_new();

    (void)state;
    memory->flash.cut_at = 1;
    memory->flash.cut = MUP_HOSTILE_TORN_LOW;
    assert_int_equal(port_of(memory)->erase(&memory->flash, 0), -1);
    mup_hostile_flash_power_on(&memory->flash);
    assert_int_equal(program(memory, 4, 0x12345678), 0);
    assert_int_equal(memory->flash.violation_count, 1);
    flash_memory_free(memory);
}

static void rules_broken_by_the_caller_are_violations(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    uint32_t word = 0;

    (void)state;
    assert_int_equal(program(memory, 2, 0), -1);
    assert_int_equal(program(memory, memory->flash.size, 0), -1);
    assert_int_equal(port_of(memory)->erase(&memory->flash, 4), -1);
    assert_int_equal(port_of(memory)->read(&memory->flash, memory->flash.size, &word, 1), -1);
    assert_int_equal(memory->flash.violation_count, 4);
    flash_memory_free(memory);
}

static void any_one_call_can_be_made_to_fail(void **state)
{
    struct flash_memory *memory = flash_memory_new();

    (void)state;
    memory->flash.fail_at = 2;
    assert_int_equal(program(memory, 0, 1), 0);
    assert_int_equal(program(memory, 4, 2), -1);
    assert_int_equal(word_at(memory, 4), 0xffffffff);
    assert_int_equal(program(memory, 4, 2), 0);
    assert_int_equal(memory->flash.violation_count, 0);
    flash_memory_free(memory);
}

static void randomness_counts_and_fails_when_told(void **state)
{
    struct mup_hostile_random random = {.next = 250, .fail_at = 2};
    struct mup_port_random port = mup_hostile_random_port(&random);
    uint8_t bytes[8];
    static const uint8_t expected[8] = {250, 251, 252, 253, 254, 255, 0, 1};

    (void)state;
    assert_int_equal(port.fill(port.context, bytes, 8), 0);
    assert_memory_equal(bytes, expected, 8);
    assert_int_equal(port.fill(port.context, bytes, 8), -1);
    assert_memory_equal(bytes, expected, 8);
}

static void a_stream_comes_in_pieces_stalls_and_ends(void **state)
{
    uint8_t outgoing[4];
    struct mup_hostile_transport stream = {
        .incoming = (const uint8_t *)"abc",
        .incoming_size = 3,
        .outgoing = outgoing,
        .outgoing_capacity = sizeof outgoing,
        .piece_size_max = 2,
        .stalls = true,
        .ends = true,
    };
    struct mup_port_transport port = mup_hostile_transport_port(&stream);
    uint8_t bytes[4];

    (void)state;
    assert_int_equal(port.open(port.context), 0);
    assert_int_equal(port.open(port.context), 1);
    assert_int_equal(port.receive(port.context, bytes, 4), 0);
    assert_int_equal(port.receive(port.context, bytes, 4), 2);
    assert_int_equal(port.receive(port.context, bytes, 4), 0);
    assert_int_equal(port.receive(port.context, bytes + 2, 4), 1);
    assert_memory_equal(bytes, "abc", 3);
    assert_int_equal(port.send(port.context, bytes, 3), 0);
    assert_int_equal(port.send(port.context, bytes, 3), 2);
    stream.stalls = false;
    assert_int_equal(port.send(port.context, bytes, 3), 2);
    assert_int_equal(port.send(port.context, bytes, 3), 0); /* full */
    assert_memory_equal(outgoing, "abab", 4);
    assert_int_equal(port.receive(port.context, bytes, 4), -1); /* ended */
    port.close(port.context);
    assert_int_equal(port.send(port.context, bytes, 1), -1);
}

static void look_on(void *context)
{
    ++*(uint32_t *)context;
}

/* In one call, and word by word under somebody's eyes. */
static void devices_that_came_to_the_same_have_the_same_fingerprint(void **state)
{
    static const uint32_t words[3] = {0x12345678, 0x9abcdef0, 0x0fedcba9};
    struct flash_memory *once = flash_memory_new();
    struct flash_memory *slow = flash_memory_new();
    uint32_t looks = 0;

    (void)state;
    slow->flash.watch = look_on;
    slow->flash.watch_context = &looks;
    assert_int_equal(program(slow, 2048, 0), 0);
    assert_true(mup_hostile_flash_fingerprint(&once->flash) !=
                mup_hostile_flash_fingerprint(&slow->flash));
    assert_int_equal(port_of(slow)->erase(&slow->flash, 2048), 0);
    assert_int_equal(port_of(once)->program(&once->flash, 1020, words, 3), 0);
    assert_int_equal(port_of(slow)->program(&slow->flash, 1020, words, 3), 0);
    assert_int_equal(looks, 5);
    assert_int_equal(once->flash.operation_count, 3);
    assert_int_equal(once->flash.next_at, slow->flash.next_at);
    assert_true(mup_hostile_flash_fingerprint(&once->flash) ==
                mup_hostile_flash_fingerprint(&slow->flash));
    flash_memory_free(once);
    flash_memory_free(slow);
}

static void no_two_states_have_the_same_fingerprint(void **state)
{
    uint64_t numbers[3 * 600] = {0};
    size_t count = 0;

    (void)state;
    for (int cut = 0; cut < MUP_HOSTILE_CUT_COUNT; cut++) {
        struct flash_memory *memory = flash_memory_new();

        memory->flash.cut_at = 1;
        memory->flash.cut = (enum mup_hostile_cut)cut;
        memory->flash.random = 5;
        assert_int_equal(program(memory, 1024, 0x12345678), -1);
        mup_hostile_flash_power_on(&memory->flash);
        numbers[count++] = mup_hostile_flash_fingerprint(&memory->flash);
        (void)word_at(memory, 1024);
        if (cut >= MUP_HOSTILE_WEAK_FIRST && cut != MUP_HOSTILE_WEAK_BOOT &&
            cut != MUP_HOSTILE_TORN_ANY)
            numbers[count++] = mup_hostile_flash_fingerprint(&memory->flash);
        mup_hostile_flash_power_on(&memory->flash);
        if (cut == MUP_HOSTILE_WEAK_BOOT)
            numbers[count++] = mup_hostile_flash_fingerprint(&memory->flash);
        memory->flash.violation_count++;
        numbers[count++] = mup_hostile_flash_fingerprint(&memory->flash);
        flash_memory_free(memory);
    }
    for (uint32_t at = 0; at < 512; at++) {
        struct flash_memory *memory = flash_memory_new();

        memory->flash.bytes[at * 5] ^= (uint8_t)(1u << at % 8);
        numbers[count++] = mup_hostile_flash_fingerprint(&memory->flash);
        memory->flash.bytes[at * 5] ^= (uint8_t)(1u << at % 8);
        memory->flash.programmed[at] = 1;
        memory->flash.page_numbers[at * 5 / 1024] = memory->flash.page_numbers[at / 256] = 0;
        numbers[count++] = mup_hostile_flash_fingerprint(&memory->flash);
        flash_memory_free(memory);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_true(numbers[i] != numbers[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cut_of_a_word_leaves_what_its_name_says),
        cmocka_unit_test(each_cut_of_an_erasure_leaves_what_its_name_says),
        cmocka_unit_test(any_cut_of_a_word_leaves_any_of_its_bits_and_a_weak_one_wavers),
        cmocka_unit_test(a_page_weakly_erased_wavers_until_it_is_erased_again),
        cmocka_unit_test(two_places_are_weak_at_once),
        cmocka_unit_test(a_second_programming_is_a_violation_unless_it_is_the_same),
        cmocka_unit_test(programming_a_half_erased_page_is_a_violation),
        cmocka_unit_test(devices_that_came_to_the_same_have_the_same_fingerprint),
        cmocka_unit_test(no_two_states_have_the_same_fingerprint),
        cmocka_unit_test(rules_broken_by_the_caller_are_violations),
        cmocka_unit_test(any_one_call_can_be_made_to_fail),
        cmocka_unit_test(randomness_counts_and_fails_when_told),
        cmocka_unit_test(a_stream_comes_in_pieces_stalls_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
