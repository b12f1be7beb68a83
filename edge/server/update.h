/*
 * The decisions of one update, without I/O: what happened goes in, what to do comes out.
 *
 *     mup_update_begin(&update, &goal, &limits, now)         -> actions
 *     mup_update_on_found / on_answer / on_failure / on_ack / on_report / on_back / on_time
 *                                                            -> actions
 *     mup_update_wake_ms(&update): call mup_update_on_time() then
 *
 * MUP_DO_SEND_SLICES is carried out so:
 *
 *     while (mup_update_next_slice(&update, &header, now))
 *         publish header and data as mup_update_slice_qos() says, then mup_update_slice_sent();
 *         if it cannot be published now: mup_update_hold_slices(), and mup_update_go_on() later
 *
 * Every call returns a set of actions (MUP_DO_...), which the caller carries out in the order of
 * their bits. At most one command (look up, token, manifest, verify) is under way at a time; its
 * end comes back as on_found, on_answer or on_failure. Times are milliseconds of one clock that
 * never goes back.
 *
 * The way, with the paper's steps (section 3.2):
 *
 *     requested (0) -> token (1, 2) -> manifest (3, 4) -> transfer (5) -> verify (6) -> trial (7)
 *         -> confirmed | failed | reverted
 *
 * A device that restarts in mid-transfer, or a server that was killed, goes back to requested:
 * fresh token, new extended manifest, and the device says where the transfer goes on. So does one
 * that has forgotten its token. A device of which nothing was heard is asked for a token as well,
 * but one that then acknowledges the transfer as it was has only been away: the slices go on. It
 * may do so as often as it likes while it gets on; without a byte more the pauses grow, `message`
 * says why, and after again_ms the update fails. A step that makes no headway until its deadline
 * fails the update with a reason. The end is reached once.
 */
#ifndef MUP_SERVER_UPDATE_H
#define MUP_SERVER_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/cose.h"
#include "mup/manifest.h"
#include "mup/report.h"
#include "mup/token.h"
#include "mup/transfer.h"
#include "server/sender.h"

#define MUP_UPDATE_MESSAGE_SIZE 241u

/* Deadlines and pauses, milliseconds; the configuration may set others. */
#define MUP_UPDATE_LOOK_UP_MS  60000u  /* for the bridge to name the device */
#define MUP_UPDATE_TOKEN_MS    120000u /* for a token, retries included */
#define MUP_UPDATE_MANIFEST_MS 120000u /* for the answer to a manifest */
#define MUP_UPDATE_VERIFY_MS   120000u /* for the answer to verify */
#define MUP_UPDATE_QUIET_MS                                                                       \
    45000u                              /* no acknowledgement: ask for a token again (the longest \
                                           repetition of an acknowledgement is 30 s) */
#define MUP_UPDATE_BACK_MS        4000u /* the same, after the device was gone and came back */
#define MUP_UPDATE_STALL_MS       300000u  /* acknowledgements, but no payload byte more */
#define MUP_UPDATE_SLICE_EXPIRY_S 240u     /* of slices by QoS 1: we look up and ask as long */
#define MUP_UPDATE_TRIAL_MS       7200000u /* for the final report */
#define MUP_UPDATE_POLL_MS        5000u    /* between looks at the bridge while on trial */
#define MUP_UPDATE_RETRY_FIRST_MS 500u
#define MUP_UPDATE_RETRY_LAST_MS  10000u

/* Begun again and again without a payload byte more than ever before: a device whose power
 * flickers, or one that lies. The pauses between grow from RETRY_FIRST to RETRY_LAST. */
#define MUP_UPDATE_AGAIN_MS        1800000u
#define MUP_UPDATE_INCOMPLETES_MAX 8u /* verifies answered with incomplete before giving up */

enum mup_update_state {
    MUP_UPDATE_REQUESTED,
    MUP_UPDATE_TOKEN,
    MUP_UPDATE_MANIFEST,
    MUP_UPDATE_TRANSFER,
    MUP_UPDATE_VERIFY,
    MUP_UPDATE_TRIAL,
    MUP_UPDATE_CONFIRMED,
    MUP_UPDATE_FAILED,
    MUP_UPDATE_REVERTED,
};

#define MUP_UPDATE_STEP_COUNT 6u /* one for each state that takes time */

enum mup_update_action {
    MUP_DO_SAVE = 1 << 0,    /* state, reason or from_version changed: store them */
    MUP_DO_LOOK_UP = 1 << 1, /* ask the bridge for the device */
    MUP_DO_ASK_TOKEN = 1 << 2,
    MUP_DO_SEND_MANIFEST = 1 << 3, /* made_manifest false: make and keep it first */
    MUP_DO_SEND_SLICES = 1 << 4,   /* as long as mup_update_next_slice() gives one */
    MUP_DO_VERIFY = 1 << 5,
    MUP_DO_FINISH = 1 << 6, /* it has ended: store that, then tell; comes once */
};

struct mup_update_limits {
    uint32_t look_up_ms;
    uint32_t token_ms;
    uint32_t manifest_ms;
    uint32_t verify_ms;
    uint32_t quiet_ms;
    uint32_t back_ms;
    uint32_t stall_ms;
    uint32_t trial_ms;
    uint32_t poll_ms;
    uint32_t again_ms;
};

/* The defaults above. */
void mup_update_limits_default(struct mup_update_limits *limits);

/* What is to be reached; does not change. */
struct mup_update_goal {
    uint8_t uuid[MUP_UUID_SIZE];
    struct mup_manifest manifest;
    uint8_t manifest_digest[MUP_DIGEST_SIZE];
    uint8_t vendor_kid[MUP_KID_SIZE];
    uint8_t server_kid[MUP_KID_SIZE];
    uint32_t slice_size; /* configured; the token may lower it */
    bool force;          /* do not check before sending: the device shall refuse by itself */
};

