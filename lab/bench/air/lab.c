/* The edge of a lab, and router and devices of a run. */
#include <dirent.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "air.h"

#define UP_TIMEOUT_US 120000000
#define TOPIC_EVENT   "event/" /* where firmware/microbit tells what became of a certificate */
#define QUIET_MS      300      /* after the last word of the last device */
#define QUIET_MAX     40u      /* times that, at most */
#define EDGE_PRIORITY 5        /* of SCHED_FIFO: the devices have 1, the router 20 */

/*
 * An emulated device that computes takes a quarter of a processor. If more than so many check their
 * signatures under SCHED_FIFO, nothing is left to anybody, and Linux stops all of SCHED_FIFO,
 * router included, for 50 ms of each second (sched(7), sched_rt_runtime_us). So many wait for their
 * turn then like anything else, and are urgent from the first slice on.
 */
#define FIFO_DEVICES_MAX 4u
#define REAL_TIME        "shift=6,align=on,sleep=on" /* as of mup-microbit run --real-time */

int64_t mup_air_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool mup_air_fail(struct mup_air_lab *lab, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    if (lab->error[0] == '\0')
        vsnprintf(lab->error, sizeof lab->error, format, list);
    va_end(list);
    return false;
}

void mup_air_hurry(bool urgent)
{
    const struct sched_param edge = {.sched_priority = urgent ? EDGE_PRIORITY : 0};

    (void)sched_setscheduler(0, urgent ? SCHED_FIFO : SCHED_OTHER, &edge);
}

/* ---- the edge ---- */

bool mup_air_open(struct mup_air_lab *lab, const char *bin, const char *source,
                  volatile const int *stop)
{
    struct mup_testbed *bed = &lab->bed;

    if (!mup_testbed_init(bed, bin, source, stop))
        return false;
    if (!mup_testbed_microbit_is_built(bed)) {
        fprintf(stderr, "bench-radio: the firmware is not built: ./dev build microbit\n");
        return false;
    }
    if (!mup_testbed_release_microbit_as(bed, MUP_AIR_OLDER, MUP_AIR_IMAGE_SIZE, "ok") ||
        !mup_testbed_release_microbit_as(bed, MUP_AIR_RELEASE, MUP_AIR_IMAGE_SIZE, "ok") ||
        !mup_testbed_start_edge(bed))
        return false;
    lab->released = MUP_AIR_RELEASE;
    snprintf(lab->rest_url, sizeof lab->rest_url, "http://127.0.0.1:%d", bed->rest_port);
    snprintf(lab->token_file, sizeof lab->token_file, "%s", mup_testbed_path(bed, "token"));
    lab->rest = (struct mup_rest){lab->rest_url, lab->token_file};
    return true;
}

void mup_air_close(struct mup_air_lab *lab)
{
    mup_air_end(lab);
    mup_testbed_end(&lab->bed);
}

/* ---- the router ---- */

static bool start_router(struct mup_air_lab *lab, const struct mup_air_row *row)
{
    static char control[MUP_TESTBED_PATH_MAX + 128];
    size_t count = 0;

    for (size_t i = 0; row->router[i] != NULL; i++)
        lab->bed.router_arguments[count++] = row->router[i];
    snprintf(control, sizeof control, "%s", mup_testbed_path(&lab->bed, "control"));
    lab->has_control = count != 0;
    if (lab->has_control) {
        lab->bed.router_arguments[count++] = "--control";
        lab->bed.router_arguments[count++] = control;
    }
    lab->bed.router_arguments[count] = NULL;
    unlink(control);
    unlink(mup_testbed_path(&lab->bed, "radio"));
    if (!mup_testbed_start_router(&lab->bed))
        return mup_air_fail(lab, "the router did not start");
    for (size_t i = 0; i < lab->bed.processes.count; i++)
        if (strcmp(lab->bed.processes.list[i].name, "mup-router") == 0)
            lab->router = &lab->bed.processes.list[i];
    return true;
}

/* ---- the devices ---- */

/* A name of this size that no device of this lab had. */
static void give_name(struct mup_air_lab *lab, struct mup_testbed_device *device, unsigned size)
{
    size_t length;

    if (size == 0)
        return;
    length = (size_t)snprintf(device->name, sizeof device->name, "bench-%u-", lab->names);
    for (; length < size && length < sizeof device->name - 1; length++)
        device->name[length] = (char)('a' + length % 26);
    device->name[length] = '\0';
}

static bool make(struct mup_air_lab *lab, struct mup_air_device *made,
                 const struct mup_air_row *row, unsigned number)
{
    char flash[48];

    *made = (struct mup_air_device){
        .device = {.process = made->process_name, .version = MUP_AIR_FACTORY}};
    if (row->devices <= FIFO_DEVICES_MAX)
        made->device.run_arguments[0] = "--real-time";
    else {
        made->device.arguments[0] = "-icount";
        made->device.arguments[1] = REAL_TIME;
    }
    lab->names++;
    snprintf(made->process_name, sizeof made->process_name, "board-%u", number);
    give_name(lab, &made->device, row->name_size);
    memcpy(made->device.factory_arguments, row->factory, sizeof row->factory);
    snprintf(flash, sizeof flash, "%s.flash", made->process_name);
    unlink(mup_testbed_path(&lab->bed, flash));
    return mup_testbed_make_microbit(&lab->bed, &made->device) ||
           mup_air_fail(lab, "the factory made no device");
}

