/* Being on time: what the system permits of it. */
#ifndef MUP_LAB_REALTIME_H
#define MUP_LAB_REALTIME_H

#include <stdbool.h>

/* Above the emulated processors, which ask for less. */
#define MUP_REALTIME_PRIORITY 20

struct mup_realtime {
    bool is_fifo;   /* scheduled before all others (SCHED_FIFO) */
    bool is_locked; /* its memory is never swapped out */
};

/* Take what is permitted, and say what that was. Timers lose their slack in any case. */
struct mup_realtime mup_realtime_begin(void);

#endif
