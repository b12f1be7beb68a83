/* Two pages that take turns: a checked body, and one-word changes behind it (F1 to F5). */
#include "mup/ledger.h"

#include <stddef.h>

#include "mup/flash_access.h"

#define WORD_SIZE           MUP_PORT_FLASH_WORD_SIZE
#define CRC_OF_DATA_AND_CRC UINT32_C(0x2144df1c)

/* Words of a page that only copies and voids may use, so that a full page can still be secured; a
 * reset that was cut takes five of them. */
#define RESERVED_WORDS 16u

/* What the first write after a reset takes: the value, two words given up, a void. */
#define SECURING_WORDS 4u

/* What stands before the body. */
struct page_head {
    uint32_t magic;
    uint32_t generation;
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

/* Whether head and body are as they were written. Over data and the CRC behind them, a CRC-32 is
 * the same number whatever the data. */
static enum mup_status check_crc(const struct mup_ledger *ledger, uint32_t at, bool *right)
{
    uint32_t crc = 0;
    uint32_t end = at + words_offset(ledger);

    for (; at < end; at += WORD_SIZE) {
        uint32_t word;
        enum mup_status status = mup_flash_read(ledger->flash, at, &word, WORD_SIZE);

        if (status != MUP_OK)
            return status;
        crc = mup_flash_crc32(crc, &word, WORD_SIZE);
    }
    *right = crc == CRC_OF_DATA_AND_CRC;
    return MUP_OK;
}

/* Find the last valid word (F3), and where the next one may go. */
static enum mup_status read_words(const struct mup_ledger *ledger, uint32_t at,
                                  struct mup_ledger_page *view)
{
    for (uint32_t i = 0; i < word_count(ledger); i++) {
        uint32_t word;
        uint16_t value;
        enum mup_status status = mup_flash_read(
            ledger->flash, at + words_offset(ledger) + i * WORD_SIZE, &word, WORD_SIZE);

        if (status != MUP_OK)
            return status;
        if (word == MUP_PORT_FLASH_ERASED_WORD)
            continue;
        view->next = (uint16_t)(i + 2); /* the word between may have been begun, read as erased */
        value = (uint16_t)word;
        if (word != word_of(value)) {
            view->lasting = false;
        } else if (value >= MUP_LEDGER_VOID) {
            if (view->voids < value - MUP_LEDGER_VOID)
                view->voids = (uint16_t)(value - MUP_LEDGER_VOID);
            view->lasting = view->counts;
        } else {
            view->lasting = view->counts && view->value == value;
            view->value = value;
            view->counts = true;
        }
    }
    return MUP_OK;
}

static enum mup_status read_page(const struct mup_ledger *ledger, uint32_t page,
                                 struct mup_ledger_page *view)
{
    struct page_head head;
    uint32_t at = page_at(ledger, page);
    enum mup_status status = mup_flash_read(ledger->flash, at, &head, sizeof head);

    *view = (struct mup_ledger_page){0};
    if (status != MUP_OK || head.magic != ledger->magic)
        return status;
    status = check_crc(ledger, at, &view->checks);
    if (status != MUP_OK || !view->checks)
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
        .body_size = (uint16_t)body_size,
        .page = 1, /* so that the first replace() goes to page 0 */
    };
}

/* Whether the page after `older` was begun, and perhaps finished (F5). */
static bool is_rival(const struct mup_ledger_page *older, const struct mup_ledger_page *newer)
{
    return newer->checks && newer->generation > older->generation;
}

/* Which of the two is the page in use: 0 or 1. At least one counts. */
static uint32_t choose(const struct mup_ledger_page view[2])
{
    uint32_t newer = view[1].generation > view[0].generation;
    const struct mup_ledger_page *old = &view[1 - newer];

    if (!view[newer].counts)
        return 1 - newer;
    /* Nothing was programmed behind the first word of a page that was never relied on. */
    if (old->counts && is_rival(old, &view[newer]) && view[newer].next <= 2 &&
        view[newer].generation <= old->generation + old->voids)
        return 1 - newer;
    return newer;
}

enum mup_status mup_ledger_open(struct mup_ledger *ledger, void *body)
{
    struct mup_ledger_page view[2];
    uint32_t page;
    enum mup_status status = read_page(ledger, 0, &view[0]);

    if (status == MUP_OK)
        status = read_page(ledger, 1, &view[1]);
    if (status != MUP_OK)
        return status;
    if (!view[0].counts && !view[1].counts) {
        /* The very first page may have been begun: the next one goes beside it, and beyond it. */
        ledger->page = view[1].generation >= view[0].generation;
        ledger->used = view[ledger->page];
        return MUP_ERR_FORMAT;
    }

    page = choose(view);
    if (body != NULL)
        status = mup_flash_read(ledger->flash,
                                page_at(ledger, page) + (uint32_t)sizeof(struct page_head), body,
                                ledger->body_size);
    if (status != MUP_OK)
        return status;
    ledger->page = (uint8_t)page;
    ledger->used = view[page];
    ledger->rival = is_rival(&view[page], &view[1 - page])
                        ? (uint16_t)(view[1 - page].generation - view[page].generation)
                        : 0;
    ledger->secured = false;
    return MUP_OK;
}