static bool is_from(const struct mup_tap_message *message, const char *prefix,
                    const struct mup_air_device *device)
{
    size_t size = strlen(prefix);

    return strncmp(message->topic, prefix, size) == 0 &&
           strcmp(message->topic + size, device->device.name) == 0;
}

static bool await_certificate(struct mup_air_lab *lab, const struct mup_air_device *device,
                              int64_t deadline_us)
{
    struct mup_tap_message message;
    size_t mark = 0; /* each from the beginning: they come in any order */

    while (mup_air_now_us() < deadline_us) {
        mup_process_pump(&lab->bed.processes, 0);
        if (mup_tap_next(lab->tap, &mark, 100, &message)) {
            if (is_from(&message, TOPIC_EVENT, device) && message.size >= 14 &&
                memcmp(message.payload, "certificate 10", 14) == 0)
                return true;
        } else if (!mup_process_is_running(device->process))
            return mup_air_fail(lab, "%s has ended", device->process_name);
    }
    return mup_air_fail(lab, "%s took no certificate", device->process_name);
}

/* Nobody has said anything for a while. */
static void await_quiet(struct mup_air_lab *lab)
{
    struct mup_tap_message message;
    size_t mark = mup_tap_mark(lab->tap);

    for (unsigned i = 0; i < QUIET_MAX && mup_tap_next(lab->tap, &mark, QUIET_MS, &message); i++)
        continue;
    lab->mark = mark;
}

/* All threads of QEMU. */
static void hurry(const struct mup_air_device *device)
{
    const struct sched_param first = {.sched_priority = MUP_AIR_DEVICE_PRIORITY};
    char path[32];
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%ld/task", (long)device->process->pid);
    folder = opendir(path);
    if (folder == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (atol(entry->d_name) > 0)
            (void)sched_setscheduler((pid_t)atol(entry->d_name), SCHED_FIFO, &first);
    closedir(folder);
}

void mup_air_hurry_devices(struct mup_air_lab *lab)
{
    for (size_t i = 0; i < lab->device_count; i++)
        if (lab->devices[i].process != NULL && lab->devices[i].process->pid > 0)
            hurry(&lab->devices[i]);
}

static bool start(struct mup_air_lab *lab, struct mup_air_device *device)
{
    bool is_fifo = device->device.run_arguments[0] != NULL;

    mup_air_hurry(is_fifo);
    device->process = mup_testbed_start_microbit(&lab->bed, &device->device);
    mup_air_hurry(true);
    return device->process != NULL || mup_air_fail(lab, "%s does not start", device->process_name);
}

bool mup_air_begin(struct mup_air_lab *lab, const struct mup_air_row *row)
{
    int64_t deadline_us = mup_air_now_us() + UP_TIMEOUT_US;

    lab->error[0] = '\0';
    lab->device_count = 0;
    lab->tap = mup_tap_open(lab->bed.broker_port, "eavesdropper",
                            mup_testbed_password(&lab->bed, "eavesdropper"), "#");
    if (lab->tap == NULL)
        return mup_air_fail(lab, "the broker does not answer");
    if (!start_router(lab, row))
        return false;
    for (unsigned i = 0; i < row->devices; i++) {
        if (!make(lab, &lab->devices[i], row, i) || !start(lab, &lab->devices[i]))
            return false;
        lab->device_count++;
    }
    for (size_t i = 0; i < lab->device_count; i++)
        if (!await_certificate(lab, &lab->devices[i], deadline_us))
            return false;
    await_quiet(lab);
    return true;
}

void mup_air_stop_radio(struct mup_air_lab *lab)
{
    for (size_t i = 0; i < lab->device_count; i++)
        if (lab->devices[i].process != NULL)
            mup_process_kill(lab->devices[i].process);
    if (lab->router != NULL)
        mup_process_stop(&lab->bed.processes, lab->router, 3000);
    lab->router = NULL;
}

void mup_air_end(struct mup_air_lab *lab)
{
    mup_air_stop_radio(lab);
    lab->device_count = 0;
    mup_tap_close(lab->tap);
    lab->tap = NULL;
}

/* Its presence comes after its connection is complete. */
bool mup_air_restart(struct mup_air_lab *lab, struct mup_air_device *device)
{
    struct mup_tap_message message;
    char topic[MUP_TOPIC_MAX + 1];
    size_t mark;

    mup_process_kill(device->process);
    mark = mup_tap_mark(lab->tap);
    snprintf(topic, sizeof topic, "%s%s", MUP_TOPIC_BOOTSTRAP, device->device.name);
    if (!start(lab, device))
        return false;
    if (!mup_tap_wait(lab->tap, &mark, topic, NULL, 0, UP_TIMEOUT_US / 1000, &message))
        return mup_air_fail(lab, "%s did not come back", device->process_name);
    await_quiet(lab);
    return true;
}