struct mup_update_step {
    uint64_t entered_ms; /* 0: not in it now */
    uint64_t took_ms;    /* in all */
    uint64_t bytes_out;  /* towards the device: messages of docs/SPEC.md, not their carriers */
    uint64_t bytes_in;
    bool was_entered;
};

/* Caller-owned. All fields may be read; `steps` and, before begin, `state` and from_version of an
 * update that is taken up again may be set. */
struct mup_update {
    struct mup_update_goal goal;
    struct mup_update_limits limits;
    enum mup_update_state state;
    uint32_t from_version; /* 0: no token yet */
    char reason[33];       /* for programs: a state of SPEC 18 or one of ours; "" when confirmed */
    char message[MUP_UPDATE_MESSAGE_SIZE]; /* for people */

    bool resumed;       /* taken up after a restart of the server */
    bool verify_sent;   /* from here on the device may restart into the new image */
    bool made_manifest; /* the caller has made the extended manifest for this token */
    struct mup_token token;
    struct mup_sender sender;
    struct mup_update_step steps[MUP_UPDATE_STEP_COUNT]; /* by state */

    /* private */
    bool waiting;   /* a command is under way */
    bool went_away; /* in mid-transfer: nothing was heard, which does not say that it is lost */
    bool is_held;   /* slices cannot be published */
    uint64_t slice_at_ms; /* paced: not before */
    uint64_t deadline_ms;
    uint64_t retry_at_ms; /* 0: none */
    uint32_t retry_ms;
    uint64_t quiet_at_ms;
    uint64_t stall_at_ms;
    uint32_t payload_most;   /* bytes that the device ever had; only more than that is headway */
    uint32_t agains;         /* times begun again since headway ... */
    uint64_t again_since_ms; /* ... the first of them ... */
    uint64_t again_at_ms;    /* ... and the last */
    uint32_t incompletes;
    char last_reason[33]; /* of the last failure that was retried */
    char last_message[MUP_UPDATE_MESSAGE_SIZE];
};

/* A device's answer to a command. */
struct mup_update_answer {
    uint32_t state; /* SPEC 18 */
    const uint8_t *value;
    size_t value_size; /* 0: none */
    uint32_t bytes_out;
    uint32_t bytes_in;
};

/* What the bridge knows of the device. */
struct mup_update_sight {
    bool has_version;
    uint32_t version;
    bool confirmed; /* the version is known to run and not to be on trial */
};

/*
 * Begin, or take up again: then update->state and from_version are as they were stored and
 * `resumed` is true. Everything else is set here.
 */
unsigned mup_update_begin(struct mup_update *update, const struct mup_update_goal *goal,
                          const struct mup_update_limits *limits, bool resumed, uint64_t now);

/* MUP_DO_LOOK_UP found the device. */
unsigned mup_update_on_found(struct mup_update *update, const struct mup_update_sight *sight,
                             uint64_t now);

/* MUP_DO_LOOK_UP did not find it, or could not look. Nothing happens if it is not looked for any
 * more: it may have come back by itself meanwhile, and another command be under way. */
unsigned mup_update_on_not_found(struct mup_update *update, const char *reason, const char *message,
                                 uint64_t now);

/* The device answered the command that is under way. */
unsigned mup_update_on_answer(struct mup_update *update, const struct mup_update_answer *answer,
                              uint64_t now);

/* The command was not answered. `again`: it may be tried again until the deadline of the step;
 * otherwise the update fails with this reason. */
unsigned mup_update_on_failure(struct mup_update *update, bool again, const char *reason,
                               const char *message, uint64_t now);

unsigned mup_update_on_ack(struct mup_update *update, const struct mup_ack *ack, size_t size,
                           uint64_t now);
/* The slice that may be sent now; false: not yet. */
bool mup_update_next_slice(const struct mup_update *update, struct mup_slice_header *header,
                           uint64_t now);

/* By which QoS the device wants its slices: 0 or 1. Those of 1 expire at the broker after
 * MUP_UPDATE_SLICE_EXPIRY_S: an update that ended must not reach a device that comes back. */
int mup_update_slice_qos(const struct mup_update *update);

/* It was handed to the broker, in a message of `size` bytes. */
void mup_update_slice_sent(struct mup_update *update, const struct mup_slice_header *header,
                           size_t size, uint64_t now);

/* The broker is away, or too much is under way to it. Slices are asked for by mup_update_go_on(),
 * which does no harm when nothing is held up. */
void mup_update_hold_slices(struct mup_update *update);
unsigned mup_update_go_on(struct mup_update *update);

unsigned mup_update_on_report(struct mup_update *update, const struct mup_report *report,
                              size_t size, uint64_t now);

/* The device was away from the broker and is there again. */
unsigned mup_update_on_back(struct mup_update *update, uint64_t now);

unsigned mup_update_on_time(struct mup_update *update, uint64_t now);

/* When to call mup_update_on_time(); UINT64_MAX: not needed. */
uint64_t mup_update_wake_ms(const struct mup_update *update);

bool mup_update_has_ended(const struct mup_update *update);

/* "requested", "token", ...; static storage. And back: false for another name. */
const char *mup_update_state_name(enum mup_update_state state);
bool mup_update_state_from_name(enum mup_update_state *state, const char *name);

/* The step of a state: its name ("description", "token", ...) and its number in the paper. */
const char *mup_update_step_name(size_t step);
uint32_t mup_update_step_number(size_t step);

/*
 * What SPEC section 19 would answer, as far as the token tells: a state, or MUP_STATE_OK. The
 * server refuses early what the device would refuse anyway.
 */
uint32_t mup_update_check(const struct mup_update_goal *goal, const struct mup_token *token);

#endif
