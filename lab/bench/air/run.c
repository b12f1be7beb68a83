/* One run from begin to end, and what is said of it. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "air.h"
#include "frames.h"
#include "watch.h"

/* What a whole run is counted in. */
struct figures {
    int64_t epoch_us; /* CLOCK_REALTIME minus CLOCK_MONOTONIC */
    json_t *report;   /* of the router, at the end */
    struct mup_watch_figures watch;
    struct mup_frames frames;
    int64_t first_us; /* the times of all devices together */
    int64_t slice_us;
    int64_t accepted_us;
    int64_t verified_us;
    int64_t end_us;
};

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool mup_air_count(struct mup_air_lab *lab, const struct mup_air_row *row)
{
    json_t *answer;

    if (row->faults != NULL) {
        if ((answer = mup_air_command(lab, "set %s", row->faults)) == NULL)
            return false;
        json_decref(answer);
    }
    mup_watch_reset();
    lab->count_us = mup_air_now_us();
    answer = mup_air_command(lab, "reset");
    json_decref(answer);
    return answer != NULL;
}

/* ---- figures ---- */

static void widen(int64_t *from, int64_t *to, int64_t first, int64_t last)
{
    if (first != 0 && (*from == 0 || first < *from))
        *from = first;
    if (last > *to)
        *to = last;
}

static bool take_figures(struct mup_air_lab *lab, struct figures *figures)
{
    struct mup_frames_window all;
    struct mup_frames_window transfer;

    for (size_t i = 0; i < lab->device_count; i++) {
        const struct mup_air_device *device = &lab->devices[i];

        widen(&figures->first_us, &figures->verified_us, device->token_us, device->verified_us);
        widen(&figures->slice_us, &figures->accepted_us, device->slice_us, device->accepted_us);
    }
    all = (struct mup_frames_window){lab->count_us + figures->epoch_us,
                                     figures->end_us + figures->epoch_us};
    transfer = (struct mup_frames_window){figures->slice_us + figures->epoch_us,
                                          figures->accepted_us + figures->epoch_us};
    return mup_frames_read(&figures->frames, mup_testbed_path(&lab->bed, "radio.pcap"), all,
                           transfer) ||
           mup_air_fail(lab, "there is no capture");
}

static double seconds_between(int64_t from_us, int64_t to_us)
{
    return from_us == 0 || to_us <= from_us ? 0 : (double)(to_us - from_us) / 1e6;
}

static json_t *seconds_json(int64_t from_us, int64_t to_us)
{
    double seconds = seconds_between(from_us, to_us);

    return seconds > 0 ? json_real(round(seconds * 1e4) / 1e4) : json_null();
}

/* Seconds since 1970, as the capture has them. */
static json_t *moment_json(const struct figures *figures, int64_t at_us)
{
    return at_us == 0 ? json_null() : json_real((double)(at_us + figures->epoch_us) / 1e6);
}

static json_t *tally_json(const struct mup_frames_tally *tally)
{
    return json_pack("{s:I, s:I}", "frames", (json_int_t)tally->frames, "bytes",
                     (json_int_t)tally->bytes);
}

static json_t *way_json(const struct mup_frames_way *way)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "data", tally_json(&way->first), "retries",
                     tally_json(&way->retries), "broadcast", tally_json(&way->broadcast), "acks",
                     tally_json(&way->acks));
}

static json_t *capture_json(const struct mup_frames *frames)
{
    return json_pack("{s:o, s:o}", "in", way_json(&frames->in), "out", way_json(&frames->out));
}

/* ---- the router's report ---- */

static json_int_t counter(const json_t *node, const char *group, const char *name)
{
    return json_integer_value(json_object_get(json_object_get(node, group), name));
}

static bool is_router(const json_t *node)
{
    const char *name = json_string_value(json_object_get(node, "name"));

    return name != NULL && strcmp(name, "router") == 0;
}

struct radio_totals {
    json_int_t bytes[2]; /* to devices, from devices: data with retries */
    json_int_t frames;
    json_int_t retries;
    json_int_t acks;
    json_int_t broadcast;
};

static struct radio_totals add_nodes(const json_t *report)
{
    struct radio_totals sum = {.frames = 0};
    size_t index;
    json_t *node;

    json_array_foreach(json_object_get(report, "nodes"), index, node)
    {
        sum.bytes[is_router(node) ? 0 : 1] +=
            counter(node, "tx", "bytes") + counter(node, "tx", "retry_bytes");
        sum.frames += counter(node, "tx", "frames") + counter(node, "tx", "retries");
        sum.retries += counter(node, "tx", "retries");
        sum.acks += counter(node, "acks", "bytes");
        sum.broadcast += counter(node, "broadcast", "bytes");
    }
    return sum;
}

/* A router without --air has no report: the capture stands in for it. */
static struct radio_totals add_ways(const struct mup_frames *frames)
{
    return (struct radio_totals){
        .bytes = {(json_int_t)frames->in.first.bytes + frames->in.retries.bytes,
                  (json_int_t)frames->out.first.bytes + frames->out.retries.bytes},
        .frames = (json_int_t)frames->in.first.frames + frames->out.first.frames};
}

