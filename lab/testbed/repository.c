/* The vendor's release repository, served by a web server that knows nothing of it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testbed_internal.h"

#define BUSYBOX    "/usr/bin/busybox"
#define ATTEMPTS   1000
#define ATTEMPT_MS 20

static bool accepts(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;

    if (fd >= 0)
        close(fd);
    return good;
}

bool mup_testbed_start_repository(struct mup_testbed *bed)
{
    char where[32];
    const char *argv[] = {
        BUSYBOX, "httpd", "-f", "-v", "-p", where, "-h", mup_testbed_path(bed, "releases"), NULL};
    struct mup_process *process;

    if (bed->repository_port == 0)
        bed->repository_port = mup_testbed_free_port();
    snprintf(where, sizeof where, "127.0.0.1:%d", bed->repository_port);
    mkdir(mup_testbed_path(bed, "releases"), 0755);
    process = mup_process_start(&bed->processes, "repository", argv);
    /* httpd says nothing when it is ready, so it is asked. */
    for (int i = 0; process != NULL && i < ATTEMPTS && mup_process_is_running(process); i++) {
        if (accepts(bed->repository_port))
            return true;
        mup_process_pump(&bed->processes, ATTEMPT_MS);
    }
    fprintf(stderr, "testbed: the web server of the release repository did not start; see %s\n",
            mup_testbed_path(bed, "log/repository.log"));
    return false;
}
