/*
 * Two stacks in turn, switched in PendSV, the exception that comes after all others (Armv6-M
 * B1.5.7). The main stack is MSP's, the task's PSP's; the hardware saves r0 to r3, r12, lr, pc and
 * xPSR to the one that was interrupted, the handler r4 to r11 to the same.
 */
#include "task.h"

#include <stdbool.h>

#include "startup.h"

#include "mup/port/nrf51.h"

#define ICSR             (*(volatile uint32_t *)(uintptr_t)0xe000ed04u)
#define ICSR_PENDSV      (UINT32_C(1) << 28)
#define SHPR3            (*(volatile uint32_t *)(uintptr_t)0xe000ed20u)
#define SHPR3_PENDSV_LOW (UINT32_C(3) << 22)

#define THUMB_STATE      (UINT32_C(1) << 24) /* of xPSR */
#define SAVED_WORDS      8u                  /* r8 to r11, r4 to r7 */
#define FRAME_WORDS      8u
#define FRAME_PC         6u
#define FRAME_XPSR       7u

static uint64_t stack[MICROBIT_TASK_STACK_SIZE / sizeof(uint64_t)];

/* Used by the handler, by name. */
__attribute__((used)) static struct {
    uint32_t *sp;                 /* of the task while it waits */
    volatile uint32_t is_running; /* the task has the processor */
} task;

static struct {
    void (*work)(void *context);
    void *context;
    volatile bool done;
} job = {.done = true};

/* To PendSV now: the barriers make it come before the next instruction. */
static void switch_stacks(void)
{
    ICSR = ICSR_PENDSV;
    __asm volatile("dsb \n isb" ::: "memory");
}

/* Where the task begins. It ends by never being switched to again. */
static void enter(void)
{
    job.work(job.context);
    job.done = true;
    for (;;)
        switch_stacks();
}

__attribute__((naked)) void microbit_task_switch(void)
{
    /* lr has bit 2 set when the task was interrupted */
    __asm volatile("ldr r3, =%c0      \n"
                   "mov r0, lr        \n"
                   "lsrs r0, r0, #3   \n"
                   "bcs 1f            \n"
                   /* the main stack goes to rest */
                   "push {r4-r7}      \n"
                   "mov r4, r8        \n"
                   "mov r5, r9        \n"
                   "mov r6, r10       \n"
                   "mov r7, r11       \n"
                   "push {r4-r7}      \n"
                   "movs r0, #1       \n"
                   "str r0, [r3, #4]  \n"
                   "ldr r1, [r3]      \n"
                   "ldmia r1!, {r4-r7}\n"
                   "mov r8, r4        \n"
                   "mov r9, r5        \n"
                   "mov r10, r6       \n"
                   "mov r11, r7       \n"
                   "ldmia r1!, {r4-r7}\n"
                   "msr psp, r1       \n"
                   "ldr r0, =0xfffffffd\n"
                   "bx r0             \n"
                   /* the task goes to rest */
                   "1: mrs r1, psp    \n"
                   "subs r1, r1, #16  \n"
                   "stmia r1!, {r4-r7}\n"
                   "subs r1, r1, #32  \n"
                   "str r1, [r3]      \n"
                   "mov r4, r8        \n"
                   "mov r5, r9        \n"
                   "mov r6, r10       \n"
                   "mov r7, r11       \n"
                   "stmia r1!, {r4-r7}\n"
                   "movs r0, #0       \n"
                   "str r0, [r3, #4]  \n"
                   "pop {r4-r7}       \n"
                   "mov r8, r4        \n"
                   "mov r9, r5        \n"
                   "mov r10, r6       \n"
                   "mov r11, r7       \n"
                   "pop {r4-r7}       \n"
                   "ldr r0, =0xfffffff9\n"
                   "bx r0             \n"
                   ".ltorg            \n" ::"i"(&task));
}

void microbit_task_alarm(void)
{
    if (task.is_running != 0)
        ICSR = ICSR_PENDSV;
    else if (!job.done)
        mup_nrf51_alarm(MICROBIT_TASK_TURN_MS); /* it came before the task had its turn */
}

void microbit_task_run(void (*work)(void *context), void *context, void (*meanwhile)(void))
{
    uint32_t *frame = (uint32_t *)(stack + sizeof stack / sizeof stack[0]) - FRAME_WORDS;

    job.work = work;
    job.context = context;
    job.done = false;
    frame[FRAME_PC] = (uint32_t)(uintptr_t)enter & ~UINT32_C(1);
    frame[FRAME_XPSR] = THUMB_STATE;
    task.sp = frame - SAVED_WORDS;
    SHPR3 |= SHPR3_PENDSV_LOW;
    while (!job.done) {
        mup_nrf51_alarm(MICROBIT_TASK_TURN_MS);
        switch_stacks();
        meanwhile();
    }
}

uint32_t microbit_task_stack_unused(void)
{
    const volatile uint32_t *at = (const volatile uint32_t *)(const void *)stack;
    uint32_t words = 0;

    while (words < MICROBIT_TASK_STACK_SIZE / sizeof(uint32_t) && at[words] == 0)
        words++;
    return words * (uint32_t)sizeof *at;
}
