/*
 * The promises of flash.h. Four pages are used: "before" and "after" stand guard around the two in
 * the middle. Content is a pattern that follows from the address, so no page has to fit into RAM.
 */
#include <string.h>

#include "suite_internal.h"

#define WORD   MUP_PORT_FLASH_WORD_SIZE
#define CHUNK  64u /* bytes looked at at once; no page is smaller, and all are multiples of it */
#define GUARD  0xa5u
#define BEFORE 0u
#define MIDDLE 1u
#define SECOND 2u
#define AFTER  3u

static uint32_t page_at(const struct port_suite *suite, uint32_t page)
{
    return suite->flash_at + page * suite->flash->page_size;
}

static int read(const struct port_suite *suite, uint32_t at, void *out, size_t size)
{
    return suite->flash->read(suite->flash->context, at, out, size);
}

static int program(const struct port_suite *suite, uint32_t at, const uint32_t *words, size_t count)
{
    return suite->flash->program(suite->flash->context, at, words, count);
}

static int erase(const struct port_suite *suite, uint32_t at)
{
    return suite->flash->erase(suite->flash->context, at);
}

/* No two words of the memory are equal, and no byte of one is all ones. */
static uint32_t pattern(uint32_t at)
{
    return (at * UINT32_C(2654435761) ^ (at >> 7)) & UINT32_C(0x7f7f7f7f);
}

static void make_pattern(uint32_t words[CHUNK / WORD], uint32_t at)
{
    for (uint32_t i = 0; i < CHUNK / WORD; i++)
        words[i] = pattern(at + i * WORD);
}

static bool is_filled(const struct port_suite *suite, uint32_t at, uint32_t size, uint8_t value)
{
    uint8_t bytes[CHUNK];

    for (uint32_t done = 0; done < size; done += CHUNK) {
        uint32_t piece = size - done < CHUNK ? size - done : CHUNK;

        if (read(suite, at + done, bytes, piece) != 0)
            return false;
        for (uint32_t i = 0; i < piece; i++)
            if (bytes[i] != value)
                return false;
    }
    return true;
}

static bool has_pattern(const struct port_suite *suite, uint32_t at, uint32_t size)
{
    uint32_t words[CHUNK / WORD];
    uint8_t bytes[CHUNK];

    for (uint32_t done = 0; done < size; done += CHUNK) {
        make_pattern(words, at + done);
        if (read(suite, at + done, bytes, CHUNK) != 0 || memcmp(bytes, words, CHUNK) != 0)
            return false;
    }
    return true;
}

static bool program_pattern(const struct port_suite *suite, uint32_t at, uint32_t size)
{
    uint32_t words[CHUNK / WORD];

    for (uint32_t done = 0; done < size; done += CHUNK) {
        make_pattern(words, at + done);
        if (program(suite, at + done, words, CHUNK / WORD) != 0)
            return false;
    }
    return true;
}

static bool guards_stand(const struct port_suite *suite)
{
    uint32_t size = suite->flash->page_size;

    return has_pattern(suite, page_at(suite, BEFORE), size) &&
           has_pattern(suite, page_at(suite, AFTER), size);
}

/* ---- the promises ---------------------------------------------------------------------------- */

static enum port_suite_result has_a_good_shape(struct port_suite *suite)
{
    const struct mup_port_flash *flash = suite->flash;

    WANT(flash->page_size >= 256);
    WANT((flash->page_size & (flash->page_size - 1)) == 0);
    WANT(flash->size % flash->page_size == 0);
    WANT(suite->flash_at % flash->page_size == 0);
    WANT(flash->size / flash->page_size >= PORT_SUITE_PAGES);
    WANT(suite->flash_at <= flash->size - PORT_SUITE_PAGES * flash->page_size);
    return PORT_SUITE_KEPT;
}

static enum port_suite_result erases_a_page(struct port_suite *suite)
{
    uint32_t size = suite->flash->page_size;

