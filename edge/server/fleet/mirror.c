/* Subscribe, read all, follow; after a loss again. */
#include "server/fleet/mirror.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/log.h"
#include "runtime/netconf_client.h"
#include "runtime/text.h"
#include "server/fleet/index.h"
#include "server/fleet/notice.h"

#define SUBSCRIBE "<create-subscription xmlns=\"urn:ietf:params:xml:ns:netconf:notification:1.0\"/>"

struct table {
    struct mup_directory_device *devices;
    size_t count;
    size_t capacity;
    struct mup_index by_uuid;
    struct mup_index by_name;
};

struct mup_mirror {
    struct mup_loop *loop;
    struct mup_netconf_client_settings settings;
    struct mup_mirror_callbacks callbacks;
    void *arg;
    struct mup_netconf_client *client; /* NULL: waiting to connect again */
    struct mup_timer *retry;
    struct mup_timer *gather;
    uint32_t retry_ms;
    struct table table;
    bool is_filled;
    bool is_live;
    bool is_asking;                      /* a read of some or all is under way */
    bool asks_all;                       /* ... of all */
    bool all_changed;                    /* read all again */
    char (*changed)[MUP_UUID_TEXT_SIZE]; /* read these again */
    size_t changed_count;
};

/* ---- the table ---- */

static const char *uuid_of(const void *arg, uint32_t number)
{
    const struct table *table = arg;

    return table->devices[number].uuid;
}

static const char *name_of(const void *arg, uint32_t number)
{
    const struct table *table = arg;

    return table->devices[number].name;
}

static struct mup_directory_device *find_uuid(const struct table *table, const char *uuid)
{
    uint32_t at = mup_index_find(&table->by_uuid, uuid, uuid_of, table);

    return at == MUP_INDEX_NONE ? NULL : &table->devices[at];
}

static bool index_device(struct table *table, uint32_t at)
{
    return mup_index_add(&table->by_uuid, at, uuid_of, table) &&
           (mup_index_find(&table->by_name, table->devices[at].name, name_of, table) !=
                MUP_INDEX_NONE ||
            mup_index_add(&table->by_name, at, name_of, table));
}

static void free_table(struct table *table)
{
    free(table->devices);
    mup_index_free(&table->by_uuid);
    mup_index_free(&table->by_name);
    *table = (struct table){.devices = NULL};
}

/* Takes over the directory's devices. False: no memory. */
static bool make_table(struct table *table, struct mup_directory *directory)
{
    *table = (struct table){
        .devices = directory->devices, .count = directory->count, .capacity = directory->count};
    *directory = (struct mup_directory){NULL, 0};
    for (uint32_t i = 0; i < table->count; i++) {
        if (!index_device(table, i)) {
            return false;
        }
    }
    return true;
}

static struct mup_directory_device *add_device(struct table *table,
                                               const struct mup_directory_device *device)
{
    if (table->count == MUP_DIRECTORY_DEVICES_MAX) {
        return NULL;
    }
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 64;
        void *larger = realloc(table->devices, capacity * sizeof *table->devices);
        if (!larger) {
            return NULL;
        }
        table->devices = larger;
        table->capacity = capacity;
    }
    table->devices[table->count] = *device;
    if (!index_device(table, (uint32_t)table->count)) {
        return NULL;
    }
    return &table->devices[table->count++];
}

/* ---- telling ---- */

static void tell_device(const struct mup_mirror *mirror, const struct mup_directory_device *device)
{
    if (mirror->callbacks.on_device) {
        mirror->callbacks.on_device(mirror->arg, device);
    }
}

static void set_live(struct mup_mirror *mirror, bool live)
{
    if (mirror->is_live == live) {
        return;
    }
    mirror->is_live = live;
    mup_log(live ? MUP_LOG_INFO : MUP_LOG_WARNING, "mirror",
            mup_log_event(live ? "bridge reached" : "bridge lost"),
            mup_log_number("devices", (int64_t)mirror->table.count));
    if (mirror->callbacks.on_bridge) {
        mirror->callbacks.on_bridge(mirror->arg, live);
    }
}

/* Whether a person would see a difference: when it was last seen alone is none. */
static bool differs(const struct mup_directory_device *one,
                    const struct mup_directory_device *other)
{
    struct mup_directory_device same = *one;

    memcpy(same.last_seen, other->last_seen, sizeof same.last_seen);
    return memcmp(&same, other, sizeof same) != 0;
}

/* ---- reading ---- */

