/* Which frames the micro:bit's radio lets in (firmware/microbit/frame.h). */
#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "frame.h"

static const struct microbit_address own = {
    .eui64 = {0xbe, 0xf5, 0x04, 0xc0, 0xa6, 0x49, 0x75, 0x18}, .short_address = 0x1234};

/* Data, PAN compressed, from and to EUI-64s, as IEEE 802.15.4-2020 7.2.2 has them: addresses with
 * their last byte first. What follows is RFC 6282's: all of the addresses left out, TCP. */
static const uint8_t to_us[] = {
    0x41, 0xcc, 0x17, 0xcd, 0xab, 0x18, 0x75, 0x49, 0xa6, 0xc0, 0x04, 0xf5, 0xbe, 0x01,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x7a, 0x33, 0x06, 0x07, 0x5b, 0xc2, 0x39,
};

#define HEADER_SIZE 21u

/* Data, PAN compressed, from 0x0001 to 0x1234. */
static const uint8_t to_short[] = {0x41, 0x88, 0x17, 0xcd, 0xab, 0x34, 0x12, 0x01,
                                   0x00, 0x7a, 0x33, 0x06, 0x07, 0x5b, 0xc2, 0x39};

#define SHORT_HEADER_SIZE 9u

/* The same with a check sequence, in a heap block of its exact size. */
static bool is_good_for(const struct microbit_address *who, const uint8_t *frame, size_t size)
{
    uint8_t *psdu = malloc(size + MICROBIT_FRAME_CHECK_SIZE);
    uint16_t check = microbit_frame_check(frame, size);
    bool good;

    assert_non_null(psdu);
    memcpy(psdu, frame, size);
    psdu[size] = (uint8_t)check;
    psdu[size + 1] = (uint8_t)(check >> 8);
    good = microbit_frame_is_good(psdu, size + MICROBIT_FRAME_CHECK_SIZE, who);
    free(psdu);
    return good;
}

static bool is_good(const uint8_t *frame, size_t size)
{
    return is_good_for(&own, frame, size);
}

/* A frame to us with this behind its MAC header. */
static bool takes(const uint8_t *bytes, size_t size)
{
    uint8_t frame[MICROBIT_FRAME_SIZE_MAX];

    memcpy(frame, to_us, HEADER_SIZE);
    memcpy(frame + HEADER_SIZE, bytes, size);
    return is_good(frame, HEADER_SIZE + size);
}

/* IEEE 802.15.4-2020, 7.2.11: the acknowledgement 02 00 6a has the sequence 0x79e4. */
static void the_check_sequence_is_the_standards(void **state)
{
    static const uint8_t acknowledgement[] = {0x02, 0x00, 0x6a};

    (void)state;
    assert_int_equal(microbit_frame_check(acknowledgement, sizeof acknowledgement), 0x79e4);
}

static void data_for_us_gets_in_and_for_others_does_not(void **state)
{
    uint8_t frame[sizeof to_us];

    (void)state;
    assert_true(is_good(to_us, sizeof to_us));
    for (size_t i = 5; i < 13; i++) {
        memcpy(frame, to_us, sizeof frame);
        frame[i] ^= 1;
        assert_false(is_good(frame, sizeof frame));
    }
}

static void data_for_all_gets_in(void **state)
{
    static const uint8_t to_all[] = {0x41, 0xc8, 0x17, 0xcd, 0xab, 0xff, 0xff, 0x01, 0x00,
                                     0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x7b, 0x33, 0x3a};

    (void)state;
    assert_true(is_good(to_all, sizeof to_all));
}

/* Each 16-bit address, from a 16-bit one and from an EUI-64. */
static void of_16_bit_addresses_our_own_and_that_of_all_get_in(void **state)
{
    uint8_t from_short[sizeof to_short];
    uint8_t from_eui64[] = {0x41, 0xc8, 0x17, 0xcd, 0xab, 0,    0,    0x01, 0x00,
                            0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x7b, 0x33, 0x3a};

    (void)state;
    memcpy(from_short, to_short, sizeof from_short);
    for (unsigned to = 0; to <= 0xffff; to++) {
        bool is_ours = to == 0x1234 || to == 0xffff;

        from_short[5] = from_eui64[5] = (uint8_t)to;
        from_short[6] = from_eui64[6] = (uint8_t)(to >> 8);
        assert_int_equal(is_good(from_short, sizeof from_short), is_ours);
        assert_int_equal(is_good(from_eui64, sizeof from_eui64), is_ours);
    }
}

static void who_has_no_16_bit_address_takes_nothing_but_what_is_for_all(void **state)
{
    struct microbit_address nobody = own;
    uint8_t frame[sizeof to_short];

    (void)state;
    nobody.short_address = MICROBIT_SHORT_NONE;
    memcpy(frame, to_short, sizeof frame);
    for (unsigned to = 0; to <= 0xffff; to++) {
        frame[5] = (uint8_t)to;
        frame[6] = (uint8_t)(to >> 8);
        assert_int_equal(is_good_for(&nobody, frame, sizeof frame), to == 0xffff);
    }
    assert_true(is_good_for(&nobody, to_us, sizeof to_us));
}

