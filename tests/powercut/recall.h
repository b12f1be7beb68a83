/*
 * Judge each state of a device once.
 *
 * A judge is a program that takes a device through its future and comes to a verdict. Nothing but
 * memory decides what it will do next; so when it stands at a place where all of that is as it once
 * was, the verdict will be what it was then. It runs on a stack of its own, from the same contents
 * of registers and stack each time. At places of its choice it gives the number of what it works on
 * (all memory but registers and stack); with them mixed in, that is looked up among the states of
 * judgements before. If it is there the judgement ends with the same verdict; if not, it is put
 * there as soon as the verdict is known.
 *
 * What must hold: the judge reads no other memory that changes, leaves nothing to be released when
 * it ends in the middle, and draws no numbers but from the memory whose number it gives.
 * What can go wrong: two states with the same 60 bits; among ten million one chance in 20,000.
 *
 * The table is shared with processes that are forked after recall_make(); they run at the same
 * addresses. It forgets what does not fit. No memory: abort().
 */
#ifndef MUP_POWERCUT_RECALL_H
#define MUP_POWERCUT_RECALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECALL_VERDICT_MAX 14u

/* Comes to a verdict from 0 to RECALL_VERDICT_MAX. */
typedef uint32_t recall_judge_fn(void *subject);

struct recall;

/* A table of place_count places of 8 bytes, a power of two, touched as they are used. With 0
 * nothing is recalled: each judgement goes to its end. */
struct recall *recall_make(size_t place_count);
void recall_free(struct recall *recall);

/* Run a judge. *recalled tells whether the verdict is that of an earlier judgement. */
uint32_t recall_run(struct recall *recall, bool *recalled, recall_judge_fn *judge, void *subject);

/* Within a judge: does not return when the state is known. `number` is that of the memory which the
 * judge works on. */
void recall_look(struct recall *recall, uint64_t number);

#endif