static void lose(struct mup_mirror *mirror);

static void note_change(struct mup_mirror *mirror, const char *uuid)
{
    for (size_t i = 0; i < mirror->changed_count; i++) {
        if (strcmp(mirror->changed[i], uuid) == 0) {
            return;
        }
    }
    if (strlen(uuid) >= MUP_UUID_TEXT_SIZE) {
        return;
    }
    if (mirror->changed_count == MUP_MIRROR_CHANGES_MAX) {
        mirror->all_changed = true;
    } else {
        memcpy(mirror->changed[mirror->changed_count++], uuid, strlen(uuid) + 1);
    }
    if (!mirror->is_asking && !mup_timer_is_running(mirror->gather)) {
        mup_timer_start(mirror->gather, MUP_MIRROR_GATHER_MS);
    }
}

static void ask_again_soon(struct mup_mirror *mirror)
{
    mirror->is_asking = false;
    if (mirror->all_changed || mirror->changed_count > 0) {
        mup_timer_start(mirror->gather, MUP_MIRROR_GATHER_MS);
    }
}

/* The whole table is another one now: tell what is different, if anybody knew the old one. */
static void replace_all(struct mup_mirror *mirror, struct table *fresh)
{
    struct table old = mirror->table;
    bool was_filled = mirror->is_filled;

    mirror->table = *fresh;
    mirror->is_filled = true;
    for (size_t i = 0; was_filled && i < mirror->table.count; i++) {
        const struct mup_directory_device *device = &mirror->table.devices[i];
        const struct mup_directory_device *before = find_uuid(&old, device->uuid);
        if (!before || differs(before, device)) {
            tell_device(mirror, device);
        }
    }
    free_table(&old);
    set_live(mirror, true);
}

static void merge(struct mup_mirror *mirror, const struct mup_directory *directory)
{
    for (size_t i = 0; i < directory->count; i++) {
        const struct mup_directory_device *device = &directory->devices[i];
        struct mup_directory_device *known = find_uuid(&mirror->table, device->uuid);
        bool is_new = !known || differs(known, device);
        if (known) {
            *known = *device;
        } else {
            known = add_device(&mirror->table, device);
        }
        if (known && is_new) {
            tell_device(mirror, known);
        }
    }
}

static void on_devices(void *arg, const struct mup_netconf_reply *reply)
{
    struct mup_mirror *mirror = arg;
    struct mup_directory directory = {NULL, 0};
    struct table fresh;

    if (reply->outcome == MUP_NETCONF_LOST || reply->outcome == MUP_NETCONF_TIMEOUT) {
        return; /* the session's end follows */
    }
    if (reply->outcome == MUP_NETCONF_ERROR ||
        mup_directory_parse(&directory, reply->xml, reply->xml_size) != MUP_OK) {
        mup_log(MUP_LOG_WARNING, "mirror", mup_log_event("the bridge's devices cannot be read"),
                mup_log_text("reason", reply->error_message));
        lose(mirror);
        return;
    }
    if (!mirror->asks_all) {
        merge(mirror, &directory);
        mup_directory_free(&directory);
    } else if (make_table(&fresh, &directory)) {
        replace_all(mirror, &fresh);
    } else {
        free_table(&fresh);
        lose(mirror);
        return;
    }
    ask_again_soon(mirror);
}

static bool ask(struct mup_mirror *mirror, const char *xml, bool all)
{
    mirror->is_asking = true;
    mirror->asks_all = all;
    return mup_netconf_client_call(mirror->client, xml, MUP_MIRROR_TIMEOUT_MS, on_devices,
                                   mirror) == MUP_OK;
}

/* The oldest changes, and what is left of the list moves up. */
static bool ask_for_changed(struct mup_mirror *mirror)
{
    struct mup_text xml = {0};
    size_t count =
        mirror->changed_count < MUP_MIRROR_ASK_MAX ? mirror->changed_count : MUP_MIRROR_ASK_MAX;

    mup_text_add(&xml, "<get xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\">"
                       "<filter type=\"subtree\"><devices xmlns=\"urn:mup:myno-devices\">");
    for (size_t i = 0; i < count; i++) {
        mup_text_add(&xml, "<device><uuid>");
        mup_text_escape(&xml, mirror->changed[i]);
        mup_text_add(&xml, "</uuid></device>");
    }
    mup_text_add(&xml, "</devices></filter></get>");
    mirror->changed_count -= count;
    memmove(mirror->changed, mirror->changed + count,
            mirror->changed_count * sizeof *mirror->changed);
    bool good = !xml.failed && ask(mirror, xml.bytes, false);
    mup_text_free(&xml);
    return good;
}

