/*
 * The mup command: what its subcommands share.
 *
 * One subcommand is one file with one function `int mup_<name>_main(int argc, char **argv)`, where
 * argv[0] is the subcommand's name. Exit codes: 0 done, 1 it was tried and failed, 2 the command
 * line cannot be used (nothing was tried).
 */
#ifndef MUP_CLI_COMMAND_H
#define MUP_CLI_COMMAND_H

#include <stddef.h>
#include <stdint.h>

enum mup_exit {
    MUP_EXIT_DONE = 0,
    MUP_EXIT_FAILED = 1,
    MUP_EXIT_USAGE = 2,
};

int mup_keygen_main(int argc, char **argv);
int mup_certify_main(int argc, char **argv);
int mup_release_main(int argc, char **argv);
int mup_devices_main(int argc, char **argv);
int mup_releases_main(int argc, char **argv);
int mup_deploy_main(int argc, char **argv);
int mup_updates_main(int argc, char **argv);
int mup_describe_main(int argc, char **argv);
int mup_broker_main(int argc, char **argv);
int mup_device_main(int argc, char **argv);

/* "mup: TEXT" on stderr; returns MUP_EXIT_FAILED. */
__attribute__((format(printf, 1, 2))) int mup_fail(const char *format, ...);

/* "mup SUBCOMMAND: TEXT" and a pointer to --help on stderr; returns MUP_EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int mup_usage(const char *subcommand, const char *format,
                                                    ...);

/* Read a decimal number of the range from text; 0 and *out on success, -1 otherwise. */
int mup_parse_number(uint32_t *out, const char *text, uint32_t least, uint32_t most);

/* Bytes as lower-case hex with a NUL; text must hold 2 * size + 1. */
void mup_hex(char *text, const uint8_t *bytes, size_t size);

#endif
