/* The update server of the testbed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testbed_internal.h"

static bool write_settings(const struct mup_testbed *bed)
{
    char text[10 * MUP_TESTBED_PATH_MAX];

    snprintf(text, sizeof text,
             "store %s/server.db\n"
             "api-token-file %s/token\n"
             "users-file %s/users\n"
             "vendor-key-file %s/vendor.pub\n"
             "server-key-file %s/server.key\n"
             "certificate-file %s/server.cert\n"
             "netconf-socket %s/netconf.sock\n"
             "listen-port %d\n"
             "mqtt-port %d\n"
             "mqtt-password-file %s/mup-server.password\n"
             "%s",
             bed->folder, bed->folder, bed->folder, bed->folder, bed->folder, bed->folder,
             bed->folder, bed->rest_port, bed->broker_port, bed->folder,
             bed->server_settings == NULL ? "" : bed->server_settings);
    return mup_testbed_write(bed, "server.conf", 0600, text);
}

bool mup_testbed_make_web_user(struct mup_testbed *bed)
{
    static const char label[] = "password  ";
    const char *argv[] = {mup_testbed_program(bed, "mup-server"),
                          "--config",
                          mup_testbed_path(bed, "server.conf"),
                          "--set-up",
                          MUP_TESTBED_WEB_USER,
                          NULL};
    char line[MUP_PROCESS_LINE_MAX];
    struct mup_process *process;

    process = mup_process_start(&bed->processes, "set-up", argv);
    if (process == NULL || !mup_process_wait_line(&bed->processes, process, label,
                                                  MUP_TESTBED_START_TIMEOUT_MS, line, sizeof line))
        return mup_testbed_say_failed(bed, process, "log/set-up.log");
    snprintf(bed->web_password, sizeof bed->web_password, "%.*s",
             (int)strcspn(strstr(line, label) + sizeof label - 1, "\r\n"),
             strstr(line, label) + sizeof label - 1);
    while (mup_process_is_running(process))
        mup_process_pump(&bed->processes, 20);
    return true;
}

bool mup_testbed_start_server(struct mup_testbed *bed)
{
    char line[MUP_PROCESS_LINE_MAX];
    const char *argv[] = {mup_testbed_program(bed, "mup-server"), "--config",
                          mup_testbed_path(bed, "server.conf"), NULL};
    struct mup_process *server;
    const char *port;

    if (!write_settings(bed))
        return false;
    server = mup_process_start(&bed->processes, "mup-server", argv);
    if (server == NULL || !mup_process_wait_line(&bed->processes, server, "event=\"serving\"",
                                                 MUP_TESTBED_START_TIMEOUT_MS, line, sizeof line))
        return mup_testbed_say_failed(bed, server, "log/mup-server.log");
    port = strstr(line, "port=");
    bed->rest_port = port == NULL ? 0 : atoi(port + 5);
    return bed->rest_port != 0;
}
