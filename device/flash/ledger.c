/* Two pages that take turns: a checked body, and one-word changes behind it (F1 to F4). */
#include "mup/ledger.h"

#include <stddef.h>

#include "mup/flash_access.h"

#define WORD_SIZE MUP_PORT_FLASH_WORD_SIZE

/* What stands before the body. */
struct page_head {
    uint32_t magic;
    uint32_t generation;
};

/* What one page turned out to be. */
struct page_view {
    bool counts; /* F2 */
    uint32_t generation;
    uint32_t next; /* index of the first word that may be programmed now */
    uint16_t value;
    bool lasting;
};

static uint32_t page_at(const struct mup_ledger *ledger, uint32_t page)
{
    return ledger->at + page * ledger->flash->page_size;
}

/* Offset of the words in their page: behind head, body and CRC. */
static uint32_t words_offset(const struct mup_ledger *ledger)
{
    return (uint32_t)sizeof(struct page_head) + ledger->body_size + WORD_SIZE;
}

static uint32_t word_count(const struct mup_ledger *ledger)
{
    return (ledger->flash->page_size - words_offset(ledger)) / WORD_SIZE;
}

static uint32_t word_of(uint16_t value)
{
    return (uint32_t)value | (uint32_t)(uint16_t)~value << 16;
}

/* CRC of head and body as they are in flash, beside the CRC that is stored behind them. */
static enum mup_status read_crc(const struct mup_ledger *ledger, uint32_t at, uint32_t *computed,
                                uint32_t *stored)
{
    uint32_t crc = 0;
    uint32_t word;
    uint32_t end = words_offset(ledger) - WORD_SIZE;

    for (uint32_t offset = 0; offset < end; offset += WORD_SIZE) {
        enum mup_status status = mup_flash_read(ledger->flash, at + offset, &word, WORD_SIZE);

        if (status != MUP_OK)
            return status;
        crc = mup_flash_crc32(crc, &word, WORD_SIZE);
    }
    *computed = crc;
    return mup_flash_read(ledger->flash, at + end, stored, WORD_SIZE);
}

/* Find the last valid word (F3), and where the next one may go. */
static enum mup_status read_words(const struct mup_ledger *ledger, uint32_t at,
                                  struct page_view *view)
{
    for (uint32_t i = 0; i < word_count(ledger); i++) {
        uint32_t word;
        enum mup_status status = mup_flash_read(
            ledger->flash, at + words_offset(ledger) + i * WORD_SIZE, &word, WORD_SIZE);

        if (status != MUP_OK)
            return status;
        if (word == MUP_PORT_FLASH_ERASED_WORD)
            continue;
        view->next = i + 2; /* the word between may have been begun and read as erased */
        if (word == word_of((uint16_t)word)) {
            view->lasting = view->counts && view->value == (uint16_t)word;
            view->value = (uint16_t)word;
            view->counts = true;
        } else {
            view->lasting = false;
        }
    }
    return MUP_OK;
}

static enum mup_status read_page(const struct mup_ledger *ledger, uint32_t page,
                                 struct page_view *view)
{
    struct page_head head;
    uint32_t computed;
    uint32_t stored;
    uint32_t at = page_at(ledger, page);
    enum mup_status status = mup_flash_read(ledger->flash, at, &head, sizeof head);

    *view = (struct page_view){0};
    if (status != MUP_OK || head.magic != ledger->magic)
        return status;
    status = read_crc(ledger, at, &computed, &stored);
    if (status != MUP_OK || computed != stored)
        return status;
    view->generation = head.generation;
    return read_words(ledger, at, view);
}

void mup_ledger_init(struct mup_ledger *ledger, const struct mup_port_flash *flash, uint32_t at,
                     uint32_t magic, uint32_t body_size)
{
    *ledger = (struct mup_ledger){
        .flash = flash,
        .at = at,
        .magic = magic,
        .body_size = body_size,
        .page = 1, /* so that the first replace() goes to page 0 */
    };
}

enum mup_status mup_ledger_open(struct mup_ledger *ledger, void *body)
{
    struct page_view view[2];
    uint32_t newest;
    enum mup_status status = read_page(ledger, 0, &view[0]);

    if (status == MUP_OK)
        status = read_page(ledger, 1, &view[1]);
    if (status != MUP_OK)
        return status;
    if (!view[0].counts && !view[1].counts)
        return MUP_ERR_FORMAT;

