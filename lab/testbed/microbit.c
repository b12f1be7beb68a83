/* Emulated micro:bits of the testbed, and the border router between them and the broker. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "testbed_internal.h"

#define TRIAL_S "20" /* an image that does not connect is given up after it */

bool mup_testbed_start_router(struct mup_testbed *bed)
{
    char port[16];
    const char *argv[8 + MUP_TESTBED_ARGUMENTS_MAX] = {mup_testbed_program(bed, "mup-router"),
                                                       "--radio",
                                                       mup_testbed_path(bed, "radio"),
                                                       "--broker",
                                                       port,
                                                       "--capture",
                                                       mup_testbed_path(bed, "radio.pcap")};
    struct mup_process *router;

    mup_testbed_append(argv, 7, bed->router_arguments, MUP_TESTBED_ARGUMENTS_MAX);
    snprintf(port, sizeof port, "%d", bed->broker_port);
    router = mup_process_start(&bed->processes, "mup-router", argv);
    if (router == NULL)
        return false;
    return mup_process_wait_line(&bed->processes, router, "router ready",
                                 MUP_TESTBED_START_TIMEOUT_MS, NULL, 0) ||
           mup_testbed_say_failed(bed, router, "log/mup-router.log");
}

bool mup_testbed_make_microbit(struct mup_testbed *bed, struct mup_testbed_device *device)
{
    char flash[48];
    char password[MUP_NAME_MAX + 16];
    const char *argv[19 + MUP_TESTBED_ARGUMENTS_MAX] = {
        mup_testbed_program(bed, "mup-microbit"),
        "factory",
        "--flash",
        NULL,
        "--boot",
        mup_testbed_firmware(bed, "microbit-boot.bin"),
        "--image",
        mup_testbed_application(bed, device->version, "ok"),
        "--vendor-key",
        mup_testbed_path(bed, "vendor.pub"),
        "--uuid",
        device->uuid,
        "--name",
        device->name,
        "--password-file",
        NULL,
        "--trial",
        TRIAL_S};

    mup_testbed_append(argv, 18, device->factory_arguments, MUP_TESTBED_ARGUMENTS_MAX);
    if (!mup_testbed_name_device(device) || !mup_testbed_add_user(bed, device->name))
        return false;
    snprintf(flash, sizeof flash, "%s.flash", device->process);
    snprintf(password, sizeof password, "%s.password", device->name);
    argv[3] = mup_testbed_path(bed, flash);
    argv[15] = mup_testbed_path(bed, password);
    return mup_testbed_run(bed, "factory", argv);
}

/* ---- QEMU's monitor -------------------------------------------------------------------------- */

static const char *monitor_path(const struct mup_testbed *bed,
                                const struct mup_testbed_device *device)
{
    char name[48];

    snprintf(name, sizeof name, "%s.qmp", device->process);
    return mup_testbed_path(bed, name);
}

static int connect_monitor(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = MUP_TESTBED_START_TIMEOUT_MS / 1000};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Commands are answered in order, with one line each that says "return" or "error". */
static bool await_returns(int fd, unsigned count)
{
    char text[4096];
    size_t size = 0;
    ssize_t got;

    while ((got = recv(fd, text + size, sizeof text - 1 - size, 0)) > 0) {
        unsigned found = 0;

        size += (size_t)got;
        text[size] = '\0';
        for (const char *at = text; (at = strstr(at, "\"return\"")) != NULL; at++)
            found++;
        if (found == count || strstr(text, "\"error\"") != NULL)
            return found == count;
    }
    return false;
}

bool mup_testbed_read_microbit(const struct mup_testbed *bed,
                               const struct mup_testbed_device *device, uint32_t address, void *out,
                               size_t size)
{
    const char *file = mup_testbed_path(bed, "memory");
    char commands[MUP_TESTBED_PATH_MAX + 256];
    int length = snprintf(commands, sizeof commands,
                          "{\"execute\":\"qmp_capabilities\"}\n"
                          "{\"execute\":\"memsave\",\"arguments\":"
                          "{\"val\":%lu,\"size\":%zu,\"filename\":\"%s\"}}\n",
                          (unsigned long)address, size, file);
    int fd = connect_monitor(monitor_path(bed, device));
    FILE *memory;
    bool good = fd >= 0 && send(fd, commands, (size_t)length, MSG_NOSIGNAL) == length &&
                await_returns(fd, 2);

    if (fd >= 0)
        close(fd);
    memory = good ? fopen(file, "rbe") : NULL;
    good = memory != NULL && fread(out, 1, size, memory) == size;
    if (memory != NULL)
        fclose(memory);
    return good;
}

struct mup_process *mup_testbed_start_microbit(struct mup_testbed *bed,
                                               const struct mup_testbed_device *device)
{
    char flash[48];
    char monitor[MUP_TESTBED_PATH_MAX + 128];
    const char *const qemu[] = {"--", "-qmp", monitor};
    const char *argv[32] = {mup_testbed_program(bed, "mup-microbit"),
                            "run",
                            "--flash",
                            NULL,
                            "--radio",
                            mup_testbed_path(bed, "radio")};
    size_t count = 6;
    struct mup_process *board;

    snprintf(flash, sizeof flash, "%s.flash", device->process);
    snprintf(monitor, sizeof monitor, "unix:%s,server=on,wait=off", monitor_path(bed, device));
    argv[3] = mup_testbed_path(bed, flash);
    count = mup_testbed_append(argv, count, device->run_arguments, 4);
    count = mup_testbed_append(argv, count, qemu, 3);
    mup_testbed_append(argv, count, device->arguments, 8);
    board = mup_process_start(&bed->processes, device->process, argv);
    if (board == NULL || mup_process_wait_line(&bed->processes, board, "mup-qemu: flash is",
                                               MUP_TESTBED_START_TIMEOUT_MS, NULL, 0))
        return board;
    fprintf(stderr, "testbed: this QEMU does not take its flash from a file\n");
    mup_process_kill(board);
    return NULL;
}
