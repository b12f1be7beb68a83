/*
 * The testbed: a whole edge on this machine's loopback, as real as it gets.
 *
 * A mosquitto with a user and an access-control pattern for each client, an sshd, the bridge, the
 * update server, virtual devices, a vendor with keys and a release repository: each with keys,
 * passwords and configuration generated for this run, in one temporary folder that goes when the
 * testbed goes. The demo and the system tests stand on it.
 *
 *     mup_testbed_init(&bed, bin_folder, source_folder, &stop);
 *     mup_testbed_release(&bed, 1, size, "ok");
 *     mup_testbed_start_edge(&bed);             broker, bridge, sshd, repository, update server
 *     mup_testbed_make_device(&bed, &device);   factory flash, user at the broker
 *     mup_testbed_start_device(&bed, &device);
 *     ...
 *     mup_testbed_end(&bed);                    everything that was started ends, the folder goes
 *
 * Functions return false after a message on stderr that says what failed and where its log is.
 */
#ifndef MUP_LAB_TESTBED_H
#define MUP_LAB_TESTBED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"

#include "mup/topic.h"

#define MUP_TESTBED_PATH_MAX         512u
#define MUP_TESTBED_PASSWORD_SIZE    33u
#define MUP_TESTBED_USERS_MAX        128u
#define MUP_TESTBED_ARGUMENTS_MAX    24u /* further ones for a program; a NULL ends them earlier */
#define MUP_TESTBED_START_TIMEOUT_MS 60000

#define MUP_TESTBED_APP              "mup-demo"
#define MUP_TESTBED_HARDWARE         "virtual"
#define MUP_TESTBED_MICROBIT         "microbit" /* the hardware class of the other board */
#define MUP_TESTBED_WEB_USER         "operator" /* whom the bridge knows as an administrator */
#define MUP_TESTBED_LINK_OFFSET      "24576" /* the execution slot: behind a bootloader of 24 kB */

struct mup_testbed_user {
    char name[MUP_NAME_MAX + 1];
    char password[MUP_TESTBED_PASSWORD_SIZE];
};

struct mup_testbed {
    struct mup_process_set processes;
    char bin[MUP_TESTBED_PATH_MAX];    /* where the built programs are */
    char source[MUP_TESTBED_PATH_MAX]; /* the source tree: descriptions, queries, ACL */
    char folder[MUP_TESTBED_PATH_MAX];
    bool keep_folder;            /* leave the folder behind */
    const char *server_settings; /* further lines of the server's configuration; may be NULL */
    const char *bridge_settings; /* instead of "rpc-timeout-s 20" in the bridge's; may be NULL */
    const char *broker_rules;    /* further lines of the broker's access list; may be NULL */
    const char *router_arguments[MUP_TESTBED_ARGUMENTS_MAX]; /* further ones of mup-router */

    int broker_port;
    int ssh_port;
    int rest_port;
    int repository_port;
    char web_password[MUP_TESTBED_PASSWORD_SIZE]; /* of MUP_TESTBED_WEB_USER, once it is made */

    struct mup_testbed_user users[MUP_TESTBED_USERS_MAX];
    size_t user_count;
};

/* Make the folder, keys of vendor and update server, the certificate. `stop` may be NULL. */
bool mup_testbed_init(struct mup_testbed *bed, const char *bin, const char *source,
                      volatile const int *stop);

/* A path in the testbed's folder; static storage, eight at a time. */
const char *mup_testbed_path(const struct mup_testbed *bed, const char *name);

/* Run a program to its end with its output in the log; false when it does not exit with 0. */
bool mup_testbed_run(struct mup_testbed *bed, const char *name, const char *const argv[]);

/* A user at the broker with a random password, in a file NAME.password too. Before start_broker,
 * or afterwards with a reload of the broker. */
bool mup_testbed_add_user(struct mup_testbed *bed, const char *name);
const char *mup_testbed_password(const struct mup_testbed *bed, const char *name);

