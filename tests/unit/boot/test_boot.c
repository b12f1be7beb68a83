/* The boot core without faults: phases, what each call refuses, trials, rounds, the floor. */
#include "support/cmocka_all.h"

#include "support/boot_device.h"

static void assert_runs(const struct boot_device *device, enum mup_boot_phase phase,
                        uint32_t version, uint32_t size)
{
    assert_int_equal(device->state.phase, phase);
    assert_int_equal(device->state.running.version, version);
    assert_int_equal(device->state.running.size, size);
    assert_true(device_holds(device, version, size));
    assert_int_equal(device->memory->flash.violation_count, 0);
}

static struct boot_device *new_on_trial(void)
{
    struct boot_device *device = boot_device_new();

    assert_int_equal(device_reset(device), MUP_OK);
    assert_int_equal(device_stage(device, 2, NEW_SIZE), MUP_OK);
    assert_int_equal(device_request(device, 2, NEW_SIZE), MUP_OK);
    assert_int_equal(device_reset(device), MUP_OK);
    assert_runs(device, MUP_BOOT_TRIAL, 2, NEW_SIZE);
    return device;
}

static struct boot_device *new_reverted(enum mup_boot_reason reason)
{
    struct boot_device *device = new_on_trial();

    assert_int_equal(mup_boot_revert(&device->boot, reason), MUP_OK);
    assert_int_equal(device_reset(device), MUP_OK);
    assert_runs(device, MUP_BOOT_REVERTED, 1, OLD_SIZE);
    assert_int_equal(mup_boot_trials(&device->boot), 1);
    return device;
}

static void an_unprovisioned_device_says_so_and_nothing_is_written(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_boot boot;

    (void)state;
    assert_int_equal(mup_boot_open(&boot, &memory->map), MUP_ERR_FORMAT);
    assert_int_equal(memory->flash.operation_count, 0);
    memory->map.staging_at += 4;
    assert_int_equal(mup_boot_open(&boot, &memory->map), MUP_ERR_RANGE);
    flash_memory_free(memory);
}

static void a_provisioned_device_runs_its_image_and_writes_no_more(void **state)
{
    struct boot_device *device = boot_device_new();

    (void)state;
    assert_int_equal(device_reset(device), MUP_OK);
    mup_hostile_flash_power_on(&device->memory->flash);
    for (int boot = 0; boot < 300; boot++)
        assert_int_equal(device_reset(device), MUP_OK);
    assert_int_equal(device->memory->flash.operation_count, 0);
    assert_runs(device, MUP_BOOT_IDLE, 1, OLD_SIZE);
    assert_int_equal(device->state.version_floor, 1);
    assert_int_equal(device->state.other.size, 0);
    assert_true(device->state.takes_manifest);
    assert_int_equal(device->verify_count, 0);
    boot_device_free(device);
}

static void a_requested_image_is_verified_once_swapped_and_tried(void **state)
{
    struct boot_device *device = new_on_trial();
    struct mup_boot_image expected = image_of(2, NEW_SIZE);
    uint8_t manifest[MANIFEST_SIZE];
    uint8_t digest[MUP_SHA256_SIZE];

    (void)state;
    assert_int_equal(device->verify_count, 1);
    assert_memory_equal(&device->asked, &expected, sizeof expected);
    assert_int_equal(device->state.trial, 1);
    assert_int_equal(device->state.version_floor, 1); /* B5: not before the confirmation */
    assert_int_equal(device->state.other.version, 1);
    assert_false(device->state.takes_manifest);
    fill_image(manifest, 77, MANIFEST_SIZE);
    mup_sha256_of(digest, manifest, MANIFEST_SIZE);
    assert_memory_equal(device->state.manifest_digest, digest, sizeof digest);
    boot_device_free(device);
}

static void images_of_every_number_of_pages_swap_and_swap_back(void **state)
{
    (void)state;
    for (uint32_t size = 1; size <= 4096; size += 455) {
        struct boot_device *device = boot_device_new();

        assert_int_equal(device_reset(device), MUP_OK);
        assert_int_equal(device_stage(device, 2, size), MUP_OK);
        assert_int_equal(device_request(device, 2, size), MUP_OK);
        assert_int_equal(device_reset(device), MUP_OK);
        assert_runs(device, MUP_BOOT_TRIAL, 2, size);
        assert_int_equal(mup_boot_revert(&device->boot, MUP_BOOT_REASON_DEADLINE), MUP_OK);
        assert_int_equal(device_reset(device), MUP_OK);
        assert_runs(device, MUP_BOOT_REVERTED, 1, OLD_SIZE);
        assert_int_equal(mup_boot_retry_trial(&device->boot), MUP_OK);
        assert_int_equal(device_reset(device), MUP_OK);
        assert_runs(device, MUP_BOOT_TRIAL, 2, size);
        boot_device_free(device);
    }
}

