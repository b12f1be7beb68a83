/* Credit and position of a transfer (docs/SPEC.md sections 15, 16; rules S1 to S4 of sender.h). */
#include "support/cmocka_all.h"

#include "mup/state.h"
#include "server/sender.h"

#define PAYLOAD 10000u
#define WINDOW  4096u
#define SLICE   1024u

static struct mup_ack ack(uint32_t attempt, uint32_t next, uint32_t limit)
{
    return (struct mup_ack){
        .transfer = 7, .attempt = attempt, .next = next, .limit = limit, .state = MUP_STATE_OK};
}

static struct mup_sender started(uint32_t next, uint32_t limit)
{
    struct mup_sender sender;
    struct mup_ack first = ack(3, next, limit);

    assert_int_equal(mup_sender_start(&sender, PAYLOAD, WINDOW, SLICE, &first), MUP_OK);
    return sender;
}

/* Send all that may be sent; returns how many slices. */
static unsigned drain(struct mup_sender *sender)
{
    struct mup_slice_header header;
    unsigned count = 0;

    while (mup_sender_next(sender, &header)) {
        assert_int_equal(header.transfer, 7);
        assert_int_equal(header.attempt, sender->attempt);
        assert_int_equal(header.offset, sender->sent);
        assert_true(header.size > 0 && header.size <= SLICE);
        assert_true(header.offset + header.size <= PAYLOAD);
        mup_sender_sent(sender, &header);
        assert_true(sender->sent - sender->next <= WINDOW);
        count++;
    }
    return count;
}

static enum mup_sender_event take(struct mup_sender *sender, struct mup_ack a)
{
    return mup_sender_take_ack(sender, &a);
}

static void sends_what_was_granted_and_waits(void **state)
{
    (void)state;
    struct mup_sender sender = started(0, WINDOW);

    assert_int_equal(drain(&sender), 4);
    assert_int_equal(sender.sent, 4096);
    assert_int_equal(take(&sender, ack(3, 2048, 2048 + WINDOW)), MUP_SENDER_MOVED);
    assert_int_equal(drain(&sender), 2);
    assert_int_equal(sender.sent, 6144);
}

/* S1 */
static void a_limit_beyond_the_window_is_clamped(void **state)
{
    (void)state;
    struct mup_sender sender = started(0, 0xffffffffu);

    assert_int_equal(drain(&sender), 4);
    assert_int_equal(take(&sender, ack(3, 1024, 0xffffffffu)), MUP_SENDER_MOVED);
    drain(&sender);
    assert_int_equal(sender.sent, 1024 + WINDOW);
}

/* S2 */
static void a_next_beyond_what_was_sent_is_ignored_with_its_limit(void **state)
{
    (void)state;
    struct mup_sender sender = started(0, 1024);

    drain(&sender);
    struct mup_sender before = sender;
    assert_int_equal(take(&sender, ack(3, 1025, 5000)), MUP_SENDER_IGNORED);
    assert_int_equal(take(&sender, ack(4, PAYLOAD, PAYLOAD)), MUP_SENDER_IGNORED);
    assert_int_equal(take(&sender, ack(9, 0xffffffffu, 0xffffffffu)), MUP_SENDER_IGNORED);
    assert_memory_equal(&sender, &before, sizeof sender);
}

static void repeated_and_late_acknowledgements_change_nothing(void **state)
{
    (void)state;
    struct mup_sender sender = started(0, WINDOW);

    drain(&sender);
    assert_int_equal(take(&sender, ack(3, 3000, 3000 + WINDOW)), MUP_SENDER_MOVED);
    struct mup_sender before = sender;
    assert_int_equal(take(&sender, ack(3, 3000, 3000 + WINDOW)), MUP_SENDER_IGNORED);
    assert_int_equal(take(&sender, ack(3, 1000, 1000 + WINDOW)), MUP_SENDER_IGNORED);
    assert_int_equal(take(&sender, ack(2, 3000, 3000 + WINDOW)), MUP_SENDER_IGNORED);
    assert_memory_equal(&sender, &before, sizeof sender);
}

