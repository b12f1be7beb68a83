/* The GDB remote protocol: $text#checksum, each answered with a plus. */
#include "gdb.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 30000
#define TURN_MS   20
#define PIECE     512u /* bytes of memory in one packet */
#define TEXT_MAX  (2 * PIECE + 64)

static long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool send_packet(struct gdb *gdb, const char *text)
{
    char packet[TEXT_MAX + 8];
    unsigned sum = 0;
    int size;

    for (const char *at = text; *at != '\0'; at++)
        sum += (unsigned char)*at;
    size = snprintf(packet, sizeof packet, "$%s#%02x", text, sum & 0xff);
    return send(gdb->fd, packet, (size_t)size, MSG_NOSIGNAL) == size;
}

/* One byte, or -1 when none comes in time. */
static int get(struct gdb *gdb, int timeout_ms)
{
    struct pollfd event = {.fd = gdb->fd, .events = POLLIN};
    unsigned char byte;

    if (poll(&event, 1, timeout_ms) <= 0 || recv(gdb->fd, &byte, 1, 0) != 1)
        return -1;
    return byte;
}

/* The text of the next packet, which has come at least in part. */
static bool take_packet(struct gdb *gdb, char text[TEXT_MAX])
{
    size_t size = 0;
    int byte;

    do
        byte = get(gdb, ANSWER_MS);
    while (byte == '+');
    if (byte != '$')
        return false;
    while ((byte = get(gdb, ANSWER_MS)) != '#') {
        if (byte < 0 || size == TEXT_MAX - 1)
            return false;
        text[size++] = (char)byte;
    }
    text[size] = '\0';
    /* A local socket does not garble: the check sum is not looked at. */
    return get(gdb, ANSWER_MS) >= 0 && get(gdb, ANSWER_MS) >= 0 &&
           send(gdb->fd, "+", 1, MSG_NOSIGNAL) == 1;
}

static bool command(struct gdb *gdb, const char *text, char answer[TEXT_MAX])
{
    return send_packet(gdb, text) && take_packet(gdb, answer);
}

static bool command_ok(struct gdb *gdb, const char *text)
{
    char answer[TEXT_MAX];

    return command(gdb, text, answer) && strcmp(answer, "OK") == 0;
}

/* The socket is there once the board is made, and nothing tells of it but that. */
static bool connect_at_last(struct gdb *gdb, const struct sockaddr_un *address)
{
    long long end_ms = now_ms() + ANSWER_MS;

    while (now_ms() < end_ms) {
        gdb->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (gdb->fd < 0)
            return false;
        if (connect(gdb->fd, (const struct sockaddr *)address, sizeof *address) == 0)
            return true;
        gdb_close(gdb);
        poll(NULL, 0, TURN_MS);
    }
    return false;
}

bool gdb_open(struct gdb *gdb, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char answer[TEXT_MAX];

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect_at_last(gdb, &address) && command(gdb, "?", answer) && answer[0] == 'T')
        return true;
    gdb_close(gdb);
    return false;
}

void gdb_close(struct gdb *gdb)
{
    if (gdb->fd >= 0)
        close(gdb->fd);
    gdb->fd = -1;
}

static int digit(char letter)
{
    const char *found = letter == '\0' ? NULL : strchr("0123456789abcdef", letter);

    return found == NULL ? -1 : (int)(found - "0123456789abcdef");
}

bool gdb_read(struct gdb *gdb, uint32_t address, void *out, size_t size)
{
    uint8_t *bytes = out;
    char text[64];
    char answer[TEXT_MAX];

    for (size_t done = 0; done < size; done += PIECE) {
        size_t piece = size - done < PIECE ? size - done : PIECE;

        snprintf(text, sizeof text, "m%lx,%zx", (unsigned long)(address + done), piece);
        if (!command(gdb, text, answer) || strlen(answer) != 2 * piece)
            return false;
        for (size_t i = 0; i < piece; i++) {
            int high = digit(answer[2 * i]);
            int low = digit(answer[2 * i + 1]);

            if (high < 0 || low < 0)
                return false;
            bytes[done + i] = (uint8_t)(16 * high + low);
        }
    }
    return true;
}

bool gdb_fill(struct gdb *gdb, uint32_t address, uint8_t byte, size_t size)
{
    char text[TEXT_MAX];

    for (size_t done = 0; done < size; done += PIECE) {
        size_t piece = size - done < PIECE ? size - done : PIECE;
        int at = snprintf(text, sizeof text, "M%lx,%zx:", (unsigned long)(address + done), piece);

        for (size_t i = 0; i < piece; i++)
            at += snprintf(text + at, sizeof text - (size_t)at, "%02x", byte);
        if (!command_ok(gdb, text))
            return false;
    }
    return true;
}

bool gdb_go(struct gdb *gdb)
{
    return send_packet(gdb, "c");
}

static bool await_stop(struct gdb *gdb, int timeout_ms, void (*meanwhile)(void *context),
                       void *context)
{
    long long end_ms = now_ms() + timeout_ms;
    struct pollfd event = {.fd = gdb->fd, .events = POLLIN};
    char answer[TEXT_MAX];

    while (now_ms() < end_ms) {
        if (poll(&event, 1, TURN_MS) > 0)
            return take_packet(gdb, answer) && answer[0] == 'T';
        if (meanwhile != NULL)
            meanwhile(context);
    }
    return false;
}

bool gdb_go_to(struct gdb *gdb, uint32_t address, int timeout_ms, void (*meanwhile)(void *context),
               void *context)
{
    char set[32];
    char clear[32];

    snprintf(set, sizeof set, "Z1,%lx,2", (unsigned long)address);
    snprintf(clear, sizeof clear, "z1,%lx,2", (unsigned long)address);
    return command_ok(gdb, set) && gdb_go(gdb) && await_stop(gdb, timeout_ms, meanwhile, context) &&
           command_ok(gdb, clear);
}

bool gdb_halt(struct gdb *gdb)
{
    return send(gdb->fd, "\x03", 1, MSG_NOSIGNAL) == 1 && await_stop(gdb, ANSWER_MS, NULL, NULL);
}