static void on_gather(void *arg)
{
    struct mup_mirror *mirror = arg;

    if (mirror->is_asking || !mirror->client) {
        return;
    }
    bool all = mirror->all_changed;
    if (all) {
        mirror->all_changed = false;
        mirror->changed_count = 0;
    }
    if (all ? !ask(mirror, mup_directory_rpc, true)
            : mirror->changed_count > 0 && !ask_for_changed(mirror)) {
        lose(mirror);
    }
}

/* ---- notifications ---- */

static void set_text(char *out, const char *text, size_t size)
{
    memset(out, 0, size); /* so that equal devices have equal bytes */
    memcpy(out, text, strlen(text));
}

static void take_over(struct mup_directory_device *device, const struct mup_notice *notice)
{
    const struct mup_directory_device *told = &notice->device;

    if (told->has_version) {
        device->has_version = true;
        device->version = told->version;
    }
    if (told->has_on_trial) {
        device->has_on_trial = true;
        device->on_trial = told->on_trial;
    }
    if (told->has_reachable) {
        device->has_reachable = true;
        device->reachable = told->reachable;
    }
    if (told->state[0]) {
        set_text(device->state, told->state, sizeof device->state);
    }
    if (told->update_state[0]) {
        set_text(device->update_state, told->update_state, sizeof device->update_state);
    }
    if (notice->kind == MUP_NOTICE_CHANGE) {
        set_text(device->reason, told->reason, sizeof device->reason);
    }
}

/* A device that became ready has its module now, which the notification does not name. */
static void on_change(struct mup_mirror *mirror, const struct mup_notice *notice)
{
    struct mup_directory_device *device = find_uuid(&mirror->table, notice->device.uuid);

    if (!device) {
        note_change(mirror, notice->device.uuid);
        return;
    }
    struct mup_directory_device before = *device;
    take_over(device, notice);
    set_text(device->last_seen, notice->time, sizeof device->last_seen);
    bool became_ready = strcmp(device->state, "ready") == 0 && strcmp(before.state, "ready") != 0;
    if (became_ready || mirror->is_asking) {
        note_change(mirror, device->uuid);
    }
    if (differs(&before, device)) {
        tell_device(mirror, device);
    }
}

/* Milliseconds since 1970 of 2026-11-22T05:45:00.123Z; now, if it is none. */
static uint64_t read_time(const char *text)
{
    struct tm utc = {.tm_sec = 0};
    unsigned ms = 0;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3u", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
               &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &ms) < 6) {
        return mup_loop_wall_ms();
    }
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    time_t seconds = timegm(&utc);
    return seconds < 0 ? mup_loop_wall_ms() : (uint64_t)seconds * 1000u + ms;
}

static void on_point(struct mup_mirror *mirror, const struct mup_notice *notice)
{
    struct mup_directory_device *device = find_uuid(&mirror->table, notice->device.uuid);
    struct mup_mirror_point point = {
        .device = device,
        .uuid = notice->device.uuid,
        .name = notice->device.name,
        .point = notice->point,
        .value = notice->value,
        .unit = notice->unit,
        .symbol = notice->symbol,
        .is_event = notice->kind == MUP_NOTICE_EVENT,
        .at_ms = read_time(notice->time),
    };

    if (device) {
        set_text(device->last_seen, notice->time, sizeof device->last_seen);
    }
    if (mirror->callbacks.on_point) {
        mirror->callbacks.on_point(mirror->arg, &point);
    }
}

static void on_notification(void *arg, const char *xml, size_t size)
{
    struct mup_mirror *mirror = arg;
    static struct mup_notice notice; /* large; used by one loop, one at a time */

    if (mup_notice_parse(&notice, xml, size) != MUP_OK) {
        return;
    }
    switch (notice.kind) {
    case MUP_NOTICE_CHANGE:
    case MUP_NOTICE_PROGRESS:
        on_change(mirror, &notice);
        break;
    case MUP_NOTICE_TELEMETRY:
    case MUP_NOTICE_EVENT:
        on_point(mirror, &notice);
        break;
    case MUP_NOTICE_CONFIG: /* a label, perhaps */
        mirror->all_changed = true;
        if (!mirror->is_asking) {
            mup_timer_start(mirror->gather, MUP_MIRROR_GATHER_MS);
        }
        break;
    case MUP_NOTICE_OTHER:
        break;
    }
}

