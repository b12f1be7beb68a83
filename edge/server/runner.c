/* The actions of one update: look up, commands, slices, what is kept and what is told. Every event
 * ends in act(), which carries out the decisions and sets the clock for the next one. */
#include "server/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mup/report.h"
#include "mup/sign/release.h"
#include "runtime/log.h"
#include "server/extend.h"
#include "server/update_json.h"

#define FIRMWARE_TOPIC_SIZE (sizeof MUP_TOPIC_FIRMWARE + MUP_NAME_MAX)

/* A transition on its way into the store, as it will be told. */
struct mup_runner_saving {
    struct mup_runner_saving *next;
    struct mup_stored_update stored;
};

static void act(struct mup_runner *runner, unsigned actions);

static uint64_t now_ms(const struct mup_runner *runner)
{
    return mup_loop_now_ms(runner->context->loop);
}

/* ---- what is kept ---- */

static size_t collect_steps(const struct mup_runner *runner,
                            struct mup_stored_step steps[MUP_UPDATE_STEP_COUNT])
{
    size_t count = 0;

    for (size_t i = 0; i < MUP_UPDATE_STEP_COUNT; i++) {
        const struct mup_update_step *step = &runner->update.steps[i];
        if (!step->was_entered) {
            continue;
        }
        uint64_t running = step->entered_ms ? now_ms(runner) - step->entered_ms : 0;
        steps[count] = (struct mup_stored_step){
            .update_id = runner->stored.id,
            .number = mup_update_step_number(i),
            .started_ms = runner->step_started_ms[i],
            .took_ms = step->took_ms + running,
            .bytes_out = step->bytes_out,
            .bytes_in = step->bytes_in,
        };
        snprintf(steps[count].name, sizeof steps[count].name, "%s", mup_update_step_name(i));
        count++;
    }
    return count;
}

static void note_new_steps(struct mup_runner *runner)
{
    for (size_t i = 0; i < MUP_UPDATE_STEP_COUNT; i++) {
        if (runner->update.steps[i].was_entered && runner->step_started_ms[i] == 0) {
            runner->step_started_ms[i] = mup_loop_wall_ms();
        }
    }
}

/* A step that cannot be kept costs a number in a table, not the update. */
static void keep_steps(struct mup_runner *runner)
{
    struct mup_stored_step steps[MUP_UPDATE_STEP_COUNT];
    size_t count = collect_steps(runner, steps);

    for (size_t i = 0; i < count; i++) {
        enum mup_status status =
            mup_server_store_put_step(runner->context->parts.store, &steps[i], NULL, NULL);
        if (status != MUP_OK) {
            mup_log(MUP_LOG_WARNING, "updates", mup_log_event("step not kept"),
                    mup_log_number("id", runner->stored.id));
        }
    }
}

static void fill_stored(struct mup_runner *runner)
{
    struct mup_stored_update *stored = &runner->stored;
    const struct mup_update *update = &runner->update;

    snprintf(stored->state, sizeof stored->state, "%s", mup_update_state_name(update->state));
    snprintf(stored->reason, sizeof stored->reason, "%s", update->reason);
    snprintf(stored->message, sizeof stored->message, "%s", update->message);
    stored->from_version = update->from_version;
}

/* ---- what is told ---- */

json_t *mup_runner_json(const struct mup_runner *runner)
{
    struct mup_stored_step steps[MUP_UPDATE_STEP_COUNT];
    size_t count = collect_steps(runner, steps);
    json_t *json = mup_update_json(&runner->shown, runner->release, steps, count);

    if (json && runner->update.sender.payload_size != 0) {
        mup_update_json_progress(json, runner->update.sender.next_most,
                                 runner->update.sender.payload_size);
    }
    return json;
}

static void tell(struct mup_runner *runner, const char *kind)
{
    json_t *json = mup_runner_json(runner);

    if (json) {
        runner->context->on_event(runner->context->arg, kind, runner->stored.id, json);
        json_decref(json);
    }
}

