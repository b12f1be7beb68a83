/*
 * The contracts at their worst, for tests.
 *
 * The flash loses power at an operation of the test's choice, in each way that the contract of
 * flash.h allows: before, after, torn, half-erased, weak; what is weak stays so until the word is
 * programmed again or the page is erased again, also through the next cuts. It stays dead, failing
 * every call, until the test calls mup_hostile_flash_power_on(). It also keeps watch over its user:
 * programming a word twice between two erasures with different content, programming a page whose
 * erasing was cut, and whatever else is outside of the rules is counted as a violation.
 */
#ifndef MUP_PORT_HOSTILE_H
#define MUP_PORT_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/port/flash.h"
#include "mup/port/random.h"
#include "mup/port/transport.h"

/* What the operation at which power fails leaves behind. */
enum mup_hostile_cut {
    MUP_HOSTILE_BEFORE,     /* nothing of it */
    MUP_HOSTILE_AFTER,      /* all of it, but nobody is told */
    MUP_HOSTILE_TORN_LOW,   /* word: the low half is done. page: its first half is erased */
    MUP_HOSTILE_TORN_HIGH,  /* the high half; the second half */
    MUP_HOSTILE_TORN_MID,   /* the 16 bits in the middle; the two quarters in the middle */
    MUP_HOSTILE_TORN_EVEN,  /* every other bit; every other bit of all words */
    MUP_HOSTILE_ALMOST,     /* all but one bit that should change */
    MUP_HOSTILE_WEAK_FIRST, /* weak: the first read sees it done, the others do not */
    MUP_HOSTILE_WEAK_LATER, /* weak: the first read does not see it, the others do */
    MUP_HOSTILE_WEAK_TURNS, /* weak: seen at every other read */
    MUP_HOSTILE_WEAK_BOOT,  /* weak: seen until the next power-on, not afterwards */
    MUP_HOSTILE_TORN_ANY,   /* any of the bits that should change, from few to nearly all */
    MUP_HOSTILE_WEAK_ANY,   /* likewise; and any bits are weak, each read sees them as it likes */
    MUP_HOSTILE_CUT_COUNT,
};

/* The most bytes of a page that the simulation takes. */
#define MUP_HOSTILE_PAGE_SIZE_MAX 4096u

/* Pages whose fingerprints are kept. */
#define MUP_HOSTILE_PAGES_MAX 256u

/* Places that are weak at the same time: one for each of two cuts. */
#define MUP_HOSTILE_WEAK_MAX 2u

/* What is weak: one word or one page, whose reads differ. */
struct mup_hostile_weak {
    uint32_t at;
    uint32_t size; /* 0 = nothing is weak */
    uint32_t reads;
    uint32_t boots;
    enum mup_hostile_cut cut;
    uint32_t random; /* of WEAK_ANY: what its reads are drawn from; never 0 */
    /* What a read sees that does not see it done; for WEAK_ANY, the bits that are weak. */
    uint8_t undone[MUP_HOSTILE_PAGE_SIZE_MAX];
};

/* Cut words whose intended content is remembered, for the watch over programming twice. */
#define MUP_HOSTILE_CUT_WORDS 8u

struct mup_hostile_cut_word {
    uint32_t at;
    uint32_t word;
};

struct mup_hostile_flash {
    uint8_t *bytes;      /* size bytes, the caller's */
    uint8_t *programmed; /* size / 4 bytes, the caller's: 0 = not since the last erasure */
    uint32_t size;
    uint32_t page_size;

    uint32_t operation_count; /* single words programmed and pages erased, so far */
    uint32_t call_count;      /* calls of any kind, so far */
    uint32_t violation_count; /* words programmed twice, bad alignment, out of range */

    uint32_t cut_at; /* the operation (1, 2, ...) at which power fails; 0 = never */
    enum mup_hostile_cut cut;
    uint32_t fail_at; /* the call (1, 2, ...) that fails without doing anything; 0 = none */
    bool dead;
    struct mup_hostile_weak weak[MUP_HOSTILE_WEAK_MAX];
    struct mup_hostile_cut_word cut_words[MUP_HOSTILE_CUT_WORDS]; /* the newest */
    uint32_t cut_word_count;
    uint32_t random; /* of the kinds ANY: the same seed gives the same bits; never 0 */

    uint64_t page_numbers[MUP_HOSTILE_PAGES_MAX]; /* of unchanged pages; 0 = to be made again */

    /* Called before each operation, so that a test can look at, or copy, what a cut there leaves.
     * NULL = not wanted. */
    void (*watch)(void *watch_context);
    void *watch_context;
    bool watches_erasures; /* called before erasures only */
    uint32_t next_at;      /* for the watcher: the word or page of the operation to come, ... */
    bool next_erases;      /* ... its kind, ... */
    uint32_t next_word;    /* ... the word to be programmed, ... */
    size_t next_index;     /* ... and which one it is, from 0, ... */
    size_t next_count;     /* ... of how many in one call; an erasure is 0 of 1 */
};

/* An erased flash over the caller's memory. */
void mup_hostile_flash_init(struct mup_hostile_flash *flash, uint8_t *bytes, uint8_t *programmed,
                            uint32_t size, uint32_t page_size);

/* Power comes back: calls work again, counters and plans start from nothing. */
void mup_hostile_flash_power_on(struct mup_hostile_flash *flash);

/* Copy content, weakness and watch-keeping of one flash to another of the same size, as if power
 * had failed in the operation that `from` is about to do (for use in its watcher). The copy is
 * powered on. */
void mup_hostile_flash_copy_cut(struct mup_hostile_flash *to, const struct mup_hostile_flash *from,
                                enum mup_hostile_cut cut);

struct mup_port_flash mup_hostile_flash_port(struct mup_hostile_flash *flash);

/* A number of all that decides how the flash will answer, for as long as no test cuts or fails it
 * again: content, what may be programmed, what is weak and how, violations so far. So two flashes
 * of the same number behave alike from here on, but for one chance in 2^64. Pages are looked at
 * again when an operation touched them; who writes to `bytes` by hand sets their page_numbers to 0.
 */
uint64_t mup_hostile_flash_fingerprint(struct mup_hostile_flash *flash);

/* The number mixed with further bytes. */
uint64_t mup_hostile_fingerprint(uint64_t number, const void *bytes, size_t size);

/* Bytes that count up from a seed: predictable, for tests; the call fail_at (1, 2, ...) fails. */
struct mup_hostile_random {
    uint8_t next;
    uint32_t call_count;
    uint32_t fail_at;
};

struct mup_port_random mup_hostile_random_port(struct mup_hostile_random *random);

/* A stream in memory, in pieces as small as the test likes. */
struct mup_hostile_transport {
    const uint8_t *incoming; /* what receive() gives, then nothing more, or gone */
    size_t incoming_size;
    uint8_t *outgoing; /* where send() puts what it takes */
    size_t outgoing_capacity;
    size_t outgoing_size;
    size_t piece_size_max; /* most bytes of one call; 0 = no limit */
    bool stalls;           /* every other call answers "nothing yet" */
    bool ends;             /* when incoming is used up the peer closes */
    bool is_open;
    uint32_t call_count;
    uint32_t fail_at; /* the call (1, 2, ...) at which the stream goes; 0 = none */
};

struct mup_port_transport mup_hostile_transport_port(struct mup_hostile_transport *transport);

#endif
