/* The boot core when flash calls fail without a loss of power, and when what it copied went bad.
 * Losses of power are tests/powercut. */
#include "support/cmocka_all.h"

#include "support/boot_device.h"

/* B1, B2: each N-th call of a start fails: reported, and the next start goes on to the same end. */
static void each_failing_call_of_a_start_is_reported_and_the_next_start_succeeds(void **state)
{
    (void)state;
    for (uint32_t at = 1;; at += at < 1000 ? 1 : 11) {
        struct boot_device *device = boot_device_new();
        enum mup_status status;

        assert_int_equal(device_reset(device), MUP_OK);
        assert_int_equal(device_stage(device, 2, NEW_SIZE), MUP_OK);
        assert_int_equal(device_request(device, 2, NEW_SIZE), MUP_OK);
        mup_hostile_flash_power_on(&device->memory->flash);
        device->memory->flash.fail_at = at;
        status = device_reset(device);
        if (status == MUP_OK) {
            assert_true(at > device->memory->flash.call_count);
            boot_device_free(device);
            break;
        }
        assert_int_equal(status, MUP_ERR_FLASH);
        assert_int_equal(device->memory->flash.call_count, at);
        assert_int_equal(device_reset(device), MUP_OK);
        assert_int_equal(device->state.phase, MUP_BOOT_TRIAL);
        assert_int_equal(device->state.running.version, 2);
        assert_true(device_holds(device, 2, NEW_SIZE));
        boot_device_free(device);
    }
}

/* B6 */
static void each_failing_call_of_a_request_leaves_the_old_state_or_the_new(void **state)
{
    (void)state;
    for (uint32_t at = 1;; at++) {
        struct boot_device *device = boot_device_new();
        enum mup_status status;

        assert_int_equal(device_reset(device), MUP_OK);
        assert_int_equal(device_stage(device, 2, NEW_SIZE), MUP_OK);
        mup_hostile_flash_power_on(&device->memory->flash);
        device->memory->flash.fail_at = at;
        status = device_request(device, 2, NEW_SIZE);
        if (status == MUP_OK) {
            boot_device_free(device);
            break;
        }
        assert_int_equal(status, MUP_ERR_FLASH);
        mup_boot_state(&device->boot, &device->state);
        assert_int_equal(device->state.phase, MUP_BOOT_IDLE);
        assert_int_equal(device->state.other.size, 0);
        assert_int_equal(device_request(device, 2, NEW_SIZE), MUP_OK);
        assert_int_equal(device_reset(device), MUP_OK);
        assert_int_equal(device->state.running.version, 2);
        boot_device_free(device);
    }
}

/* B5, B6 */
static void each_failing_call_of_a_confirmation_leaves_trial_or_confirmation(void **state)
{
    (void)state;
    for (uint32_t at = 1;; at++) {
        struct boot_device *device = boot_device_new();
        enum mup_status status;

        assert_int_equal(device_reset(device), MUP_OK);
        assert_int_equal(device_stage(device, 2, NEW_SIZE), MUP_OK);
        assert_int_equal(device_request(device, 2, NEW_SIZE), MUP_OK);
        assert_int_equal(device_reset(device), MUP_OK);
        assert_int_equal(mup_boot_open(&device->boot, &device->memory->map), MUP_OK);
        mup_hostile_flash_power_on(&device->memory->flash);
        device->memory->flash.fail_at = at;
        status = mup_boot_confirm(&device->boot);
        if (status == MUP_OK) {
            boot_device_free(device);
            break;
        }
        assert_int_equal(status, MUP_ERR_FLASH);
        mup_boot_state(&device->boot, &device->state);
        assert_int_equal(device->state.phase, MUP_BOOT_TRIAL);
        assert_int_equal(device->state.version_floor, 1);
        assert_int_equal(mup_boot_confirm(&device->boot), MUP_OK);
        assert_int_equal(device_reset(device), MUP_OK);
        assert_int_equal(device->state.phase, MUP_BOOT_CONFIRMED);
        boot_device_free(device);
    }
}

struct first_operation {
    const struct mup_hostile_flash *flash;
    uint32_t at;
    bool seen;
};

static void note_first(void *context)
{
    struct first_operation *first = context;

    if (!first->seen)
        first->at = first->flash->next_at;
    first->seen = true;
}

/* B1, B3: also when the position stands twice already, because a further one may have been begun
 * and not be seen yet. */