static void a_factory_image_of_unknown_size_comes_back_whole(void **state)
{
    struct boot_device *device = boot_device_new();
    struct mup_boot_image unknown = {.version = 1};
    uint32_t max = mup_flash_map_image_size_max(&device->memory->map);

    (void)state;
    fill_image(device->memory->flash.bytes, 1, max);
    assert_int_equal(mup_boot_provision(&device->boot, &device->memory->map, &unknown), MUP_OK);
    assert_int_equal(device_reset(device), MUP_OK);
    assert_int_equal(device_stage(device, 2, 100), MUP_OK);
    assert_int_equal(device_request(device, 2, 100), MUP_OK);
    assert_int_equal(device_reset(device), MUP_OK);
    assert_runs(device, MUP_BOOT_TRIAL, 2, 100);
    assert_int_equal(mup_boot_revert(&device->boot, MUP_BOOT_REASON_DEADLINE), MUP_OK);
    assert_int_equal(device_reset(device), MUP_OK);
    assert_int_equal(device->state.phase, MUP_BOOT_REVERTED);
    assert_true(device_holds(device, 1, max));
    boot_device_free(device);
}

static void a_confirmed_image_stays_and_raises_the_floor(void **state)
{
    struct boot_device *device = new_on_trial();

    (void)state;
    assert_int_equal(mup_boot_confirm(&device->boot), MUP_OK);
    assert_int_equal(mup_boot_confirm(&device->boot), MUP_OK);
    mup_boot_state(&device->boot, &device->state);
    assert_runs(device, MUP_BOOT_CONFIRMED, 2, NEW_SIZE);
    for (int boot = 0; boot < 10; boot++) {
        assert_int_equal(device_reset(device), MUP_OK);
        assert_runs(device, MUP_BOOT_CONFIRMED, 2, NEW_SIZE);
        assert_int_equal(device->state.version_floor, 2);
        assert_true(device->state.takes_manifest);
    }
    assert_int_equal(mup_boot_revert(&device->boot, MUP_BOOT_REASON_DEADLINE), MUP_ERR_STATE);
    assert_int_equal(mup_boot_reported(&device->boot), MUP_OK);
    assert_int_equal(mup_boot_reported(&device->boot), MUP_ERR_STATE);
    assert_int_equal(device_reset(device), MUP_OK);
    assert_runs(device, MUP_BOOT_IDLE, 2, NEW_SIZE);
    assert_int_equal(device->state.version_floor, 2);
    boot_device_free(device);
}

static void three_starts_without_confirmation_bring_the_old_image_back(void **state)
{
    struct boot_device *device = new_on_trial();

    (void)state;
    for (uint32_t trial = 2; trial <= 3; trial++) {
        assert_int_equal(device_reset(device), MUP_OK);
        assert_runs(device, MUP_BOOT_TRIAL, 2, NEW_SIZE);
        assert_int_equal(device->state.trial, trial);
    }
    for (int boot = 0; boot < 3; boot++) {
        assert_int_equal(device_reset(device), MUP_OK);
        assert_runs(device, MUP_BOOT_REVERTED, 1, OLD_SIZE);
        assert_int_equal(device->state.reason, MUP_BOOT_REASON_TRIALS);
        assert_int_equal(device->state.other.version, 2);
        assert_int_equal(device->state.version_floor, 1);
        assert_true(device->state.takes_manifest);
    }
    assert_int_equal(mup_boot_confirm(&device->boot), MUP_ERR_STATE);
    boot_device_free(device);
}

