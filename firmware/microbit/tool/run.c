/*
 * mup-microbit run: becomes QEMU's micro:bit, with its flash in a file and its radio on a socket.
 *
 * A reset of the device is QEMU's; kill -9 of this process is a power cut. Beside it runs what QEMU
 * does not have, the device's watchdog (watchdog.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define FLASH_SIZE       262144
#define ARGUMENTS_MAX    64
#define RADIO_OPTION_MAX (2 * PATH_MAX + 64)
#define LOCK_TRIES       20
#define LOCK_PAUSE_NS    50000000

/* 2^6 ns an instruction, 15.6 million a second: a Cortex-M0 at 16 MHz. It waits for the clock of
 * this machine when it is ahead of it, and sleeps when the device does. */
#define REAL_TIME      "shift=6,align=on,sleep=on"
#define REAL_TIME_RANK 1 /* of SCHED_FIFO, the lowest: the router's medium goes first */
#define TIMER_SLACK_NS 1

struct run {
    const char *flash_path;
    const char *radio_path;
    bool real_time;
};

static const char usage[] =
    PROGRAM " run: run a device in QEMU (qemu-system-arm must be installed)\n"
            "\n"
            "  --flash FILE    its flash (" PROGRAM " factory)\n"
            "  --radio SOCKET  where its frames go: the border router's socket (mup-router)\n"
            "  --real-time     as fast as a micro:bit at 16 MHz, no faster\n"
            "  -- ...          further arguments of qemu-system-arm\n"
            "\n"
            "Example: " PROGRAM " run --flash d.flash --radio /tmp/radio\n";

/* The library beside this program that maps the flash. LD_PRELOAD separates by spaces and
 * colons, and a folder may have them in its name: so a descriptor stands for the file. */
static bool preload(const char *flash_path)
{
    char path[PATH_MAX];
    char library[PATH_MAX + 32];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    int fd;

    if (size < 0)
        return false;
    path[size] = '\0';
    snprintf(library, sizeof library, "%s/mup-qemu-flash.so", dirname(path));
    fd = open(library, O_RDONLY);
    if (fd < 0) {
        fprintf(stderr, PROGRAM ": %s: %s\n", library, strerror(errno));
        return false;
    }
    snprintf(library, sizeof library, "/proc/self/fd/%d", fd);
    return setenv("LD_PRELOAD", library, 1) == 0 && setenv("MUP_QEMU_FLASH", flash_path, 1) == 0;
}

/* In an option of QEMU a comma ends the value unless it comes twice. */
static void describe_radio(char option[static RADIO_OPTION_MAX], const char *path)
{
    size_t size = (size_t)snprintf(option, RADIO_OPTION_MAX, "socket,id=radio,path=");

    for (; *path != '\0' && size < RADIO_OPTION_MAX - 2; path++) {
        if (*path == ',')
            option[size++] = ',';
        option[size++] = *path;
    }
    option[size] = '\0';
}

/* Without the privilege times are right as long as nothing else wants the processor. */
static void go_first(void)
{
    struct sched_param first = {.sched_priority = REAL_TIME_RANK};

    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
    if (sched_setscheduler(0, SCHED_FIFO, &first) != 0)
        fprintf(stderr,
                PROGRAM ": no real-time priority (SCHED_FIFO: %s); others may make it late\n",
                strerror(errno));
}

static int become_qemu(const struct run *run, int flash_fd, char **more)
{
    char radio[RADIO_OPTION_MAX];
    char log[32];
    char monitor[64];
    const char *argv[ARGUMENTS_MAX] = {"qemu-system-arm",
                                       "-M",
                                       "microbit",
                                       "-display",
                                       "none",
                                       "-monitor",
                                       "none",
                                       "-chardev",
                                       radio,
                                       "-serial",
                                       "chardev:radio",
                                       "-d",
                                       "unimp",
                                       "-D",
                                       log,
                                       "-chardev",
                                       monitor,
                                       "-mon",
                                       "chardev=watchdog,mode=control"};
    size_t count = 19;
    int log_fd;
    int monitor_fd;

    if (!preload(run->flash_path) || !microbit_watchdog(&log_fd, &monitor_fd, flash_fd))
        return EXIT_FAILED;
    describe_radio(radio, run->radio_path);
    snprintf(log, sizeof log, "/dev/fd/%d", log_fd);
    snprintf(monitor, sizeof monitor, "socket,id=watchdog,fd=%d", monitor_fd);
    if (run->real_time) {
        go_first(); /* after the watchdog was started, which does not */
        argv[count++] = "-icount";
        argv[count++] = REAL_TIME;
    }
    while (*more != NULL && count < ARGUMENTS_MAX - 1)
        argv[count++] = *more++;
    execvp(argv[0], (char *const *)argv);
    fprintf(stderr, PROGRAM ": %s: %s; install the package qemu-system-arm\n", argv[0],
            strerror(errno));
    return EXIT_FAILED;
}

/*
 * Open the flash and lock it, for as long as this process and the QEMU that it becomes live. Who
 * has just been killed may hold it for a moment. -1 after a message.
 */
static int open_flash(const char *path)
{
    int fd = open(path, O_RDWR);
    struct stat file;

    if (fd < 0) {
        fprintf(stderr, PROGRAM ": %s: %s%s\n", path, strerror(errno),
                errno == ENOENT ? "; make a device with " PROGRAM " factory" : "");
        return -1;
    }
    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) || file.st_size != FLASH_SIZE) {
        fprintf(stderr,
                PROGRAM ": %s is not a flash of %d bytes; make one with " PROGRAM " factory\n",
                path, FLASH_SIZE);
        close(fd);
        return -1;
    }
    for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
        if (tries == LOCK_TRIES) {
            fprintf(stderr, PROGRAM ": %s is in use by a device that runs; end that first\n", path);
            close(fd);
            return -1;
        }
        nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_NS}, NULL);
    }
    return fd;
}

/* QEMU's own message says neither what that socket is nor who makes it. */
static bool is_router(const char *path)
{
    struct stat file;

    if (stat(path, &file) == 0 && S_ISSOCK(file.st_mode))
        return true;
    fprintf(stderr,
            PROGRAM ": %s is no socket; start the border router first: mup-router --radio %s "
                    "--broker PORT\n",
            path, path);
    return false;
}

int microbit_run(int argc, char **argv)
{
    static const struct option options[] = {{"flash", required_argument, NULL, 'f'},
                                            {"radio", required_argument, NULL, 'r'},
                                            {"real-time", no_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct run run = {.flash_path = NULL};
    int flash_fd;
    int option;

    optind = 2;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            run.flash_path = optarg;
            break;
        case 'r':
            run.radio_path = optarg;
            break;
        case 't':
            run.real_time = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            return EXIT_USAGE;
        }
    }
    if (run.flash_path == NULL || run.radio_path == NULL) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (!is_router(run.radio_path) || (flash_fd = open_flash(run.flash_path)) < 0)
        return EXIT_FAILED;
    return become_qemu(&run, flash_fd, argv + optind);
}
