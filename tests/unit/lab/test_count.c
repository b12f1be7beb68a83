/*
 * What mup-qemu-count.so counts, without QEMU: the test plays the translator and the processor.
 * Cycles are typed in from the Cortex-M0 Technical Reference Manual, table 3-1.
 */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../../lab/qemu/count.h"

#define CALLS_MAX 4u

/* ---- QEMU's side: what the plugin asks for is kept, and done when a block is executed
 * ------------ */

typedef void executed_function(unsigned cpu, void *data);
typedef void stored_function(unsigned cpu, uint32_t info, uint64_t address, void *data);

struct call {
    executed_function *function;
    void *data;
};

struct qemu_plugin_insn {
    uint16_t op[2];
    uint32_t address;
    uint32_t stores_to; /* where the test has it write; 0: nowhere */
    struct {
        uint64_t *at;
        uint64_t value;
    } adds[CALLS_MAX];
    size_t add_count;
    struct call calls[CALLS_MAX];
    size_t call_count;
    stored_function *stored;
};

struct qemu_plugin_tb {
    struct qemu_plugin_insn insns[8];
    size_t count;
    struct call entered;
};

struct qemu_info;
typedef void translated_function(uint64_t id, struct qemu_plugin_tb *block);

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_function *function);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, executed_function *function,
                                          int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            executed_function *function, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int operation,
                                                void *at, uint64_t value);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, stored_function *function,
                                      int flags, int accesses, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

static translated_function *translated;

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_function *function)
{
    (void)id;
    translated = function;
}

void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, executed_function *function,
                                          int flags, void *data)
{
    (void)flags;
    block->entered = (struct call){function, data};
}

void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            executed_function *function, int flags, void *data)
{
    (void)flags;
    assert_true(insn->call_count < CALLS_MAX);
    insn->calls[insn->call_count++] = (struct call){function, data};
}

void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int operation,
                                                void *at, uint64_t value)
{
    assert_int_equal(operation, 0);
    assert_true(insn->add_count < CALLS_MAX);
    insn->adds[insn->add_count].at = at;
    insn->adds[insn->add_count++].value = value;
}

void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, stored_function *function,
                                      int flags, int accesses, void *data)
{
    (void)flags, (void)data;
    assert_int_equal(accesses, 2);
    insn->stored = function;
}

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block)
{
    return block->count;
}

uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block)
{
    return block->insns[0].address;
}

struct qemu_plugin_insn *qemu_plugin_tb_get_insn(struct qemu_plugin_tb *block, size_t index)
{
    return &block->insns[index];
}

const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn)
{
    return insn->op;
}

size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn)
{
    return insn->op[0] >= 0xe800 ? 4 : 2;
}

uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn)
{
    return insn->address;
}

static struct qemu_plugin_tb block_at(uint32_t address, size_t count, const uint16_t *ops)
{
    struct qemu_plugin_tb block = {.count = count};

    for (size_t i = 0; i < count; i++) {
        block.insns[i].address = address;
        block.insns[i].op[0] = ops[i];
        address += (uint32_t)qemu_plugin_insn_size(&block.insns[i]);
    }
    return block;
}

static void execute(struct qemu_plugin_tb *block)
{
    block->entered.function(0, block->entered.data);
    for (size_t i = 0; i < block->count; i++) {
        struct qemu_plugin_insn *insn = &block->insns[i];

        for (size_t n = 0; n < insn->add_count; n++)
            *insn->adds[n].at += insn->adds[n].value;
        for (size_t n = 0; n < insn->call_count; n++)
            insn->calls[n].function(0, insn->calls[n].data);
        if (insn->stored != NULL && insn->stores_to != 0)
            insn->stored(0, 0, insn->stores_to, NULL);
    }
}

static void run(uint32_t address, size_t count, const uint16_t *ops)
{
    struct qemu_plugin_tb block = block_at(address, count, ops);

    translated(1, &block);
    execute(&block);
}

/* ---- the file ---------------------------------------------------------------------------------
 */

static struct mup_count_file *file;
static int stops[2];

