/*
 * QEMU's debugger stub, as far as it takes to look into an emulated board: stop where a function
 * begins, read and write its memory, go on. The GDB remote protocol over a Unix socket ("Remote
 * Serial Protocol" in GDB's manual). While the board stands still, so does its clock.
 *
 * Functions return false when the stub does not answer as it should, or not in time.
 */
#ifndef MUP_LAB_GDB_H
#define MUP_LAB_GDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gdb {
    int fd; /* -1: not connected */
};

/* Connect to a board that was started with -gdb unix:PATH,server=on,wait=off -S. It stands still
 * before its first instruction. */
bool gdb_open(struct gdb *gdb, const char *path);
void gdb_close(struct gdb *gdb);

bool gdb_read(struct gdb *gdb, uint32_t address, void *out, size_t size);
bool gdb_fill(struct gdb *gdb, uint32_t address, uint8_t byte, size_t size);

/* Let it run. */
bool gdb_go(struct gdb *gdb);

/* Let it run until it comes to `address`. `meanwhile` is called, with `context`, every few
 * milliseconds. */
bool gdb_go_to(struct gdb *gdb, uint32_t address, int timeout_ms, void (*meanwhile)(void *context),
               void *context);

/* Stop it where it is. */
bool gdb_halt(struct gdb *gdb);

#endif
