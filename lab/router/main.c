/* mup-router: a 6LoWPAN border router for emulated devices, in one process without privileges. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "lwip/init.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"

#include "air.h"
#include "clock.h"
#include "control.h"
#include "options.h"
#include "pcap.h"
#include "proxy.h"
#include "radio.h"
#include "realtime.h"

#define WAIT_US_MAX 50000u
#define MQTT_PORT   1883u

static volatile sig_atomic_t must_stop;

struct router {
    FILE *capture;
    struct mup_realtime realtime;
    struct mup_air *air; /* NULL: frames take no time */
    struct mup_control *control;
    struct mup_radio *radio;
    struct mup_proxy *proxy;
};

static void on_signal(int number)
{
    (void)number;
    must_stop = 1;
}

u32_t sys_now(void)
{
    return (u32_t)(mup_clock_us() / 1000u);
}

uint32_t mup_router_random(void)
{
    uint32_t value;

    if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value)
        abort();
    return value;
}

/* Until something comes, or is due. */
static int wait_for(const struct router *router, struct pollfd *set, nfds_t count)
{
    u32_t timers_ms = sys_timeouts_sleeptime();
    uint64_t wait_us = timers_ms < WAIT_US_MAX / 1000u ? timers_ms * 1000u : WAIT_US_MAX;
    struct timespec wait = {0};

    if (router->air != NULL)
        wait_us = mup_air_wait_us(router->air, wait_us);
    wait.tv_nsec = (long)wait_us * 1000;
    return ppoll(set, count, &wait, NULL);
}

static void run(const struct router *router)
{
    struct pollfd
        set[MUP_RADIO_DEVICES_MAX + 1 + MUP_PROXY_CONNECTIONS_MAX + MUP_CONTROL_CLIENTS_MAX + 1];

    while (!must_stop) {
        nfds_t radios = mup_radio_poll_set(router->radio, set);
        nfds_t proxies = mup_proxy_poll_set(router->proxy, set + radios);
        nfds_t all = radios + proxies;
        int found;

        if (router->control != NULL)
            all += mup_control_poll_set(router->control, set + all);
        found = wait_for(router, set, all);
        mup_radio_run(router->radio);
        if (found > 0) {
            mup_radio_handle(router->radio, set, radios);
            mup_proxy_handle(router->proxy, set + radios, proxies);
        }
        if (found > 0 && router->control != NULL)
            mup_control_handle(router->control, set + radios + proxies, all - radios - proxies);
        sys_check_timeouts();
        if (mup_radio_has_refused(router->radio))
            mup_proxy_try_again(router->proxy);
    }
}

/* False after a message. */
static bool open_all(struct router *router, const struct mup_options *options)
{
    if (options->capture_path != NULL &&
        (router->capture = mup_pcap_open(options->capture_path)) == NULL)
        return false;
    if (options->has_air && (router->air = mup_air_open(&options->faults, router->capture)) == NULL)
        return false;
    lwip_init();
    router->radio = mup_radio_open(options->radio_path, router->capture, router->air);
    if (router->radio == NULL)
        return false;
    router->proxy = mup_proxy_open(MQTT_PORT, options->broker_port, router->radio);
    if (router->proxy == NULL)
        return false;
    if (options->control_path != NULL)
        router->control = mup_control_open(options->control_path, router->air, &router->realtime);
    return options->control_path == NULL || router->control != NULL;
}

static void close_all(struct router *router)
{
    if (router->control != NULL)
        mup_control_close(router->control);
    if (router->proxy != NULL)
        mup_proxy_close(router->proxy);
    if (router->radio != NULL)
        mup_radio_close(router->radio);
    if (router->air != NULL)
        mup_air_close(router->air);
    if (router->capture != NULL)
        fclose(router->capture);
}

int main(int argc, char **argv)
{
    struct mup_options options;
    struct router router = {.capture = NULL};
    int code = mup_options_read(&options, argc, argv);
    bool good;

    if (code != MUP_OPTIONS_GO_ON)
        return code;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    good = open_all(&router, &options);
    if (good) {
        if (options.has_air)
            router.realtime = mup_realtime_begin();
        printf("router ready\n");
        fflush(stdout);
        run(&router);
    }
    close_all(&router);
    return good ? 0 : 1;
}