static void the_reason_of_a_revert_is_kept_until_it_was_told(void **state)
{
    struct boot_device *device = new_reverted(MUP_BOOT_REASON_SELF_TEST);

    (void)state;
    assert_int_equal(device->state.reason, MUP_BOOT_REASON_SELF_TEST);
    assert_int_equal(mup_boot_retry_trial(&device->boot), MUP_ERR_STATE);
    assert_int_equal(mup_boot_reported(&device->boot), MUP_OK);
    assert_int_equal(device_reset(device), MUP_OK);
    assert_runs(device, MUP_BOOT_IDLE, 1, OLD_SIZE);
    assert_int_equal(device->state.reason, MUP_BOOT_REASON_NONE);
    assert_int_equal(device->state.other.size, 0);
    boot_device_free(device);
}

static void a_reverted_image_gets_its_trials_again_a_bounded_number_of_times(void **state)
{
    struct boot_device *device = new_reverted(MUP_BOOT_REASON_DEADLINE);

    (void)state;
    for (uint32_t round = 1; round <= MUP_BOOT_ROUNDS_MAX; round++) {
        assert_int_equal(mup_boot_retry_trial(&device->boot), MUP_OK);
        assert_int_equal(mup_boot_retry_trial(&device->boot), MUP_ERR_STATE);
        for (uint32_t trial = 1; trial <= MUP_BOOT_TRIALS_MAX; trial++) {
            assert_int_equal(device_reset(device), MUP_OK);
            assert_runs(device, MUP_BOOT_TRIAL, 2, NEW_SIZE);
            assert_int_equal(device->state.trial, trial);
            assert_int_equal(device->state.round, round);
        }
        assert_int_equal(device_reset(device), MUP_OK);
        assert_runs(device, MUP_BOOT_REVERTED, 1, OLD_SIZE);
    }
    assert_int_equal(mup_boot_retry_trial(&device->boot), MUP_ERR_STATE);
    assert_int_equal(device->verify_count, 1); /* once, before the first swap */
    boot_device_free(device);
}

static void a_retried_image_can_be_confirmed(void **state)
{
    struct boot_device *device = new_reverted(MUP_BOOT_REASON_DEADLINE);

    (void)state;
    assert_int_equal(mup_boot_retry_trial(&device->boot), MUP_OK);
    assert_int_equal(device_reset(device), MUP_OK);
    assert_int_equal(mup_boot_confirm(&device->boot), MUP_OK);
    assert_int_equal(device_reset(device), MUP_OK);
    assert_runs(device, MUP_BOOT_CONFIRMED, 2, NEW_SIZE);
    assert_int_equal(device->state.reason, MUP_BOOT_REASON_NONE);
    boot_device_free(device);
}

/* The slot was written to after the revert: the retry finds out, and the old image stays. */
static void a_retry_of_an_overwritten_image_is_rejected(void **state)
{
    struct boot_device *device = new_reverted(MUP_BOOT_REASON_DEADLINE);

    (void)state;
    assert_int_equal(device_stage(device, 3, 900), MUP_OK);
    assert_int_equal(mup_boot_retry_trial(&device->boot), MUP_OK);
    assert_int_equal(device_reset(device), MUP_OK);
    assert_runs(device, MUP_BOOT_REJECTED, 1, OLD_SIZE);
    assert_int_equal(device->state.reason, MUP_BOOT_REASON_DIGEST);
    boot_device_free(device);
}

/* B4: each byte of the staged image, in steps, and its last. */
static void a_staged_image_with_a_wrong_byte_never_reaches_the_execution_slot(void **state)
{
    (void)state;
    for (uint32_t i = 0; i <= NEW_SIZE / 97; i++) {
        uint32_t at = i < NEW_SIZE / 97 ? i * 97 : NEW_SIZE - 1;
        struct boot_device *device = boot_device_new();

        assert_int_equal(device_reset(device), MUP_OK);
        assert_int_equal(device_stage(device, 2, NEW_SIZE), MUP_OK);
        device->memory->flash.bytes[TEST_SLOT_SIZE + TEST_PAGE_SIZE + at] ^= 1;
        assert_int_equal(device_request(device, 2, NEW_SIZE), MUP_OK);
        assert_int_equal(device_reset(device), MUP_OK);
        assert_runs(device, MUP_BOOT_REJECTED, 1, OLD_SIZE);
        assert_int_equal(device->state.reason, MUP_BOOT_REASON_DIGEST);
        assert_int_equal(device->state.other.version, 2);
        boot_device_free(device);
    }
}