static enum mup_status write_word(const struct mup_ledger *ledger, uint32_t page, uint32_t index,
                                  uint16_t value)
{
    uint32_t word = word_of(value);

    return mup_flash_write(ledger->flash,
                           page_at(ledger, page) + words_offset(ledger) + index * WORD_SIZE, &word,
                           WORD_SIZE);
}

static enum mup_status write_next(struct mup_ledger *ledger, uint16_t value)
{
    return write_word(ledger, ledger->page, ledger->used.next++, value);
}

/* Whether so many more words fit into the page in use. */
static bool has_room(const struct mup_ledger *ledger, uint32_t words)
{
    return ledger->used.next + words <= word_count(ledger);
}

/* A word that nothing relies on: it stands where a start that saw one word more, weak ever since,
 * may have been cut. So it is not read back; whatever it then reads as, no other value can. */
static enum mup_status give_up_next(struct mup_ledger *ledger)
{
    uint32_t word = word_of(ledger->used.value);
    uint32_t at =
        page_at(ledger, ledger->page) + words_offset(ledger) + ledger->used.next++ * WORD_SIZE;

    return ledger->flash->program(ledger->flash->context, at, &word, 1) == 0 ? MUP_OK
                                                                             : MUP_ERR_FLASH;
}

/* The first writes after a reset. The value comes once more, at the same place until it succeeds:
 * whatever a cut left there unseen is this same word (F1), and the word that the value was read
 * from is lasting then (F3). A rival is declared void, and then erased, before anything relies on
 * its not counting: half an erasure can leave it valid, and a void does not help when a start that
 * saw it was cut as it wrote behind its first word (F5). */
static enum mup_status secure_first(struct mup_ledger *ledger)
{
    enum mup_status status;

    if (ledger->secured || !has_room(ledger, SECURING_WORDS))
        return MUP_OK;
    status = write_word(ledger, ledger->page, ledger->used.next, ledger->used.value);
    if (status != MUP_OK)
        return status;
    ledger->used.next++;
    status = give_up_next(ledger);
    if (status == MUP_OK)
        status = give_up_next(ledger);
    if (status != MUP_OK)
        return status;
    if (ledger->rival != 0) {
        status = write_next(ledger, (uint16_t)(MUP_LEDGER_VOID + ledger->rival));
        if (status == MUP_OK && ledger->used.voids < ledger->rival)
            ledger->used.voids = ledger->rival;
        if (status == MUP_OK)
            status = mup_flash_erase(ledger->flash, page_at(ledger, 1 - ledger->page));
    }
    ledger->secured = status == MUP_OK;
    return status;
}

enum mup_status mup_ledger_append(struct mup_ledger *ledger, uint16_t value, const void *body)
{
    bool again =
        !ledger->secured && value == ledger->used.value && has_room(ledger, SECURING_WORDS);
    enum mup_status status;

    if (!again && !has_room(ledger, SECURING_WORDS + 1 + RESERVED_WORDS))
        return mup_ledger_replace(ledger, value, body);
    status = secure_first(ledger);
    if (status != MUP_OK || again)
        return status;
    status = write_next(ledger, value);
    if (status == MUP_OK)
        ledger->used.value = value;
    return status;
}

enum mup_status mup_ledger_secure(struct mup_ledger *ledger, const void *body)
{
    if (ledger->used.lasting && ledger->rival == 0)
        return MUP_OK;
    return mup_ledger_append(ledger, ledger->used.value, body);
}

/* Of the page that is written next. */
static uint32_t next_generation(const struct mup_ledger *ledger)
{
    return ledger->used.generation + ledger->used.voids + 1;
}

/* Head, body and CRC into an erased page; it does not count before a word follows (F2). */
static enum mup_status write_body(const struct mup_ledger *ledger, uint32_t at, const void *body)
{
    struct page_head head = {ledger->magic, next_generation(ledger)};
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
    enum mup_status status = ledger->used.counts ? secure_first(ledger) : MUP_OK;

    if (status == MUP_OK)
        status = mup_flash_erase(ledger->flash, page_at(ledger, other));
    if (status == MUP_OK)
        status = write_body(ledger, page_at(ledger, other), body);
    if (status == MUP_OK)
        status = write_word(ledger, other, 0, value);
    if (status != MUP_OK) {
        ledger->rival = (uint16_t)(ledger->used.voids + 1); /* as far as we know */
        ledger->secured = false;
        return status;
    }

    ledger->page = (uint8_t)other;
    ledger->used.generation = next_generation(ledger);
    ledger->used.voids = 0;
    ledger->used.counts = true;
    ledger->used.value = value;
    ledger->rival = 0;
    /* The new page stands. A word behind the first makes it relied on, so that a void which a cut
     * left unseen cannot take it back (F5). If this fails the next write does it. */
    ledger->secured = write_word(ledger, other, 1, value) == MUP_OK;
    ledger->used.next = ledger->secured ? 2 : 3;
    return MUP_OK;
}
