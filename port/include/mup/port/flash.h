/*
 * The flash contract of a port: NOR flash that is read anywhere, programmed by the 32-bit word
 * and erased by the page. Everything in device/ that must survive a power cut stands on what is
 * promised here, and on nothing more.
 *
 * Addresses are bytes from the start of the memory that the port gives out, not CPU addresses.
 * All calls block until the flash is done. A port needs no locking: device/ calls from one place.
 *
 * What a call returns: 0 = done, completely; negative = failed, and the words or the page that the
 * call named hold anything now. Callers propagate a failure; they never go on as if it were done.
 * A range outside of the memory, or an address that is not aligned as asked, is refused: negative,
 * and nothing has changed.
 *
 * What a power cut may leave behind, and no more than this:
 *   - words whose programming had returned: exactly what was programmed;
 *   - the one word whose programming was cut: any subset of its 1 -> 0 changes (a torn word), and
 *     perhaps weakly programmed, so that two reads of it differ; it may even read as erased;
 *   - the one page whose erasing was cut: any mixture of old bits and ones, weak as well;
 *   - every other word of the memory: unchanged.
 */
#ifndef MUP_PORT_FLASH_H
#define MUP_PORT_FLASH_H

#include <stddef.h>
#include <stdint.h>

#define MUP_PORT_FLASH_WORD_SIZE   4u
#define MUP_PORT_FLASH_ERASED_WORD UINT32_C(0xffffffff)

struct mup_port_flash {
    void *context;      /* handed to every callback; the port's own */
    uint32_t size;      /* bytes, a multiple of page_size */
    uint32_t page_size; /* bytes that one erase covers, a power of two, 256 or more */

    /* Copy [at, at + size) to out. No alignment is asked of any parameter; size may be 0. Fails
     * only if the range leaves the memory or the hardware does not answer. */
    int (*read)(void *context, uint32_t at, void *out, size_t size);

    /*
     * Program word_count words from at, in ascending order. at is a multiple of 4. A bit can only
     * go from 1 to 0 (the new content is old AND new). Callers program a word once between two
     * erasures of its page, because the nRF51 and others promise little more; only the first three
     * words of a ledger after a reset may come a second time (F1 in ledger.h). The bytes in flash
     * are the bytes of words[] in memory, so that read() gives them back.
     */
    int (*program)(void *context, uint32_t at, const uint32_t *words, size_t word_count);

    /* Set the page that starts at page_at (a multiple of page_size) to all ones. */
    int (*erase)(void *context, uint32_t page_at);
};

#endif
