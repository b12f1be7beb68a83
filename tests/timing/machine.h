/*
 * An emulated micro:bit that is under control to the instruction: its clock counts instructions,
 * its random numbers have a seed, and at one place in its program it stands still while the host
 * looks at its memory and writes to it. Two machines that are given the same do the same.
 *
 * QEMU runs with -icount (64 ns for each instruction, about 16 MHz); mup-qemu-count.so counts and
 * stops; mup-qemu-flash.so makes flash and RAM files. (The debugger's protocol would not do: each
 * time that it stops QEMU, the emulated clock jumps to the next timer.)
 */
#ifndef MUP_TIMING_MACHINE_H
#define MUP_TIMING_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "count.h"

#define MACHINE_PATH_MAX   192u
#define MACHINE_PLACES_MAX 48u
#define MACHINE_RAM_AT     0x20000000u
#define MACHINE_RAM_SIZE   0x4000u

enum machine_place_kind { PLACE_SPAN, PLACE_MARK, PLACE_EXCEPTION };

struct machine_place {
    enum machine_place_kind kind;
    uint32_t number;
    uint32_t address;
};

struct machine {
    const char *folder; /* for its files: radio.out, count, ram, qemu.log */
    pid_t qemu;
    int control; /* a byte comes when it stands still, and one lets it go on */
    int radio;   /* what its UART has sent, as a file */
    uint8_t *ram;
    struct mup_count_file *count;
};

/* Switch it on. `bin` is where mup-qemu-*.so are; it will stop before the instruction at stop_at.
 * Messages go to stderr. */
bool machine_start(struct machine *machine, const char *folder, const char *bin,
                   const char *flash_path, const struct machine_place *places, size_t place_count,
                   uint32_t stop_at);
void machine_end(struct machine *machine);

/* Wait until it stands still, limit_s of the host's time at most; let it go on. */
bool machine_wait(struct machine *machine, unsigned limit_s);
bool machine_go(struct machine *machine);

/* A place in RAM, while it stands still. Only what the RAM has may be touched. */
uint8_t *machine_ram(const struct machine *machine, uint32_t address);

#endif