static void after_each_cut_the_position_is_written_before_data_is_touched(void **state)
{
    struct boot_device *device = boot_device_new();
    struct mup_hostile_flash *flash = &device->memory->flash;
    uint32_t journal_at = device->memory->map.state_at + MUP_STATE_PAGE_JOURNAL * TEST_PAGE_SIZE;

    (void)state;
    assert_int_equal(device_reset(device), MUP_OK);
    assert_int_equal(device_stage(device, 2, NEW_SIZE), MUP_OK);
    assert_int_equal(device_request(device, 2, NEW_SIZE), MUP_OK);
    for (int boot = 0; boot < 30; boot++) {
        struct first_operation first = {.flash = flash};

        flash->watch = note_first;
        flash->watch_context = &first;
        flash->cut_at = flash->operation_count + 1000;
        flash->cut = MUP_HOSTILE_BEFORE;
        if (boot > 0) /* in the copying of the page that the first cut was in, again and again */
            flash->cut_at = flash->operation_count + 100;
        assert_int_equal(device_reset(device), MUP_ERR_FLASH);
        assert_true(flash->dead);
        assert_true(first.seen);
        assert_true(first.at >= journal_at && first.at < journal_at + 2 * TEST_PAGE_SIZE);
        mup_hostile_flash_power_on(flash);
    }
    flash->watch = NULL;
    assert_int_equal(device_reset(device), MUP_OK);
    assert_int_equal(device->state.phase, MUP_BOOT_TRIAL);
    assert_true(device_holds(device, 2, NEW_SIZE));
    boot_device_free(device);
}

/* A port whose flash loses a bit once the swap is over: the start finds out and swaps back. */
struct rotting {
    struct mup_port_flash good;
    struct mup_hostile_flash *flash;
    uint32_t journal_at;
};

static int rotting_read(void *context, uint32_t at, void *out, size_t size)
{
    struct rotting *rotting = context;

    return rotting->good.read(rotting->good.context, at, out, size);
}

static int rotting_erase(void *context, uint32_t page_at)
{
    struct rotting *rotting = context;

    return rotting->good.erase(rotting->good.context, page_at);
}

static int rotting_program(void *context, uint32_t at, const uint32_t *words, size_t word_count)
{
    struct rotting *rotting = context;

    /* The position behind the last half step: phase 3, four pages of two. */
    if (at >= rotting->journal_at && words[0] == 0xcff73008)
        rotting->flash->bytes[1234] ^= 0x40;
    return rotting->good.program(rotting->good.context, at, words, word_count);
}

static void an_image_that_went_bad_in_the_swap_is_never_run(void **state)
{
    struct boot_device *device = boot_device_new();
    struct flash_memory *memory = device->memory;
    struct rotting rotting = {memory->port, &memory->flash, memory->map.state_at};

    (void)state;
    assert_int_equal(device_reset(device), MUP_OK);
    assert_int_equal(device_stage(device, 2, NEW_SIZE), MUP_OK);
    assert_int_equal(device_request(device, 2, NEW_SIZE), MUP_OK);
    memory->port = (struct mup_port_flash){&rotting,     rotting.good.size, rotting.good.page_size,
                                           rotting_read, rotting_program,   rotting_erase};
    assert_int_equal(device_reset(device), MUP_OK);
    assert_int_equal(device->state.phase, MUP_BOOT_REVERTED);
    assert_int_equal(device->state.reason, MUP_BOOT_REASON_DIGEST);
    assert_true(device_holds(device, 1, OLD_SIZE));
    assert_int_equal(mup_boot_retry_trial(&device->boot), MUP_ERR_STATE);
    boot_device_free(device);
}

/* A journal written by code that knows more phases: refused, not misread. */
static void a_phase_that_is_unknown_is_refused(void **state)
{
    struct boot_device *device = boot_device_new();

    (void)state;
    for (uint32_t phase = 0; phase < 16; phase++) {
        uint32_t body_words = (8 + 136 + 4) / 4;
        uint32_t at = device->memory->map.state_at + MUP_STATE_PAGE_JOURNAL * 1024 + body_words * 4;
        uint32_t word = phase << 12 | (~(phase << 12) & 0xffff) << 16;
        bool known = phase >= MUP_BOOT_IDLE && phase <= MUP_BOOT_RETRY;

        memcpy(device->memory->flash.bytes + at, &word, 4);
        memcpy(device->memory->flash.bytes + at + 4, &word, 4); /* a new page holds it twice */
        assert_int_equal(mup_boot_open(&device->boot, &device->memory->map),
                         known ? MUP_OK : MUP_ERR_FORMAT);
    }
    boot_device_free(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failing_call_of_a_start_is_reported_and_the_next_start_succeeds),
        cmocka_unit_test(each_failing_call_of_a_request_leaves_the_old_state_or_the_new),
        cmocka_unit_test(each_failing_call_of_a_confirmation_leaves_trial_or_confirmation),
        cmocka_unit_test(after_each_cut_the_position_is_written_before_data_is_touched),
        cmocka_unit_test(an_image_that_went_bad_in_the_swap_is_never_run),
        cmocka_unit_test(a_phase_that_is_unknown_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
