/* What the bridge and the process that judges say to each other; both are the same program. */
#ifndef MUP_BRIDGE_JUDGE_INTERNAL_H
#define MUP_BRIDGE_JUDGE_INTERNAL_H

#include <stdint.h>

#include "bridge/devices/judge.h"

/* Then come `size` bytes of a template. */
struct judge_question {
    uint32_t size;
};

enum judge_verdict { JUDGE_USABLE, JUDGE_REFUSED, JUDGE_KILLED };

struct judge_answer {
    uint32_t verdict;
    char reason[MUP_JUDGE_REASON_MAX]; /* zeros behind its end */
};

#endif