/* S3: as when it reconnects, and takes back an attempt that we have heard of. */
static void the_end_is_heard_under_an_older_attempt(void **state)
{
    (void)state;
    struct mup_sender sender = started(PAYLOAD - 3000, PAYLOAD);

    assert_int_equal(drain(&sender), 3);
    assert_int_equal(take(&sender, ack(4, PAYLOAD - 3000, PAYLOAD)), MUP_SENDER_MOVED);
    assert_int_equal(take(&sender, ack(3, PAYLOAD - 1, PAYLOAD)), MUP_SENDER_IGNORED);
    assert_int_equal(take(&sender, ack(3, PAYLOAD + 1, PAYLOAD + 1)), MUP_SENDER_IGNORED);
    assert_int_equal(take(&sender, ack(3, PAYLOAD, PAYLOAD)), MUP_SENDER_COMPLETE);
    assert_true(mup_sender_is_complete(&sender));
    assert_int_equal(drain(&sender), 0);
}

static void what_was_never_sent_is_no_end_under_any_attempt(void **state)
{
    (void)state;
    struct mup_sender sender = started(0, WINDOW);

    assert_int_equal(drain(&sender), 4);
    for (uint32_t attempt = 2; attempt <= 4; attempt++)
        assert_int_equal(take(&sender, ack(attempt, PAYLOAD, PAYLOAD)), MUP_SENDER_IGNORED);
    assert_false(mup_sender_is_complete(&sender));
}

/* S3 */
static void an_attempt_goes_back_once(void **state)
{
    (void)state;
    struct mup_sender sender = started(0, WINDOW);

    drain(&sender);
    assert_int_equal(take(&sender, ack(4, 1024, 1024 + WINDOW)), MUP_SENDER_MOVED);
    assert_int_equal(sender.sent, 1024);
    assert_int_equal(sender.rewinds, 1);
    assert_int_equal(drain(&sender), 4);
    assert_int_equal(take(&sender, ack(4, 1024, 1024 + WINDOW)), MUP_SENDER_IGNORED);
    assert_int_equal(sender.sent, 1024 + WINDOW);
    assert_int_equal(sender.rewinds, 1);
}

static void an_invalid_block_is_sent_again_from_its_start(void **state)
{
    (void)state;
    struct mup_sender sender = started(0, WINDOW);
    struct mup_ack invalid = ack(4, 1056, 1056 + WINDOW);

    drain(&sender);
    assert_int_equal(take(&sender, ack(3, 2048, 2048 + WINDOW)), MUP_SENDER_MOVED);
    invalid.state = MUP_STATE_BLOCK_INVALID;
    assert_int_equal(mup_sender_take_ack(&sender, &invalid), MUP_SENDER_MOVED);
    assert_int_equal(sender.next, 1056);
    assert_int_equal(sender.next_most, 2048);
    assert_int_equal(sender.sent, 1056);
}

static void attempts_wrap_around(void **state)
{
    (void)state;
    struct mup_sender sender;
    struct mup_ack first = ack(65535, 0, 1024);

    assert_int_equal(mup_sender_start(&sender, PAYLOAD, WINDOW, SLICE, &first), MUP_OK);
    drain(&sender);
    assert_int_equal(take(&sender, ack(0, 0, 2048)), MUP_SENDER_MOVED);
    assert_int_equal(sender.attempt, 0);
    assert_int_equal(take(&sender, ack(65535, 1024, 4096)), MUP_SENDER_IGNORED);
    assert_int_equal(take(&sender, ack(32767, 0, 1024)), MUP_SENDER_MOVED);
    assert_int_equal(take(&sender, ack(65535, 0, 1024)), MUP_SENDER_IGNORED);
}

