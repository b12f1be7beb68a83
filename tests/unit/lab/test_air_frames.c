/* What bench-radio counts in a capture (lab/bench/air/frames.h), from captures that stand here. */
#include "support/cmocka_all.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frames.h"
#include "medium.h"

#define BEGIN_S 1795000000u

static const uint8_t router[8] = {1, 0, 0, 0, 0, 0, 0, 2};
static const uint8_t device[8] = {9, 8, 7, 6, 5, 4, 3, 2};
static const uint8_t other[8] = {19, 8, 7, 6, 5, 4, 3, 2};
static const struct mup_frames_window everything = {0, INT64_MAX};

static char path[] = "/tmp/mup-air-frames-XXXXXX";
static FILE *file;
static struct mup_frames frames;

static int begin(void **state)
{
    static const uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 256, 195};
    int fd;

    (void)state;
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    fd = mkstemp(path);
    file = fd < 0 ? NULL : fdopen(fd, "wb");
    return file != NULL && fwrite(header, sizeof header, 1, file) == 1 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    if (file != NULL)
        fclose(file);
    return unlink(path);
}

static void put(uint32_t at_us, const uint8_t *psdu, uint32_t size)
{
    const uint32_t record[4] = {BEGIN_S + at_us / 1000000, at_us % 1000000, size, size};

    assert_int_equal(fwrite(record, sizeof record, 1, file), 1);
    assert_int_equal(fwrite(psdu, size, 1, file), 1);
}

/* A data frame with extended addresses; to NULL: to all, by the short address 0xffff. */
static void put_data(uint32_t at_us, const uint8_t *from, const uint8_t *to, uint8_t number,
                     uint32_t size)
{
    uint8_t psdu[127] = {0x61, to == NULL ? 0xc8 : 0xcc, number, 0xcd, 0xab};
    size_t at = to == NULL ? 7 : 13;

    if (to == NULL)
        psdu[5] = psdu[6] = 0xff;
    else
        memcpy(psdu + 5, to, 8);
    memcpy(psdu + at, from, 8);
    put(at_us, psdu, size);
}

static void put_short(uint32_t at_us, uint16_t from, uint16_t to, uint8_t number, uint32_t size)
{
    uint8_t psdu[127] = {0x61,
                         0x88,
                         number,
                         0xcd,
                         0xab,
                         (uint8_t)to,
                         (uint8_t)(to >> 8),
                         (uint8_t)from,
                         (uint8_t)(from >> 8)};

    put(at_us, psdu, size);
}

static void put_ack(uint32_t at_us, uint8_t number)
{
    put(at_us, (const uint8_t[]){2, 0, number, 0, 0}, 5);
}

static void read_all(struct mup_frames_window all, struct mup_frames_window transfer)
{
    fflush(file);
    assert_true(mup_frames_read(&frames, path, all, transfer));
}

static void assert_tally(struct mup_frames_tally tally, uint32_t count, uint32_t bytes)
{
    assert_int_equal(tally.frames, count);
    assert_int_equal(tally.bytes, bytes);
}

static void frames_are_counted_by_direction_and_acknowledgements_the_other_way(void **state)
{
    (void)state;
    put_data(0, router, device, 1, 127);
    put_ack(4448, 1);
    put_data(9000, device, router, 1, 46);
    put_ack(11000, 1);
    put_data(20000, router, device, 2, 60);
    read_all(everything, everything);
    assert_tally(frames.in.first, 2, 187);
    assert_tally(frames.out.first, 1, 46);
    assert_tally(frames.in.acks, 1, 5);
    assert_tally(frames.out.acks, 1, 5);
    assert_tally(frames.in.retries, 0, 0);
    assert_tally(frames.in.broadcast, 0, 0);
}

static void the_same_number_again_from_the_same_sender_is_a_retry(void **state)
{
    (void)state;
    put_data(0, router, device, 7, 100);
    put_data(9000, device, router, 7, 100);
    put_data(18000, router, device, 7, 100);
    put_data(27000, router, device, 8, 100);
    put_data(36000, other, router, 7, 50);
    put_data(45000, other, router, 7, 50);
    put_data(54000, other, router, 7, 51); /* of another size: another frame */
    read_all(everything, everything);
    assert_tally(frames.in.first, 2, 200);
    assert_tally(frames.in.retries, 1, 100);
    assert_tally(frames.out.first, 3, 201);
    assert_tally(frames.out.retries, 1, 50);
}

