/*
 * mup-netconf: what sshd starts for each NETCONF session. It says who the user is and copies bytes
 * between sshd and the bridge's socket; it understands none of them.
 *
 *     mup-netconf --as NAME --socket PATH
 *
 * The name comes from the line of the key in authorized_keys, which the user cannot change. Ends
 * with 0 when either side closed, 1 when the bridge is not there, 2 for a wrong command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BUFFER_SIZE        65536u
#define USER_NAME_SIZE_MAX 64u

/* One direction: bytes read from `in` and not yet written to `out`. */
struct direction {
    int in;
    int out;
    size_t start;
    size_t end;
    bool ended; /* `in` has no more */
    char bytes[BUFFER_SIZE];
};

static int usage(FILE *to, int exit_code)
{
    fputs("usage: mup-netconf --as NAME --socket PATH\n"
          "Started by sshd, from a line of authorized_keys that begins with\n"
          "  restrict,command=\"mup-netconf --as NAME --socket PATH\"\n"
          "NAME: 1 to 64 of A-Z a-z 0-9 . _ - @\n",
          to);
    return exit_code;
}

static bool is_user_name(const char *name)
{
    size_t size = strlen(name);

    return size > 0 && size <= USER_NAME_SIZE_MAX &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@") ==
               size;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

static void set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags >= 0) {
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
}

static bool is_temporary(int number)
{
    return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

/* False: `in` is broken. */
static bool fill(struct direction *direction)
{
    ssize_t size = read(direction->in, direction->bytes, sizeof direction->bytes);

    if (size < 0) {
        return is_temporary(errno);
    }
    direction->start = 0;
    direction->end = (size_t)size;
    direction->ended = size == 0;
    return true;
}

/* False: `out` takes nothing any more. */
static bool drain(struct direction *direction)
{
    ssize_t size = write(direction->out, direction->bytes + direction->start,
                         direction->end - direction->start);

    if (size < 0) {
        return is_temporary(errno);
    }
    direction->start += (size_t)size;
    return true;
}

static bool is_empty(const struct direction *direction)
{
    return direction->start == direction->end;
}

/* Either wait to read or wait to write, so that a slow side slows the other. */
static struct pollfd wanted(const struct direction *direction)
{
    if (!is_empty(direction)) {
        return (struct pollfd){.fd = direction->out, .events = POLLOUT};
    }
    return (struct pollfd){.fd = direction->ended ? -1 : direction->in, .events = POLLIN};
}

static bool step(struct direction *direction, const struct pollfd *polled)
{
    if (polled->revents == 0) {
        return true;
    }
    return is_empty(direction) ? fill(direction) : drain(direction);
}

/* Until the bridge has closed and everything from it is out, or either side broke. */
static void copy_both_ways(struct direction *up, struct direction *down)
{
    bool told = false;

    while (!down->ended || !is_empty(down)) {
        if (up->ended && is_empty(up) && !told) {
            shutdown(up->out, SHUT_WR); /* the bridge answers what it has, then closes */
            told = true;
        }
        /* The third is asked for nothing: it tells that nobody reads our output any more. */
        struct pollfd polled[3] = {wanted(up), wanted(down), {.fd = down->out}};
        if (poll(polled, 3, -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return;
        }
        if (polled[2].revents != 0 || !step(up, &polled[0]) || !step(down, &polled[1])) {
            return;
        }
    }
}

int main(int argc, char **argv)
{
    static struct direction up;
    static struct direction down;
    const char *name = NULL;
    const char *path = NULL;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        return usage(stdout, 0);
    }
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--as") == 0) {
            name = argv[i + 1];
        } else if (strcmp(argv[i], "--socket") == 0) {
            path = argv[i + 1];
        } else {
            return usage(stderr, 2);
        }
    }
    if (argc != 5 || !name || !path || !is_user_name(name)) {
        return usage(stderr, 2);
    }
    signal(SIGPIPE, SIG_IGN);
    int bridge = connect_to(path);
    if (bridge < 0) {
        fprintf(stderr, "mup-netconf: %s: %s; is the bridge running?\n", path, strerror(errno));
        return 1;
    }
    up = (struct direction){.in = STDIN_FILENO, .out = bridge};
    down = (struct direction){.in = bridge, .out = STDOUT_FILENO};
    up.end = (size_t)snprintf(up.bytes, sizeof up.bytes, "as %s\n", name);
    set_nonblocking(bridge);
    set_nonblocking(STDIN_FILENO);
    set_nonblocking(STDOUT_FILENO);
    copy_both_ways(&up, &down);
    close(bridge);
    return 0;
}
