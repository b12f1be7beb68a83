/* sshd, the bridge and the update server of the testbed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testbed_internal.h"

#define LOG_END_SIZE 2000u

bool mup_testbed_say_failed(const struct mup_testbed *bed, const struct mup_process *process,
                            const char *log)
{
    if (bed->processes.stop != NULL && *bed->processes.stop)
        return false; /* nothing is wrong: somebody pressed Ctrl-C */
    fprintf(stderr, "testbed: %s did not start; the end of its log:\n",
            process == NULL ? "a program" : process->name);
    if (process != NULL && process->text != NULL) {
        size_t size = process->size < LOG_END_SIZE ? process->size : LOG_END_SIZE;
        fprintf(stderr, "%.*s", (int)size, process->text + process->size - size);
    }
    fprintf(stderr, "(%s)\n", mup_testbed_path(bed, log));
    return false;
}

static bool await(struct mup_testbed *bed, struct mup_process *process, const char *needle,
                  const char *log)
{
    return (process != NULL && mup_process_wait_line(&bed->processes, process, needle,
                                                     MUP_TESTBED_START_TIMEOUT_MS, NULL, 0)) ||
           mup_testbed_say_failed(bed, process, log);
}

bool mup_testbed_start_bridge(struct mup_testbed *bed)
{
    char text[8 * MUP_TESTBED_PATH_MAX];
    const char *argv[] = {mup_testbed_program(bed, "mup-bridge"), "--config",
                          mup_testbed_path(bed, "bridge.conf"), NULL};

    snprintf(text, sizeof text,
             "mqtt-host 127.0.0.1\n"
             "mqtt-port %d\n"
             "mqtt-user mup-bridge\n"
             "mqtt-password-file %s/mup-bridge.password\n"
             "netconf-socket %s/netconf.sock\n"
             "store %s/bridge.db\n"
             "certificate %s/server.cert\n"
             "administrator operator\n"
             "queries %s/edge/bridge/description/queries\n"
             "%s",
             bed->broker_port, bed->folder, bed->folder, bed->folder, bed->folder, bed->source,
             bed->bridge_settings == NULL ? "rpc-timeout-s 20\n" : bed->bridge_settings);
    if (!mup_testbed_write(bed, "bridge.conf", 0600, text))
        return false;
    return await(bed, mup_process_start(&bed->processes, "mup-bridge", argv),
                 "event=\"broker reached\"", "log/mup-bridge.log");
}

/* One SSH key for a network manager called operator. */
static bool make_operator_key(struct mup_testbed *bed)
{
    const char *argv[] = {"/usr/bin/ssh-keygen",
                          "-q",
                          "-t",
                          "ed25519",
                          "-N",
                          "",
                          "-C",
                          "operator",
                          "-f",
                          mup_testbed_path(bed, "operator_key"),
                          NULL};

    return access(mup_testbed_path(bed, "operator_key"), F_OK) == 0 ||
           mup_testbed_run(bed, "ssh-keygen", argv);
}

bool mup_testbed_start_sshd(struct mup_testbed *bed)
{
    char script[MUP_TESTBED_PATH_MAX + 64];
    char port[16];
    const char *folder = mup_testbed_path(bed, "ssh");
    const char *run_argv[] = {script, "run", folder, NULL};
    const char *init_argv[] = {script, "init", folder, port, NULL};
    const char *add_argv[] = {script,
                              "add",
                              folder,
                              "operator",
                              mup_testbed_path(bed, "operator_key.pub"),
                              mup_testbed_program(bed, "mup-netconf"),
                              mup_testbed_path(bed, "netconf.sock"),
                              NULL};

    if (bed->ssh_port == 0)
        bed->ssh_port = mup_testbed_free_port();
    snprintf(script, sizeof script, "%s/edge/bridge/netconf/mup-sshd", bed->source);
    snprintf(port, sizeof port, "%d", bed->ssh_port);
    if (!make_operator_key(bed) || !mup_testbed_run(bed, "sshd-init", init_argv) ||
        !mup_testbed_run(bed, "sshd-add", add_argv))
        return false;
    return await(bed, mup_process_start(&bed->processes, "sshd", run_argv), "Server listening",
                 "log/sshd.log");
}
