/* Commands and answers: see control.h. */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listen.h"
#include "report.h"

#define LINE_SIZE_MAX 512u

struct client {
    int fd; /* -1: unused */
    size_t size;
    char line[LINE_SIZE_MAX];
};

struct mup_control {
    struct mup_air *air;
    const struct mup_realtime *realtime;
    int listener;
    struct client clients[MUP_CONTROL_CLIENTS_MAX];
};

/* ---- commands -------------------------------------------------------------------------------- */

static json_t *refuse(const char *what, const char *why)
{
    json_t *text = json_sprintf("%s %s", what, why);

    if (text == NULL) /* JSON cannot quote it */
        text = json_string("the line is not UTF-8");
    return json_pack("{s:o}", "error", text);
}

/* All settings of a line, or none. */
static json_t *set(struct mup_air *air, char **rest)
{
    struct mup_faults faults = *mup_air_faults(air);
    char *word;
    unsigned count = 0;

    while ((word = strtok_r(NULL, " ", rest)) != NULL) {
        char *equals = strchr(word, '=');
        const char *why;

        if (equals == NULL)
            return refuse(word, "is no NAME=VALUE");
        *equals = '\0';
        if (!mup_faults_set(&faults, word, equals + 1, &why))
            return refuse(word, why);
        count++;
    }
    if (count == 0)
        return refuse("set", "wants NAME=VALUE");
    mup_air_set_faults(air, &faults);
    return json_pack("{s:b, s:o}", "ok", 1, "faults", mup_report_faults(&faults));
}

static json_t *obey(struct mup_control *control, char *line)
{
    char *rest;
    const char *command = strtok_r(line, " ", &rest);

    if (command != NULL && strcmp(command, "set") == 0)
        return set(control->air, &rest);
    if (command != NULL && strtok_r(NULL, " ", &rest) != NULL)
        return refuse(command, "takes nothing more");
    if (command != NULL && strcmp(command, "report") == 0)
        return mup_report(control->air, control->realtime);
    if (command != NULL && strcmp(command, "reset") == 0) {
        mup_air_reset(control->air);
        return json_pack("{s:b}", "ok", 1);
    }
    return refuse(command == NULL ? "an empty line" : command, "is none of report, reset, set");
}

/* ---- clients --------------------------------------------------------------------------------- */

static void drop(struct client *client)
{
    close(client->fd);
    client->fd = -1;
    client->size = 0;
}

/* A client that does not read its answers is left. */
static void answer(struct client *client, json_t *what)
{
    char *text = json_dumps(what, JSON_COMPACT | JSON_REAL_PRECISION(6));
    size_t size = text == NULL ? 0 : strlen(text);

    json_decref(what);
    if (text == NULL) {
        drop(client);
        return;
    }
    text[size] = '\n'; /* in the place of its end */
    if (send(client->fd, text, size + 1, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)(size + 1))
        drop(client);
    free(text);
}

static void take_lines(struct mup_control *control, struct client *client)
{
    char *end;

    while (client->fd >= 0 && (end = memchr(client->line, '\n', client->size)) != NULL) {
        size_t taken = (size_t)(end - client->line) + 1;

        *end = '\0';
        if (end > client->line && end[-1] == '\r')
            end[-1] = '\0';
        answer(client, obey(control, client->line));
        client->size = client->fd < 0 ? 0 : client->size - taken;
        memmove(client->line, client->line + taken, client->size);
    }
    if (client->fd >= 0 && client->size == sizeof client->line) {
        answer(client, refuse("a line", "is too long"));
        if (client->fd >= 0)
            drop(client);
    }
}

static void read_client(struct mup_control *control, struct client *client)
{
    ssize_t got = recv(client->fd, client->line + client->size, sizeof client->line - client->size,
                       MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        drop(client);
        return;
    }
    client->size += (size_t)got;
    take_lines(control, client);
}

static void accept_client(struct mup_control *control)
{
    int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    for (size_t i = 0; i < MUP_CONTROL_CLIENTS_MAX; i++)
        if (control->clients[i].fd < 0) {
            control->clients[i].fd = fd;
            return;
        }
    close(fd);
}

struct mup_control *mup_control_open(const char *socket_path, struct mup_air *air,
                                     const struct mup_realtime *realtime)
{
    struct mup_control *control = calloc(1, sizeof *control);

    if (control == NULL)
        return NULL;
    control->air = air;
    control->realtime = realtime;
    for (size_t i = 0; i < MUP_CONTROL_CLIENTS_MAX; i++)
        control->clients[i].fd = -1;
    control->listener = mup_listen("--control", socket_path, MUP_CONTROL_CLIENTS_MAX);
    if (control->listener < 0) {
        free(control);
        return NULL;
    }
    return control;
}

void mup_control_close(struct mup_control *control)
{
    for (size_t i = 0; i < MUP_CONTROL_CLIENTS_MAX; i++)
        if (control->clients[i].fd >= 0)
            drop(&control->clients[i]);
    close(control->listener);
    free(control);
}

nfds_t mup_control_poll_set(const struct mup_control *control, struct pollfd *set)
{
    nfds_t count = 0;

    set[count++] = (struct pollfd){.fd = control->listener, .events = POLLIN};
    for (size_t i = 0; i < MUP_CONTROL_CLIENTS_MAX; i++)
        if (control->clients[i].fd >= 0)
            set[count++] = (struct pollfd){.fd = control->clients[i].fd, .events = POLLIN};
    return count;
}

void mup_control_handle(struct mup_control *control, const struct pollfd *set, nfds_t count)
{
    for (nfds_t n = 0; n < count; n++) {
        if (set[n].revents == 0)
            continue;
        if (set[n].fd == control->listener)
            accept_client(control);
        for (size_t i = 0; i < MUP_CONTROL_CLIENTS_MAX; i++)
            if (control->clients[i].fd == set[n].fd)
                read_client(control, &control->clients[i]);
    }
}
