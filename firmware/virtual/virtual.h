/*
 * What the parts of the virtual device share: its subcommands, its flash, its images, its log.
 */
#ifndef MUP_VIRTUAL_H
#define MUP_VIRTUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/agent.h"
#include "mup/flash_map.h"
#include "mup/port/posix.h"

/* Exit codes of every subcommand. */
#define EXIT_FAILED 1 /* it did not work */
#define EXIT_USAGE  2 /* it was not understood */

int virtual_run(int argc, char **argv);
int virtual_factory(int argc, char **argv);
int virtual_image(int argc, char **argv);

/* A whole number from `least` to `most`; false and a message on standard error otherwise. */
bool virtual_number(uint32_t *out, const char *option, const char *text, uint32_t least,
                    uint32_t most);

/* ---- options.c: what mup-device run was told ------------------------------------------------ */

#define VIRTUAL_BROKER_MAX 256u

struct virtual_options {
    const char *flash_path;
    const char *description_path;
    const char *password_path;
    const char *user;
    const char *app_id;
    const char *hardware_class;
    char broker[VIRTUAL_BROKER_MAX];
    const char *broker_port;
    uint32_t window_size;
    uint32_t slice_size;
    uint32_t flow; /* enum mup_flow */
    uint32_t pause_ms;
    uint32_t receive_maximum;
    uint32_t block_size;
    uint32_t interval_s;
    uint32_t keep_alive_s;
    uint32_t token_lifetime_s;
    uint32_t trial_s;
    uint32_t watchdog_ms;
    uint32_t seed;
    bool no_alias;
    bool json;
};

/* 0: go on; else the exit code plus 1, after a message. The texts are those of argv. */
int virtual_parse_options(struct virtual_options *options, int argc, char **argv);

/* ---- flash.c: where things lie in the flash file ------------------------------------------- */

struct virtual_flash {
    struct mup_posix_flash file;
    struct mup_port_flash port;
    struct mup_flash_map map;
};

/* The largest image for which there can be a flash file: the boot journal counts 2,047 pages. */
#define VIRTUAL_IMAGE_SIZE_MAX (2046u * 4096u)

/* Bytes of a flash file whose slots take images of `image_size_max` bytes. */
uint32_t virtual_flash_size(uint32_t image_size_max);

/* Open a flash file, whose size says how large the slots are; `size` not 0: make it. Returns false
 * after a message on standard error. */
bool virtual_flash_open(struct virtual_flash *flash, const char *path, uint32_t size);

/* ---- image.c: what a virtual image is ------------------------------------------------------ */

/*
 * "mup-virtual-image 1\n" "version=N\n" ["fault=NAME\n"] "\n", then filler. To run it is to read
 * this header from the execution slot and to behave as it says.
 */
enum virtual_fault {
    FAULT_NONE,
    FAULT_HANG,       /* does nothing until the watchdog resets it */
    FAULT_CRASH,      /* resets at once */
    FAULT_NO_CONNECT, /* runs, and never connects */
    FAULT_RESET_LOOP, /* resets whenever the broker has taken its connection */
    FAULT_GARBAGE,    /* is no image at all: no header says so */
};

struct virtual_image {
    uint32_t version;
    enum virtual_fault fault;
};

/* Read a header from the first bytes of an image; false if it is none. */
bool virtual_image_parse(struct virtual_image *out, const char *bytes, size_t size);

/* ---- log.c: one line for each event -------------------------------------------------------- */

struct virtual_field {
    const char *name;
    const char *text; /* NULL: `number` counts */
    uint32_t number;
};

void virtual_log_open(bool json, const char *device);

/* Fields end with one that has no name. */
void virtual_log(const char *event, const struct virtual_field *fields);

/* ---- application.c: lamp and thermometer --------------------------------------------------- */

#define VIRTUAL_TOPIC_COUNT 2u
extern const char *const virtual_topics[VIRTUAL_TOPIC_COUNT];

struct virtual_application {
    uint32_t interval_ms;
    uint32_t published_ms;
    uint32_t noise; /* state of the thermometer's pseudo-random walk */
    int32_t tenths; /* of a degree */
    bool lamp;
    uint32_t certificate; /* what became of it, not told yet; 0: nothing to tell */
};

void virtual_application_init(struct virtual_application *application, uint32_t interval_s,
                              uint32_t seed, uint32_t now_ms);
void virtual_application_command(struct virtual_application *application,
                                 struct mup_agent_answer *answer,
                                 const struct mup_agent_call *call);
/* Takes in what the agent tells; what is of interest to others is published at the next tick. */
void virtual_application_notice(struct virtual_application *application,
                                enum mup_agent_notice notice, uint32_t state);
/* Publishes when it is time; returns in how many ms it is time again. */
uint32_t virtual_application_tick(struct virtual_application *application, struct mup_agent *agent,
                                  uint32_t now_ms);

#endif