static void tell_progress(struct mup_runner *runner)
{
    uint64_t now = now_ms(runner);

    if (now - runner->progress_told_ms >= MUP_UPDATES_PROGRESS_MS) {
        runner->progress_told_ms = now;
        tell(runner, "progress");
    }
}

/* Writes are answered in their order: the oldest is the one that was committed. */
static void on_saved(void *arg, enum mup_status status, const char *error)
{
    struct mup_runner *runner = arg;
    struct mup_runner_saving *saving = runner->saving;

    (void)error;
    runner->saving = saving->next;
    if (status == MUP_OK) {
        runner->shown = saving->stored;
        tell(runner, "update");
    }
    free(saving);
}

static void save(struct mup_runner *runner)
{
    struct mup_runner_saving *saving = calloc(1, sizeof *saving);
    struct mup_runner_saving **at = &runner->saving;

    fill_stored(runner);
    keep_steps(runner);
    if (!saving || mup_server_store_set_state(runner->context->parts.store, &runner->stored,
                                              on_saved, runner) != MUP_OK) {
        mup_log(MUP_LOG_WARNING, "updates", mup_log_event("state not kept"),
                mup_log_number("id", runner->stored.id));
        free(saving);
        return;
    }
    saving->stored = runner->stored;
    while (*at) {
        at = &(*at)->next;
    }
    *at = saving;
}

/* ---- the end ---- */

static void count_end(struct mup_runner *runner)
{
    struct mup_updates_counters *counters = &runner->context->counters;
    bool good = runner->update.state == MUP_UPDATE_CONFIRMED;

    counters->confirmed += good;
    counters->reverted += runner->update.state == MUP_UPDATE_REVERTED;
    counters->failed += runner->update.state == MUP_UPDATE_FAILED;
    mup_log(good ? MUP_LOG_INFO : MUP_LOG_WARNING, "updates", mup_log_event("update ended"),
            mup_log_number("id", runner->stored.id), mup_log_text("device", runner->stored.name),
            mup_log_text("result", runner->stored.state),
            mup_log_text("reason", runner->stored.reason),
            mup_log_text("message", runner->stored.message));
}

static void on_settle(void *arg)
{
    struct mup_runner *runner = arg;

    if (runner->has_ended) {
        mup_runner_free(runner);
    } else {
        act(runner, MUP_DO_FINISH);
    }
}

/* Told only now, after COMMIT; never forgotten: an end that cannot be written is tried again. */
static void on_finished(void *arg, enum mup_status status, const char *error)
{
    struct mup_runner *runner = arg;

    if (status != MUP_OK && status != MUP_ERR_STATE) {
        mup_log(MUP_LOG_ERROR, "updates", mup_log_event("the end of an update is not kept yet"),
                mup_log_number("id", runner->stored.id), mup_log_text("why", error));
        mup_timer_start(runner->settle, MUP_UPDATES_STORE_AGAIN_MS);
        return;
    }
    runner->has_ended = true;
    if (status == MUP_OK) {
        runner->shown = runner->stored;
        count_end(runner);
        tell(runner, "update");
    }
    mup_timer_start(runner->settle, 0);
}

static void finish(struct mup_runner *runner)
{
    fill_stored(runner);
    if (runner->stored.finished_ms == 0) {
        runner->stored.finished_ms = mup_loop_wall_ms();
    }
    keep_steps(runner);
    mup_edge_forget_look(runner->context->parts.edge, runner);
    if (runner->call) {
        mup_edge_cancel(runner->call);
        runner->call = NULL;
    }
    if (mup_server_store_finish_update(runner->context->parts.store, &runner->stored, on_finished,
                                       runner) != MUP_OK) {
        mup_timer_start(runner->settle, MUP_UPDATES_STORE_AGAIN_MS);
    }
}

/* ---- commands ---- */

