/*
 * bench-stacks: how deep the stacks of the micro:bit's two programs become in a whole update.
 *
 *     bench-stacks BIN_FOLDER
 *
 * A whole edge updates an emulated micro:bit from release 1 to release 2. The stacks are painted,
 * and looked at through QEMU's debugger stub when nothing can come on top any more: the
 * application's when it asks for the restart, with both signatures of the manifest checked, the
 * image received and its digest computed from flash; the bootloader's when it starts the new image,
 * which it has checked and swapped in; and those of the new image once the server has its report.
 * Whatever came by interrupt in between is in there, too. Prints one line for each: KEY VALUE.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "gdb.h"
#include "testbed.h"

#define FROM         1u
#define TO           2u
#define RAM_SIZE     16384u
#define UPDATE_MS    120000
#define PAINT        0x5au /* as firmware/microbit/startup.c does it */
#define IMAGE_AT     24576u
#define FILE_MAX     (4u << 20)
#define DEEPER(a, b) ((a) > (b) ? (a) : (b))

struct stack {
    uint32_t at;
    uint32_t size;
    uint32_t peak; /* bytes that were used at some time */
};

/* What is looked at in one of the two programs. */
struct program {
    struct stack main;
    struct stack task; /* the application's alone: firmware/microbit/task.h */
    uint32_t main_at;  /* main(): everything is painted, nothing has run */
    uint32_t reset_at; /* microbit_panic(), which resets */
};

static struct mup_testbed bed;
static struct program boot;
static struct program application;
static struct gdb gdb = {.fd = -1};

/* ---- what the linker says -------------------------------------------------------------------- */

static bool read_file(const char *path, uint8_t *bytes, size_t *size)
{
    FILE *file = fopen(path, "rbe");

    if (file == NULL)
        return false;
    *size = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return *size > sizeof(Elf32_Ehdr) && *size < FILE_MAX && memcmp(bytes, ELFMAG, SELFMAG) == 0;
}

static const Elf32_Shdr *section(const uint8_t *elf, uint32_t type)
{
    const Elf32_Ehdr *head = (const void *)elf;
    const Elf32_Shdr *sections = (const void *)(elf + head->e_shoff);

    for (unsigned i = 0; i < head->e_shnum; i++)
        if (sections[i].sh_type == type)
            return &sections[i];
    return NULL;
}

/* The one symbol of that name. The file is one that this project's linker has made. */
static const Elf32_Sym *symbol(const uint8_t *elf, const char *name)
{
    const Elf32_Ehdr *head = (const void *)elf;
    const Elf32_Shdr *table = section(elf, SHT_SYMTAB);
    const Elf32_Sym *found = NULL;
    const Elf32_Sym *symbols;
    const char *names;

    if (table == NULL)
        return NULL;
    symbols = (const void *)(elf + table->sh_offset);
    names = (const char *)elf +
            ((const Elf32_Shdr *)(const void *)(elf + head->e_shoff))[table->sh_link].sh_offset;
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++)
        if (strcmp(names + symbols[i].st_name, name) == 0 && found == NULL)
            found = &symbols[i];
    if (found == NULL)
        fprintf(stderr, "bench-stacks: there is no symbol %s\n", name);
    return found;
}

static uint32_t value(const uint8_t *elf, const char *name)
{
    const Elf32_Sym *found = symbol(elf, name);

    return found == NULL ? 0 : found->st_value & ~1u; /* bit 0: Thumb */
}

static bool load(struct program *program, const char *name, bool has_task)
{
    static uint8_t elf[FILE_MAX];
    char path[MUP_TESTBED_PATH_MAX + 64];
    size_t size;

    snprintf(path, sizeof path, "%s/build/microbit/bin/%s.elf", bed.source, name);
    if (!read_file(path, elf, &size)) {
        fprintf(stderr, "bench-stacks: %s is not a program\n", path);
        return false;
    }
    program->main.at = value(elf, "microbit_stack_limit");
    program->main.size = value(elf, "microbit_stack_top") - program->main.at;
    program->reset_at = value(elf, "microbit_panic");
    if (has_task) {
        const Elf32_Sym *stack = symbol(elf, "stack");

        program->main_at = value(elf, "main");
        program->task.at = stack == NULL ? 0 : stack->st_value;
        program->task.size = stack == NULL ? 0 : stack->st_size;
    }
    return program->main.at != 0 && program->reset_at != 0 && program->main.size < RAM_SIZE &&
           (!has_task ||
            (program->main_at != 0 && program->task.at != 0 && program->task.size < RAM_SIZE));
}

/* ---- looking at a stack ---------------------------------------------------------------------- */

static bool look(struct stack *stack)
{
    uint8_t bytes[RAM_SIZE];
    uint32_t unused = 0;

    if (!gdb_read(&gdb, stack->at, bytes, stack->size))
        return false;
    while (unused < stack->size && bytes[unused] == PAINT)
        unused++;
    stack->peak = DEEPER(stack->peak, stack->size - unused);
    return true;
}

