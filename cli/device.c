/* mup device add|list|revoke: the factory's credentials at the broker. */
#include "command.h"
#include "json.h"
#include "passwords.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mup/topic.h"

#define DEFAULT_FOLDER "/etc/mup/broker"
#define OWN_PREFIX     "mup-" /* of the bridge and the update server */

static const char help[] =
    "usage: mup device add NAME [--broker FOLDER] [--json]\n"
    "       mup device list [--broker FOLDER] [--json]\n"
    "       mup device revoke NAME [--broker FOLDER]\n"
    "\n"
    "Manage who may connect to the broker. add makes a password for a device, which\n"
    "its factory writes into it, and shows it this once; for a NAME that has one it\n"
    "makes another. revoke takes it away. A broker that runs reloads its files and\n"
    "throws out whom they no longer name. NAME is the device's UUID, or a handle of\n"
    "at most 48 letters, digits, dots, underscores and hyphens.\n"
    "\n"
    "  --broker FOLDER     as mup broker made it (" DEFAULT_FOLDER ")\n"
    "  --json              print {\"name\": ..., \"password\": ...} or a list of names\n"
    "\n"
    "example: mup device add 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed --broker broker\n";

/* mosquitto's, if it runs; it must be one: the file may be an old one. */
static long broker_pid(const char *folder)
{
    char path[MUP_BROKER_PATH_MAX];
    char name[32] = "";
    long pid = 0;
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/mosquitto.pid", folder);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%ld", &pid) != 1)
        pid = 0;
    (void)fclose(file);
    (void)snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    file = pid > 1 ? fopen(path, "re") : NULL;
    if (file == NULL)
        return 0;
    if (fgets(name, sizeof name, file) == NULL)
        name[0] = '\0';
    (void)fclose(file);
    return strcmp(name, "mosquitto\n") == 0 ? pid : 0;
}

static void reload(const char *folder)
{
    long pid = broker_pid(folder);

    if (pid == 0)
        fprintf(stderr, "mup: no broker of %s runs here; one elsewhere wants SIGHUP\n", folder);
    else if (kill((pid_t)pid, SIGHUP) != 0)
        fprintf(stderr, "mup: the broker cannot be told to reload: kill -HUP %ld\n", pid);
}

static int add(struct mup_passwords *passwords, const char *name, int json)
{
    char password[MUP_PASSWORD_SIZE];
    int code = MUP_EXIT_DONE;

    if (!mup_passwords_put(passwords, name, password))
        return mup_fail("no memory or no randomness");
    if (!mup_passwords_write(passwords))
        code = MUP_EXIT_FAILED;
    else if (json)
        mup_print_json(json_pack("{s:s, s:s}", "name", name, "password", password));
    else
        printf("%s %s\n", name, password);
    explicit_bzero(password, sizeof password);
    return code;
}

static int revoke_device(struct mup_passwords *passwords, const char *name)
{
    if (!mup_passwords_remove(passwords, name))
        return mup_fail("there is no device '%s'; mup device list shows them", name);
    return mup_passwords_write(passwords) ? MUP_EXIT_DONE : MUP_EXIT_FAILED;
}

static void collect(void *arg, const char *name)
{
    if (strncmp(name, OWN_PREFIX, strlen(OWN_PREFIX)) != 0)
        (void)json_array_append_new(arg, json_string(name));
}

static int list(const struct mup_passwords *passwords, int json)
{
    json_t *names = json_array();
    const json_t *name;
    size_t i;

    mup_passwords_each(passwords, collect, names);
    if (json) {
        mup_print_json(names);
        return MUP_EXIT_DONE;
    }
    json_array_foreach(names, i, name) printf("%s\n", json_string_value(name));
    json_decref(names);
    return MUP_EXIT_DONE;
}

static int run(const char *verb, const char *name, const char *folder, int json)
{
    struct mup_passwords passwords;
    int code;

    if (!mup_passwords_open(&passwords, folder, false))
        return MUP_EXIT_FAILED;
    if (strcmp(verb, "list") == 0)
        code = list(&passwords, json);
    else
        code = strcmp(verb, "add") == 0 ? add(&passwords, name, json)
                                        : revoke_device(&passwords, name);
    mup_passwords_close(&passwords);
    if (code == MUP_EXIT_DONE && strcmp(verb, "list") != 0)
        reload(folder);
    return code;
}

int mup_device_main(int argc, char **argv)
{
    static const struct option options[] = {{"broker", required_argument, NULL, 'b'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *folder = DEFAULT_FOLDER;
    const char *verb;
    const char *name = NULL;
    int json = 0;
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return MUP_EXIT_DONE;
        }
        if (option == 'b')
            folder = optarg;
        else if (option == 'j')
            json = 1;
        else
            return MUP_EXIT_USAGE;
    }
    verb = optind < argc ? argv[optind] : "";
    if (strcmp(verb, "list") == 0 && argc - optind == 1)
        return run(verb, NULL, folder, json);
    if ((strcmp(verb, "add") != 0 && strcmp(verb, "revoke") != 0) || argc - optind != 2)
        return mup_usage("device", "add NAME, revoke NAME or list is wanted");
    name = argv[optind + 1];
    if (!mup_name_is_valid(name, strlen(name)) ||
        strncmp(name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0)
        return mup_usage("device", "'%.60s' cannot be the name of a device", name);
    return run(verb, name, folder, json);
}
