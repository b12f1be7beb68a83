/* TCP's timers at their own intervals, in the place of lwIP's tcp_tmr(), for which the slow one is
 * always twice the fast one. */
#include "lwip/opt.h"

#include "lwip/priv/tcp_priv.h"

void mup_lwip_tcp_timers(void);

/* Called each TCP_TMR_INTERVAL. */
void mup_lwip_tcp_timers(void)
{
    static unsigned elapsed_ms;

    elapsed_ms += TCP_TMR_INTERVAL;
    if (elapsed_ms % TCP_FAST_INTERVAL == 0)
        tcp_fasttmr();
    if (elapsed_ms % TCP_SLOW_INTERVAL == 0)
        tcp_slowtmr();
}
