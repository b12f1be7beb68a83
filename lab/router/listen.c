/* Listening on Unix sockets: see listen.h. */
#include "listen.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* What a router that was killed left is removed. Whatever else has this name stays as it is: false,
 * and errno says why. */
static bool make_room(const struct sockaddr_un *address)
{
    struct stat facts;
    int probe;
    bool is_served;

    if (lstat(address->sun_path, &facts) != 0)
        return true;
    if (!S_ISSOCK(facts.st_mode)) {
        errno = EEXIST;
        return false;
    }
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    is_served =
        probe >= 0 && (connect(probe, (const struct sockaddr *)address, sizeof *address) == 0 ||
                       errno == EAGAIN); /* its backlog is full */
    if (probe >= 0)
        close(probe);
    if (is_served) {
        errno = EADDRINUSE;
        return false;
    }
    unlink(address->sun_path);
    return true;
}

static const char *why_not(int error)
{
    if (error == EEXIST)
        return "a file of this name is there and is no socket; it is left alone";
    return error == EADDRINUSE ? "another router serves this socket" : strerror(error);
}

static int listen_on(const char *path, unsigned backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    if (!make_room(&address))
        return -1;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, (int)backlog) != 0)
        return -1;
    return fd;
}

int mup_listen(const char *option, const char *path, unsigned backlog)
{
    int fd = listen_on(path, backlog);

    if (fd < 0)
        fprintf(stderr, "mup-router: %s %s: %s\n", option, path, why_not(errno));
    return fd;
}
