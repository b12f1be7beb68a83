/* mup-router: a 6LoWPAN border router for emulated devices, in one process without privileges. */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "lwip/init.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"

#include "pcap.h"
#include "proxy.h"
#include "radio.h"

/* lwIP's timers tick at 250 ms; its fastest is this router's own patience. */
#define POLL_MS_MAX 50
#define MQTT_PORT   1883u

static const char help[] =
    "usage: mup-router --radio SOCKET --broker PORT [--capture FILE]\n"
    "\n"
    "A border router for emulated devices: IEEE 802.15.4 frames on a Unix socket,\n"
    "IPv6 over 6LoWPAN above them; what devices send to port 1883 of fe80::1 goes on\n"
    "to a broker on this machine.\n"
    "\n"
    "  --radio SOCKET   where emulated UARTs connect; one byte of length before each\n"
    "                   frame\n"
    "  --broker PORT    of 127.0.0.1\n"
    "  --capture FILE   every frame, for Wireshark (pcap)\n"
    "\n"
    "example: mup-router --radio /tmp/radio --broker 1883 --capture radio.pcap\n";

static volatile sig_atomic_t must_stop;

static void on_signal(int number)
{
    (void)number;
    must_stop = 1;
}

u32_t sys_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

uint32_t mup_router_random(void)
{
    uint32_t value;

    if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value)
        abort();
    return value;
}

static void run(struct mup_radio *radio, struct mup_proxy *proxy)
{
    struct pollfd set[MUP_RADIO_DEVICES_MAX + 1 + MUP_PROXY_CONNECTIONS_MAX];

    while (!must_stop) {
        nfds_t radios = mup_radio_poll_set(radio, set);
        nfds_t all = radios + mup_proxy_poll_set(proxy, set + radios);
        u32_t wait = sys_timeouts_sleeptime();

        if (poll(set, all, wait < POLL_MS_MAX ? (int)wait : POLL_MS_MAX) > 0) {
            mup_radio_handle(radio, set, radios);
            mup_proxy_handle(proxy, set + radios, all - radios);
        }
        sys_check_timeouts();
    }
}

/* -1 after a message. */
static long port_of(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    if (end != text && *end == '\0' && port >= 1 && port <= 65535)
        return port;
    fprintf(stderr, "mup-router: --broker wants a port from 1 to 65535, not '%s'\n", text);
    return -1;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"radio", required_argument, NULL, 'r'},
                                            {"broker", required_argument, NULL, 'b'},
                                            {"capture", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *socket_path = NULL;
    struct mup_radio *radio;
    struct mup_proxy *proxy;
    FILE *capture = NULL;
    const char *capture_path = NULL;
    long broker_port = 0;
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'r')
            socket_path = optarg;
        else if (option == 'b')
            broker_port = port_of(optarg);
        else if (option == 'c')
            capture_path = optarg;
        else if (option == 'h') {
            fputs(help, stdout);
            return 0;
        } else
            return 2;
        if (broker_port < 0)
            return 2;
    }
    if (socket_path == NULL || broker_port == 0 || optind != argc) {
        fprintf(stderr,
                "mup-router: --radio and --broker are wanted, and nothing else but options; "
                "see mup-router --help\n");
        return 2;
    }
    if (capture_path != NULL && (capture = mup_pcap_open(capture_path)) == NULL)
        return 1;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    lwip_init();
    radio = mup_radio_open(socket_path, capture);
    proxy = radio == NULL ? NULL : mup_proxy_open(MQTT_PORT, (uint16_t)broker_port);
    if (proxy == NULL)
        return 1;
    printf("router ready\n");
    fflush(stdout);
    run(radio, proxy);
    mup_proxy_close(proxy);
    mup_radio_close(radio);
    if (capture != NULL)
        fclose(capture);
    return 0;
}