static void add_report(json_t *made, const struct figures *figures)
{
    bool is_there = json_object_get(figures->report, "nodes") != NULL;
    struct radio_totals sum = is_there ? add_nodes(figures->report) : add_ways(&figures->frames);

    json_object_set_new(made, "bytes_in", json_integer(sum.bytes[0]));
    json_object_set_new(made, "bytes_out", json_integer(sum.bytes[1]));
    json_object_set_new(made, "frames", json_integer(sum.frames));
    json_object_set_new(made, "retries", json_integer(sum.retries));
    json_object_set_new(made, "ack_bytes", json_integer(sum.acks));
    json_object_set_new(made, "multicast_bytes", json_integer(sum.broadcast));
    json_object_set(made, "lateness_us", json_object_get(figures->report, "lateness_us"));
    json_object_set_new(made, "starved_us",
                        json_pack("{s:I, s:I}", "p99", (json_int_t)figures->watch.p99_us, "max",
                                  (json_int_t)figures->watch.max_us));
    json_object_set(made, "channel", json_object_get(figures->report, "channel"));
    json_object_set(made, "fifo", json_object_get(figures->report, "fifo"));
    json_object_set(made, "nodes", json_object_get(figures->report, "nodes"));
}

/* ---- the whole ---- */

static json_t *devices_json(const struct mup_air_lab *lab)
{
    json_t *list = json_array();

    for (size_t i = 0; i < lab->device_count; i++) {
        const struct mup_air_device *device = &lab->devices[i];

        json_array_append_new(
            list,
            json_pack("{s:s, s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:I}", "uuid", device->device.uuid,
                      "seconds", seconds_json(device->slice_us, device->accepted_us), "before",
                      seconds_json(device->token_us, device->slice_us), "after",
                      seconds_json(device->accepted_us, device->verified_us), "slices",
                      (int)device->slices, "acks", (int)device->acks, "rewinds",
                      (int)device->rewinds, "state", (int)device->state, "begun_us",
                      (json_int_t)(device->slice_us - lab->devices[0].slice_us)));
    }
    return list;
}

static void add_times(json_t *made, const struct mup_air_lab *lab, const struct mup_air_row *row,
                      const struct figures *figures)
{
    double seconds = seconds_between(figures->slice_us, figures->accepted_us) - (double)row->cut_s;
    double limit = (double)figures->frames.limit_us / 1e6;

    json_object_set_new(made, "seconds", seconds_json(figures->slice_us, figures->accepted_us));
    json_object_set_new(made, "limit_seconds",
                        figures->slice_us == 0 ? json_null() : json_real(limit));
    json_object_set_new(made, "ratio",
                        seconds > 0 ? json_real(round(limit / seconds * 1e4) / 1e4) : json_null());
    json_object_set_new(made, "idle",
                        seconds > 0
                            ? json_real(1 - (double)figures->frames.airtime_us / 1e6 / seconds)
                            : json_null());
    json_object_set_new(made, "total_seconds",
                        seconds_json(figures->first_us, figures->verified_us));
    json_object_set_new(made, "window",
                        json_pack("{s:o, s:o, s:o, s:o, s:o}", "from",
                                  moment_json(figures, lab->count_us), "slice",
                                  moment_json(figures, figures->slice_us), "accepted",
                                  moment_json(figures, figures->accepted_us), "verified",
                                  moment_json(figures, figures->verified_us), "to",
                                  moment_json(figures, figures->end_us)));
    json_object_set_new(made, "payload_size", json_integer((json_int_t)lab->payload_size));
    json_object_set_new(made, "devices", devices_json(lab));
}

/* Keep it before the next router writes a new one. */
static bool keep_capture(struct mup_air_lab *lab, const struct mup_air_row *row)
{
    const char *const argv[] = {"/bin/cp", mup_testbed_path(&lab->bed, "radio.pcap"), row->capture,
                                NULL};

    return row->capture == NULL || mup_testbed_run(&lab->bed, "cp", argv) ||
           mup_air_fail(lab, "the capture cannot be kept as %s", row->capture);
}

static bool measure(struct mup_air_lab *lab, const struct mup_air_row *row, struct figures *figures)
{
    bool (*const kinds[])(struct mup_air_lab *, const struct mup_air_row *) = {
        [MUP_AIR_UPDATE] = mup_air_update,
        [MUP_AIR_REPLAY] = mup_air_replay,
        [MUP_AIR_DOWNGRADE] = mup_air_downgrade,
        [MUP_AIR_RPC] = mup_air_rpc,
    };
    int64_t told_us;

    figures->epoch_us = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
    if (!mup_air_begin(lab, row) || !kinds[row->kind](lab, row))
        return false;
    figures->watch = mup_watch_figures();
    figures->report = mup_air_command(lab, "report");
    if (figures->report == NULL)
        return false;
    /* What the router had counted when it answered, and not what went out since. */
    told_us = json_integer_value(json_object_get(figures->report, "now_us"));
    figures->end_us = told_us == 0 ? mup_air_now_us() : told_us - figures->epoch_us;
    return true;
}

json_t *mup_air_run(struct mup_air_lab *lab, const struct mup_air_row *row)
{
    struct figures figures = {.report = NULL};
    json_t *made = json_object();
    bool good = measure(lab, row, &figures);

    /* The devices die first: then the router writes the end of the capture. */
    mup_air_stop_radio(lab);
    good = good && take_figures(lab, &figures) && keep_capture(lab, row);
    json_object_set(made, "name", json_object_get(row->line, "name"));
    json_object_set(made, "seed", json_object_get(row->line, "seed"));
    if (good) {
        add_times(made, lab, row, &figures);
        add_report(made, &figures);
        json_object_set_new(made, "capture", capture_json(&figures.frames));
    } else {
        json_object_set_new(made, "error", json_string(lab->error));
        (void)keep_capture(lab, row);
    }
    json_decref(figures.report);
    mup_air_end(lab);
    return made;
}