static void on_look(void *arg, const struct mup_fault *fault, const struct mup_directory *directory)
{
    struct mup_runner *runner = arg;
    char uuid[MUP_UUID_TEXT_SIZE];
    struct mup_update_sight sight = {false, 0, false};

    runner->is_looking = false;
    if (fault) {
        act(runner, mup_update_on_not_found(&runner->update, mup_fault_name(fault->code),
                                            fault->message, now_ms(runner)));
        return;
    }
    mup_uuid_format(uuid, runner->stored.uuid);
    const struct mup_directory_device *device = mup_directory_find(directory, uuid);
    if (!device || device->xml_space[0] == '\0') {
        /* A bridge that has just been started may not know it yet. */
        act(runner,
            mup_update_on_not_found(
                &runner->update,
                mup_fault_name(device ? MUP_FAULT_DEVICE_NOT_READY : MUP_FAULT_UNKNOWN_DEVICE),
                "the bridge does not know the device and its commands", now_ms(runner)));
        return;
    }
    runner->device = *device;
    sight.has_version = device->has_version;
    sight.version = device->version;
    sight.confirmed = device->has_on_trial && !device->on_trial;
    act(runner, mup_update_on_found(&runner->update, &sight, now_ms(runner)));
}

static void on_answer(void *arg, const struct mup_update_answer *answer, bool again,
                      const char *reason, const char *message)
{
    struct mup_runner *runner = arg;

    runner->call = NULL;
    if (answer) {
        act(runner, mup_update_on_answer(&runner->update, answer, now_ms(runner)));
    } else {
        act(runner, mup_update_on_failure(&runner->update, again, reason, message, now_ms(runner)));
    }
}

static void command(struct mup_runner *runner, enum mup_edge_command which,
                    struct mup_bytes argument)
{
    if (runner->call) {
        mup_edge_cancel(runner->call);
    }
    runner->call = mup_edge_call(runner->context->parts.edge, &runner->device, which, argument,
                                 on_answer, runner);
    if (!runner->call) {
        act(runner,
            mup_update_on_failure(&runner->update, true, "no-memory", "no memory", now_ms(runner)));
    }
}

/* The same bytes are sent again on a retry: the device answers a copy without a check. */
static void send_manifest(struct mup_runner *runner)
{
    struct mup_update *update = &runner->update;
    struct mup_bytes inner = {runner->release->manifest, runner->release->manifest_size};

    if (!update->made_manifest) {
        enum mup_status status = mup_extend(runner->extended, &runner->extended_size, inner,
                                            &update->token, runner->context->parts.signer);
        if (status != MUP_OK) {
            act(runner, mup_update_on_failure(update, false, "signing-failed",
                                              mup_status_name(status), now_ms(runner)));
            return;
        }
        update->made_manifest = true;
    }
    command(runner, MUP_EDGE_MANIFEST, (struct mup_bytes){runner->extended, runner->extended_size});
}

/* ---- slices ---- */

/* False: the broker is not there, or more than enough is under way to it. */
static bool send_slice(struct mup_runner *runner, const char *topic,
                       const struct mup_slice_header *header)
{
    uint8_t bytes[MUP_SLICE_HEADER_MAX + MUP_SLICE_DATA_MAX];
    size_t size = mup_slice_header_encode(bytes, header);

    memcpy(bytes + size, runner->payload.data + header->offset, header->size);
    struct mup_mqtt_publish publish = {
        .topic = topic,
        .payload = bytes,
        .payload_size = size + header->size,
        .qos = mup_update_slice_qos(&runner->update),
    };
    publish.expiry_s = publish.qos > 0 ? MUP_UPDATE_SLICE_EXPIRY_S : 0;
    if (mup_mqtt_session_publish(runner->context->parts.mqtt, &publish, NULL) != MUP_OK) {
        return false;
    }
    mup_update_slice_sent(&runner->update, header, publish.payload_size, now_ms(runner));
    runner->context->counters.slices++;
    runner->context->counters.slice_bytes += header->size;
    return true;
}

static void set_wake(struct mup_runner *runner)
{
    uint64_t wake = mup_update_wake_ms(&runner->update);
    uint64_t now = now_ms(runner);

    if (wake == UINT64_MAX) {
        mup_timer_stop(runner->wake);
    } else {
        mup_timer_start(runner->wake, wake > now ? wake - now : 0);
    }
}