static void pump(void *context)
{
    (void)context;
    mup_process_pump(&bed.processes, 0);
}

static bool go_to(uint32_t address)
{
    return gdb_go_to(&gdb, address, UPDATE_MS, pump, NULL);
}

/* Start-up has painted the main stack; the task's is all zeros then. */
static bool paint_task(void)
{
    return go_to(application.main_at) &&
           gdb_fill(&gdb, application.task.at, PAINT, application.task.size);
}

/* The bootloader begins, does its work and starts the image: its stack is as it left it. */
static bool through_boot(uint32_t entry)
{
    return go_to(entry) && look(&boot.main);
}

/* ---- the update ------------------------------------------------------------------------------ */

static struct mup_process *process(const char *name)
{
    for (size_t i = 0; i < bed.processes.count; i++)
        if (strcmp(bed.processes.list[i].name, name) == 0)
            return &bed.processes.list[i];
    return NULL;
}

static struct mup_process *deploy(const struct mup_testbed_device *board)
{
    char program[MUP_TESTBED_PATH_MAX + 16];
    char server[64];
    const char *argv[] = {program,
                          "deploy",
                          "--server",
                          server,
                          "--token-file",
                          mup_testbed_path(&bed, "token"),
                          board->uuid,
                          mup_testbed_microbit_url(&bed, TO),
                          NULL};

    snprintf(program, sizeof program, "%s/mup", bed.bin);
    snprintf(server, sizeof server, "http://127.0.0.1:%d", bed.rest_port);
    return mup_process_start(&bed.processes, "deploy", argv);
}

static bool await_confirmed(struct mup_process *deployment)
{
    while (mup_process_is_running(deployment))
        mup_process_pump(&bed.processes, 20);
    if (WIFEXITED(deployment->exit_status) && WEXITSTATUS(deployment->exit_status) == 0)
        return true;
    fprintf(stderr, "bench-stacks: the update was not confirmed:\n%.*s", (int)deployment->size,
            deployment->text);
    return false;
}

static bool start(struct mup_testbed_device *board, char gdb_argument[], size_t size)
{
    char path[MUP_TESTBED_PATH_MAX]; /* the testbed's own is gone after eight others */

    snprintf(path, sizeof path, "%s", mup_testbed_path(&bed, "board.gdb"));
    snprintf(gdb_argument, size, "unix:%s,server=on,wait=off", path);
    *board = (struct mup_testbed_device){
        .process = "board", .version = FROM, .arguments = {"-S", "-gdb", gdb_argument}};
    return mup_testbed_release_microbit(&bed, FROM, "ok") &&
           mup_testbed_release_microbit(&bed, TO, "ok") && mup_testbed_start_edge(&bed) &&
           mup_testbed_start_router(&bed) && mup_testbed_make_microbit(&bed, board) &&
           mup_testbed_start_microbit(&bed, board) != NULL && gdb_open(&gdb, path);
}

static bool update(void)
{
    struct mup_testbed_device board;
    char argument[MUP_TESTBED_PATH_MAX + 64];
    struct mup_process *deployment;
    uint32_t entry; /* word 1 of the image's vectors */

    if (!start(&board, argument, sizeof argument) ||
        !gdb_read(&gdb, IMAGE_AT + 4, &entry, sizeof entry))
        return false;
    entry &= ~1u;
    if (!through_boot(entry) || !paint_task() || !gdb_go(&gdb) ||
        !mup_process_wait_line(&bed.processes, process("mup-bridge"),
                               "event=\"description accepted\"", UPDATE_MS, NULL, 0) ||
        !gdb_halt(&gdb))
        return false;
    deployment = deploy(&board);
    return deployment != NULL && go_to(application.reset_at) && look(&application.main) &&
           look(&application.task) && through_boot(entry) && paint_task() && gdb_go(&gdb) &&
           await_confirmed(deployment) && gdb_halt(&gdb) && look(&application.main) &&
           look(&application.task);
}

static void print(const char *name, const struct stack *stack)
{
    printf("%s_reserved %u\n%s_peak %u\n", name, (unsigned)stack->size, name,
           (unsigned)stack->peak);
}

int main(int argc, char **argv)
{
    bool good;

    if (argc != 2) {
        fprintf(stderr, "usage: bench-stacks BIN_FOLDER\n");
        return 2;
    }
    good = mup_testbed_init(&bed, argv[1], MUP_SOURCE_DIR, NULL) &&
           load(&boot, "microbit-boot", false) && load(&application, "microbit-app-1", true);
    if (good && !update()) {
        fprintf(stderr, "bench-stacks: the emulated update did not come to its end\n");
        good = false;
    }
    gdb_close(&gdb);
    mup_testbed_end(&bed);
    if (!good)
        return 1;
    print("main_stack", &application.main);
    print("task_stack", &application.task);
    print("boot_stack", &boot.main);
    return 0;
}
