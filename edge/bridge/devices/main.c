/* mup-bridge: reads its configuration, opens the bridge, runs it until a signal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bridge/devices/bridge.h"
#include "runtime/log.h"

static const char help[] =
    "usage: mup-bridge --config FILE [--log LEVEL]\n"
    "\n"
    "The bridge between NETCONF and MQTT: devices that announce themselves to the\n"
    "broker appear as YANG modules and RPCs that any NETCONF client can call.\n"
    "\n"
    "  --config FILE   lines of `key value`:\n"
    "      mqtt-host, mqtt-port, mqtt-user, mqtt-password-file, mqtt-ca-file\n"
    "                       the broker\n"
    "      netconf-socket   where the relay mup-netconf connects to\n"
    "      netconf-uid      whose relay is believed (this process's own uid)\n"
    "      store            SQLite file of devices and descriptions\n"
    "      certificate      of the update server's key, as mup certify makes it\n"
    "      queries          folder of the *.rq files (the installed ones)\n"
    "      alignments       file or folder of RDF that maps other ontologies\n"
    "      rpc-timeout-s    how long a device has for an answer (30)\n"
    "      administrator    a NETCONF user who may do everything, whatever the\n"
    "                       access rules say; may be repeated\n"
    "      allow-topic      a topic without a device's name that may be used; may be\n"
    "                       repeated\n"
    "  --log LEVEL     debug, info, warning or error (info)\n"
    "\n"
    "example: mup-bridge --config /etc/mup/bridge.conf\n";

static int run(const struct mup_bridge_settings *settings)
{
    static struct mup_bridge bridge;
    char error[MUP_BRIDGE_ERROR_SIZE] = "";

    /* Every describer takes it from there, also those of the children that judge. */
    if (settings->alignments != NULL && setenv("MUP_ALIGNMENTS", settings->alignments, 1) != 0) {
        fprintf(stderr, "mup-bridge: no memory\n");
        return 1;
    }
    if (!mup_bridge_open(&bridge, settings, error)) {
        fprintf(stderr, "mup-bridge: %s\n", error);
        return 1;
    }
    mup_log(MUP_LOG_INFO, "bridge", mup_log_event("ready"),
            mup_log_text("netconf", settings->netconf_socket));
    mup_bridge_run(&bridge);
    mup_bridge_close(&bridge);
    return 0;
}

static int configure_and_run(const char *path)
{
    struct mup_bridge_settings settings = {
        .mqtt_port = 1883, .netconf_uid = -1, .rpc_timeout_s = 30};
    const struct mup_config_key keys[] = {
        {"mqtt-host", MUP_CONFIG_TEXT, &settings.mqtt_host, true, 0, 0},
        {"mqtt-port", MUP_CONFIG_NUMBER, &settings.mqtt_port, false, 1, 65535},
        {"mqtt-user", MUP_CONFIG_TEXT, &settings.mqtt_user, true, 0, 0},
        {"mqtt-password-file", MUP_CONFIG_TEXT, &settings.mqtt_password_file, false, 0, 0},
        {"mqtt-ca-file", MUP_CONFIG_TEXT, &settings.mqtt_ca_file, false, 0, 0},
        {"netconf-socket", MUP_CONFIG_TEXT, &settings.netconf_socket, true, 0, 0},
        {"netconf-uid", MUP_CONFIG_NUMBER, &settings.netconf_uid, false, 0, UINT32_MAX},
        {"store", MUP_CONFIG_TEXT, &settings.store, true, 0, 0},
        {"certificate", MUP_CONFIG_TEXT, &settings.certificate, false, 0, 0},
        {"queries", MUP_CONFIG_TEXT, &settings.queries, false, 0, 0},
        {"alignments", MUP_CONFIG_TEXT, &settings.alignments, false, 0, 0},
        {"rpc-timeout-s", MUP_CONFIG_NUMBER, &settings.rpc_timeout_s, false, MUP_CALL_TIMEOUT_S_MIN,
         MUP_CALL_TIMEOUT_S_MAX},
        {"administrator", MUP_CONFIG_LIST, &settings.administrators, false, 0, 0},
        {"allow-topic", MUP_CONFIG_LIST, &settings.allow_topics, false, 0, 0},
    };
    char error[MUP_CONFIG_ERROR_SIZE];
    struct stat facts;
    int code;

    if (stat(path, &facts) == 0)
        settings.changed_ms =
            (uint64_t)facts.st_ctim.tv_sec * 1000u + (uint64_t)facts.st_ctim.tv_nsec / 1000000u;
    if (mup_config_read(path, keys, sizeof keys / sizeof keys[0], error) != MUP_OK) {
        fprintf(stderr, "mup-bridge: %s\n", error);
        return 2;
    }
    code = run(&settings);
    mup_config_free(keys, sizeof keys / sizeof keys[0]);
    return code;
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    enum mup_log_level level;

    if (argc >= 2 && strcmp(argv[1], MUP_JUDGE_ARGUMENT) == 0)
        return mup_judge_child(argc > 2 ? argv[2] : NULL);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return 0;
        }
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            path = argv[++i];
        else if (strcmp(argv[i], "--log") == 0 && i + 1 < argc &&
                 mup_log_level_from_name(&level, argv[i + 1]) == 0) {
            mup_log_set_level(level);
            i++;
        } else {
            fprintf(stderr, "mup-bridge: '%s' cannot be used; see mup-bridge --help\n", argv[i]);
            return 2;
        }
    }
    if (path == NULL) {
        fprintf(stderr, "mup-bridge: --config FILE is wanted; see mup-bridge --help\n");
        return 2;
    }
    umask(077); /* the store is nobody else's; the NETCONF socket checks uids by itself */
    return configure_and_run(path);
}
