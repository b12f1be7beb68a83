/*
 * mup-microbit run: becomes QEMU's micro:bit, with its flash in a file and its radio on a socket.
 *
 * A reset of the device is QEMU's; kill -9 of this process is a power cut.
 */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

#define FLASH_SIZE    262144
#define ARGUMENTS_MAX 64

static const char usage[] =
    PROGRAM " run: run a device in QEMU (qemu-system-arm must be installed)\n"
            "\n"
            "  --flash FILE    its flash (" PROGRAM " factory)\n"
            "  --radio SOCKET  where its frames go: the border router's socket (mup-router)\n"
            "  -- ...          further arguments of qemu-system-arm\n"
            "\n"
            "Example: " PROGRAM " run --flash d.flash --radio /tmp/radio\n";

/* The library beside this program that maps the flash. */
static bool preload(const char *flash_path)
{
    char path[PATH_MAX];
    char library[PATH_MAX + 32];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);

    if (size < 0)
        return false;
    path[size] = '\0';
    snprintf(library, sizeof library, "%s/mup-qemu-flash.so", dirname(path));
    if (access(library, R_OK) != 0) {
        fprintf(stderr, PROGRAM ": %s: %s\n", library, strerror(errno));
        return false;
    }
    return setenv("LD_PRELOAD", library, 1) == 0 && setenv("MUP_QEMU_FLASH", flash_path, 1) == 0;
}

static int become_qemu(const char *flash_path, const char *radio_path, char **more)
{
    char chardev[PATH_MAX + 64];
    const char *argv[ARGUMENTS_MAX] = {"qemu-system-arm", "-M",   "microbit", "-display", "none",
                                       "-monitor",        "none", "-chardev", chardev,    "-serial",
                                       "chardev:radio"};
    size_t count = 11;

    snprintf(chardev, sizeof chardev, "socket,id=radio,path=%s", radio_path);
    while (*more != NULL && count < ARGUMENTS_MAX - 1)
        argv[count++] = *more++;
    if (!preload(flash_path))
        return EXIT_FAILED;
    execvp(argv[0], (char *const *)argv);
    fprintf(stderr, PROGRAM ": %s: %s; install the package qemu-system-arm\n", argv[0],
            strerror(errno));
    return EXIT_FAILED;
}

int microbit_run(int argc, char **argv)
{
    static const struct option options[] = {{"flash", required_argument, NULL, 'f'},
                                            {"radio", required_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *flash_path = NULL;
    const char *radio_path = NULL;
    struct stat file;
    int option;

    optind = 2;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            flash_path = optarg;
            break;
        case 'r':
            radio_path = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            return EXIT_USAGE;
        }
    }
    if (flash_path == NULL || radio_path == NULL) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (stat(flash_path, &file) != 0 || file.st_size != FLASH_SIZE) {
        fprintf(stderr,
                PROGRAM ": %s is not a flash of 256 kB; make one with " PROGRAM " factory\n",
                flash_path);
        return EXIT_FAILED;
    }
    return become_qemu(flash_path, radio_path, argv + optind);
}
