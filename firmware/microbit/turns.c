/* Turns in between. See turns.h. */
#include "turns.h"

#include "firmware.h"
#include "mup/port/nrf51.h"

#define RANDOM_PART   4u  /* bytes; 2.7 ms */
#define FLASH_PART    16u /* words */
#define FLASH_PART_MS 1u  /* 0.74 at most */
#define ERASE_US      22300u
#define WORD_NS       46300u

static struct {
    struct mup_port_flash flash;
    struct mup_port_random random;
    uint32_t ended_ms; /* when the newest turn ended */
    bool is_on;        /* and none is being given */
    bool has_flash_times;
} turns;

void microbit_turn_ended(void)
{
    turns.ended_ms = microbit_now_ms();
}

void microbit_turns_begin(void)
{
    turns.is_on = true;
    microbit_turn_ended();
}

void microbit_give_way(void)
{
    if (!turns.is_on || microbit_now_ms() - turns.ended_ms < MICROBIT_TURN_MS)
        return;
    turns.is_on = false;
    microbit_meanwhile();
    microbit_turns_begin();
}

void microbit_turns_take_flash_times(void)
{
    turns.has_flash_times = true;
}

static void stand_still(uint32_t us)
{
    if (turns.has_flash_times)
        mup_nrf51_wait_us(us);
}

/* The processor stands still while flash is written or erased, and in an emulator the clock does,
 * too: so this time is counted here, and on hardware twice. */
static void spent(uint32_t ms)
{
    turns.ended_ms -= ms;
}

static int read(void *context, uint32_t at, void *out, size_t size)
{
    microbit_give_way();
    return turns.flash.read(context, at, out, size);
}

static int program(void *context, uint32_t at, const uint32_t *words, size_t word_count)
{
    int result = 0;

    while (word_count > 0 && result == 0) {
        size_t part = word_count < FLASH_PART ? word_count : FLASH_PART;

        microbit_give_way();
        result = turns.flash.program(context, at, words, part);
        stand_still(((uint32_t)part * WORD_NS + 999) / 1000);
        spent(FLASH_PART_MS);
        at += (uint32_t)part * MUP_PORT_FLASH_WORD_SIZE;
        words += part;
        word_count -= part;
    }
    return result;
}

/* Others have a turn before, and have one soon again. */
static int erase(void *context, uint32_t page_at)
{
    int result;

    microbit_give_way();
    result = turns.flash.erase(context, page_at);
    stand_still(ERASE_US);
    spent(MICROBIT_TURN_MS);
    return result;
}

struct mup_port_flash microbit_flash_port(void)
{
    struct mup_port_flash port = mup_nrf51_flash_port();

    turns.flash = port;
    port.read = read;
    port.program = program;
    port.erase = erase;
    return port;
}

static int fill(void *context, uint8_t *out, size_t size)
{
    int result = 0;

    while (size > 0 && result == 0) {
        size_t part = size < RANDOM_PART ? size : RANDOM_PART;

        microbit_give_way();
        result = turns.random.fill(context, out, part);
        out += part;
        size -= part;
    }
    return result;
}

struct mup_port_random microbit_random_port(void)
{
    turns.random = mup_nrf51_random_port();
    return (struct mup_port_random){.fill = fill};
}