    newest = !view[0].counts || (view[1].counts && view[1].generation > view[0].generation);
    if (body != NULL)
        status = mup_flash_read(ledger->flash,
                                page_at(ledger, newest) + (uint32_t)sizeof(struct page_head), body,
                                ledger->body_size);
    if (status != MUP_OK)
        return status;
    ledger->page = newest;
    ledger->generation = view[newest].generation;
    ledger->next = view[newest].next;
    ledger->value = view[newest].value;
    ledger->lasting = view[newest].lasting;
    ledger->alone = !view[1 - newest].counts;
    ledger->secured = false;
    return MUP_OK;
}

/* Erase the other page if it does not count, so that it cannot begin to (F3). */
static enum mup_status erase_rival(struct mup_ledger *ledger)
{
    enum mup_status status = MUP_OK;

    if (ledger->alone) {
        status = mup_flash_erase(ledger->flash, page_at(ledger, 1 - ledger->page));
        ledger->alone = status != MUP_OK;
    }
    return status;
}

static enum mup_status write_word(const struct mup_ledger *ledger, uint32_t page, uint32_t index,
                                  uint16_t value)
{
    uint32_t word = word_of(value);

    return mup_flash_write(ledger->flash,
                           page_at(ledger, page) + words_offset(ledger) + index * WORD_SIZE, &word,
                           WORD_SIZE);
}

static bool is_full(const struct mup_ledger *ledger)
{
    return ledger->next >= word_count(ledger);
}

/* The first write after a reset is always the value once more, at the same place until it
 * succeeds: whatever a cut left there unseen is this same word (F1), and behind it the word that
 * the value was read from is lasting (F3). A full page has no place for it, and no need: it counts
 * whichever way its last word reads, and nothing was done yet because of that word. */
static enum mup_status secure_first(struct mup_ledger *ledger)
{
    enum mup_status status = erase_rival(ledger);

    if (status != MUP_OK || ledger->secured || is_full(ledger))
        return status;
    status = write_word(ledger, ledger->page, ledger->next, ledger->value);
    if (status == MUP_OK) {
        ledger->next++;
        ledger->secured = true;
    }
    return status;
}

enum mup_status mup_ledger_append(struct mup_ledger *ledger, uint16_t value, const void *body)
{
    bool again = !ledger->secured && value == ledger->value;
    enum mup_status status;

    if (is_full(ledger))
        return mup_ledger_replace(ledger, value, body);
    status = secure_first(ledger);
    if (status != MUP_OK || again)
        return status;
    if (is_full(ledger))
        return mup_ledger_replace(ledger, value, body);
    status = write_word(ledger, ledger->page, ledger->next++, value);
    if (status == MUP_OK)
        ledger->value = value;
    return status;
}

enum mup_status mup_ledger_secure(struct mup_ledger *ledger, const void *body)
{
    bool blank = true;
    enum mup_status status = MUP_OK;

    if (!ledger->lasting)
        return mup_ledger_append(ledger, ledger->value, body);
    if (ledger->alone)
        status = mup_flash_is_blank(ledger->flash, &blank, page_at(ledger, 1 - ledger->page),
                                    ledger->flash->page_size);
    if (status == MUP_OK && !blank)
        status = erase_rival(ledger);
    return status;
}

/* Head, body and CRC into an erased page; it does not count before a word follows (F2). */
static enum mup_status write_body(const struct mup_ledger *ledger, uint32_t at, const void *body)
{
    struct page_head head = {ledger->magic, ledger->generation + 1};
    uint32_t crc = mup_flash_crc32(0, &head, sizeof head);
    enum mup_status status = mup_flash_write(ledger->flash, at, &head, sizeof head);

    crc = mup_flash_crc32(crc, body, ledger->body_size);
    at += (uint32_t)sizeof head;
    if (status == MUP_OK)
        status = mup_flash_write(ledger->flash, at, body, ledger->body_size);
    if (status == MUP_OK)
        status = mup_flash_write(ledger->flash, at + ledger->body_size, &crc, sizeof crc);
    return status;
}

enum mup_status mup_ledger_replace(struct mup_ledger *ledger, uint16_t value, const void *body)
{
    uint32_t other = 1 - ledger->page;
    bool first = ledger->generation == 0;
    enum mup_status status = first ? MUP_OK : secure_first(ledger);

    if (status != MUP_OK)
        return status;
    ledger->alone = true; /* until the other page counts again */
    status = mup_flash_erase(ledger->flash, page_at(ledger, other));
    if (status == MUP_OK)
        status = write_body(ledger, page_at(ledger, other), body);
    if (status == MUP_OK)
        status = write_word(ledger, other, 0, value);
    if (status != MUP_OK)
        return status;

    ledger->page = other;
    ledger->generation++;
    ledger->next = 1;
    ledger->value = value;
    ledger->secured = true;
    ledger->alone = first;
    return MUP_OK;
}