static void a_new_capture_knows_nothing_of_the_one_before(void **state)
{
    (void)state;
    put_data(0, router, device, 7, 100);
    read_all(everything, everything);
    read_all(everything, everything);
    assert_tally(frames.in.first, 1, 100);
    assert_tally(frames.in.retries, 0, 0);
}

static void what_goes_to_all_stands_apart(void **state)
{
    (void)state;
    put_data(0, device, NULL, 1, 66);
    put_data(9000, router, NULL, 1, 77);
    put_data(18000, router, NULL, 1, 77);
    read_all(everything, everything);
    assert_tally(frames.out.broadcast, 1, 66);
    assert_tally(frames.in.broadcast, 2, 154);
    assert_tally(frames.in.first, 0, 0);
    assert_int_equal(frames.limit_us, 0);
}

static void the_router_is_known_by_its_short_address_too(void **state)
{
    (void)state;
    put_short(0, 1, 0x0101, 1, 90);
    put_ack(4000, 1);
    put_short(9000, 0x0101, 1, 1, 30);
    put_short(18000, 1, 0x01ff, 2, 40); /* not to all, though half of the address says so */
    put_short(27000, 1, 0xff01, 3, 41);
    read_all(everything, everything);
    assert_tally(frames.in.first, 3, 171);
    assert_tally(frames.in.broadcast, 0, 0);
    assert_tally(frames.out.first, 1, 30);
    assert_tally(frames.out.acks, 1, 5);
}

static void only_what_begins_in_its_window_counts(void **state)
{
    const int64_t begin_us = (int64_t)BEGIN_S * 1000000;

    (void)state;
    for (uint32_t i = 0; i < 5; i++)
        put_data(i * 1000000, router, device, (uint8_t)i, 20 + i);
    read_all((struct mup_frames_window){begin_us + 1000000, begin_us + 3000000},
             (struct mup_frames_window){begin_us + 3000000, begin_us + 3000001});
    assert_tally(frames.in.first, 2, 43);
    assert_int_equal(frames.airtime_us, mup_medium_airtime_us(23));
    assert_int_equal(frames.limit_us, mup_medium_limit_us((const uint8_t[]){23}, 1, NULL, 0));
}

static void the_limit_is_made_of_what_was_sent_for_the_first_time_both_ways(void **state)
{
    (void)state;
    put_data(0, router, device, 1, 127);
    put_ack(4448, 1);
    put_data(9000, router, device, 1, 127);
    put_ack(13448, 1);
    put_data(18000, router, device, 2, 99);
    put_data(27000, device, router, 1, 46);
    read_all(everything, everything);
    assert_int_equal(frames.limit_us,
                     mup_medium_limit_us((const uint8_t[]){127, 99}, 2, (const uint8_t[]){46}, 1));
    assert_int_equal(frames.airtime_us, 2 * mup_medium_airtime_us(127) + mup_medium_airtime_us(99) +
                                            mup_medium_airtime_us(46) +
                                            2 * mup_medium_airtime_us(5));
}

static void a_capture_that_ends_in_a_frame_is_counted_up_to_there(void **state)
{
    (void)state;
    put_data(0, router, device, 1, 127);
    put_data(9000, router, device, 2, 127);
    fflush(file);
    assert_int_equal(ftruncate(fileno(file), 24 + 16 + 127 + 16 + 126), 0);
    read_all(everything, everything);
    assert_tally(frames.in.first, 1, 127);
}

static void without_a_file_nothing_is_counted(void **state)
{
    (void)state;
    assert_false(mup_frames_read(&frames, "/nowhere/radio.pcap", everything, everything));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(frames_are_counted_by_direction_and_acknowledgements_the_other_way),
        CASE(the_same_number_again_from_the_same_sender_is_a_retry),
        CASE(a_new_capture_knows_nothing_of_the_one_before),
        CASE(what_goes_to_all_stands_apart),
        CASE(the_router_is_known_by_its_short_address_too),
        CASE(only_what_begins_in_its_window_counts),
        CASE(the_limit_is_made_of_what_was_sent_for_the_first_time_both_ways),
        CASE(a_capture_that_ends_in_a_frame_is_counted_up_to_there),
        CASE(without_a_file_nothing_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
