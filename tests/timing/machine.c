/* The machine: QEMU as a child, with three files and a socket. See machine.h. */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const kinds[] = {
    [PLACE_SPAN] = "span", [PLACE_MARK] = "mark", [PLACE_EXCEPTION] = "exception"};

/* ---- QEMU -------------------------------------------------------------------------------------
 */

static void path_in(char path[static MACHINE_PATH_MAX], const char *folder, const char *name)
{
    snprintf(path, MACHINE_PATH_MAX, "%s/%s", folder, name);
}

static size_t plugin_options(char *text, size_t capacity, const struct machine *machine,
                             const char *bin, const struct machine_place *places,
                             size_t place_count, uint32_t stop_at, int control)
{
    size_t size =
        (size_t)snprintf(text, capacity, "%s/mup-qemu-count.so,to=%s/count", bin, machine->folder);

    for (size_t i = 0; i < place_count && size < capacity; i++) {
        if (places[i].kind == PLACE_EXCEPTION)
            size += (size_t)snprintf(text + size, capacity - size, ",exception=%x",
                                     (unsigned)places[i].address);
        else
            size +=
                (size_t)snprintf(text + size, capacity - size, ",%s=%u:%x", kinds[places[i].kind],
                                 (unsigned)places[i].number, (unsigned)places[i].address);
    }
    if (size < capacity)
        size += (size_t)snprintf(text + size, capacity - size, ",stop=%d:%x", control,
                                 (unsigned)stop_at);
    return size;
}

static void become_qemu(const struct machine *machine, const char *bin, const char *flash_path,
                        const char *plugin)
{
    char radio[MACHINE_PATH_MAX + 32];
    char library[MACHINE_PATH_MAX];
    char ram[MACHINE_PATH_MAX];
    char log[MACHINE_PATH_MAX];
    const char *argv[] = {"qemu-system-arm",
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
                          "-icount",
                          "shift=6,sleep=off",
                          "-seed",
                          "1",
                          "-plugin",
                          plugin,
                          NULL};
    int flash_library;
    int out;

    snprintf(radio, sizeof radio, "file,id=radio,path=%s/radio.out", machine->folder);
    path_in(library, bin, "mup-qemu-flash.so");
    flash_library = open(library, O_RDONLY);
    if (flash_library < 0)
        _exit(127);
    snprintf(library, sizeof library, "/proc/self/fd/%d", flash_library); /* as mup-microbit does */
    path_in(log, machine->folder, "qemu.log");
    out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out >= 0) {
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
    }
    setenv("LD_PRELOAD", library, 1);
    path_in(ram, machine->folder, "ram");
    setenv("MUP_QEMU_FLASH", flash_path, 1);
    setenv("MUP_QEMU_RAM", ram, 1);
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

static bool spawn(struct machine *machine, const char *bin, const char *flash_path,
                  const char *plugin)
{
    pid_t parent = getpid();

    machine->qemu = fork();
    if (machine->qemu == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            become_qemu(machine, bin, flash_path, plugin);
        _exit(127);
    }
    return machine->qemu > 0;
}

static void *map_file(const char *folder, const char *name, size_t size)
{
    char path[MACHINE_PATH_MAX];
    void *mapped = MAP_FAILED;
    int fd;

    path_in(path, folder, name);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && ftruncate(fd, (off_t)size) == 0)
        mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    return mapped == MAP_FAILED ? NULL : mapped;
}

static bool make_files(struct machine *machine)
{
    char path[MACHINE_PATH_MAX];

    path_in(path, machine->folder, "radio.out");
    machine->radio = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    machine->count = map_file(machine->folder, "count", sizeof *machine->count);
    machine->ram = map_file(machine->folder, "ram", MACHINE_RAM_SIZE);
    return machine->radio >= 0 && machine->count != NULL && machine->ram != NULL;
}

bool machine_start(struct machine *machine, const char *folder, const char *bin,
                   const char *flash_path, const struct machine_place *places, size_t place_count,
                   uint32_t stop_at)
{
    char plugin[4096];
    int ends[2]; /* QEMU has the second */
    bool good;

    *machine = (struct machine){.folder = folder, .control = -1, .radio = -1};
    if (!make_files(machine) || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return false;
    machine->control = ends[0];
    good = fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 &&
           plugin_options(plugin, sizeof plugin, machine, bin, places, place_count,
                          stop_at & ~UINT32_C(1), ends[1]) < sizeof plugin &&
           spawn(machine, bin, flash_path, plugin);
    close(ends[1]);
    return good;
}

bool machine_wait(struct machine *machine, unsigned limit_s)
{
    struct timeval patience = {.tv_sec = limit_s};
    char byte;

    return setsockopt(machine->control, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
           recv(machine->control, &byte, 1, 0) == 1;
}

bool machine_go(struct machine *machine)
{
    return send(machine->control, "g", 1, MSG_NOSIGNAL) == 1;
}

uint8_t *machine_ram(const struct machine *machine, uint32_t address)
{
    return machine->ram + (address - MACHINE_RAM_AT) % MACHINE_RAM_SIZE;
}

void machine_end(struct machine *machine)
{
    if (machine->qemu > 0) {
        kill(machine->qemu, SIGKILL);
        while (waitpid(machine->qemu, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (machine->control >= 0)
        close(machine->control);
    if (machine->radio >= 0)
        close(machine->radio);
    if (machine->count != NULL)
        munmap(machine->count, sizeof *machine->count);
    if (machine->ram != NULL)
        munmap(machine->ram, MACHINE_RAM_SIZE);
    *machine = (struct machine){.control = -1, .radio = -1};
}
