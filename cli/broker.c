/* mup broker: a folder with all that a mosquitto for MUP needs. */
#include "broker.h"

#include "command.h"
#include "passwords.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_SIZE 8192u

static const char help[] =
    "usage: mup broker FOLDER [--listen ADDRESS] [--port PORT] [--user NAME]\n"
    "\n"
    "Make a folder for mosquitto: configuration with limits, access rules, and\n"
    "passwords of the bridge and the update server, which also stand in\n"
    "FOLDER/mup-bridge.password and FOLDER/mup-server.password. A file that is there\n"
    "already is not touched.\n"
    "\n"
    "  --listen ADDRESS    where devices connect to (127.0.0.1)\n"
    "  --port PORT         (1883)\n"
    "  --user NAME         what mosquitto runs as when root starts it (mosquitto)\n"
    "\n"
    "example: mup broker /etc/mup/broker --listen 192.0.2.1\n"
    "         mosquitto -c /etc/mup/broker/mosquitto.conf\n";

struct broker {
    const char *folder;
    const char *listen;
    const char *user;
    uint32_t port;
};

/* Root hands the files to the account that mosquitto runs as. */
static bool hand_over(const struct broker *broker, int fd)
{
    const struct passwd *entry;

    if (getuid() != 0)
        return true;
    entry = getpwnam(broker->user);
    if (entry == NULL) {
        (void)mup_fail("there is no account '%s'; name another with --user", broker->user);
        return false;
    }
    return fchown(fd, entry->pw_uid, entry->pw_gid) == 0;
}

/* A new file of this text; one that is there stays as it is. */
static bool write_new(const struct broker *broker, const char *name, const char *text)
{
    char path[MUP_BROKER_PATH_MAX];
    bool good;
    int fd;

    (void)snprintf(path, sizeof path, "%s/%s", broker->folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        printf("%s is there already and stays as it is\n", path);
        return true;
    }
    good = fd >= 0 && hand_over(broker, fd) &&
           write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    if (!good)
        (void)mup_fail("%s cannot be written: %s", path, strerror(errno));
    return good;
}

/*
 * Clean Start 0 sessions of devices that sleep wait here, and all devices of a site may announce
 * themselves to the bridge at once: the queues are long, and bounded in bytes.
 */
static bool write_configuration(const struct broker *broker)
{
    char text[TEXT_SIZE];

    (void)snprintf(
        text, sizeof text,
        "# Made by mup broker. Reload with SIGHUP after changes of passwords and rules.\n"
        "per_listener_settings false\n"
        "listener %u %s\n"
        "user %s\n"
        "pid_file %s/mosquitto.pid\n"
        "\n"
        "# Who: each client by name and password, its client id is its name.\n"
        "allow_anonymous false\n"
        "use_username_as_clientid true\n"
        "password_file %s/passwords\n"
        "acl_file %s/acl\n"
        "\n"
        "# What survives a restart. Nothing of MUP depends on it.\n"
        "persistence true\n"
        "persistence_location %s/\n"
        "persistence_file mosquitto.db\n"
        "autosave_interval 60\n"
        "persistent_client_expiration 30d\n"
        "\n"
        "# Limits.\n"
        "max_packet_size 1048576\n"
        "max_inflight_messages 100\n"
        "max_queued_messages 20000\n"
        "max_queued_bytes 33554432\n"
        "max_keepalive 3600\n"
        "retain_available true\n"
        "set_tcp_nodelay true\n"
        "log_dest stderr\n"
        "log_type error\nlog_type warning\nlog_type notice\nlog_type information\n",
        (unsigned)broker->port, broker->listen, broker->user, broker->folder, broker->folder,
        broker->folder, broker->folder);
    return write_new(broker, "mosquitto.conf", text);
}

static bool add_client(const struct broker *broker, struct mup_passwords *passwords,
                       const char *name)
{
    char password[MUP_PASSWORD_SIZE];
    char file[64];
    bool good;

    if (mup_passwords_have(passwords, name))
        return true;
    (void)snprintf(file, sizeof file, "%s.password", name);
    good = mup_passwords_put(passwords, name, password) && write_new(broker, file, password);
    explicit_bzero(password, sizeof password);
    return good;
}

static bool write_passwords(const struct broker *broker)
{
    struct mup_passwords passwords;
    bool good;

    if (!write_new(broker, MUP_PASSWORDS_FILE, "") ||
        !mup_passwords_open(&passwords, broker->folder, true))
        return false;
    good = add_client(broker, &passwords, "mup-bridge") &&
           add_client(broker, &passwords, "mup-server") && mup_passwords_write(&passwords);
    mup_passwords_close(&passwords);
    return good;
}

static bool make_folder(const struct broker *broker)
{
    int fd;
    bool good;

    if (mkdir(broker->folder, 0700) != 0 && errno != EEXIST) {
        (void)mup_fail("%s: %s", broker->folder, strerror(errno));
        return false;
    }
    fd = open(broker->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    good = fd >= 0 && hand_over(broker, fd);
    if (fd >= 0)
        (void)close(fd);
    return good;
}

int mup_broker_main(int argc, char **argv)
{
    static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"user", required_argument, NULL, 'u'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct broker broker = {.listen = "127.0.0.1", .user = "mosquitto", .port = 1883};
    char folder[MUP_BROKER_PATH_MAX / 2];
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return MUP_EXIT_DONE;
        }
        if (option == 'l')
            broker.listen = optarg;
        else if (option == 'u')
            broker.user = optarg;
        else if (option != 'p')
            return MUP_EXIT_USAGE;
        else if (mup_parse_number(&broker.port, optarg, 1, 65535) != 0)
            return mup_usage("broker", "'%s' is no port", optarg);
    }
    if (argc - optind != 1 || strlen(argv[optind]) >= sizeof folder - 32)
        return mup_usage("broker", "one FOLDER is wanted");
    if (strpbrk(broker.listen, " \n") != NULL || strpbrk(broker.user, " \n") != NULL ||
        strpbrk(argv[optind], "\n") != NULL)
        return mup_usage("broker", "a line of a configuration cannot hold this");
    if (argv[optind][0] == '/')
        (void)snprintf(folder, sizeof folder, "%s", argv[optind]);
    else { /* mosquitto may be started from anywhere */
        char here[MUP_BROKER_PATH_MAX / 4];
        if (getcwd(here, sizeof here) == NULL ||
            (size_t)snprintf(folder, sizeof folder, "%s/%s", here, argv[optind]) >= sizeof folder)
            return mup_fail("this path is too long");
    }
    broker.folder = folder;
    umask(077);
    if (!make_folder(&broker) || !write_configuration(&broker) ||
        !write_new(&broker, "acl", mup_broker_acl) || !write_passwords(&broker))
        return MUP_EXIT_FAILED;
    printf("mosquitto -c %s/mosquitto.conf\n", folder);
    return MUP_EXIT_DONE;
}
