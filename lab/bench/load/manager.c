/* NETCONF sessions with chunks: see manager.h. */
#include "manager.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS     64
#define REPLY_MS   60000
#define HELLO_END  "]]>]]>"
#define CHUNKS_END "\n##\n"
#define FIRST_ROOM 4096u

static const char hello[] =
    "<hello xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\"><capabilities><capability>"
    "urn:ietf:params:netconf:base:1.1</capability></capabilities></hello>" HELLO_END;

static bool send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = send(fd, bytes, size, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes += done;
        size -= (size_t)done;
    }
    return true;
}

static int open_socket(const struct mup_testbed *bed)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s",
             mup_testbed_path(bed, "netconf.sock"));
    if (fd >= 0 && (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
                    !send_all(fd, "as operator\n", 12))) {
        close(fd);
        return -1;
    }
    return fd;
}

static void become_ssh(int fd, const struct mup_testbed *bed)
{
    char port[16];

    snprintf(port, sizeof port, "%d", bed->ssh_port);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(fd, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    execl("/usr/bin/ssh", "ssh", "-F", "none", "-i", mup_testbed_path(bed, "operator_key"), "-p",
          port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
          "LogLevel=ERROR", "-o", "BatchMode=yes", "127.0.0.1", "-s", "netconf", (char *)NULL);
    _exit(127);
}

static int open_ssh(const struct mup_testbed *bed)
{
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    pid = fork();
    if (pid == 0)
        become_ssh(ends[1], bed);
    close(ends[1]);
    if (pid > 0)
        return ends[0];
    close(ends[0]);
    return -1;
}

/* The last bytes of what is there. */
static bool ends_with(const struct mup_manager *manager, const char *end)
{
    size_t size = strlen(end);

    return manager->size >= size && memcmp(manager->text + manager->size - size, end, size) == 0;
}

/* Read what is there without waiting; false when the session has ended. */
static bool read_some(struct mup_manager *manager)
{
    if (manager->capacity - manager->size < FIRST_ROOM) {
        manager->capacity = manager->capacity == 0 ? FIRST_ROOM : manager->capacity;
        manager->capacity *= 2;
        manager->text = realloc(manager->text, manager->capacity);
        if (manager->text == NULL)
            abort();
    }
    ssize_t got =
        recv(manager->fd, manager->text + manager->size, manager->capacity - manager->size - 1, 0);
    if (got > 0)
        manager->size += (size_t)got;
    manager->text[manager->size] = '\0';
    return got > 0 || (got < 0 && errno == EINTR);
}

static bool wait_for(struct mup_manager *manager, const char *end)
{
    struct pollfd one = {.fd = manager->fd, .events = POLLIN};

    while (!ends_with(manager, end))
        if (poll(&one, 1, REPLY_MS) <= 0 || !read_some(manager))
            return false;
    return true;
}

bool mup_manager_open(struct mup_manager *manager, const struct mup_testbed *bed, bool over_ssh)
{
    *manager = (struct mup_manager){.fd = over_ssh ? open_ssh(bed) : open_socket(bed)};
    if (manager->fd >= 0 && send_all(manager->fd, hello, sizeof hello - 1) &&
        wait_for(manager, HELLO_END)) {
        manager->hello_size = manager->size;
        return true;
    }
    fprintf(stderr, "bench-load: no NETCONF session%s\n", over_ssh ? " over SSH" : "");
    mup_manager_close(manager);
    return false;
}

void mup_manager_close(struct mup_manager *manager)
{
    if (manager->fd >= 0)
        close(manager->fd);
    manager->fd = -1;
    free(manager->text);
    manager->text = NULL;
    manager->size = manager->capacity = 0;
}

bool mup_manager_send(struct mup_manager *manager, const char *xml)
{
    char message[2048];
    int size = snprintf(message, sizeof message, "\n#%zu\n%s" CHUNKS_END, strlen(xml), xml);

    manager->size = 0;
    return size > 0 && (size_t)size < sizeof message &&
           send_all(manager->fd, message, (size_t)size);
}

int mup_manager_take(struct mup_manager *manager)
{
    if (!read_some(manager))
        return -1;
    return ends_with(manager, CHUNKS_END) ? 1 : 0;
}

bool mup_manager_ask(struct mup_manager *manager, const char *xml)
{
    return mup_manager_send(manager, xml) && wait_for(manager, CHUNKS_END);
}

bool mup_manager_says(const struct mup_manager *manager, const char *word)
{
    return manager->text != NULL && strstr(manager->text, word) != NULL;
}

size_t mup_manager_count(const struct mup_manager *manager, const char *word)
{
    size_t count = 0;

    for (const char *at = manager->text; at != NULL && (at = strstr(at, word)) != NULL;
         at += strlen(word))
        count++;
    return count;
}

/* ---- many at once ---- */

struct load {
    struct mup_manager *managers;
    char *const *requests;
    double *sent_us;
    double end_us;
    volatile const int *stop;
    struct mup_samples *samples;
    size_t outstanding;
};

static bool is_over(const struct load *load)
{
    return load->stop != NULL ? *load->stop != 0 : mup_now_us() >= load->end_us;
}

static bool send_next(struct load *load, size_t index)
{
    if (is_over(load))
        return true;
    load->sent_us[index] = mup_now_us();
    load->outstanding++;
    return mup_manager_send(&load->managers[index], load->requests[index]);
}

static bool take_one(struct load *load, size_t index)
{
    struct mup_manager *manager = &load->managers[index];
    int whole = mup_manager_take(manager);

    if (whole == 0)
        return true;
    if (whole < 0 || !mup_manager_says(manager, "10_OK")) {
        fprintf(stderr, "bench-load: a session got %s\n", whole < 0 ? "no reply" : manager->text);
        return false;
    }
    mup_samples_add(load->samples, mup_now_us() - load->sent_us[index]);
    load->outstanding--;
    return send_next(load, index);
}

static bool turn(struct load *load, int poller)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, REPLY_MS);

    if (count <= 0) {
        fprintf(stderr, "bench-load: %zu replies did not come\n", load->outstanding);
        return count < 0 && errno == EINTR;
    }
    for (int i = 0; i < count; i++)
        if (!take_one(load, events[i].data.u64))
            return false;
    return true;
}

bool mup_manager_load(struct mup_manager *managers, char *const *requests, size_t count,
                      double seconds, volatile const int *stop, struct mup_samples *samples)
{
    struct load load = {.managers = managers,
                        .requests = requests,
                        .sent_us = calloc(count, sizeof(double)),
                        .end_us = mup_now_us() + seconds * 1e6,
                        .stop = stop,
                        .samples = samples};
    int poller = epoll_create1(EPOLL_CLOEXEC);
    bool good = poller >= 0 && load.sent_us != NULL;

    for (size_t i = 0; i < count && good; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        good = epoll_ctl(poller, EPOLL_CTL_ADD, managers[i].fd, &event) == 0;
    }
    for (size_t i = 0; i < count && good; i++)
        good = send_next(&load, i);
    while (good && load.outstanding > 0)
        good = turn(&load, poller);
    close(poller);
    free(load.sent_us);
    return good;
}
