/* The subcommands of mup-microbit. */
#ifndef MUP_MICROBIT_TOOL_H
#define MUP_MICROBIT_TOOL_H

#define PROGRAM "mup-microbit"

/* Exit codes of every subcommand. */
#define EXIT_FAILED 1 /* it did not work */
#define EXIT_USAGE  2 /* it was not understood */

int microbit_factory(int argc, char **argv);
int microbit_run(int argc, char **argv);

#endif