static int install(void **state)
{
    char path[] = "/tmp/mup-count-XXXXXX";
    int fd = mkstemp(path);
    char to[64];
    char stop[32];
    char span[] = "span=5:2001";
    char mark[] = "mark=6:3004";
    char exception[] = "exception=4001";
    char *options[] = {to, span, mark, exception, stop};
    int installed;

    (void)state;
    if (fd < 0 || ftruncate(fd, sizeof *file) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, stops) != 0)
        return -1;
    snprintf(to, sizeof to, "to=%s", path);
    snprintf(stop, sizeof stop, "stop=%d:5000", stops[1]);
    file = mmap(NULL, sizeof *file, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    installed = qemu_plugin_install(1, NULL, 5, options);
    unlink(path);
    return file == MAP_FAILED ? -1 : installed;
}

static int begin(void **state)
{
    static const uint16_t nop[] = {0xbf00};

    (void)state;
    run(0x100, 1, nop); /* so that nothing of the test before is open */
    memset(&file->now, 0, sizeof file->now);
    file->event_count = file->lost = 0;
    return 0;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void each_instruction_takes_what_the_manual_says(void **state)
{
    static const struct {
        uint16_t op;
        unsigned cycles;
    } table[] = {
        {0x2001, 1}, /* movs r0, #1 */
        {0x1840, 1}, /* adds r0, r0, r1 */
        {0x4348, 1}, /* muls r0, r1 */
        {0x4280, 1}, /* cmp r0, r0 */
        {0x4680, 1}, /* mov r8, r0 */
        {0x4687, 3}, /* mov pc, r0 */
        {0x4487, 3}, /* add pc, r0 */
        {0x4580, 1}, /* cmp r8, r0 */
        {0x4770, 3}, /* bx lr */
        {0x4780, 3}, /* blx r0 */
        {0x4801, 2}, /* ldr r0, [pc, #4] */
        {0x5840, 2}, /* ldr r0, [r0, r1] */
        {0x6000, 2}, /* str r0, [r0] */
        {0x7800, 2}, /* ldrb r0, [r0] */
        {0x8000, 2}, /* strh r0, [r0] */
        {0x9001, 2}, /* str r0, [sp, #4] */
        {0xa001, 1}, /* add r0, pc, #4 */
        {0xb082, 1}, /* sub sp, #8 */
        {0xb510, 3}, /* push {r4, lr} */
        {0xb4f0, 5}, /* push {r4-r7} */
        {0xbcf0, 5}, /* pop {r4-r7} */
        {0xbd10, 6}, /* pop {r4, pc}: 4 + 2 */
        {0xb662, 1}, /* cpsie i */
        {0xbf30, 2}, /* wfi */
        {0xc107, 4}, /* stmia r1!, {r0-r2} */
        {0xc90f, 5}, /* ldmia r1, {r0-r3} */
        {0xd0fe, 1}, /* beq, not taken */
        {0xe7fe, 3}, /* b */
        {0xf000, 4}, /* bl, its first half */
        {0xf3ef, 4}, /* mrs */
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint64_t before = file->now.cycles;
        static const uint16_t nop[] = {0xbf00};

        run(0x1000, 1, &table[i].op);
        run(0x1000 + (table[i].op >= 0xe800 ? 4u : 2u), 1, nop);
        if (file->now.cycles - before != table[i].cycles + 1)
            fail_msg("%04x took %u", table[i].op, (unsigned)(file->now.cycles - before - 1));
    }
    assert_int_equal(file->now.instructions, 2 * sizeof table / sizeof table[0]);
    assert_int_equal(file->now.multiplications, 1);
}

static void a_branch_that_is_taken_takes_three(void **state)
{
    static const uint16_t branch[] = {0x2001, 0xd1fd};
    static const uint16_t nop[] = {0xbf00};

    (void)state;
    run(0x1000, 2, branch);
    run(0x1000, 1, nop);
    assert_int_equal(file->now.cycles, 1 + 3 + 1);
    run(0x1000, 2, branch);
    run(0x1004, 1, nop); /* not taken */
    assert_int_equal(file->now.cycles, 5 + 1 + 1 + 1);
}

static void a_span_is_from_the_call_to_the_return(void **state)
{
    static const uint16_t call[] = {0x2001, 0xf000};
    static const uint16_t body[] = {0x2001, 0x2002, 0x4770};
    static const uint16_t after[] = {0xbf00};

    (void)state;
    run(0x1000, 2, call);
    run(0x2000, 3, body);
    assert_int_equal(file->event_count, 1);
    run(0x2000, 3, body);  /* it calls itself */
    run(0x9000, 1, after); /* of an interrupt, say */
    assert_int_equal(file->event_count, 1);
    run(0x1006, 1, after);
    assert_int_equal(file->event_count, 2);
    assert_int_equal(file->events[0].place, 5);
    assert_int_equal(file->events[0].is_end, 0);
    assert_int_equal(file->events[0].at.instructions, 2);
    assert_int_equal(file->events[1].is_end, 1);
    assert_int_equal(file->events[1].at.instructions, 2 + 3 + 3 + 1);
    run(0x1006, 1, after); /* it has returned already */
    assert_int_equal(file->event_count, 2);
}

static void a_mark_is_noted_wherever_it_stands_in_a_block(void **state)
{
    static const uint16_t ops[] = {0x2001, 0x2002, 0x2003};

    (void)state;
    run(0x3000, 3, ops);
    run(0x3004, 1, ops);
    assert_int_equal(file->event_count, 2);
    assert_int_equal(file->events[0].place, 6);
    assert_int_equal(file->events[1].place, 6);
    assert_int_equal(file->events[1].at.instructions, 4);
}

static void an_exception_costs_entry_and_return(void **state)
{
    static const uint16_t ops[] = {0x4770};

    (void)state;
    run(0x4000, 1, ops);
    assert_int_equal(file->now.cycles, 16 + 16 + 3);
    assert_int_equal(file->event_count, 0);
}

static void words_for_flash_and_erasures_are_counted(void **state)
{
    static const uint16_t ops[] = {0x6001, 0x5041, 0x7001, 0xc102};
    static const uint32_t where[] = {0x3fffc, 0x40000, 0x20000000, 0x4001e508};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct qemu_plugin_tb block = block_at(0x1000, 4, ops);

        for (size_t n = 0; n < 4; n++)
            block.insns[n].stores_to = where[i];
        translated(1, &block);
        execute(&block);
    }
    assert_int_equal(file->now.words, 3); /* a byte is none */
    assert_int_equal(file->now.erasures, 3);
}