    for (uint32_t page = 0; page < PORT_SUITE_PAGES; page++) {
        WANT(erase(suite, page_at(suite, page)) == 0);
        WANT(is_filled(suite, page_at(suite, page), size, 0xff));
    }
    for (uint32_t page = 0; page < PORT_SUITE_PAGES; page++)
        WANT(program_pattern(suite, page_at(suite, page), size));
    WANT(erase(suite, page_at(suite, MIDDLE)) == 0);
    WANT(is_filled(suite, page_at(suite, MIDDLE), size, 0xff));
    WANT(guards_stand(suite));
    WANT(has_pattern(suite, page_at(suite, SECOND), size));
    return PORT_SUITE_KEPT;
}

static enum port_suite_result programs_one_word(struct port_suite *suite)
{
    uint32_t at = page_at(suite, MIDDLE) + CHUNK;
    uint32_t word = pattern(at + WORD);

    WANT(erase(suite, page_at(suite, MIDDLE)) == 0);
    WANT(program(suite, at + WORD, &word, 1) == 0);
    WANT(is_filled(suite, page_at(suite, MIDDLE), CHUNK + WORD, 0xff));
    WANT(is_filled(suite, at + 2 * WORD, suite->flash->page_size - CHUNK - 2 * WORD, 0xff));
    word = ~word;
    WANT(read(suite, at + WORD, &word, WORD) == 0);
    WANT(word == pattern(at + WORD));
    word = pattern(at);
    WANT(program(suite, at, &word, 1) == 0); /* before one that is programmed, and ... */
    word = pattern(at + 2 * WORD);
    WANT(program(suite, at + 2 * WORD, &word, 1) == 0); /* ... after it */
    word = 0;
    WANT(read(suite, at + WORD, &word, WORD) == 0);
    WANT(word == pattern(at + WORD));
    WANT(guards_stand(suite));
    return PORT_SUITE_KEPT;
}

static enum port_suite_result programs_a_run_across_pages(struct port_suite *suite)
{
    uint32_t words[CHUNK / WORD];
    uint32_t at = page_at(suite, SECOND) - CHUNK / 2;

    WANT(erase(suite, page_at(suite, MIDDLE)) == 0);
    WANT(erase(suite, page_at(suite, SECOND)) == 0);
    make_pattern(words, at);
    WANT(program(suite, at, words, CHUNK / WORD) == 0);
    WANT(has_pattern(suite, at, CHUNK));
    WANT(is_filled(suite, at - CHUNK, CHUNK, 0xff));
    WANT(is_filled(suite, at + CHUNK, CHUNK, 0xff));
    return PORT_SUITE_KEPT;
}

/* What words lie in memory as 1 2 3 4 is read as 1 2 3 4, on every processor. */
static enum port_suite_result gives_bytes_back_in_order(struct port_suite *suite)
{
    static const uint8_t bytes[2 * WORD] = {0x01, 0x23, 0x45, 0x67, 0x09, 0x2b, 0x4d, 0x6f};
    uint32_t words[2];
    uint8_t seen[2 * WORD];

    memcpy(words, bytes, sizeof words);
    WANT(erase(suite, page_at(suite, MIDDLE)) == 0);
    WANT(program(suite, page_at(suite, MIDDLE), words, 2) == 0);
    WANT(read(suite, page_at(suite, MIDDLE), seen, sizeof seen) == 0);
    WANT(memcmp(seen, bytes, sizeof seen) == 0);
    return PORT_SUITE_KEPT;
}

/* A second programming is outside of what callers do; a port may refuse it, but never set a bit. */
static enum port_suite_result only_clears_bits(struct port_suite *suite)
{
    const uint32_t first = UINT32_C(0xf0f0ff00);
    const uint32_t second = UINT32_C(0xff00f0f0);
    uint32_t word = 0;
    int answer;

    WANT(erase(suite, page_at(suite, MIDDLE)) == 0);
    WANT(program(suite, page_at(suite, MIDDLE), &first, 1) == 0);
    answer = program(suite, page_at(suite, MIDDLE), &second, 1);
    WANT(read(suite, page_at(suite, MIDDLE), &word, WORD) == 0);
    WANT((word & ~first) == 0);
    WANT(answer < 0 || word == (first & second));
    return PORT_SUITE_KEPT;
}