static void each_flipped_bit_is_noticed(void **state)
{
    uint8_t psdu[sizeof to_us + MICROBIT_FRAME_CHECK_SIZE];
    uint16_t check = microbit_frame_check(to_us, sizeof to_us);

    (void)state;
    memcpy(psdu, to_us, sizeof to_us);
    psdu[sizeof to_us] = (uint8_t)check;
    psdu[sizeof to_us + 1] = (uint8_t)(check >> 8);
    assert_true(microbit_frame_is_good(psdu, sizeof psdu, &own));
    for (size_t bit = 0; bit < 8 * sizeof psdu; bit++) {
        psdu[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(microbit_frame_is_good(psdu, sizeof psdu, &own));
        psdu[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void what_is_cut_off_within_its_headers_does_not_get_in(void **state)
{
    (void)state;
    for (size_t size = 0; size < HEADER_SIZE + 3; size++)
        assert_false(is_good(to_us, size));
    assert_true(is_good(to_us, HEADER_SIZE + 3));
    for (size_t size = 0; size < SHORT_HEADER_SIZE + 3; size++)
        assert_false(is_good(to_short, size));
    assert_true(is_good(to_short, SHORT_HEADER_SIZE + 3));
}

static void other_kinds_of_frames_do_not_get_in(void **state)
{
    static const struct {
        uint8_t low, high;
    } controls[] = {
        {0x40, 0xcc}, /* a beacon */
        {0x42, 0xcc}, /* an acknowledgement */
        {0x43, 0xcc}, /* a command */
        {0x49, 0xcc}, /* secured */
        {0x41, 0xc0}, /* to nobody */
        {0x41, 0x0c}, /* from nobody */
        {0x41, 0xc4}, /* reserved kind of address */
    };
    uint8_t frame[sizeof to_us];

    (void)state;
    memcpy(frame, to_us, sizeof frame);
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++) {
        frame[0] = controls[i].low;
        frame[1] = controls[i].high;
        assert_false(is_good(frame, sizeof frame));
    }
}

/* Each value of a dispatch byte, alone and in a first fragment. */
static void only_datagrams_that_lwip_knows_get_in(void **state)
{
    uint8_t bytes[] = {0, 0x33, 0x06, 0x07, 0x5b, 0xc2, 0x39, 0x44, 0x81};

    (void)state;
    for (unsigned dispatch = 0; dispatch < 256; dispatch++) {
        bool is_datagram = dispatch == 0x41 || (dispatch >= 0x60 && dispatch <= 0x7f);
        bool is_first = dispatch >= 0xc0 && dispatch <= 0xc7;
        bool is_next = dispatch >= 0xe0 && dispatch <= 0xe7;

        bytes[0] = (uint8_t)dispatch;
        bytes[4] = 0x7a;
        assert_int_equal(takes(bytes, sizeof bytes), is_datagram || is_first || is_next);
        bytes[0] = 0xc1;
        bytes[4] = (uint8_t)dispatch;
        assert_int_equal(takes(bytes, sizeof bytes), is_datagram);
    }
}

static void fragments_without_content_do_not_get_in(void **state)
{
    static const uint8_t first[] = {0xc2, 0x18, 0x00, 0x07, 0x7a, 0x33, 0x06};
    static const uint8_t next[] = {0xe2, 0x18, 0x00, 0x07, 0x0b, 0x5a};

    (void)state;
    for (size_t size = 1; size <= sizeof first; size++)
        assert_int_equal(takes(first, size), size == sizeof first);
    for (size_t size = 1; size <= sizeof next; size++)
        assert_int_equal(takes(next, size), size == sizeof next);
}

/* RFC 4944 section 5.3: the datagram's size, eleven bits behind the dispatch. */
static void first_fragments_of_less_than_a_header_do_not_get_in(void **state)
{
    uint8_t first[] = {0xc0, 0x00, 0x00, 0x07, 0x7a, 0x33, 0x06, 0x5b};

    (void)state;
    for (unsigned size = 0; size < 2048; size++) {
        first[0] = (uint8_t)(0xc0 | size >> 8);
        first[1] = (uint8_t)size;
        assert_int_equal(takes(first, sizeof first), size >= 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_sequence_is_the_standards),
        cmocka_unit_test(data_for_us_gets_in_and_for_others_does_not),
        cmocka_unit_test(data_for_all_gets_in),
        cmocka_unit_test(of_16_bit_addresses_our_own_and_that_of_all_get_in),
        cmocka_unit_test(who_has_no_16_bit_address_takes_nothing_but_what_is_for_all),
        cmocka_unit_test(each_flipped_bit_is_noticed),
        cmocka_unit_test(what_is_cut_off_within_its_headers_does_not_get_in),
        cmocka_unit_test(other_kinds_of_frames_do_not_get_in),
        cmocka_unit_test(only_datagrams_that_lwip_knows_get_in),
        cmocka_unit_test(fragments_without_content_do_not_get_in),
        cmocka_unit_test(first_fragments_of_less_than_a_header_do_not_get_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