static void another_transfer_is_not_ours(void **state)
{
    (void)state;
    struct mup_sender sender = started(0, WINDOW);
    struct mup_ack other = ack(3, 0, WINDOW);

    drain(&sender);
    other.transfer = 8;
    other.state = MUP_STATE_FLASH_FAILURE;
    assert_int_equal(mup_sender_take_ack(&sender, &other), MUP_SENDER_IGNORED);
}

static void states_end_or_lose_the_transfer(void **state)
{
    (void)state;
    struct mup_sender sender = started(0, WINDOW);
    struct mup_ack a = ack(3, 0, 0);

    a.state = MUP_STATE_FLASH_FAILURE;
    assert_int_equal(mup_sender_take_ack(&sender, &a), MUP_SENDER_FLASH);
    a.state = MUP_STATE_NOOP;
    assert_int_equal(mup_sender_take_ack(&sender, &a), MUP_SENDER_GONE);
}

static void the_last_slice_is_short_and_its_acknowledgement_completes(void **state)
{
    (void)state;
    struct mup_sender sender = started(9000, 9000 + WINDOW);

    assert_int_equal(drain(&sender), 1);
    assert_int_equal(sender.sent, PAYLOAD);
    assert_false(mup_sender_is_complete(&sender));
    assert_int_equal(take(&sender, ack(3, PAYLOAD, PAYLOAD)), MUP_SENDER_COMPLETE);
    assert_true(mup_sender_is_complete(&sender));
}

static void stop_and_wait_is_a_window_of_one_slice(void **state)
{
    (void)state;
    struct mup_sender sender;
    struct mup_ack first = ack(0, 0, 512);

    assert_int_equal(mup_sender_start(&sender, PAYLOAD, 512, 1024, &first), MUP_OK);
    for (uint32_t at = 0; at < PAYLOAD; at += 512) {
        assert_int_equal(drain(&sender), 1);
        uint32_t next = at + 512 < PAYLOAD ? at + 512 : PAYLOAD;
        assert_int_equal(take(&sender, ack(0, next, next + 512)),
                         next == PAYLOAD ? MUP_SENDER_COMPLETE : MUP_SENDER_MOVED);
    }
}

static void a_crumb_of_credit_is_used_only_when_little_is_under_way(void **state)
{
    (void)state;
    struct mup_sender sender = started(0, WINDOW);
    struct mup_slice_header header;

    drain(&sender);
    assert_int_equal(take(&sender, ack(3, 100, 100 + WINDOW)), MUP_SENDER_MOVED);
    assert_false(mup_sender_next(&sender, &header));
    struct mup_sender slow = started(0, 100);
    assert_true(mup_sender_next(&slow, &header));
    assert_int_equal(header.size, 100);
}

static void a_first_acknowledgement_beyond_the_payload_is_refused(void **state)
{
    (void)state;
    struct mup_sender sender;
    struct mup_ack first = ack(0, PAYLOAD + 1, PAYLOAD + 1);

    assert_int_equal(mup_sender_start(&sender, PAYLOAD, WINDOW, SLICE, &first), MUP_ERR_RANGE);
    first = ack(0, 0, 10);
    assert_int_equal(mup_sender_start(&sender, PAYLOAD, 0, SLICE, &first), MUP_ERR_RANGE);
    assert_int_equal(mup_sender_start(&sender, PAYLOAD, WINDOW, 0, &first), MUP_ERR_RANGE);
}

/* ---- a lossy network and a device that follows docs/SPEC.md section 16 ---- */

struct device {
    uint32_t next;
    uint32_t acked;
    uint32_t attempt;
};

static uint32_t random_state;

static uint32_t roll(uint32_t sides)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % sides;
}

static struct mup_ack device_ack(struct device *device)
{
    device->acked = device->next;
    return ack(device->attempt, device->next, device->next + WINDOW);
}