static void send_slices(struct mup_runner *runner)
{
    char topic[FIRMWARE_TOPIC_SIZE];
    struct mup_slice_header header;

    snprintf(topic, sizeof topic, MUP_TOPIC_FIRMWARE "%s", runner->stored.name);
    while (mup_update_next_slice(&runner->update, &header, now_ms(runner))) {
        if (!send_slice(runner, topic, &header)) {
            mup_update_hold_slices(&runner->update); /* until mup_runner_go_on() */
            runner->context->holds_slices = true;
        }
    }
    set_wake(runner); /* paced slices have the next one's time only now */
}

/* ---- events ---- */

static void act(struct mup_runner *runner, unsigned actions)
{
    if (runner->has_ended) {
        return;
    }
    note_new_steps(runner);
    set_wake(runner);
    if (actions & MUP_DO_FINISH) {
        finish(runner);
        return;
    }
    if (actions & MUP_DO_SAVE) {
        save(runner);
    }
    if (actions & MUP_DO_LOOK_UP && !runner->is_looking) {
        runner->is_looking = true;
        mup_edge_look(runner->context->parts.edge, on_look, runner);
    }
    if (actions & MUP_DO_ASK_TOKEN) {
        command(runner, MUP_EDGE_TOKEN, (struct mup_bytes){NULL, 0});
    }
    if (actions & MUP_DO_SEND_MANIFEST) {
        send_manifest(runner);
    }
    if (actions & MUP_DO_SEND_SLICES) {
        send_slices(runner);
    }
    if (actions & MUP_DO_VERIFY) {
        command(runner, MUP_EDGE_VERIFY, (struct mup_bytes){NULL, 0});
    }
}

static void on_wake(void *arg)
{
    struct mup_runner *runner = arg;

    act(runner, mup_update_on_time(&runner->update, now_ms(runner)));
}

void mup_runner_on_ack(struct mup_runner *runner, const uint8_t *bytes, size_t size)
{
    struct mup_ack ack;
    uint32_t rewinds = runner->update.sender.rewinds;

    if (mup_ack_decode(&ack, bytes, size) != MUP_OK || runner->has_ended) {
        return;
    }
    unsigned actions = mup_update_on_ack(&runner->update, &ack, size, now_ms(runner));
    runner->context->counters.rewinds += runner->update.sender.rewinds - rewinds;
    if (actions & MUP_DO_SEND_SLICES) {
        tell_progress(runner);
    }
    act(runner, actions);
}

void mup_runner_on_report(struct mup_runner *runner, const uint8_t *bytes, size_t size)
{
    struct mup_report report;

    if (mup_report_decode(&report, bytes, size) == MUP_OK) {
        act(runner, mup_update_on_report(&runner->update, &report, size, now_ms(runner)));
    }
}

/* Three bytes (docs/SPEC.md section 11): a1 01 f5 present, a1 01 f4 not. A device says that it is
 * present once for each connection. One whose power failed is back before its broker has noticed
 * that it was gone, if nothing between them has ended the old connection (a 6LoWPAN router does
 * not): the broker lets the new one take its place, and mosquitto 2.0 publishes no will then. */
void mup_runner_on_presence(struct mup_runner *runner, const uint8_t *bytes, size_t size,
                            bool retained)
{
    bool known = size == 3 && bytes[0] == 0xa1 && bytes[1] == 0x01;
    bool present = known && bytes[2] == 0xf5;

    if (known && present && (!retained || !runner->was_present)) {
        act(runner, mup_update_on_back(&runner->update, now_ms(runner)));
    }
    if (known) {
        runner->was_present = present;
    }
}

void mup_runner_go_on(struct mup_runner *runner)
{
    if (runner->update.is_held) {
        act(runner, mup_update_go_on(&runner->update));
    }
}

/* ---- begin and end ---- */

