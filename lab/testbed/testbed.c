/* The testbed's folder, keys and users: what everything else is built on. */
#include "testbed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "testbed_internal.h"

#define PORT_FIRST    10000u
#define PORT_COUNT    20000u
#define PORT_ATTEMPTS 100u

const char *mup_testbed_path(const struct mup_testbed *bed, const char *name)
{
    static char paths[8][MUP_TESTBED_PATH_MAX + 128];
    static unsigned turn;
    char *path = paths[turn++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", bed->folder, name);
    return path;
}

const char *mup_testbed_program(const struct mup_testbed *bed, const char *name)
{
    static char paths[4][MUP_TESTBED_PATH_MAX + 64];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", bed->bin, name);
    return path;
}

bool mup_testbed_write(const struct mup_testbed *bed, const char *name, unsigned mode,
                       const char *text)
{
    const char *path = mup_testbed_path(bed, name);
    FILE *file = fopen(path, "we");
    bool good = file != NULL && fchmod(fileno(file), (mode_t)mode) == 0 && fputs(text, file) >= 0;

    if (file != NULL && fclose(file) != 0)
        good = false;
    if (!good)
        fprintf(stderr, "testbed: cannot write %s: %s\n", path, strerror(errno));
    return good;
}

/* Whether nobody has this port of 127.0.0.1 now. */
static bool is_free(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool free = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

    if (fd >= 0)
        close(fd);
    return free;
}

/*
 * Below the range from which Linux takes ports for outgoing connections (32768 on): a port that the
 * kernel gives out for bind(0) may belong to somebody's connection before a daemon has bound it.
 */
int mup_testbed_free_port(void)
{
    for (unsigned i = 0; i < PORT_ATTEMPTS; i++) {
        uint16_t port;
        if (getrandom(&port, sizeof port, 0) != (ssize_t)sizeof port)
            return 0;
        port = (uint16_t)(PORT_FIRST + port % PORT_COUNT);
        if (is_free(port))
            return port;
    }
    return 0;
}

bool mup_testbed_run(struct mup_testbed *bed, const char *name, const char *const argv[])
{
    struct mup_process *process = mup_process_start(&bed->processes, name, argv);

    if (process == NULL)
        return false;
    while (mup_process_is_running(process)) {
        if (bed->processes.stop != NULL && *bed->processes.stop)
            return false;
        mup_process_pump(&bed->processes, 20);
    }
    if (WIFEXITED(process->exit_status) && WEXITSTATUS(process->exit_status) == 0)
        return true;
    fprintf(stderr, "testbed: %s failed; it said:\n%.*s", name, (int)process->size,
            process->text == NULL ? "" : process->text);
    return false;
}

size_t mup_testbed_append(const char **argv, size_t count, const char *const *more, size_t most)
{
    for (size_t i = 0; i < most && more[i] != NULL; i++)
        argv[count++] = more[i];
    argv[count] = NULL;
    return count;
}

static bool random_hex(char *text, size_t size)
{
    uint8_t bytes[32];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    for (size_t i = 0; 2 * i + 2 < size + 1 && i < sizeof bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

static bool make_keys(struct mup_testbed *bed)
{
    const char *mup = mup_testbed_program(bed, "mup");
    const char *vendor = mup_testbed_path(bed, "vendor");
    const char *server = mup_testbed_path(bed, "server");
    const char *vendor_argv[] = {mup, "keygen", vendor, NULL};
    const char *server_argv[] = {mup, "keygen", server, NULL};
    const char *certify_argv[] = {mup,        "certify",
                                  "--key",    mup_testbed_path(bed, "vendor.key"),
                                  "--server", mup_testbed_path(bed, "server.pub"),
                                  "--out",    mup_testbed_path(bed, "server.cert"),
                                  NULL};

    return mup_testbed_run(bed, "keygen", vendor_argv) &&
           mup_testbed_run(bed, "keygen", server_argv) &&
           mup_testbed_run(bed, "certify", certify_argv);
}

bool mup_testbed_init(struct mup_testbed *bed, const char *bin, const char *source,
                      volatile const int *stop)
{
    const char *temporary = getenv("TMPDIR");
    char token[MUP_TESTBED_PASSWORD_SIZE + 32];

    memset(bed, 0, sizeof *bed);
    bed->processes.stop = stop;
    snprintf(bed->bin, sizeof bed->bin, "%s", bin);
    snprintf(bed->source, sizeof bed->source, "%s", source);
    snprintf(bed->folder, sizeof bed->folder, "%s/mup-testbed-%ld-%llx",
             temporary == NULL ? "/tmp" : temporary, (long)getpid(),
             (unsigned long long)time(NULL));
    if (mkdir(bed->folder, 0700) != 0 || mkdir(mup_testbed_path(bed, "log"), 0700) != 0) {
        fprintf(stderr, "testbed: cannot make %s: %s\n", bed->folder, strerror(errno));
        return false;
    }
    snprintf(bed->processes.log_folder, sizeof bed->processes.log_folder, "%.240s/log",
             bed->folder);
    if (!random_hex(token, MUP_TESTBED_PASSWORD_SIZE) ||
        !mup_testbed_write(bed, "token", 0600, token))
        return false;
    return make_keys(bed) && mup_testbed_add_user(bed, "mup-bridge") &&
           mup_testbed_add_user(bed, "mup-server") && mup_testbed_add_user(bed, "eavesdropper");
}

const char *mup_testbed_password(const struct mup_testbed *bed, const char *name)
{
    for (size_t i = 0; i < bed->user_count; i++)
        if (strcmp(bed->users[i].name, name) == 0)
            return bed->users[i].password;
    return NULL;
}

bool mup_testbed_add_user(struct mup_testbed *bed, const char *name)
{
    struct mup_testbed_user *user = &bed->users[bed->user_count];
    char file[MUP_NAME_MAX + 16];
    struct mup_process *broker = NULL;

    if (mup_testbed_password(bed, name) != NULL)
        return true;
    if (bed->user_count == MUP_TESTBED_USERS_MAX ||
        !random_hex(user->password, sizeof user->password))
        return false;
    snprintf(user->name, sizeof user->name, "%s", name);
    bed->user_count++;
    snprintf(file, sizeof file, "%s.password", name);
    if (!mup_testbed_write(bed, file, 0600, user->password))
        return false;
    for (size_t i = 0; i < bed->processes.count; i++)
        if (strcmp(bed->processes.list[i].name, "mosquitto") == 0)
            broker = &bed->processes.list[i];
    return broker == NULL || mup_testbed_reload_users(bed, broker);
}

bool mup_testbed_start_edge(struct mup_testbed *bed)
{
    return mup_testbed_start_broker(bed) && mup_testbed_start_bridge(bed) &&
           mup_testbed_start_sshd(bed) && mup_testbed_start_repository(bed) &&
           mup_testbed_start_server(bed);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

void mup_testbed_end(struct mup_testbed *bed)
{
    mup_process_stop_all(&bed->processes);
    if (!bed->keep_folder && bed->folder[0] != '\0')
        nftw(bed->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