/* ---- the session ---- */

static void connect_now(void *arg);

static void lose(struct mup_mirror *mirror)
{
    if (mirror->client) {
        mup_netconf_client_free(mirror->client);
        mirror->client = NULL;
    }
    mirror->is_asking = false;
    mirror->all_changed = false;
    mirror->changed_count = 0;
    mup_timer_stop(mirror->gather);
    mup_timer_start(mirror->retry, mirror->retry_ms);
    mirror->retry_ms *= 2;
    if (mirror->retry_ms > MUP_MIRROR_RETRY_LAST_MS) {
        mirror->retry_ms = MUP_MIRROR_RETRY_LAST_MS;
    }
    set_live(mirror, false);
}

static void on_state(void *arg, bool open)
{
    struct mup_mirror *mirror = arg;

    if (open) {
        mirror->retry_ms = MUP_MIRROR_RETRY_FIRST_MS;
    } else {
        lose(mirror);
    }
}

static void on_subscribed(void *arg, const struct mup_netconf_reply *reply)
{
    struct mup_mirror *mirror = arg;

    if (reply->outcome == MUP_NETCONF_ERROR) {
        mup_log(MUP_LOG_WARNING, "mirror", mup_log_event("the bridge tells nothing by itself"),
                mup_log_text("reason", reply->error_message));
        lose(mirror);
    }
}

static void connect_now(void *arg)
{
    struct mup_mirror *mirror = arg;

    mirror->client = mup_netconf_client_new(mirror->loop, &mirror->settings, on_state, mirror);
    if (!mirror->client ||
        mup_netconf_client_call(mirror->client, SUBSCRIBE, MUP_MIRROR_TIMEOUT_MS, on_subscribed,
                                mirror) != MUP_OK ||
        !ask(mirror, mup_directory_rpc, true)) {
        lose(mirror);
    }
}

/* ---- for the others ---- */

bool mup_mirror_is_live(const struct mup_mirror *mirror)
{
    return mirror->is_live;
}

bool mup_mirror_is_filled(const struct mup_mirror *mirror)
{
    return mirror->is_filled;
}

size_t mup_mirror_count(const struct mup_mirror *mirror)
{
    return mirror->table.count;
}

const struct mup_directory_device *mup_mirror_at(const struct mup_mirror *mirror, size_t at)
{
    return &mirror->table.devices[at];
}

const struct mup_directory_device *mup_mirror_find(const struct mup_mirror *mirror,
                                                   const char *text)
{
    const struct mup_directory_device *device = find_uuid(&mirror->table, text);
    uint32_t at = device ? MUP_INDEX_NONE
                         : mup_index_find(&mirror->table.by_name, text, name_of, &mirror->table);

    return device ? device : at == MUP_INDEX_NONE ? NULL : &mirror->table.devices[at];
}

struct mup_mirror *mup_mirror_new(struct mup_loop *loop, const struct mup_mirror_settings *settings,
                                  const struct mup_mirror_callbacks *callbacks, void *arg)
{
    struct mup_mirror *mirror = calloc(1, sizeof *mirror);

    if (!mirror) {
        return NULL;
    }
    mirror->loop = loop;
    mirror->callbacks = *callbacks;
    mirror->arg = arg;
    mirror->retry_ms = MUP_MIRROR_RETRY_FIRST_MS;
    mirror->settings.on_notification = on_notification;
    mirror->settings.socket_path = strdup(settings->socket_path);
    mirror->settings.user = strdup(settings->user);
    mirror->changed = calloc(MUP_MIRROR_CHANGES_MAX, sizeof *mirror->changed);
    mirror->retry = mup_timer_new(loop, connect_now, mirror);
    mirror->gather = mup_timer_new(loop, on_gather, mirror);
    if (!mirror->settings.socket_path || !mirror->settings.user || !mirror->changed ||
        !mirror->retry || !mirror->gather) {
        mup_mirror_free(mirror);
        return NULL;
    }
    mup_timer_start(mirror->retry, 0);
    return mirror;
}

void mup_mirror_free(struct mup_mirror *mirror)
{
    if (!mirror) {
        return;
    }
    mup_netconf_client_free(mirror->client);
    mup_timer_free(mirror->retry);
    mup_timer_free(mirror->gather);
    free_table(&mirror->table);
    free(mirror->changed);
    free((char *)(uintptr_t)mirror->settings.socket_path);
    free((char *)(uintptr_t)mirror->settings.user);
    free(mirror);
}