struct mup_runner *mup_runner_new(struct mup_runner_context *context,
                                  const struct mup_stored_update *stored,
                                  const struct mup_stored_release *release)
{
    struct mup_runner *runner = calloc(1, sizeof *runner);

    if (!runner) {
        return NULL;
    }
    runner->context = context;
    runner->stored = *stored;
    runner->shown = *stored;
    runner->release = release;
    runner->was_present = true; /* only a device that went away can come back */
    runner->payload = mup_releases_hold(context->parts.releases, release->id);
    runner->wake = mup_timer_new(context->loop, on_wake, runner);
    runner->settle = mup_timer_new(context->loop, on_settle, runner);
    if (!runner->payload.data || !runner->wake || !runner->settle) {
        if (runner->payload.data) {
            mup_releases_drop(context->parts.releases, release->id);
        }
        mup_timer_free(runner->wake);
        mup_timer_free(runner->settle);
        free(runner);
        return NULL;
    }
    runner->next = context->runners;
    context->runners = runner;
    return runner;
}

void mup_runner_free(struct mup_runner *runner)
{
    struct mup_runner **at = &runner->context->runners;

    while (*at != runner) {
        at = &(*at)->next;
    }
    *at = runner->next;
    while (runner->saving) {
        struct mup_runner_saving *saving = runner->saving;
        runner->saving = saving->next;
        free(saving);
    }
    mup_releases_drop(runner->context->parts.releases, runner->release->id);
    mup_timer_free(runner->wake);
    mup_timer_free(runner->settle);
    free(runner);
}

/* Steps that were kept before the restart are counted on. */
static void load_steps(struct mup_runner *runner)
{
    struct mup_stored_step steps[MUP_STORED_STEPS_MAX];
    size_t count = 0;

    if (mup_server_store_get_steps(runner->context->parts.store, runner->stored.id, steps,
                                   &count) != MUP_OK) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t step = 0; step < MUP_UPDATE_STEP_COUNT; step++) {
            if (mup_update_step_number(step) == steps[i].number) {
                runner->step_started_ms[step] = steps[i].started_ms;
                runner->update.steps[step] = (struct mup_update_step){
                    .took_ms = steps[i].took_ms,
                    .bytes_out = steps[i].bytes_out,
                    .bytes_in = steps[i].bytes_in,
                    .was_entered = true,
                };
            }
        }
    }
}

/* What the release says, from the bytes that the vendor signed and that were verified on the way
 * in; the store is ours. */
static bool set_goal(struct mup_runner *runner, struct mup_update_goal *goal)
{
    const struct mup_stored_release *release = runner->release;

    if (!mup_release_manifest(release, &goal->manifest)) {
        return false;
    }
    memcpy(goal->uuid, runner->stored.uuid, sizeof goal->uuid);
    memcpy(goal->manifest_digest, release->manifest_digest, sizeof goal->manifest_digest);
    memcpy(goal->vendor_kid, release->vendor_kid, sizeof goal->vendor_kid);
    memcpy(goal->server_kid, runner->context->parts.signer->kid, sizeof goal->server_kid);
    goal->slice_size = runner->context->settings.slice_size;
    goal->force = runner->stored.force;
    return goal->manifest.payload_size == runner->payload.size;
}

void mup_runner_begin(struct mup_runner *runner, bool resumed)
{
    struct mup_update_goal goal;
    enum mup_update_state state;

    if (!mup_update_state_from_name(&state, runner->stored.state) ||
        state >= MUP_UPDATE_CONFIRMED || !set_goal(runner, &goal)) {
        mup_log(MUP_LOG_ERROR, "updates", mup_log_event("kept release or update is damaged"),
                mup_log_number("id", runner->stored.id));
        return;
    }
    if (resumed) {
        runner->update.state = state;
        runner->update.from_version = runner->stored.from_version;
        load_steps(runner);
    }
    act(runner, mup_update_begin(&runner->update, &goal, &runner->context->settings.limits, resumed,
                                 now_ms(runner)));
}
