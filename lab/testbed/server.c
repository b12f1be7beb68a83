/* The update server of the testbed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testbed_internal.h"

bool mup_testbed_start_server(struct mup_testbed *bed)
{
    char text[8 * MUP_TESTBED_PATH_MAX];
    char line[MUP_PROCESS_LINE_MAX];
    const char *argv[] = {mup_testbed_program(bed, "mup-server"), "--config",
                          mup_testbed_path(bed, "server.conf"), NULL};
    struct mup_process *server;
    const char *port;

    snprintf(text, sizeof text,
             "store %s/server.db\n"
             "api-token-file %s/token\n"
             "vendor-key-file %s/vendor.pub\n"
             "server-key-file %s/server.key\n"
             "certificate-file %s/server.cert\n"
             "netconf-socket %s/netconf.sock\n"
             "listen-port %d\n"
             "mqtt-port %d\n"
             "mqtt-password-file %s/mup-server.password\n"
             "%s",
             bed->folder, bed->folder, bed->folder, bed->folder, bed->folder, bed->folder,
             bed->rest_port, bed->broker_port, bed->folder,
             bed->server_settings == NULL ? "" : bed->server_settings);
    if (!mup_testbed_write(bed, "server.conf", 0600, text))
        return false;
    server = mup_process_start(&bed->processes, "mup-server", argv);
    if (server == NULL || !mup_process_wait_line(&bed->processes, server, "event=\"serving\"",
                                                 MUP_TESTBED_START_TIMEOUT_MS, line, sizeof line))
        return mup_testbed_say_failed(bed, server, "log/mup-server.log");
    port = strstr(line, "port=");
    bed->rest_port = port == NULL ? 0 : atoi(port + 5);
    return bed->rest_port != 0;
}
