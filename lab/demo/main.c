/* mup-demo: what ./dev demo runs. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "command.h"
#include "demo.h"
#include "json.h"
#include "mup/token.h"
#include "web.h"

#define EXIT_STOPPED   130   /* by a signal */
#define IMAGE_SIZE_MIN 96u   /* mup-device image */
#define DEVICE_WINDOW  8192u /* mup-device run, unless told */
#define DEVICE_SLICE   4096u

static const char help[] =
    "usage: ./dev demo [OPTION ...]\n"
    "\n"
    "Start a whole edge on this machine's loopback and carry a signed release from a\n"
    "vendor to a confirmed device: a real mosquitto, sshd, NETCONF bridge and update\n"
    "server, and an emulated micro:bit (Cortex-M0, 16 kB of RAM) behind a 6LoWPAN\n"
    "radio, with keys and passwords made for this run. Everything that it started\n"
    "ends with it.\n"
    "\n"
    "  --attack NAME   mount an attack or a fault and show where the device stops it;\n"
    "                  'all' mounts each and prints a table\n"
    "  --keep          leave the edge running, with one release more to deploy, and\n"
    "                  print how to reach and how to stop it\n"
    "  --web           start the edge with five virtual devices and one micro:bit, print\n"
    "                  the address of the web page and the log-in, and stay until\n"
    "                  Ctrl-C; with --board posix without the micro:bit\n"
    "  --json          one JSON object on standard output and nothing else (with\n"
    "                  --attack all a list of objects)\n"
    "  --fast          let the micro:bit and its radio go as fast as this machine can,\n"
    "                  not as slow as a Cortex-M0 at 16 MHz behind 250 kbit/s\n"
    "  --board NAME    microbit, which is the default where QEMU and the ARM compiler\n"
    "                  can be had; posix: a virtual device, a process, faster\n"
    "\n"
    "For the virtual device only, which it is then:\n"
    "  --size BYTES    of the image (87800, the paper's)\n"
    "  --window BYTES  most bytes in flight that the device grants\n"
    "  --slice BYTES   largest slice that the device takes; as large as the window it\n"
    "                  is the paper's stop-and-wait\n"
    "\n"
    "example: ./dev demo --attack all\n";

static volatile int must_stop;

static void on_signal(int number)
{
    (void)number;
    must_stop = 1;
}

struct arguments {
    struct mup_demo_options demo;
    const char *attack;
    bool web;
};

/* A message and a pointer to --help on stderr; returns 1 + the exit code. */
__attribute__((format(printf, 1, 2))) static int refuse(const char *format, ...)
{
    va_list list;

    fputs("demo: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputs("; see './dev demo --help'\n", stderr);
    return 1 + MUP_EXIT_USAGE;
}

static int take_number(uint32_t *out, const char *name, uint32_t least, uint32_t most)
{
    return mup_parse_number(out, optarg, least, most) == 0
               ? 0
               : refuse("%s wants a number from %u to %u", name, (unsigned)least, (unsigned)most);
}

static int take_option(struct arguments *out, int option)
{
    switch (option) {
    case 'j':
        out->demo.json = true;
        return 0;
    case 'k':
        out->demo.keep = true;
        return 0;
    case 'f':
        out->demo.fast = true;
        return 0;
    case 'a':
        out->attack = optarg;
        return 0;
    case 'W':
        out->web = true;
        return 0;
    case 'b':
        out->demo.board = mup_board_find(optarg);
        return out->demo.board != NULL
                   ? 0
                   : refuse("--board: '%s' is neither posix nor microbit", optarg);
    case 's':
        return take_number(&out->demo.image_size, "--size", IMAGE_SIZE_MIN, MUP_IMAGE_SIZE_MAX);
    case 'w':
        return take_number(&out->demo.window, "--window", MUP_WINDOW_MIN, MUP_WINDOW_MAX);
    case 'l':
        return take_number(&out->demo.slice, "--slice", MUP_SLICE_DATA_MIN, MUP_SLICE_DATA_MAX);
    case 'h':
        fputs(help, stdout);
        return 1 + MUP_EXIT_DONE;
    default:
        return refuse("that option cannot be used");
    }
}

/* Without --board: the micro:bit where it can run, unless something is asked of the device that
 * only the virtual one can be told. */
static int choose_board(struct mup_demo_options *demo)
{
    bool is_virtual = demo->window != 0 || demo->slice != 0 || demo->image_size != 0;
    const char *missing;

    if (demo->fast && is_virtual)
        return refuse("--fast is for the micro:bit; --size, --window and --slice are not");
    if (demo->board == NULL) {
        missing = is_virtual ? NULL : mup_board_microbit.missing(demo->source);
        demo->board = is_virtual || missing != NULL ? &mup_board_posix : &mup_board_microbit;
        if (missing != NULL)
            fprintf(stderr, "demo: %s, so this is the virtual device, a process\n", missing);
        return 0;
    }
    if (is_virtual && demo->board != &mup_board_posix)
        return refuse("--size, --window and --slice are for --board posix: the micro:bit's are in "
                      "its firmware");
    if (demo->fast && demo->board == &mup_board_posix)
        return refuse("--fast is for the micro:bit; a virtual device is never slowed down");
    missing = demo->board->missing(demo->source);
    return missing == NULL ? 0 : refuse("--board %s: %s", demo->board->name, missing);
}

/* What does not go together. A window below the device's own slices takes them down with it. */
static int check_arguments(struct arguments *out)
{
    struct mup_demo_options *demo = &out->demo;

    if (out->attack != NULL && (demo->keep || demo->fast || demo->window != 0 || demo->slice != 0 ||
                                demo->image_size != 0))
        return refuse("--attack goes with --board and --json only");
    if (out->web && (out->attack != NULL || demo->keep || demo->fast || demo->window != 0 ||
                     demo->slice != 0 || demo->image_size != 0))
        return refuse("--web goes with --board and --json only");
    if (choose_board(demo) != 0)
        return 1 + MUP_EXIT_USAGE;
    if (demo->image_size == 0 && demo->board == &mup_board_posix)
        demo->image_size = MUP_DEMO_IMAGE_SIZE;
    if (demo->slice == 0 && demo->window != 0 && demo->window < DEVICE_SLICE)
        demo->slice = demo->window;
    if (demo->slice > (demo->window != 0 ? demo->window : DEVICE_WINDOW))
        return refuse("a slice of %u bytes does not fit into a window of %u", demo->slice,
                      demo->window != 0 ? demo->window : DEVICE_WINDOW);
    return 0;
}

static int read_arguments(struct arguments *out, int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"keep", no_argument, NULL, 'k'},
                                            {"fast", no_argument, NULL, 'f'},
                                            {"web", no_argument, NULL, 'W'},
                                            {"attack", required_argument, NULL, 'a'},
                                            {"board", required_argument, NULL, 'b'},
                                            {"size", required_argument, NULL, 's'},
                                            {"window", required_argument, NULL, 'w'},
                                            {"slice", required_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    static char name[] = "demo"; /* for what getopt says */
    int option;

    argv[0] = name;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        int stop = take_option(out, option);
        if (stop != 0)
            return stop;
    }
    if (optind != argc)
        return refuse("'%s' is one word too many", argv[optind]);
    return check_arguments(out);
}