static enum port_suite_result reads_any_range(struct port_suite *suite)
{
    uint32_t at = page_at(suite, SECOND) - 8;
    uint8_t whole[CHUNK];
    uint8_t seen[CHUNK];

    WANT(erase(suite, page_at(suite, MIDDLE)) == 0);
    WANT(erase(suite, page_at(suite, SECOND)) == 0);
    WANT(program_pattern(suite, page_at(suite, SECOND) - CHUNK, 2 * CHUNK));
    WANT(read(suite, at, whole, 16) == 0);
    for (uint32_t from = 0; from < 8; from++) {
        for (uint32_t size = 0; size <= 8; size++) {
            memset(seen, GUARD, sizeof seen);
            WANT(read(suite, at + from, seen + 1 + from, size) == 0);
            WANT(memcmp(seen + 1 + from, whole + from, size) == 0);
            WANT(seen[from] == GUARD && seen[1 + from + size] == GUARD);
        }
    }
    return PORT_SUITE_KEPT;
}

static enum port_suite_result reads_to_the_end_and_no_further(struct port_suite *suite)
{
    uint32_t size = suite->flash->size;
    uint8_t bytes[8];

    WANT(read(suite, 0, bytes, sizeof bytes) == 0);
    WANT(read(suite, size - 8, bytes, 8) == 0);
    WANT(read(suite, size - 1, bytes, 1) == 0);
    WANT(read(suite, size, bytes, 0) == 0);
    WANT(read(suite, size - 7, bytes, 8) < 0);
    WANT(read(suite, size, bytes, 1) < 0);
    WANT(read(suite, size + 1, bytes, 0) < 0);
    WANT(read(suite, UINT32_C(0xfffffffc), bytes, 8) < 0); /* at + size wraps */
    WANT(read(suite, 4, bytes, SIZE_MAX - 3) < 0);
    return PORT_SUITE_KEPT;
}

static enum port_suite_result refuses_bad_programming(struct port_suite *suite)
{
    uint32_t size = suite->flash->size;
    uint32_t words[2] = {0, 0};

    WANT(erase(suite, page_at(suite, MIDDLE)) == 0);
    for (uint32_t off = 1; off < WORD; off++)
        WANT(program(suite, page_at(suite, MIDDLE) + off, words, 1) < 0);
    WANT(program(suite, size, words, 1) < 0);
    WANT(program(suite, size - WORD, words, 2) < 0);
    WANT(program(suite, UINT32_C(0xfffffffc), words, 2) < 0);
    WANT(program(suite, page_at(suite, MIDDLE), words, SIZE_MAX / WORD + 1) < 0);
    WANT(is_filled(suite, page_at(suite, MIDDLE), suite->flash->page_size, 0xff));
    WANT(guards_stand(suite));
    return PORT_SUITE_KEPT;
}

static enum port_suite_result refuses_bad_erasing(struct port_suite *suite)
{
    uint32_t size = suite->flash->size;

    WANT(erase(suite, page_at(suite, AFTER) + WORD) < 0);
    WANT(erase(suite, page_at(suite, AFTER) + suite->flash->page_size / 2) < 0);
    WANT(erase(suite, size) < 0);
    WANT(erase(suite, size + suite->flash->page_size) < 0);
    WANT(erase(suite, UINT32_C(0) - suite->flash->page_size) < 0);
    WANT(guards_stand(suite));
    return PORT_SUITE_KEPT;
}

const struct port_suite_promise port_suite_flash[] = {
    {"the memory is whole pages of a size that the contract allows", has_a_good_shape},
    {"erasing sets the page to ones and no other", erases_a_page},
    {"programming changes the word and no other", programs_one_word},
    {"a run of words goes across the border of a page", programs_a_run_across_pages},
    {"bytes are read back in the order in which they lay in memory", gives_bytes_back_in_order},
    {"programming never sets a bit", only_clears_bits},
    {"reading knows no alignment, and writes no byte too many", reads_any_range},
    {"reading reaches the last byte and is refused beyond", reads_to_the_end_and_no_further},
    {"programming is refused where misaligned or outside, and changes nothing",
     refuses_bad_programming},
    {"erasing is refused where misaligned or outside, and changes nothing", refuses_bad_erasing},
    {NULL, NULL},
};
