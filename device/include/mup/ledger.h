/*
 * Two pages of flash that hold one checked record and a sequence of one-word changes to it: what
 * the boot journal and the identity record are made of.
 *
 * A page:  magic, generation, body, CRC-32 of all that, then words, each 16 bits and their
 * complement. The last valid word is the ledger's value. replace() writes body and value into the
 * other page; append() adds a word to this page, and moves to the other page when it is full.
 *
 * The invariants, which the tests cite:
 *
 *   F1  A page is erased by the one who then fills it, without a reset between. Each word is
 *       programmed once until the next erasure. Two exceptions: the first word after a reset may
 *       be programmed a second time, with the very same content; and the two words that are given
 *       up behind it (below), with other content.
 *
 *   F2  A page counts only if its CRC is right and a valid word follows: a first word, even a torn
 *       one, proves that the body before it was programmed completely.
 *
 *   F3  The value is the last valid word, and nothing before it matters. A word is lasting once
 *       anything was programmed behind it. So after a reset the value is written once more before
 *       anything else is.
 *
 *   F4  The page in use is never erased; only the other one, and only when the page in use lasts.
 *
 *   F5  A page that was begun and does not count may come to count later, when its first word was
 *       cut and is weak; half an erasure may leave it valid, too. So before anything relies on its
 *       not counting, a void word is written into the page in use: it says how many generations
 *       after its own do not count unless something follows their first word, and the next page
 *       takes a generation beyond. It says the same however often it is written. Because it may
 *       itself be cut and unseen, a new page gets its first word twice at once. A start that saw
 *       the page count may have been cut as it wrote behind the first word, so that no void will
 *       help, even where that cannot be seen now: so the page is erased next. What half of that
 *       erasure leaves has nothing behind its first word, or there was a third cut. Where no page
 *       counts yet, the one that was begun is left alone, and the next one goes to the other page.
 *
 * A torn word cannot be valid: programming only clears bits, and in a valid word exactly one bit
 * of each pair is cleared, so whatever is still missing leaves a pair with both bits set. A word
 * whose programming was cut may also read as erased. It is then
 *   - the one behind the last word that reads otherwise: it is never used;
 *   - or the second behind it, where the first write after a reset goes: it is only ever given the
 *     same content;
 *   - or the third or fourth, when the last word was weak and was seen by the start that was cut,
 *     one or two words further on, and is not seen by this one: both are given up. They get the
 *     value, so that they do not read as erased, and nothing relies on them; with more bits
 *     cleared than its own such a word is not valid.
 */
#ifndef MUP_LEDGER_H
#define MUP_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "mup/port/flash.h"
#include "mup/status.h"

#define MUP_LEDGER_BODY_SIZE_MAX 384u /* leaves 150 words for values in a page of 1 kB */

#define MUP_LEDGER_VOID          0xf000u /* from here on words are no values: see F5 */

/* What one page turned out to be. Private, as all fields here. */
struct mup_ledger_page {
    bool checks;         /* magic and CRC are right */
    bool counts;         /* and a valid word follows (F2) */
    bool lasting;        /* the value stands twice */
    uint16_t value;      /* the last valid word (F3) */
    uint16_t next;       /* index of the first word that may be programmed now */
    uint16_t voids;      /* so many generations after this one are void, unless relied on (F5) */
    uint32_t generation; /* 0 = none */
};

/* Caller-owned. */
struct mup_ledger {
    struct mup_ledger_page used; /* the page in use, as read and written since */
    uint8_t page;                /* which it is: 0 or 1 */
    bool secured;                /* this boot has written since open() */
    uint16_t rival;              /* the other page was begun so many generations on; 0 = not */
    uint16_t body_size;          /* bytes, a multiple of 4 */
    const struct mup_port_flash *flash;
    uint32_t at;    /* first of the two pages */
    uint32_t magic; /* tells this kind of ledger from others */
};

/* Bind a ledger to its two pages. Touches no flash. body_size is a multiple of 4. */
void mup_ledger_init(struct mup_ledger *ledger, const struct mup_port_flash *flash, uint32_t at,
                     uint32_t magic, uint32_t body_size);

/*
 * Find the newest page that counts and read its body; body may be NULL.
 *
 * MUP_ERR_FORMAT  neither page counts: replace() begins the ledger.
 * MUP_ERR_FLASH   the flash cannot be read.
 */
MUP_MUST_CHECK
enum mup_status mup_ledger_open(struct mup_ledger *ledger, void *body);

/* After open() and before an image runs: make the value last (F3), so that it never goes back to an
 * older one. Writes nothing when it lasts already; then a newer word that was cut and read as
 * erased may still come to be seen later. Where that would do harm append() the same value instead:
 * every write settles it. body is what open() gave. */
MUP_MUST_CHECK
enum mup_status mup_ledger_secure(struct mup_ledger *ledger, const void *body);

/* Change the value. body is needed for when the page is full. After MUP_ERR_FLASH or a cut the old
 * or the new value stands. */
MUP_MUST_CHECK
enum mup_status mup_ledger_append(struct mup_ledger *ledger, uint16_t value, const void *body);

/* Change body and value together. After MUP_ERR_FLASH or a cut the old or the new pair stands. */
MUP_MUST_CHECK
enum mup_status mup_ledger_replace(struct mup_ledger *ledger, uint16_t value, const void *body);

#endif
