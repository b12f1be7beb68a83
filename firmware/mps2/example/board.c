/*
 * What the two programs of docs/PORTING.md want of a board, over port/mps2: so that they are linked
 * whole, with nothing left open, and their sizes are those of a device. They are not run: this
 * board has no randomness, and its pages do not fit the map that the programs take.
 */
#include "mup/port/mps2.h"
#include "startup.h"

extern const struct mup_port_flash board_flash;
extern const struct mup_port_clock board_clock;
extern const struct mup_port_random board_random;
extern const struct mup_port_transport board_transport;
extern const struct mup_port_reset board_reset;
extern const uint8_t board_description[];
extern const uint32_t board_description_size;
void board_sleep(uint32_t ms);
void board_jump(uint32_t at);

static struct mup_mps2_line line;

static int flash_read(void *context, uint32_t at, void *out, size_t size)
{
    struct mup_port_flash flash = mup_mps2_flash_port();

    (void)context;
    return flash.read(flash.context, at, out, size);
}

static int flash_program(void *context, uint32_t at, const uint32_t *words, size_t word_count)
{
    struct mup_port_flash flash = mup_mps2_flash_port();

    (void)context;
    return flash.program(flash.context, at, words, word_count);
}

static int flash_erase(void *context, uint32_t page_at)
{
    struct mup_port_flash flash = mup_mps2_flash_port();

    (void)context;
    return flash.erase(flash.context, page_at);
}

static uint32_t now_ms(void *context)
{
    static struct mup_port_clock clock;

    (void)context;
    if (clock.now_ms == NULL)
        clock = mup_mps2_clock_port();
    return clock.now_ms(clock.context);
}

static int fill(void *context, uint8_t *out, size_t size)
{
    struct mup_port_random random = mup_mps2_random_port();

    (void)context;
    return random.fill(random.context, out, size);
}

static struct mup_port_transport transport(void)
{
    return mup_mps2_transport_port(&line, 0);
}

static int transport_open(void *context)
{
    (void)context;
    return transport().open(&line);
}

static int transport_send(void *context, const uint8_t *bytes, size_t size)
{
    (void)context;
    return transport().send(&line, bytes, size);
}

static int transport_receive(void *context, uint8_t *out, size_t size)
{
    (void)context;
    return transport().receive(&line, out, size);
}

static void transport_close(void *context)
{
    (void)context;
    transport().close(&line);
}

static void reset_now(void *context)
{
    struct mup_port_reset reset = mup_mps2_reset_port();

    (void)context;
    reset.now(reset.context);
}

const struct mup_port_flash board_flash = {.size = MUP_MPS2_FLASH_SIZE,
                                           .page_size = MUP_MPS2_FLASH_PAGE_SIZE,
                                           .read = flash_read,
                                           .program = flash_program,
                                           .erase = flash_erase};
const struct mup_port_clock board_clock = {.now_ms = now_ms};
const struct mup_port_random board_random = {.fill = fill};
const struct mup_port_transport board_transport = {.open = transport_open,
                                                   .send = transport_send,
                                                   .receive = transport_receive,
                                                   .close = transport_close};
const struct mup_port_reset board_reset = {.now = reset_now};
const uint8_t board_description[] = "{}";
const uint32_t board_description_size = sizeof board_description - 1;

void board_sleep(uint32_t ms)
{
    (void)ms; /* no interrupt would end it */
}

/* The stack pointer and the entry of an image; its vectors from now on. */
__attribute__((naked)) void board_jump(uint32_t at)
{
    (void)at;
    __asm volatile("ldr r3, =0xe000ed08 \n" /* VTOR: Armv7-M B3.2.5 */
                   "str r0, [r3]        \n"
                   "ldr r1, [r0]        \n"
                   "ldr r2, [r0, #4]    \n"
                   "msr msp, r1         \n"
                   "bx r2               \n"
                   ".ltorg              \n");
}

void mps2_panic(void)
{
    reset_now(NULL);
    for (;;) {
    }
}