static void a_manifest_that_does_not_verify_or_was_changed_is_rejected(void **state)
{
    (void)state;
    for (uint32_t at = 0; at <= MANIFEST_SIZE; at++) {
        struct boot_device *device = boot_device_new();
        bool changed = at < MANIFEST_SIZE;

        device->answer = changed ? MUP_OK : MUP_ERR_SIGNATURE;
        assert_int_equal(device_reset(device), MUP_OK);
        assert_int_equal(device_stage(device, 2, NEW_SIZE), MUP_OK);
        assert_int_equal(device_request(device, 2, NEW_SIZE), MUP_OK);
        if (changed)
            device->memory->flash
                .bytes[device->memory->map.state_at + MUP_STATE_PAGE_MANIFEST * 1024 + at] ^= 4;
        assert_int_equal(device_reset(device), MUP_OK);
        assert_runs(device, MUP_BOOT_REJECTED, 1, OLD_SIZE);
        assert_int_equal(device->state.reason,
                         changed ? MUP_BOOT_REASON_DIGEST : MUP_BOOT_REASON_SIGNATURE);
        assert_int_equal(device->verify_count, changed ? 0 : 1);
        boot_device_free(device);
    }
}

/* The verifier could not read the trust anchors: no verdict, so the request stands. */
static void a_verifier_in_trouble_rejects_nothing(void **state)
{
    struct boot_device *device = boot_device_new();

    (void)state;
    assert_int_equal(device_reset(device), MUP_OK);
    assert_int_equal(device_stage(device, 2, NEW_SIZE), MUP_OK);
    assert_int_equal(device_request(device, 2, NEW_SIZE), MUP_OK);
    device->answer = MUP_ERR_FLASH;
    assert_int_equal(device_reset(device), MUP_ERR_FLASH);
    device->answer = MUP_OK;
    assert_int_equal(device_reset(device), MUP_OK);
    assert_runs(device, MUP_BOOT_TRIAL, 2, NEW_SIZE);
    boot_device_free(device);
}

static void a_request_is_refused_during_a_trial_and_while_one_waits(void **state)
{
    struct boot_device *device = new_on_trial();

    (void)state;
    assert_int_equal(device_request(device, 3, 100), MUP_ERR_STATE);
    assert_int_equal(mup_boot_confirm(&device->boot), MUP_OK);
    assert_int_equal(device_request(device, 3, 100), MUP_OK);
    assert_int_equal(device_request(device, 4, 100), MUP_ERR_STATE);
    mup_boot_state(&device->boot, &device->state);
    assert_int_equal(device->state.phase, MUP_BOOT_REQUESTED);
    assert_int_equal(device->state.running.version, 2);
    assert_int_equal(device->state.other.version, 3);
    assert_false(device->state.takes_manifest);
    assert_int_equal(mup_boot_confirm(&device->boot), MUP_ERR_STATE);
    boot_device_free(device);
}

static void a_request_outside_of_the_limits_is_refused_and_leaves_no_trace(void **state)
{
    struct boot_device *device = boot_device_new();
    uint32_t max = mup_flash_map_image_size_max(&device->memory->map);
    struct mup_boot_image image = image_of(2, NEW_SIZE);
    uint8_t *manifest = calloc(1, MUP_BOOT_MANIFEST_SIZE_MAX + 1);

    (void)state;
    assert_int_equal(device_reset(device), MUP_OK);
    mup_hostile_flash_power_on(&device->memory->flash);
    assert_int_equal(mup_boot_request(&device->boot, &image, manifest, 0), MUP_ERR_RANGE);
    assert_int_equal(
        mup_boot_request(&device->boot, &image, manifest, MUP_BOOT_MANIFEST_SIZE_MAX + 1),
        MUP_ERR_SPACE);
    image.size = 0;
    assert_int_equal(mup_boot_request(&device->boot, &image, manifest, 9), MUP_ERR_RANGE);
    image.size = max + 1;
    assert_int_equal(mup_boot_request(&device->boot, &image, manifest, 9), MUP_ERR_SPACE);
    image.size = NEW_SIZE;
    for (image.version = 0; image.version <= 1; image.version++)
        assert_int_equal(mup_boot_request(&device->boot, &image, manifest, 9), MUP_ERR_STALE);
    assert_int_equal(device->memory->flash.operation_count, 0);
    assert_int_equal(mup_boot_confirm(&device->boot), MUP_ERR_STATE);
    assert_int_equal(mup_boot_revert(&device->boot, MUP_BOOT_REASON_DEADLINE), MUP_ERR_STATE);
    assert_int_equal(mup_boot_retry_trial(&device->boot), MUP_ERR_STATE);
    assert_int_equal(mup_boot_reported(&device->boot), MUP_ERR_STATE);
    assert_int_equal(device->memory->flash.operation_count, 0);
    free(manifest);
    boot_device_free(device);
}

