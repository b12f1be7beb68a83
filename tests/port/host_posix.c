/* The suite on the POSIX port; port-run gives it a folder and a peer. Also the pattern of a host.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mup/port/posix.h"
#include "suite.h"

#define PAGE_SIZE   1024u
#define PATIENCE_MS 30000u
#define FLOOD_SIZE  (UINT32_C(256) << 20)
#define FLASH_SIZE  (16 * PAGE_SIZE)
#define LOOPBACK    "127.0.0.1"

static void print(const char *text)
{
    fputs(text, stdout);
    fflush(stdout);
}

static void idle(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

int main(int argc, char **argv)
{
    const char *peer = getenv("MUP_PORT_PEER");
    const char *nobody = getenv("MUP_PORT_NOBODY");
    struct mup_posix_flash file;
    struct mup_posix_tcp tcp;
    struct mup_posix_tcp tcp_alone;
    struct mup_posix_reset process = {argv};

    (void)argc;
    if (peer == NULL || nobody == NULL) {
        fprintf(stderr, "run this as: port-run --skips 2 -- %s\n", argv[0]);
        return 2;
    }
    if (mup_posix_flash_open(&file, "flash", FLASH_SIZE, PAGE_SIZE) != 0) {
        perror("flash");
        return 1;
    }
    mup_posix_tcp_init(&tcp, LOOPBACK, peer);
    mup_posix_tcp_init(&tcp_alone, LOOPBACK, nobody);

    struct mup_port_flash flash = mup_posix_flash_port(&file);
    struct mup_port_clock clock = mup_posix_clock_port();
    struct mup_port_random random = mup_posix_random_port();
    struct mup_port_transport transport = mup_posix_tcp_port(&tcp);
    struct mup_port_transport transport_alone = mup_posix_tcp_port(&tcp_alone);
    struct mup_port_reset reset = mup_posix_reset_port(&process);
    struct port_suite suite = {
        .flash = &flash,
        .clock = &clock,
        .random = &random,
        .transport = &transport,
        .transport_alone = &transport_alone,
        .reset = &reset,
        .flash_at = FLASH_SIZE - PORT_SUITE_PAGES * PAGE_SIZE,
        .patience = PATIENCE_MS,
        .idle = idle,
        .flood_size_max = FLOOD_SIZE,
        .print = print,
    };

    return port_suite_run(&suite) == 0 ? 0 : 1;
}
