/* Addresses in MAC headers of IEEE 802.15.4-2020 section 7.2: each form, and every truncation. */
#include <stdlib.h>

#include "support/cmocka_all.h"

#include "address.h"

/* Data to 0201020304050607 from 0a1b2c3d4e5f6071, PAN 0xabcd for both, acknowledgement wanted. */
static const uint8_t between_extended[] = {0x61, 0xcc, 0x07, 0xcd, 0xab, 0x07, 0x06, 0x05,
                                           0x04, 0x03, 0x02, 0x01, 0x02, 0x71, 0x60, 0x5f,
                                           0x4e, 0x3d, 0x2c, 0x1b, 0x0a, 0xf0, 0xf1};
/* To 0x1234 from 0x5678. */
static const uint8_t between_short[] = {0x61, 0x88, 0x08, 0xcd, 0xab, 0x34,
                                        0x12, 0x78, 0x56, 0xf0, 0xf1};
/* To everybody from 0x5678 of PAN 0x0102, which is named. */
static const uint8_t to_all[] = {0x01, 0x88, 0x09, 0xcd, 0xab, 0xff, 0xff,
                                 0x02, 0x01, 0x78, 0x56, 0xf0, 0xf1};
/* An acknowledgement has none. */
static const uint8_t acknowledgement[] = {0x02, 0x00, 0x6a, 0xe4, 0x79};

/* An exact copy, so that reading behind it is noticed. */
static bool read_part(struct mup_addresses *out, const uint8_t *psdu, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    bool good;

    assert_non_null(copy);
    memcpy(copy, psdu, size);
    good = mup_addresses_read(out, copy, size);
    free(copy);
    return good;
}

static void every_form_is_read(void **state)
{
    struct mup_addresses found;

    (void)state;
    assert_true(read_part(&found, between_extended, sizeof between_extended));
    assert_int_equal(found.destination_size, 8);
    assert_int_equal(found.source_size, 8);
    assert_true(found.destination == 0x0201020304050607);
    assert_true(found.source == 0x0a1b2c3d4e5f6071);
    assert_false(mup_addresses_is_broadcast(&found));

    assert_true(read_part(&found, between_short, sizeof between_short));
    assert_int_equal(found.destination_size, 2);
    assert_int_equal(found.source_size, 2);
    assert_true(found.destination == 0x1234);
    assert_true(found.source == 0x5678);
    assert_false(mup_addresses_is_broadcast(&found));

    assert_true(read_part(&found, to_all, sizeof to_all));
    assert_true(mup_addresses_is_broadcast(&found));
    assert_true(found.source == 0x5678);

    assert_true(read_part(&found, acknowledgement, sizeof acknowledgement));
    assert_int_equal(found.destination_size, 0);
    assert_int_equal(found.source_size, 0);
}

static void assert_truncations_are_refused(const uint8_t *psdu, size_t size)
{
    const struct mup_addresses untouched = {.destination = 3, .source = 5, .source_size = 7};

    for (size_t part = 0; part < size; part++) {
        struct mup_addresses found = untouched;

        assert_false(read_part(&found, psdu, part));
        assert_memory_equal(&found, &untouched, sizeof found);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    assert_truncations_are_refused(between_extended, sizeof between_extended);
    assert_truncations_are_refused(between_short, sizeof between_short);
    assert_truncations_are_refused(to_all, sizeof to_all);
    assert_truncations_are_refused(acknowledgement, sizeof acknowledgement);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(every_truncation_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
