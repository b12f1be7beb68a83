/* Frames to and from sockets: see devices.h. */
#include "devices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"
#include "listen.h"

#define OUT_SIZE  (256u * 1024u) /* bytes that wait for a device that does not read */
#define READ_SIZE 4096u

struct device {
    int fd; /* -1: unused */
    struct mup_frame_reader reader;
    uint8_t out[OUT_SIZE];
    size_t out_size;
};

struct mup_devices {
    struct mup_devices_calls calls;
    int listener;
    struct device devices[MUP_DEVICES_MAX];
};

static void drop(struct mup_devices *devices, struct device *device)
{
    close(device->fd);
    device->fd = -1;
    device->reader = (struct mup_frame_reader){.wanted = 0};
    device->out_size = 0;
    devices->calls.went(devices->calls.context, (unsigned)(device - devices->devices));
}

/* A device that has gone is noticed by reading, in mup_devices_handle() alone. */
static void flush(struct device *device)
{
    ssize_t sent = send(device->fd, device->out, device->out_size, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        device->out_size = 0;
    if (sent <= 0)
        return;
    memmove(device->out, device->out + sent, device->out_size - (size_t)sent);
    device->out_size -= (size_t)sent;
}

void mup_devices_give(struct mup_devices *devices, unsigned number, const uint8_t *psdu,
                      size_t size)
{
    struct device *device = &devices->devices[number];

    if (device->fd < 0 || device->out_size + 1 + size > OUT_SIZE)
        return;
    device->out[device->out_size++] = (uint8_t)size;
    memcpy(device->out + device->out_size, psdu, size);
    device->out_size += size;
    flush(device);
}

static void read_device(struct mup_devices *devices, struct device *device)
{
    uint8_t bytes[READ_SIZE];
    ssize_t got = recv(device->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    size_t at = 0;

    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        drop(devices, device);
        return;
    }
    while (got > 0 && at < (size_t)got && device->fd >= 0) {
        bool complete;
        at += mup_frame_take(&device->reader, bytes + at, (size_t)got - at, &complete);
        if (complete)
            devices->calls.sent(devices->calls.context, (unsigned)(device - devices->devices),
                                device->reader.bytes, device->reader.size);
    }
}

static void accept_device(struct mup_devices *devices)
{
    int fd = accept4(devices->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    for (unsigned i = 0; i < MUP_DEVICES_MAX; i++)
        if (devices->devices[i].fd < 0) {
            devices->devices[i].fd = fd;
            devices->calls.came(devices->calls.context, i);
            return;
        }
    close(fd);
}

nfds_t mup_devices_poll_set(const struct mup_devices *devices, struct pollfd *set)
{
    nfds_t count = 0;

    set[count++] = (struct pollfd){.fd = devices->listener, .events = POLLIN};
    for (size_t i = 0; i < MUP_DEVICES_MAX; i++)
        if (devices->devices[i].fd >= 0)
            set[count++] = (struct pollfd){
                .fd = devices->devices[i].fd,
                .events = (short)(POLLIN | (devices->devices[i].out_size > 0 ? POLLOUT : 0))};
    return count;
}

void mup_devices_handle(struct mup_devices *devices, const struct pollfd *set, nfds_t count)
{
    for (nfds_t n = 0; n < count; n++) {
        if (set[n].revents == 0)
            continue;
        if (set[n].fd == devices->listener)
            accept_device(devices);
        for (size_t i = 0; i < MUP_DEVICES_MAX; i++) {
            struct device *device = &devices->devices[i];
            if (device->fd != set[n].fd || device->fd < 0)
                continue;
            if ((set[n].revents & POLLOUT) != 0)
                flush(device);
            if ((set[n].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
                read_device(devices, device);
            break;
        }
    }
}

struct mup_devices *mup_devices_open(const char *socket_path, const struct mup_devices_calls *calls)
{
    struct mup_devices *devices = calloc(1, sizeof *devices);

    if (devices == NULL)
        return NULL;
    devices->calls = *calls;
    for (size_t i = 0; i < MUP_DEVICES_MAX; i++)
        devices->devices[i].fd = -1;
    devices->listener = mup_listen("--radio", socket_path, MUP_DEVICES_MAX);
    if (devices->listener < 0) {
        free(devices);
        return NULL;
    }
    return devices;
}

void mup_devices_close(struct mup_devices *devices)
{
    for (size_t i = 0; i < MUP_DEVICES_MAX; i++)
        if (devices->devices[i].fd >= 0)
            drop(devices, &devices->devices[i]);
    close(devices->listener);
    free(devices);
}
