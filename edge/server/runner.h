/*
 * One running update: carries out what its state machine (update.h) decides. Used by updates.c
 * only.
 */
#ifndef MUP_SERVER_RUNNER_H
#define MUP_SERVER_RUNNER_H

#include "server/updates.h"

struct mup_runner;

/* What all runners share. */
struct mup_runner_context {
    struct mup_loop *loop;
    struct mup_updates_parts parts;
    struct mup_updates_settings settings;
    struct mup_updates_counters counters;
    struct mup_runner *runners; /* all that have not ended */
    bool holds_slices;          /* of one of them: the broker did not take them */
    void (*on_event)(void *arg, const char *kind, int64_t update_id, const json_t *update);
    void *arg;
};

struct mup_runner {
    struct mup_runner *next;
    struct mup_runner_context *context;
    struct mup_stored_update stored;  /* as last handed to the store */
    struct mup_stored_update shown;   /* as last committed: what is told */
    struct mup_runner_saving *saving; /* handed to the store, not committed; oldest first */
    const struct mup_stored_release *release;
    struct mup_update update;
    struct mup_directory_device device; /* as the bridge last named it */
    struct mup_bytes payload;           /* held while it runs */
    uint8_t extended[MUP_EXTENDED_SIGNED_MAX];
    size_t extended_size;
    uint64_t step_started_ms[MUP_UPDATE_STEP_COUNT]; /* wall clock; 0: not entered */
    struct mup_edge_call *call;
    bool is_looking;
    bool was_present;
    bool has_ended;
    struct mup_timer *wake;
    struct mup_timer *settle; /* frees it, or writes the end again */
    uint64_t progress_told_ms;
};

/* Put it into the table; nothing happens yet. NULL: no memory, or the release cannot be read. */
struct mup_runner *mup_runner_new(struct mup_runner_context *context,
                                  const struct mup_stored_update *stored,
                                  const struct mup_stored_release *release);
void mup_runner_free(struct mup_runner *runner);

void mup_runner_begin(struct mup_runner *runner, bool resumed);
void mup_runner_on_ack(struct mup_runner *runner, const uint8_t *bytes, size_t size);
void mup_runner_on_report(struct mup_runner *runner, const uint8_t *bytes, size_t size);
void mup_runner_on_presence(struct mup_runner *runner, const uint8_t *bytes, size_t size,
                            bool retained);
/* The broker is there, or has taken something: slices that were held up may go on. */
void mup_runner_go_on(struct mup_runner *runner);

/* New reference; NULL: no memory. */
json_t *mup_runner_json(const struct mup_runner *runner);

#endif
