/* Judgements on a stack of their own, and a table of states and verdicts in shared memory. */
#include "recall.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "mup/port/hostile.h"

#define VERDICT_MASK UINT64_C(15)
#define TRIES        16u
#define STACK_SIZE   65536u
#define LOOKS_MAX    64u /* states of one judgement that are kept */

struct recall {
    _Atomic uint64_t
        *places; /* of each 0 = free; else a state's upper bits, and 1 more than its verdict */
    size_t place_count;
    recall_judge_fn *judge;
    void *subject;
    uint32_t verdict;
    bool recalled;
    ucontext_t begin; /* of each judgement */
    ucontext_t back;  /* to recall_run() */
    uint64_t states[LOOKS_MAX];
    size_t state_count;
    uint8_t *stack;
};

/* A sanitizer wants to know about stacks, and puts numbers of its own into them. There, each
 * judgement goes to its end. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAS_OWN_STACK 0
#else
#define HAS_OWN_STACK 1
#endif

/* ---- the table ------------------------------------------------------------------------------- */

static _Atomic uint64_t *place_of(const struct recall *recall, uint64_t state, size_t turn)
{
    return &recall->places[((state >> 4) + turn) & (recall->place_count - 1)];
}

static bool find(const struct recall *recall, uint64_t state, uint32_t *verdict)
{
    for (size_t i = 0; i < TRIES; i++) {
        uint64_t entry = atomic_load_explicit(place_of(recall, state, i), memory_order_relaxed);

        if (entry == 0)
            return false;
        if (((entry ^ state) & ~VERDICT_MASK) == 0) {
            *verdict = (uint32_t)(entry & VERDICT_MASK) - 1;
            return true;
        }
    }
    return false;
}

static void keep(const struct recall *recall, uint64_t state, uint32_t verdict)
{
    uint64_t entry = (state & ~VERDICT_MASK) | (verdict + 1);

    for (size_t i = 0; i < TRIES; i++) {
        uint64_t found = 0;

        if (atomic_compare_exchange_strong_explicit(place_of(recall, state, i), &found, entry,
                                                    memory_order_relaxed, memory_order_relaxed) ||
            ((found ^ state) & ~VERDICT_MASK) == 0)
            return;
    }
}

/* ---- the stack ------------------------------------------------------------------------------- */

static struct recall *current; /* a context's entry takes no pointer */

static void enter(void)
{
    current->verdict = current->judge(current->subject);
}

static void run_on_own_stack(struct recall *recall)
{
    ucontext_t context = recall->begin;

    current = recall;
    memset(recall->stack, 0, STACK_SIZE);
    context.uc_link = &recall->back;
    makecontext(&context, enter, 0);
    swapcontext(&recall->back, &context);
}

/* From this function's frame upwards. It has to be a call of its own: what its caller keeps of
 * registers is then above, or still in the registers, which the caller has noted. */
__attribute__((noinline)) static uint64_t add_stack(const struct recall *recall, uint64_t number)
{
    const uint8_t *from = __builtin_frame_address(0);

    return mup_hostile_fingerprint(number, from, (size_t)(recall->stack + STACK_SIZE - from));
}

__attribute__((noinline)) static uint64_t state_of(const struct recall *recall, uint64_t number)
{
    static jmp_buf registers;

    if (setjmp(registers) != 0)
        abort(); /* nobody jumps */
    return add_stack(recall, mup_hostile_fingerprint(number, registers, sizeof registers));
}

void recall_look(struct recall *recall, uint64_t number)
{
    uint64_t state;

    if (!HAS_OWN_STACK || recall->place_count == 0 || recall->state_count == LOOKS_MAX)
        return;
    state = state_of(recall, number);
    if (find(recall, state, &recall->verdict)) {
        recall->recalled = true;
        setcontext(&recall->back);
    }
    recall->states[recall->state_count++] = state;
}

uint32_t recall_run(struct recall *recall, bool *recalled, recall_judge_fn *judge, void *subject)
{
    recall->judge = judge;
    recall->subject = subject;
    recall->recalled = false;
    recall->state_count = 0;
    if (HAS_OWN_STACK)
        run_on_own_stack(recall);
    else
        recall->verdict = judge(subject);
    for (size_t i = 0; i < recall->state_count; i++)
        keep(recall, recall->states[i], recall->verdict);
    *recalled = recall->recalled;
    return recall->verdict;
}

struct recall *recall_make(size_t place_count)
{
    struct recall *recall = calloc(1, sizeof *recall);
    size_t size = (place_count + 1) * sizeof *recall->places; /* never 0 */
    void *places = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (recall == NULL || places == MAP_FAILED)
        abort();
    recall->places = places;
    recall->place_count = place_count;
    recall->stack = calloc(1, STACK_SIZE);
    if (recall->stack == NULL || getcontext(&recall->begin) != 0)
        abort();
    recall->begin.uc_stack.ss_sp = recall->stack;
    recall->begin.uc_stack.ss_size = STACK_SIZE;
    return recall;
}

void recall_free(struct recall *recall)
{
    munmap(recall->places, (recall->place_count + 1) * sizeof *recall->places);
    free(recall->stack);
    free(recall);
}