static void a_manifest_of_every_size_is_given_to_the_verifier_as_it_was(void **state)
{
    struct boot_device *device = boot_device_new();
    uint8_t *manifest = calloc(1, MUP_BOOT_MANIFEST_SIZE_MAX);
    uint32_t at = device->memory->map.state_at + MUP_STATE_PAGE_MANIFEST * 1024;

    (void)state;
    fill_image(manifest, 5, MUP_BOOT_MANIFEST_SIZE_MAX);
    for (size_t size = 1; size <= MUP_BOOT_MANIFEST_SIZE_MAX; size += size < 10 ? 1 : 379) {
        struct mup_boot_image image = image_of(2, NEW_SIZE);

        assert_int_equal(device_reset(device), MUP_OK); /* rejects the one before */
        assert_int_equal(mup_boot_request(&device->boot, &image, manifest, size), MUP_OK);
        assert_memory_equal(device->memory->flash.bytes + at, manifest, size);
        assert_int_equal(device->memory->flash.bytes[at + size], 0xff);
    }
    free(manifest);
    boot_device_free(device);
}

static void an_update_after_a_revert_forgets_the_reverted_image(void **state)
{
    struct boot_device *device = new_reverted(MUP_BOOT_REASON_DEADLINE);

    (void)state;
    assert_int_equal(device_stage(device, 3, 1500), MUP_OK);
    assert_int_equal(device_request(device, 3, 1500), MUP_OK);
    assert_int_equal(device_reset(device), MUP_OK);
    assert_runs(device, MUP_BOOT_TRIAL, 3, 1500);
    assert_int_equal(device->state.round, 0);
    boot_device_free(device);
}

static void an_image_too_large_is_not_provisioned(void **state)
{
    struct boot_device *device = boot_device_new();
    struct mup_boot_image image = {.version = 4, .size = TEST_SLOT_SIZE};

    (void)state;
    assert_int_equal(mup_boot_provision(&device->boot, &device->memory->map, &image),
                     MUP_ERR_RANGE);
    assert_int_equal(device_reset(device), MUP_OK);
    assert_runs(device, MUP_BOOT_IDLE, 1, OLD_SIZE);
    boot_device_free(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unprovisioned_device_says_so_and_nothing_is_written),
        cmocka_unit_test(a_provisioned_device_runs_its_image_and_writes_no_more),
        cmocka_unit_test(a_requested_image_is_verified_once_swapped_and_tried),
        cmocka_unit_test(images_of_every_number_of_pages_swap_and_swap_back),
        cmocka_unit_test(a_factory_image_of_unknown_size_comes_back_whole),
        cmocka_unit_test(a_confirmed_image_stays_and_raises_the_floor),
        cmocka_unit_test(three_starts_without_confirmation_bring_the_old_image_back),
        cmocka_unit_test(the_reason_of_a_revert_is_kept_until_it_was_told),
        cmocka_unit_test(a_reverted_image_gets_its_trials_again_a_bounded_number_of_times),
        cmocka_unit_test(a_retried_image_can_be_confirmed),
        cmocka_unit_test(a_retry_of_an_overwritten_image_is_rejected),
        cmocka_unit_test(a_staged_image_with_a_wrong_byte_never_reaches_the_execution_slot),
        cmocka_unit_test(a_manifest_that_does_not_verify_or_was_changed_is_rejected),
        cmocka_unit_test(a_verifier_in_trouble_rejects_nothing),
        cmocka_unit_test(a_request_is_refused_during_a_trial_and_while_one_waits),
        cmocka_unit_test(a_request_outside_of_the_limits_is_refused_and_leaves_no_trace),
        cmocka_unit_test(a_manifest_of_every_size_is_given_to_the_verifier_as_it_was),
        cmocka_unit_test(an_update_after_a_revert_forgets_the_reverted_image),
        cmocka_unit_test(an_image_too_large_is_not_provisioned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