bool mup_testbed_start_broker(struct mup_testbed *bed);
bool mup_testbed_start_sshd(struct mup_testbed *bed);
bool mup_testbed_start_bridge(struct mup_testbed *bed);
bool mup_testbed_start_server(struct mup_testbed *bed);
bool mup_testbed_start_repository(struct mup_testbed *bed); /* the vendor's web server */

/* Somebody who can log in to the update server's web page; after its start. */
bool mup_testbed_make_web_user(struct mup_testbed *bed);

/* All five, in the order in which they need each other. */
bool mup_testbed_start_edge(struct mup_testbed *bed);

/*
 * A release of MUP_TESTBED_APP: an image of `size` bytes with this version and fault ("ok",
 * "hang", "crash", "no-connect", "reset-loop", "garbage"), signed by the vendor, in the repository.
 */
bool mup_testbed_release(struct mup_testbed *bed, uint32_t version, uint32_t size,
                         const char *fault);

/* The URL of a release in the repository, as the update server fetches it. Static storage. */
const char *mup_testbed_release_url(const struct mup_testbed *bed, uint32_t version);

struct mup_testbed_device {
    const char *process;           /* name of its process and files */
    char uuid[MUP_UUID_TEXT_SIZE]; /* random unless set */
    char name[MUP_NAME_MAX + 1];   /* the UUID unless set */
    uint32_t version;              /* of the factory image, which must have been released */
    uint32_t window;               /* bytes; 0: the device's default */
    uint32_t slice;                /* bytes; 0: the device's default */
    uint32_t slot_size;            /* bytes; 0: the default of the factory */
    const char *arguments[8];      /* further ones of mup-device run; the first NULL ends them */

    /* Of an emulated micro:bit alone. */
    const char *factory_arguments[MUP_TESTBED_ARGUMENTS_MAX]; /* further settings of its factory */
    const char *run_arguments[4];                             /* further ones of mup-microbit run */
};

/* Make a factory flash and a broker user for the device. */
bool mup_testbed_make_device(struct mup_testbed *bed, struct mup_testbed_device *device);

/* Start it, or start it again after a kill. */
struct mup_process *mup_testbed_start_device(struct mup_testbed *bed,
                                             const struct mup_testbed_device *device);

/*
 * Emulated micro:bits: the images are what `cmake --preset microbit` has built, the device is QEMU,
 * its radio leads to the router, the router to the broker. A device's `arguments` are QEMU's; its
 * window, slice and slot are the firmware's. All frames go to radio.pcap in the folder.
 */
bool mup_testbed_microbit_is_built(const struct mup_testbed *bed);
bool mup_testbed_start_router(struct mup_testbed *bed); /* after the broker */
bool mup_testbed_release_microbit(struct mup_testbed *bed, uint32_t version, const char *fault);
/* The same for any version and fault: the code of version 1 with these two in it, and with filler
 * behind it up to `size`. 0: as it was built, as above. */
bool mup_testbed_release_microbit_as(struct mup_testbed *bed, uint32_t version, uint32_t size,
                                     const char *fault);
const char *mup_testbed_microbit_url(const struct mup_testbed *bed, uint32_t version);
bool mup_testbed_make_microbit(struct mup_testbed *bed, struct mup_testbed_device *device);
struct mup_process *mup_testbed_start_microbit(struct mup_testbed *bed,
                                               const struct mup_testbed_device *device);

/* Copy memory of a running board, by QEMU's monitor; it must have been started by
 * mup_testbed_start_microbit(). False: it does not answer. */
bool mup_testbed_read_microbit(const struct mup_testbed *bed,
                               const struct mup_testbed_device *device, uint32_t address, void *out,
                               size_t size);

/* Stop everything and remove the folder unless keep_folder. */
void mup_testbed_end(struct mup_testbed *bed);

/* A TCP port of 127.0.0.1 that was free a moment ago; 0 when there is none. */
int mup_testbed_free_port(void);

#endif
