/*
 * A whole edge for a system test, and what a person would do at it.
 *
 * Everything is a real process of the testbed (lab/testbed): nothing here knows a station from the
 * inside, and nothing sleeps. What is awaited is a line of a log, an event of the REST interface or
 * the end of a command, each with MUP_SYSTEM_DEADLINE_MS. A wait that fails prints the ends of all
 * logs before it fails the test.
 */
#ifndef MUP_TESTS_SYSTEM_EDGE_H
#define MUP_TESTS_SYSTEM_EDGE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>
#include <jansson.h>

#include "testbed.h"

#define MUP_SYSTEM_DEADLINE_MS 60000
#define MUP_SYSTEM_IMAGE_SIZE  20000u

/* What a command said and how it ended. */
struct system_command {
    int code; /* exit code; -1: killed at the deadline, or by a signal */
    char *out;
    char *err;
};

/* The testbed of this test program. Settings are further lines of the configurations, or NULL. */
extern struct mup_testbed bed;
bool system_open(const char *server_settings, const char *bridge_settings);

/* cmocka's teardown of a group: everything ends, the folder goes; false results are failures. */
int system_close(void **state);

/* Make a device with a factory image of `version`, which must have been released; start it. */
void system_make_device(struct mup_testbed_device *device);
struct mup_process *system_start_device(const struct mup_testbed_device *device);

/* Start it and wait until the bridge has accepted it and its RPCs can be called. */
struct mup_process *system_join(const struct mup_testbed_device *device);

struct mup_process *system_process(const char *name);

/* Wait for a line that no earlier wait went past; the test fails without it. */
void system_await(struct mup_process *process, const char *needle);
void system_await_line(struct mup_process *process, const char *needle, char *line, size_t size);

/* How many lines with `needle` a program has said so far, in all its lives. */
unsigned system_count(struct mup_process *process, const char *needle);

/* Run to the end. Free with system_command_free(). */
void system_run(struct system_command *out, const char *const argv[]);
void system_command_free(struct system_command *command);

/* The mup command with server and token given: mup WORDS... , at most eight, NULL ends them. */
void system_mup(struct system_command *out, const char *const words[]);

/* The same, must exit with `code`; stdout as JSON (json_decref it). */
json_t *system_mup_json(const char *const words[], int code);

/* `mup deploy --no-wait`; the update's id. */
long long system_deploy(const char *device, uint32_t version);

/* Follow an update by its event stream to its end; json_decref it. */
json_t *system_await_end(long long update);

/* The update as it is now. */
json_t *system_update(long long update);

/* Must have ended as `result`; with `reason` not NULL for this reason. Releases the update. */
void system_assert_ended(json_t *update, const char *result, const char *reason);

/* Members of a JSON object: fail the test when they are missing. */
const char *system_text(const json_t *object, const char *key);
json_int_t system_number(const json_t *object, const char *key);

/* A member of one of `mup devices --json`'s devices, borrowed until the next call. */
json_t *system_device_member(const char *uuid, const char *key);

/* Whose key the network manager uses: the file's name in the testbed; "operator_key" at first. */
extern const char *system_manager_key;

/* tests/system/support/netconf.py WORDS... with that key; stdout as JSON. */
json_t *system_netconf(const char *const words[]);

/* An RPC of a device's module, and the error-app-tag (or the state) that it ends with. */
void system_assert_rpc(const char *device, const char *rpc, const char *input, const char *tag,
                       const char *app_tag_or_state);

#endif
