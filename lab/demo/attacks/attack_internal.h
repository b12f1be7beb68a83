/* What the files of the attacks share with each other and with nobody else. */
#ifndef MUP_LAB_ATTACK_INTERNAL_H
#define MUP_LAB_ATTACK_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "board.h"
#include "rest.h"
#include "tap.h"
#include "testbed.h"

#include "mup/report.h"
#include "mup/rpc.h"
#include "mup/sign/key.h"
#include "mup/token.h"
#include "mup/transfer.h"

#define MUP_ATTACK_WAIT_MS      120000
#define MUP_ATTACK_ATTEMPTS_MAX 8u
#define MUP_ATTACK_TEXT_SIZE    160u
#define MUP_ATTACK_IMAGE_SIZE   24576u /* bytes: of an update that only has to succeed */
#define MUP_ATTACK_LONG_IMAGE                                                               \
    196608u                     /* bytes: of a transfer that leaves time to interfere; less \
                                 * where the slots are smaller */
#define MUP_ATTACK_NO_ANSWER 0u /* instead of a state: the device said nothing */

/* ---- The scene: edge, device, attacker (attack_scene.c) ------------------------------------ */

/* A device under attack. */
struct mup_attack_target {
    struct mup_testbed_device device;
    struct mup_process *process;
    size_t mark; /* waits look at what the tap has seen after this */
};

struct mup_attack_scene {
    struct mup_testbed bed;
    const struct mup_board *board;
    struct mup_attack_target victim;
    struct mup_tap *tap;      /* the attacker at the broker */
    struct mup_signer stolen; /* the update server's private key, in the attacker's hands */
    struct mup_signer own;    /* a key that the attacker made */
    struct mup_signer vendor; /* never the attacker's: signs what the vendor publishes */
    struct mup_process *server;
    char server_url[64];
    char token_file[MUP_TESTBED_PATH_MAX + 128];
    struct mup_rest rest;
    uint32_t factory_version; /* an old release, there for everybody to fetch */
    uint32_t released;        /* the newest release of the vendor */
    uint32_t payload_size;    /* of the newest update */
    bool narrates;
};

/* Edge, vendor, one device that has announced itself, the attacker's connection and keys. On false
 * the reason is on stderr; close the scene all the same. */
bool mup_attack_scene_open(struct mup_attack_scene *scene, const struct mup_board *board,
                           const char *bin, const char *source, volatile const int *stop);
void mup_attack_scene_close(struct mup_attack_scene *scene);

/* Tell the person who watches, if one does. */
__attribute__((format(printf, 2, 3))) void mup_attack_tell(const struct mup_attack_scene *scene,
                                                           const char *format, ...);

/* Say on stderr what did not happen, unless somebody has stopped the demo: then it is no wonder. */
__attribute__((format(printf, 2, 3))) void mup_attack_complain(const struct mup_attack_scene *scene,
                                                               const char *format, ...);

/* A device with the factory version, not started yet. */
bool mup_attack_make_target(struct mup_attack_scene *scene, struct mup_attack_target *target,
                            const char *process);

/* Start it, or start it again; waits look at what it says from here on. */
bool mup_attack_switch_on(struct mup_attack_scene *scene, struct mup_attack_target *target);

/* The same, and wait until the bridge has answered its announcement. */
bool mup_attack_start_target(struct mup_attack_scene *scene, struct mup_attack_target *target);

/*
 * Wait for the next message on one of the device's topics ("mup/ack/"). Whatever is judged is
 * judged by what crosses the broker: the same for a process and for a microcontroller.
 */
bool mup_attack_await(struct mup_attack_scene *scene, struct mup_attack_target *target,
                      const char *prefix, struct mup_tap_message *message);

/* Wait until the device tells what became of a certificate; its state. 0: it does not. */
uint32_t mup_attack_await_certificate(struct mup_attack_scene *scene,
                                      struct mup_attack_target *target);

/* Wait until the device accepts a manifest; its answer says where the transfer begins. */
bool mup_attack_await_transfer(struct mup_attack_scene *scene, struct mup_attack_target *target,
                               struct mup_ack *ack);

/* Wait for the device's final report. */
bool mup_attack_await_report(struct mup_attack_scene *scene, struct mup_attack_target *target,
                             struct mup_report *report);

/* The vendor publishes its next version; 0 when that failed. */
uint32_t mup_attack_release(struct mup_attack_scene *scene, uint32_t image_size, const char *fault);

