/* The subcommands of mup-microbit. */
#ifndef MUP_MICROBIT_TOOL_H
#define MUP_MICROBIT_TOOL_H

#include <stdbool.h>

#define PROGRAM "mup-microbit"

/* Exit codes of every subcommand. */
#define EXIT_FAILED 1 /* it did not work */
#define EXIT_USAGE  2 /* it was not understood */

/*
 * Start the watchdog of the QEMU that this process becomes. The two descriptors are QEMU's: its log
 * of unknown registers, and a monitor. It leaves flash_fd alone. False: after a message.
 */
bool microbit_watchdog(int *log_fd, int *monitor_fd, int flash_fd);

int microbit_factory(int argc, char **argv);
int microbit_run(int argc, char **argv);

#endif