/* The folder of this program, where the others are too. */
static const char *own_folder(void)
{
    static char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    char *slash;

    if (size < 0)
        return ".";
    path[size] = '\0';
    slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    return path;
}

static void print_result(const struct mup_demo *demo)
{
    if (demo->options->json)
        mup_print_json(mup_demo_json(demo));
    fflush(stdout);
}

/* From here on nobody reads us: whoever waits for the end of our output must see it. */
static void let_go_of_output(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    close(null);
}

static void stay(struct mup_demo *demo)
{
    while (!must_stop)
        mup_process_pump(&demo->bed.processes, 1000);
}

/* The messages have named logs: whoever reads them must find them. */
static void keep_files(struct mup_demo *demo)
{
    if (access(demo->bed.folder, F_OK) != 0)
        return;
    demo->bed.keep_folder = true;
    fprintf(stderr, "demo: logs and files are left in %s; remove it when you have looked\n",
            demo->bed.folder);
}

/* The demo itself. With `ready` (>= 0) it stays after its end, having written its exit code. */
static int run(const struct mup_demo_options *options, int ready)
{
    static struct mup_demo demo;
    bool good = mup_demo_run(&demo, options);
    unsigned char code = good ? MUP_EXIT_DONE : MUP_EXIT_FAILED;

    print_result(&demo);
    if (must_stop)
        fprintf(stderr, "demo: stopped; everything that was started ends\n");
    else if (!good)
        keep_files(&demo);
    if (ready >= 0 && good && !must_stop) {
        if (!options->json)
            mup_demo_tell_endpoints(&demo, stdout);
        fflush(stdout);
        let_go_of_output();
        if (write(ready, &code, 1) != 1)
            must_stop = 1;
        close(ready);
        stay(&demo);
    }
    mup_demo_end(&demo);
    return must_stop ? EXIT_STOPPED : code;
}

/* --keep: a child runs the demo and stays; we end when it says so, or with it. */
static int run_and_keep(const struct mup_demo_options *options)
{
    unsigned char code = MUP_EXIT_FAILED;
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0)
        return mup_fail("cannot fork: %s", strerror(errno));
    if (child == 0) {
        close(ends[0]);
        setsid();
        exit(run(options, ends[1]));
    }
    close(ends[1]);
    while (read(ends[0], &code, 1) < 0 && errno == EINTR)
        if (must_stop)
            kill(child, SIGTERM);
    close(ends[0]);
    return must_stop ? EXIT_STOPPED : code;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct arguments arguments = {
        .demo = {.bin = own_folder(), .source = MUP_SOURCE_DIR, .stop = &must_stop}};
    int stop = read_arguments(&arguments, argc, argv);

    if (stop != 0)
        return stop - 1;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    if (arguments.web) {
        const struct mup_web_options web = {.bin = arguments.demo.bin,
                                            .source = arguments.demo.source,
                                            .json = arguments.demo.json,
                                            .has_microbit =
                                                arguments.demo.board == &mup_board_microbit,
                                            .stop = &must_stop};
        return mup_demo_web(&web);
    }
    if (arguments.attack != NULL) {
        int code = mup_demo_attack(arguments.attack, arguments.demo.board, arguments.demo.json,
                                   arguments.demo.bin, arguments.demo.source, &must_stop);
        return must_stop ? EXIT_STOPPED : code;
    }
    return arguments.demo.keep ? run_and_keep(&arguments.demo) : run(&arguments.demo, -1);
}