/* Begin a genuine update through the update server; 0 when it was refused. From here on the waits
 * look at what the device says after this. */
json_int_t mup_attack_begin_update(struct mup_attack_scene *scene, struct mup_attack_target *target,
                                   uint32_t version);

/* Wait for its end; true when the server says `result` ("confirmed"). */
bool mup_attack_end_update(struct mup_attack_scene *scene, json_int_t id, const char *result);

/* A release of image_size bytes and the update to it, from begin to end. */
bool mup_attack_update(struct mup_attack_scene *scene, struct mup_attack_target *target,
                       uint32_t image_size);

/* ---- Messages (attack_message.c) ------------------------------------------------------------ */

struct mup_attack_answer {
    uint32_t state; /* MUP_ATTACK_NO_ANSWER when none came */
    uint8_t value[MUP_RESPONSE_MAX];
    size_t value_size;
};

/* "mup/token/NAME" from its beginning; static storage, four at a time. */
const char *mup_attack_topic(const struct mup_attack_target *target, const char *prefix);

/* Publish a request with fresh correlation data and wait for the device's answer to it. */
bool mup_attack_ask(struct mup_attack_scene *scene, const struct mup_attack_target *target,
                    const char *prefix, struct mup_bytes request, struct mup_attack_answer *answer);

/* Ask the device for its token, as anybody who may publish can. */
bool mup_attack_get_token(struct mup_attack_scene *scene, const struct mup_attack_target *target,
                          struct mup_token *token);

/* A complete request PUB-UPDATE-MANIFEST with this extended manifest. */
bool mup_attack_manifest_request(uint8_t request[MUP_REQUEST_MAX], size_t *size,
                                 struct mup_bytes extended);

/* The byte string that is the value of an answer. */
bool mup_attack_value_bytes(struct mup_bytes *bytes, struct mup_bytes value);

/* The vendor's signed manifest of a version, from the public repository. Release *bytes with
 * free(). */
bool mup_attack_fetch_manifest(struct mup_attack_scene *scene, uint32_t version, uint8_t **bytes,
                               size_t *size);

/* ---- What became of it (attack_table.c) ------------------------------------------------------ */

struct mup_attack_attempt {
    char what[MUP_ATTACK_TEXT_SIZE];
    uint32_t state; /* what the device said, or MUP_ATTACK_NO_ANSWER */
    bool stopped;
};

struct mup_attack_result {
    const char *name;
    struct mup_attack_attempt attempts[MUP_ATTACK_ATTEMPTS_MAX];
    size_t attempt_count;
    bool mounted;     /* all attempts could be made */
    bool was_harmed;  /* the attacked device takes no genuine update any more */
    bool still_works; /* a genuine update was confirmed afterwards */
    char where[MUP_ATTACK_TEXT_SIZE];
    char detail[3 * MUP_ATTACK_TEXT_SIZE];
    long milliseconds;
};

/* Note an attempt and tell of it. */
void mup_attack_note(const struct mup_attack_scene *scene, struct mup_attack_result *result,
                     uint32_t state, bool stopped, const char *what);

/* Mounted, and each attempt stopped. */
bool mup_attack_is_stopped(const struct mup_attack_result *result);

/* The state of the first attempt that was not stopped, or else of the first. */
const char *mup_attack_state_name(const struct mup_attack_result *result);

/* Where the device stops what it answers with this state (SPEC 16, 19). */
const char *mup_attack_where(uint32_t state);

json_t *mup_attack_json(const struct mup_attack_result *result);
void mup_attack_print_header(void);
void mup_attack_print_footer(void);
void mup_attack_print_row(const struct mup_attack_result *result);
void mup_attack_print_account(const struct mup_attack_result *result);

/* ---- The attacks ----------------------------------------------------------------------------- */

/* One attack: mount it, note each attempt. False, with a reason on stderr, if it could not be. */
typedef bool mup_attack_mount(struct mup_attack_scene *scene, struct mup_attack_result *result);

mup_attack_mount mup_attack_replayed_manifest; /* attack_manifest.c */
mup_attack_mount mup_attack_forged_outer;
mup_attack_mount mup_attack_forged_inner;
mup_attack_mount mup_attack_downgrade;
mup_attack_mount mup_attack_wrong_device;
mup_attack_mount mup_attack_wrong_app;
mup_attack_mount mup_attack_rogue_bootstrap; /* attack_bootstrap.c */
mup_attack_mount mup_attack_forged_slice;    /* attack_transfer.c */
mup_attack_mount mup_attack_power_cut;

#endif
