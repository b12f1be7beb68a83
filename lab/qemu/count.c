/*
 * Loaded into qemu-system-arm (-plugin): counts what an emulated Cortex-M0 executes.
 *
 *     -plugin
 * mup-qemu-count.so,to=FILE,span=N:ADDRESS,mark=N:ADDRESS,exception=ADDRESS,...,stop=FD:ADDRESS
 *
 * FILE is mapped as struct mup_count_file (count.h), which must be there in its full size. A span
 * is a function: an event when it is entered, another when it returns. A mark is an instruction:
 * an event before each execution. An exception is the first instruction of a handler. Before a stop
 * the processor waits, and its clock with it: a byte is written to the socket FD, and one is read.
 *
 * QEMU counts instructions; the cycles come from the table of the Cortex-M0 Technical Reference
 * Manual (r0p0, 3.3) for each instruction as it is translated. Whether a branch was taken shows at
 * the next block. An exception costs 16 cycles to enter and as many to leave.
 *
 * The plugin interface is that of QEMU 7.2 (API 1), declared here because Debian does not ship its
 * header.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "count.h"

/* ---- QEMU's side ------------------------------------------------------------------------------
 */

#define EXPORT     __attribute__((visibility("default")))

#define ADD_U64    0 /* enum qemu_plugin_op */
#define NO_REGS    0 /* enum qemu_plugin_cb_flags */
#define MEM_WRITES 2 /* enum qemu_plugin_mem_rw */

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
typedef void translated_function(uint64_t id, struct qemu_plugin_tb *block);
typedef void executed_function(unsigned cpu, void *data);
typedef void stored_function(unsigned cpu, uint32_t info, uint64_t address, void *data);

extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_function *function);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block,
                                                 executed_function *function, int flags,
                                                 void *data);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction,
                                                   executed_function *function, int flags,
                                                   void *data);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *instruction,
                                                       int operation, void *at, uint64_t value);
extern void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction,
                                             stored_function *function, int flags, int accesses,
                                             void *data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block,
                                                        size_t index);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);

/* ---- what is counted --------------------------------------------------------------------------
 */

#define FLASH_SIZE       0x40000u
#define NVMC_ERASEPAGE   0x4001e508u
#define EXCEPTION_CYCLES 32u
#define TAKEN_CYCLES     2u /* more than a branch that is not taken */

enum kind { SPAN, EXCEPTION, MARK, STOP };

struct place {
    enum kind kind;
    uint32_t number;
    uint32_t address;
    uint32_t back; /* of a span that was entered: where it returns to; 0: not entered */
};

/* What is known of a translated block. */
struct block {
    uint32_t begin;
    uint32_t end; /* address behind its last instruction */
    struct place *entered;
    struct block *next;
};

static struct {
    struct mup_count_file *file;
    struct place places[4 * MUP_COUNT_PLACES_MAX];
    unsigned place_count;
    struct block *blocks;  /* all, for as long as QEMU lives */
    uint32_t before;       /* end of the block before */
    uint32_t not_taken_at; /* where the branch just executed goes on when it is not taken */
} count;

static void note(const struct place *place, bool is_end)
{
    struct mup_count_file *file = count.file;

    if (file->event_count == MUP_COUNT_EVENTS_MAX) {
        file->lost++;
        return;
    }
    file->events[file->event_count].place = place->number;
    file->events[file->event_count].is_end = is_end;
    file->events[file->event_count].at = file->now;
    file->event_count++;
}

static void on_block(unsigned cpu, void *data)
{
    const struct block *block = data;

    (void)cpu;
    if (count.not_taken_at != 0 && block->begin != count.not_taken_at)
        count.file->now.cycles += TAKEN_CYCLES;
    count.not_taken_at = 0;
    for (unsigned i = 0; i < count.place_count; i++)
        if (count.places[i].back == block->begin) {
            count.places[i].back = 0;
            note(&count.places[i], true);
        }
    if (block->entered != NULL && block->entered->kind == EXCEPTION) {
        count.file->now.cycles += EXCEPTION_CYCLES;
    } else if (block->entered != NULL && block->entered->back == 0) {
        block->entered->back = count.before;
        note(block->entered, false);
    }
    count.before = block->end;
}

static void on_branch(unsigned cpu, void *data)
{
    (void)cpu;
    count.not_taken_at = (uint32_t)(uintptr_t)data;
}

static void on_mark(unsigned cpu, void *data)
{
    (void)cpu;
    note(data, false);
}

static void on_stop(unsigned cpu, void *data)
{
    const struct place *place = data;
    char byte = 's';

    (void)cpu;
    if (send((int)place->number, &byte, 1, MSG_NOSIGNAL) != 1 ||
        recv((int)place->number, &byte, 1, 0) != 1)
        _exit(1); /* whom it waits for is gone */
}

static void on_store(unsigned cpu, uint32_t info, uint64_t address, void *data)
{
    (void)cpu;
    (void)info;
    (void)data;
    if (address < FLASH_SIZE)
        count.file->now.words++;
    else if (address == NVMC_ERASEPAGE)
        count.file->now.erasures++;
}

/* ---- the timing of a Cortex-M0 ----------------------------------------------------------------
 */

static unsigned registers_in(unsigned list)
{
    return (unsigned)__builtin_popcount(list);
}

