/* The broker: a real mosquitto with a user for each client and the access rules of the product. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testbed_internal.h"

#define MOSQUITTO        "/usr/sbin/mosquitto"
#define MOSQUITTO_PASSWD "/usr/bin/mosquitto_passwd"

/* The password file in plain text, then hashed in place by mosquitto's own tool. */
static bool write_passwords(struct mup_testbed *bed)
{
    const char *argv[] = {MOSQUITTO_PASSWD, "-U", mup_testbed_path(bed, "broker.passwords"), NULL};
    char text[MUP_TESTBED_USERS_MAX * (MUP_NAME_MAX + MUP_TESTBED_PASSWORD_SIZE + 2)];
    size_t size = 0;

    for (size_t i = 0; i < bed->user_count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s:%s\n", bed->users[i].name,
                                 bed->users[i].password);
    return mup_testbed_write(bed, "broker.passwords", 0600, text) &&
           mup_testbed_run(bed, "mosquitto_passwd", argv);
}

/* The product's rules, and one user who stands for somebody who has broken into the broker. */
static bool write_acl(const struct mup_testbed *bed)
{
    char path[MUP_TESTBED_PATH_MAX + 64];
    char text[8192];
    size_t size;
    FILE *file;

    snprintf(path, sizeof path, "%s/packaging/mosquitto/mup.acl", bed->source);
    file = fopen(path, "re");
    if (file == NULL) {
        fprintf(stderr, "testbed: %s is missing\n", path);
        return false;
    }
    size = fread(text, 1, sizeof text / 2, file);
    fclose(file);
    snprintf(text + size, sizeof text - size, "\nuser eavesdropper\ntopic readwrite #\n%s",
             bed->broker_rules == NULL ? "" : bed->broker_rules);
    return mup_testbed_write(bed, "broker.acl", 0600, text);
}

static bool write_configuration(const struct mup_testbed *bed)
{
    char text[4 * MUP_TESTBED_PATH_MAX];

    snprintf(text, sizeof text,
             "per_listener_settings false\n"
             "listener %d 127.0.0.1\n"
             "allow_anonymous false\n"
             "use_username_as_clientid true\n"
             "password_file %s/broker.passwords\n"
             "acl_file %s/broker.acl\n"
             "persistence true\n"
             "persistence_location %s/\n"
             "persistence_file broker.db\n"
             "autosave_interval 5\n"
             "max_queued_messages 1000\n"
             "max_packet_size 1048576\n"
             "set_tcp_nodelay true\n"
             "log_dest stderr\n"
             "log_type error\nlog_type warning\nlog_type notice\nlog_type information\n"
             "%s",
             bed->broker_port, bed->folder, bed->folder, bed->folder,
             getuid() == 0 ? "user root\n" : "");
    return mup_testbed_write(bed, "broker.conf", 0600, text);
}

bool mup_testbed_reload_users(struct mup_testbed *bed, struct mup_process *broker)
{
    if (!write_passwords(bed))
        return false;
    if (!mup_process_is_running(broker))
        return true;
    kill(broker->pid, SIGHUP);
    return mup_process_wait_line(&bed->processes, broker, "Reloading config",
                                 MUP_TESTBED_START_TIMEOUT_MS, NULL, 0);
}

bool mup_testbed_start_broker(struct mup_testbed *bed)
{
    const char *argv[] = {MOSQUITTO, "-c", mup_testbed_path(bed, "broker.conf"), NULL};
    struct mup_process *broker;

    if (bed->broker_port == 0)
        bed->broker_port = mup_testbed_free_port();
    if (!write_passwords(bed) || !write_acl(bed) || !write_configuration(bed))
        return false;
    broker = mup_process_start(&bed->processes, "mosquitto", argv);
    if (broker == NULL)
        return false;
    if (mup_process_wait_line(&bed->processes, broker, " running", MUP_TESTBED_START_TIMEOUT_MS,
                              NULL, 0))
        return true;
    fprintf(stderr, "testbed: mosquitto did not start; see %s\n",
            mup_testbed_path(bed, "log/mosquitto.log"));
    return false;
}