static void at_a_stop_it_waits_for_the_other_side(void **state)
{
    static const uint16_t ops[] = {0xb510};
    char byte = 'g';

    (void)state;
    assert_int_equal(write(stops[0], &byte, 1), 1);
    run(0x5000, 1, ops);
    assert_int_equal(recv(stops[0], &byte, 1, MSG_DONTWAIT), 1);
    assert_int_equal(byte, 's');
    assert_true(recv(stops[1], &byte, 1, MSG_DONTWAIT) < 0); /* it has read its byte */
}

static void events_without_room_are_counted(void **state)
{
    static const uint16_t ops[] = {0x2001};

    (void)state;
    file->event_count = MUP_COUNT_EVENTS_MAX - 1;
    run(0x3004, 1, ops);
    run(0x3004, 1, ops);
    assert_int_equal(file->event_count, MUP_COUNT_EVENTS_MAX);
    assert_int_equal(file->lost, 1);
}

static void what_is_no_option_is_refused(void **state)
{
    static char texts[][24] = {"span=1", "mark=x:10", "to=/nowhere/at/all", "other=1:2"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *options[] = {texts[i]};

        assert_int_not_equal(qemu_plugin_install(1, NULL, 1, options), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_instruction_takes_what_the_manual_says, begin),
        cmocka_unit_test_setup(a_branch_that_is_taken_takes_three, begin),
        cmocka_unit_test_setup(a_span_is_from_the_call_to_the_return, begin),
        cmocka_unit_test_setup(a_mark_is_noted_wherever_it_stands_in_a_block, begin),
        cmocka_unit_test_setup(an_exception_costs_entry_and_return, begin),
        cmocka_unit_test_setup(words_for_flash_and_erasures_are_counted, begin),
        cmocka_unit_test_setup(at_a_stop_it_waits_for_the_other_side, begin),
        cmocka_unit_test_setup(events_without_room_are_counted, begin),
        cmocka_unit_test_setup(what_is_no_option_is_refused, begin),
    };

    return cmocka_run_group_tests(tests, install, NULL);
}
