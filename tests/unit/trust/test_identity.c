/* The identity record: the old or the new one stands, never neither, never a mixture. */
#include "support/cmocka_all.h"

#include "mup/identity.h"
#include "support/flash_memory.h"

static struct mup_identity made(uint32_t epoch)
{
    struct mup_identity identity;

    memset(&identity, 0, sizeof identity);
    memset(identity.uuid, 0x11, sizeof identity.uuid);
    memcpy(identity.name, "lamp-7", 6);
    memset(identity.vendor.public_key, 0x22, sizeof identity.vendor.public_key);
    memset(identity.vendor.key_id, 0x33, sizeof identity.vendor.key_id);
    memset(identity.server.public_key, (int)(0x40 + epoch), sizeof identity.server.public_key);
    memset(identity.server.key_id, (int)(0x50 + epoch), sizeof identity.server.key_id);
    identity.server_epoch = epoch;
    return identity;
}

static void a_device_without_a_record_says_so(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_identity identity = made(9);
    struct mup_identity before = identity;

    (void)state;
    assert_int_equal(mup_identity_load(&identity, &memory->map), MUP_ERR_FORMAT);
    assert_memory_equal(&identity, &before, sizeof identity);
    flash_memory_free(memory);
}

static void what_was_saved_is_loaded(void **state)
{
    struct flash_memory *memory = flash_memory_new();
    struct mup_identity loaded;

    (void)state;
    for (uint32_t epoch = 1; epoch < 10; epoch++) {
        struct mup_identity identity = made(epoch);

        assert_int_equal(mup_identity_save(&memory->map, &identity), MUP_OK);
        assert_int_equal(mup_identity_load(&loaded, &memory->map), MUP_OK);
        assert_memory_equal(&loaded, &identity, sizeof identity);
    }
    assert_int_equal(memory->flash.violation_count, 0);
    flash_memory_free(memory);
}

/* F1 to F5 of the ledger below. Once the new epoch was seen it never goes away again (a dead key
 * must not come back). */
static void a_cut_leaves_one_whole_record_and_epochs_never_fall(void **state)
{
    (void)state;
    for (int cut = 0; cut < MUP_HOSTILE_CUT_COUNT; cut++) {
        for (uint32_t at = 1;; at++) {
            struct flash_memory *memory = flash_memory_new();
            struct mup_identity identity = made(1);
            struct mup_identity loaded;
            uint32_t epoch = 1;
            bool over;

            assert_int_equal(mup_identity_save(&memory->map, &identity), MUP_OK);
            mup_hostile_flash_power_on(&memory->flash);
            memory->flash.cut_at = at;
            memory->flash.cut = (enum mup_hostile_cut)cut;
            identity = made(2);
            over = mup_identity_save(&memory->map, &identity) == MUP_OK;
            for (int boot = 0; boot < 5; boot++) {
                mup_hostile_flash_power_on(&memory->flash);
                assert_int_equal(mup_identity_load(&loaded, &memory->map), MUP_OK);
                assert_true(loaded.server_epoch >= epoch && loaded.server_epoch <= 2);
                epoch = loaded.server_epoch;
                identity = made(epoch);
                assert_memory_equal(&loaded, &identity, sizeof identity);
            }
            assert_int_equal(memory->flash.violation_count, 0);
            flash_memory_free(memory);
            if (over) {
                assert_int_equal(epoch, 2);
                break;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_without_a_record_says_so),
        cmocka_unit_test(what_was_saved_is_loaded),
        cmocka_unit_test(a_cut_leaves_one_whole_record_and_epochs_never_fall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