static unsigned cycles_of_high_register(unsigned op)
{
    unsigned destination = (op & 7u) | (op >> 4 & 8u);

    if ((op & 0xff00u) == 0x4700u)
        return 3;                                                  /* BX, BLX */
    return (op & 0xff00u) != 0x4500u && destination == 15 ? 3 : 1; /* ADD, MOV to pc */
}

static unsigned cycles_of_miscellaneous(unsigned op)
{
    switch (op & 0xff00u) {
    case 0xb400u: /* PUSH */
    case 0xb500u:
        return 1 + registers_in(op & 0x1ffu);
    case 0xbc00u: /* POP */
        return 1 + registers_in(op & 0xffu);
    case 0xbd00u: /* POP with pc */
        return 4 + registers_in(op & 0x1ffu);
    default:
        return op == 0xbf30u ? 2 : 1; /* WFI; the others */
    }
}

static unsigned cycles_of(unsigned op)
{
    switch (op >> 12) {
    case 0x4:
        if (op >= 0x4800u)
            return 2; /* LDR literal */
        return op >= 0x4400u ? cycles_of_high_register(op) : 1;
    case 0x5:
    case 0x6:
    case 0x7:
    case 0x8:
    case 0x9:
        return 2; /* loads and stores */
    case 0xb:
        return cycles_of_miscellaneous(op);
    case 0xc: /* LDM, STM */
        return 1 + registers_in(op & 0xffu);
    case 0xe:
        return 3; /* B */
    case 0xf:
        return 4; /* BL, MRS, MSR, barriers */
    default:
        return 1; /* also a conditional branch that is not taken */
    }
}

static bool is_conditional(unsigned op)
{
    return op >> 12 == 0xd && (op >> 8 & 0xfu) < 14;
}

static bool is_multiplication(unsigned op)
{
    return (op & 0xffc0u) == 0x4340u;
}

/* STR and STM: flash is written by words, so are registers. */
static bool stores_words(unsigned op)
{
    return op >> 9 == 0x50u >> 1 || op >> 11 == 0x60u >> 3 || op >> 11 == 0xc0u >> 3;
}

/* ---- translation ------------------------------------------------------------------------------
 */

static void on_instruction(struct qemu_plugin_insn *instruction, uint32_t at)
{
    const uint8_t *bytes = qemu_plugin_insn_data(instruction);
    unsigned op = bytes[0] | (unsigned)bytes[1] << 8;
    size_t size = qemu_plugin_insn_size(instruction);
    struct mup_count *now = &count.file->now;

    qemu_plugin_register_vcpu_insn_exec_inline(instruction, ADD_U64, &now->instructions, 1);
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, ADD_U64, &now->cycles, cycles_of(op));
    if (is_multiplication(op))
        qemu_plugin_register_vcpu_insn_exec_inline(instruction, ADD_U64, &now->multiplications, 1);
    if (is_conditional(op))
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_branch, NO_REGS,
                                               (void *)(uintptr_t)(at + size));
    if (stores_words(op))
        qemu_plugin_register_vcpu_mem_cb(instruction, on_store, NO_REGS, MEM_WRITES, NULL);
    for (unsigned i = 0; i < count.place_count; i++)
        if (count.places[i].kind >= MARK && count.places[i].address == at)
            qemu_plugin_register_vcpu_insn_exec_cb(instruction,
                                                   count.places[i].kind == MARK ? on_mark : on_stop,
                                                   NO_REGS, &count.places[i]);
}

static void on_translated(uint64_t id, struct qemu_plugin_tb *translated)
{
    struct block *block = calloc(1, sizeof *block);

    (void)id;
    if (block == NULL)
        abort();
    block->next = count.blocks;
    count.blocks = block;
    block->begin = (uint32_t)qemu_plugin_tb_vaddr(translated);
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(translated); i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(translated, i);
        uint32_t at = (uint32_t)qemu_plugin_insn_vaddr(instruction);

        on_instruction(instruction, at);
        block->end = at + (uint32_t)qemu_plugin_insn_size(instruction);
    }
    for (unsigned i = 0; i < count.place_count; i++)
        if (count.places[i].kind < MARK && count.places[i].address == block->begin)
            block->entered = &count.places[i];
    qemu_plugin_register_vcpu_tb_exec_cb(translated, on_block, NO_REGS, block);
}

/* ---- options ----------------------------------------------------------------------------------
 */

static bool map_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *mapped;

    if (fd < 0)
        return false;
    mapped = mmap(NULL, sizeof *count.file, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED)
        return false;
    count.file = mapped;
    return true;
}

static bool take_place(const char *option)
{
    struct place *place = &count.places[count.place_count];
    unsigned number = 0;
    unsigned address;

    if (count.place_count == sizeof count.places / sizeof count.places[0])
        return false;
    if (sscanf(option, "span=%u:%x", &number, &address) == 2)
        place->kind = SPAN;
    else if (sscanf(option, "mark=%u:%x", &number, &address) == 2)
        place->kind = MARK;
    else if (sscanf(option, "stop=%u:%x", &number, &address) == 2)
        place->kind = STOP;
    else if (sscanf(option, "exception=%x", &address) == 1)
        place->kind = EXCEPTION;
    else
        return false;
    place->number = number;
    place->address = address & ~1u;
    count.place_count++;
    return true;
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        bool good = strncmp(argv[i], "to=", 3) == 0 ? map_file(argv[i] + 3) : take_place(argv[i]);

        if (!good) {
            fprintf(stderr, "mup-qemu-count: %s cannot be used\n", argv[i]);
            return 1;
        }
    }
    if (count.file == NULL)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
    return 0;
}
