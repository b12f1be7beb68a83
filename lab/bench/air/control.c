/* The router's control socket: one command a line, one line of JSON as answer (mup-router(1)). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "air.h"

#define ANSWER_MAX  65536u
#define PATIENCE_S  20
#define COMMAND_MAX 256u

static int connect_router(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Up to the end of the line, which is cut off. */
static bool read_line(int fd, char text[ANSWER_MAX])
{
    size_t size = 0;

    while (size < ANSWER_MAX - 1) {
        ssize_t got = recv(fd, text + size, ANSWER_MAX - 1 - size, 0);
        char *end;

        if (got <= 0)
            return false;
        size += (size_t)got;
        text[size] = '\0';
        end = strchr(text, '\n');
        if (end != NULL) {
            *end = '\0';
            return true;
        }
    }
    return false;
}

json_t *mup_air_command(struct mup_air_lab *lab, const char *format, ...)
{
    static char text[ANSWER_MAX];
    char command[COMMAND_MAX];
    json_t *answer = NULL;
    va_list list;
    size_t size;
    int fd;

    if (!lab->has_control)
        return json_object();
    fd = connect_router(mup_testbed_path(&lab->bed, "control"));
    va_start(list, format);
    vsnprintf(command, sizeof command - 1, format, list);
    va_end(list);
    size = strlen(command);
    command[size] = '\n';
    if (fd >= 0 && send(fd, command, size + 1, MSG_NOSIGNAL) == (ssize_t)size + 1 &&
        read_line(fd, text))
        answer = json_loads(text, 0, NULL);
    if (fd >= 0)
        close(fd);
    if (answer != NULL && json_object_get(answer, "error") == NULL)
        return answer;
    mup_air_fail(lab, "the router did not do '%.*s': %.100s", (int)size, command,
                 answer == NULL ? "no answer"
                                : json_string_value(json_object_get(answer, "error")));
    json_decref(answer);
    return NULL;
}