/* Returns true when the device acknowledges. */
static bool device_takes(struct device *device, const struct mup_slice_header *slice)
{
    if (slice->offset != device->next) {
        return false;
    }
    device->next += slice->size;
    return device->next - device->acked >= WINDOW / 2 || device->next == PAYLOAD;
}

static void one_lossy_transfer(uint32_t seed)
{
    struct mup_sender sender = started(0, WINDOW);
    struct device device = {.attempt = 3};
    struct mup_slice_header slice;
    unsigned turns = 0;

    random_state = seed;
    while (!mup_sender_is_complete(&sender)) {
        bool acks = false;
        assert_true(++turns < 10000);
        while (mup_sender_next(&sender, &slice)) {
            mup_sender_sent(&sender, &slice);
            assert_true(sender.sent - sender.next <= WINDOW && sender.sent <= PAYLOAD);
            for (uint32_t copies = roll(10) < 2 ? 0 : 1 + (roll(10) == 0); copies > 0; copies--) {
                acks = device_takes(&device, &slice) || acks;
            }
        }
        if (!acks) {
            device.attempt++; /* the timer: nothing came although credit was given */
        }
        struct mup_ack a = device_ack(&device);
        if (roll(10) >= 2) {
            mup_sender_take_ack(&sender, &a);
        }
    }
    assert_int_equal(device.next, PAYLOAD);
}

static void every_byte_arrives_over_a_network_that_loses_and_doubles(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 500; seed++) {
        one_lossy_transfer(seed);
    }
}

/* S1 to S4 */
static void no_sequence_of_hostile_acknowledgements_breaks_a_rule(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 200; seed++) {
        struct mup_sender sender = started(0, WINDOW);
        random_state = seed;
        for (unsigned i = 0; i < 500; i++) {
            uint32_t next = roll(3) ? roll(PAYLOAD + 1) : random_state;
            struct mup_ack a = ack(roll(4) ? sender.attempt + roll(3) : roll(65536), next,
                                   roll(2) ? next + roll(9000) : 0xffffffffu);
            a.attempt &= 0xffff;
            enum mup_sender_event event = mup_sender_take_ack(&sender, &a);
            assert_true(sender.next <= sender.sent && sender.sent <= sender.sent_most);
            assert_true(sender.sent <= sender.limit || sender.sent == sender.next);
            assert_true(sender.limit <= PAYLOAD && sender.limit - sender.next <= WINDOW);
            drain(&sender);
            if (event == MUP_SENDER_COMPLETE) {
                assert_int_equal(sender.sent_most, PAYLOAD);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_what_was_granted_and_waits),
        cmocka_unit_test(a_limit_beyond_the_window_is_clamped),
        cmocka_unit_test(a_next_beyond_what_was_sent_is_ignored_with_its_limit),
        cmocka_unit_test(repeated_and_late_acknowledgements_change_nothing),
        cmocka_unit_test(the_end_is_heard_under_an_older_attempt),
        cmocka_unit_test(what_was_never_sent_is_no_end_under_any_attempt),
        cmocka_unit_test(an_attempt_goes_back_once),
        cmocka_unit_test(an_invalid_block_is_sent_again_from_its_start),
        cmocka_unit_test(attempts_wrap_around),
        cmocka_unit_test(another_transfer_is_not_ours),
        cmocka_unit_test(states_end_or_lose_the_transfer),
        cmocka_unit_test(the_last_slice_is_short_and_its_acknowledgement_completes),
        cmocka_unit_test(stop_and_wait_is_a_window_of_one_slice),
        cmocka_unit_test(a_crumb_of_credit_is_used_only_when_little_is_under_way),
        cmocka_unit_test(a_first_acknowledgement_beyond_the_payload_is_refused),
        cmocka_unit_test(every_byte_arrives_over_a_network_that_loses_and_doubles),
        cmocka_unit_test(no_sequence_of_hostile_acknowledgements_breaks_a_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
