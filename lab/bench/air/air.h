/*
 * bench-radio: updates of emulated micro:bits over the radio of the lab, measured one by one.
 *
 * A lab is a whole edge (broker, bridge, update server, repository) that lives for all of its runs.
 * Each run has a router and devices of its own: made in the factory with the settings of its row,
 * started, brought to the broker, then updated under the faults of its row. What crosses the
 * broker says when what happened, the router's report says how many bytes the radio carried, and
 * the capture says it again.
 */
#ifndef MUP_BENCH_AIR_H
#define MUP_BENCH_AIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "rest.h"
#include "tap.h"
#include "testbed.h"

#define MUP_AIR_WORDS_MAX       (MUP_TESTBED_ARGUMENTS_MAX - 3u) /* room for three of ours */
#define MUP_AIR_DEVICES_MAX     10u
#define MUP_AIR_TEXT_MAX        128u
#define MUP_AIR_ERROR_MAX       256u
#define MUP_AIR_IMAGE_SIZE      87800u /* the paper's */

#define MUP_AIR_DEVICE_PRIORITY 1 /* of SCHED_FIFO, as mup-microbit run --real-time has it */

/* Versions. */
#define MUP_AIR_OLDER   1u
#define MUP_AIR_FACTORY 2u /* that devices are born with */
#define MUP_AIR_RELEASE 3u /* of MUP_AIR_IMAGE_SIZE bytes */

enum mup_air_kind {
    MUP_AIR_UPDATE,    /* an update of each device, until verify is answered */
    MUP_AIR_REPLAY,    /* a manifest of an earlier life of the device, until it is refused */
    MUP_AIR_DOWNGRADE, /* an older version, until it is refused */
    MUP_AIR_RPC,       /* the image as hexadecimal text through RPCs of the bridge (paper 5.4) */
};

/* What one run is: a line of standard input (see main.c). Texts live as long as the line does. */
struct mup_air_row {
    const json_t *line;
    enum mup_air_kind kind;
    unsigned devices;
    unsigned name_size;  /* bytes of a device's name; 0: its UUID is its name */
    uint32_t image_size; /* bytes */
    unsigned cut_s;      /* the link is gone for so long in mid-transfer; 0: never */
    unsigned timeout_s;
    const char *faults;  /* words of the router's command `set`; NULL: none */
    const char *capture; /* where to keep the capture; NULL: nowhere */
    const char *factory[MUP_AIR_WORDS_MAX];
    const char *router[MUP_AIR_WORDS_MAX]; /* --control and its path come behind them */
};

/* One device of a run, and when what happened: microseconds of CLOCK_MONOTONIC, 0: not yet. */
struct mup_air_device {
    struct mup_testbed_device device;
    struct mup_process *process;
    char process_name[24];
    int64_t token_us;    /* a device token was requested */
    int64_t slice_us;    /* the first slice was published */
    int64_t accepted_us; /* the last block was accepted */
    int64_t verify_us;   /* it was told to verify */
    int64_t verified_us; /* it has answered that */
    uint32_t next;       /* payload bytes that it has acknowledged */
    uint32_t slices;     /* messages */
    uint32_t acks;       /* messages */
    uint32_t rewinds;    /* the sender had to go back */
    uint32_t attempt;    /* of the newest acknowledgement */
    uint32_t state;      /* with which it answered last */
};

struct mup_air_lab {
    struct mup_testbed bed;
    struct mup_tap *tap;
    size_t mark;      /* of the tap */
    int64_t count_us; /* since then the router counts for this run */
    struct mup_rest rest;
    char rest_url[64];
    char token_file[MUP_TESTBED_PATH_MAX + 128];
    struct mup_process *router;
    bool has_control;  /* false: a router on which frames take no time, which has nothing to tell */
    uint32_t released; /* versions are released up to this one */
    uint32_t payload_size;
    unsigned names; /* given so far */
    struct mup_air_device devices[MUP_AIR_DEVICES_MAX];
    size_t device_count;
    char error[MUP_AIR_ERROR_MAX]; /* why a run failed */
};

/* ---- lab.c ---- */

/* Edge and releases. On false the reason is on stderr; close it all the same. */
bool mup_air_open(struct mup_air_lab *lab, const char *bin, const char *source,
                  volatile const int *stop);
void mup_air_close(struct mup_air_lab *lab);

/* Router and devices of a run, until each has its certificate and the radio is quiet. */
bool mup_air_begin(struct mup_air_lab *lab, const struct mup_air_row *row);

/* Devices and router end, at once. What was noted of the devices stays until mup_air_end(). */
void mup_air_stop_radio(struct mup_air_lab *lab);
void mup_air_end(struct mup_air_lab *lab);

/* The power of a device fails and comes back; waits until it is at the broker again. */
bool mup_air_restart(struct mup_air_lab *lab, struct mup_air_device *device);

/* Note why a run failed; returns false. */
__attribute__((format(printf, 2, 3))) bool mup_air_fail(struct mup_air_lab *lab, const char *format,
                                                        ...);

int64_t mup_air_now_us(void);

/* Let what is started from here on run under SCHED_FIFO, below the router and above the devices,
 * which choose for themselves: the edge is to be as quick as on a machine that does nothing else.
 * Or, with false, like anything else. Where it is not permitted all goes on without; the router's
 * report says whether that is so. */
void mup_air_hurry(bool urgent);

/* The devices under SCHED_FIFO, too, where they are so many that they were not before. */
void mup_air_hurry_devices(struct mup_air_lab *lab);

/* ---- control.c ---- */

/* Give the router a command; its answer, or NULL after mup_air_fail(). A router without --air is
 * told nothing, and answers nothing. */
json_t *mup_air_command(struct mup_air_lab *lab, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- transfer.c, reject.c, rpc.c: what is measured ---- */

/* Each: make ready, mup_air_count(), do it; the times are in the devices then. */
bool mup_air_update(struct mup_air_lab *lab, const struct mup_air_row *row);
bool mup_air_replay(struct mup_air_lab *lab, const struct mup_air_row *row);
bool mup_air_downgrade(struct mup_air_lab *lab, const struct mup_air_row *row);
bool mup_air_rpc(struct mup_air_lab *lab, const struct mup_air_row *row);

/* Take what the tap sees into the devices' times until `done`, or false at the deadline. */
bool mup_air_follow(struct mup_air_lab *lab, bool (*done)(const struct mup_air_lab *lab),
                    int64_t deadline_us);

/* Begin an update of each device to `version`; with force the server does not look first. */
bool mup_air_deploy(struct mup_air_lab *lab, uint32_t version, bool force);

/* ---- run.c ---- */

/* From here on there are the row's faults, and the router counts from zero. */
bool mup_air_count(struct mup_air_lab *lab, const struct mup_air_row *row);

/* One run from begin to end, as an object to print. */
json_t *mup_air_run(struct mup_air_lab *lab, const struct mup_air_row *row);

/* ---- row.c ---- */

/* False after a message in `error`. */
bool mup_air_row_read(struct mup_air_row *row, const json_t *line, char error[MUP_AIR_ERROR_MAX]);

#endif
