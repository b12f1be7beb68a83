/* What the files of the testbed share with each other and with nobody else. */
#ifndef MUP_LAB_TESTBED_INTERNAL_H
#define MUP_LAB_TESTBED_INTERNAL_H

#include "testbed.h"

/* Path of a built program; static storage, four at a time. */
const char *mup_testbed_program(const struct mup_testbed *bed, const char *name);

/* A file that the preset microbit has built, and an application among them; static storage, four
 * at a time. */
const char *mup_testbed_firmware(const struct mup_testbed *bed, const char *name);
const char *mup_testbed_application(const struct mup_testbed *bed, uint32_t version,
                                    const char *fault);

/* Write a small file of the testbed's folder with this mode. */
bool mup_testbed_write(const struct mup_testbed *bed, const char *name, unsigned mode,
                       const char *text);

/* Give a device a random UUID and its name, if it has none. */
bool mup_testbed_name_device(struct mup_testbed_device *device);

/* Put `more`, at most `most` words up to the first NULL, behind the `count` of argv, which has room
 * for them and a NULL; returns how many there are now. */
size_t mup_testbed_append(const char **argv, size_t count, const char *const *more, size_t most);

/* Write the password file again and tell the running broker to read it. */
bool mup_testbed_reload_users(struct mup_testbed *bed, struct mup_process *broker);

/* Say that a program did not start, with the end of what it said; returns false. */
bool mup_testbed_say_failed(const struct mup_testbed *bed, const struct mup_process *process,
                            const char *log);

#endif
