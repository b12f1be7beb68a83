/* Scheduling, memory, timer slack: see realtime.h. */
#include "realtime.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define SLACK_NS 1ul

struct mup_realtime mup_realtime_begin(void)
{
    const struct sched_param first = {.sched_priority = MUP_REALTIME_PRIORITY};
    struct mup_realtime got;

    prctl(PR_SET_TIMERSLACK, SLACK_NS);
    got.is_fifo = sched_setscheduler(0, SCHED_FIFO, &first) == 0;
    got.is_locked = mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
    return got;
}
