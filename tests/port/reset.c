/*
 * The promises of reset.h, and the record in flash that ties the two halves of a run together.
 *
 * The record is the last thing that the first half writes: three words in the third page; the
 * first page keeps a word as witness and the second one stays erased.
 */
#include <string.h>

#include "suite_internal.h"

#define WORD         MUP_PORT_FLASH_WORD_SIZE
#define RECORD_MAGIC UINT32_C(0x5a17e001)
#define WITNESS      UINT32_C(0x13579bdf)

#define WITNESS_PAGE 0u
#define ERASED_PAGE  1u
#define RECORD_PAGE  2u

struct record {
    uint32_t magic;
    uint32_t failed_count;
    uint32_t check; /* magic ^ failed_count, inverted */
};

#define RECORD_WORDS (sizeof(struct record) / WORD)

static uint32_t page_at(const struct port_suite *suite, uint32_t page)
{
    return suite->flash_at + page * suite->flash->page_size;
}

static bool read_record(const struct port_suite *suite, struct record *record)
{
    return suite->flash->read(suite->flash->context, page_at(suite, RECORD_PAGE), record,
                              sizeof *record) == 0 &&
           record->magic == RECORD_MAGIC &&
           record->check == ~(record->magic ^ record->failed_count);
}

bool port_suite_find_record(struct port_suite *suite)
{
    struct record record;

    if (!read_record(suite, &record))
        return false;
    suite->failed_count = record.failed_count;
    return true;
}

bool port_suite_leave_record(struct port_suite *suite)
{
    const struct mup_port_flash *flash = suite->flash;
    struct record record = {RECORD_MAGIC, suite->failed_count,
                            ~(RECORD_MAGIC ^ suite->failed_count)};
    struct record kept;
    uint32_t witness = WITNESS;
    uint32_t words[RECORD_WORDS];

    memcpy(words, &record, sizeof words);
    for (uint32_t page = 0; page < PORT_SUITE_PAGES; page++)
        if (flash->erase(flash->context, page_at(suite, page)) != 0)
            return false;
    return flash->program(flash->context, page_at(suite, WITNESS_PAGE), &witness, 1) == 0 &&
           flash->program(flash->context, page_at(suite, RECORD_PAGE), words, RECORD_WORDS) == 0 &&
           read_record(suite, &kept);
}

/* The record was found, so the device came back; this is its line. */
static enum port_suite_result comes_back(struct port_suite *suite)
{
    (void)suite;
    return PORT_SUITE_KEPT;
}

static enum port_suite_result keeps_the_flash(struct port_suite *suite)
{
    const struct mup_port_flash *flash = suite->flash;
    uint32_t word = 0;

    WANT(flash->read(flash->context, page_at(suite, WITNESS_PAGE), &word, WORD) == 0);
    WANT(word == WITNESS);
    for (uint32_t at = WORD; at < flash->page_size; at += WORD) {
        WANT(flash->read(flash->context, page_at(suite, WITNESS_PAGE) + at, &word, WORD) == 0);
        WANT(word == MUP_PORT_FLASH_ERASED_WORD);
    }
    for (uint32_t at = 0; at < flash->page_size; at += WORD) {
        WANT(flash->read(flash->context, page_at(suite, ERASED_PAGE) + at, &word, WORD) == 0);
        WANT(word == MUP_PORT_FLASH_ERASED_WORD);
    }
    return PORT_SUITE_KEPT;
}

static enum port_suite_result programs_the_word_again(struct port_suite *suite)
{
    const struct mup_port_flash *flash = suite->flash;
    uint32_t word = WITNESS;

    WANT(flash->program(flash->context, page_at(suite, WITNESS_PAGE), &word, 1) == 0);
    word = 0;
    WANT(flash->read(flash->context, page_at(suite, WITNESS_PAGE), &word, WORD) == 0);
    WANT(word == WITNESS);
    return PORT_SUITE_KEPT;
}

/* Also takes the record away, so that the next run begins anew. */
static enum port_suite_result erases_again(struct port_suite *suite)
{
    const struct mup_port_flash *flash = suite->flash;
    uint32_t word = 0;

    for (uint32_t page = 0; page < PORT_SUITE_PAGES; page++) {
        WANT(flash->erase(flash->context, page_at(suite, page)) == 0);
        WANT(flash->read(flash->context, page_at(suite, page), &word, WORD) == 0);
        WANT(word == MUP_PORT_FLASH_ERASED_WORD);
    }
    return PORT_SUITE_KEPT;
}

const struct port_suite_promise port_suite_after_reset[] = {
    {"the device starts again", comes_back},
    {"the flash is as it was left", keeps_the_flash},
    {"the word programmed before may come again with the same content", programs_the_word_again},
    {"erasing works as before", erases_again},
    {NULL, NULL},
};
