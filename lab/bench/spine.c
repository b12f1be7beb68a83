/*
 * bench-spine: what the whole path costs on loopback. Each row is the demo itself, run several
 * times: a real broker, bridge, server and device; medians of the runs and their spread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "demo.h"
#include "json.h"

#define RUNS        5u
#define PAPER_SIZE  87800u
#define LARGE_SIZE  1048576u
#define PAPER_SLICE 600u

static const struct {
    const char *name;
    uint32_t image_size;
    uint32_t window; /* 0: the device's default */
    uint32_t slice;
} rows[] = {
    {"87.8 kB, window", PAPER_SIZE, 0, 0},
    {"87.8 kB, window, slices of 600 B", PAPER_SIZE, 8192, PAPER_SLICE},
    {"87.8 kB, stop-and-wait, slices of 600 B", PAPER_SIZE, PAPER_SLICE, PAPER_SLICE},
    {"1 MB, window", LARGE_SIZE, 0, 0},
    {"1 MB, window, slices of 600 B", LARGE_SIZE, 8192, PAPER_SLICE},
    {"1 MB, stop-and-wait, slices of 600 B", LARGE_SIZE, PAPER_SLICE, PAPER_SLICE},
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* One row: RUNS demos; the transfer's times sorted, and the last run's steps. */
static json_t *measure(const struct mup_demo_options *options, double ms[RUNS])
{
    static struct mup_demo demo;
    json_t *steps = NULL;

    for (unsigned run = 0; run < RUNS; run++) {
        bool good = mup_demo_run(&demo, options);
        const struct mup_story_step *transfer = &demo.story.steps[5];

        ms[run] = (double)(transfer->done_us - transfer->begun_us) / 1000.0;
        json_decref(steps);
        steps = mup_story_json(&demo.story);
        mup_demo_end(&demo);
        if (!good) {
            json_decref(steps);
            return NULL;
        }
    }
    qsort(ms, RUNS, sizeof ms[0], compare);
    return steps;
}

static void print_steps(const json_t *steps)
{
    size_t index;
    json_t *step;

    json_array_foreach(steps, index, step)
    {
        printf("    step %lld %10.1f ms %9lld B to %7lld B from the device  %s\n",
               (long long)mup_json_number(step, "step", 0),
               json_number_value(json_object_get(step, "milliseconds")),
               (long long)mup_json_number(step, "bytes_to_device", 0),
               (long long)mup_json_number(step, "bytes_from_device", 0),
               mup_json_text(step, "name", ""));
    }
}

static json_t *footprint(const char *source)
{
    char command[MUP_TESTBED_PATH_MAX + 64];
    json_t *value;
    FILE *pipe;

    snprintf(command, sizeof command, "'%s/lab/bench/footprint' --json --sizes", source);
    pipe = popen(command, "re");
    value = pipe == NULL ? NULL : json_loadf(pipe, 0, NULL);
    if (pipe != NULL)
        pclose(pipe);
    return value;
}

static int run_rows(const char *bin, json_t *list, bool json)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mup_demo_options options = {.bin = bin,
                                           .source = MUP_SOURCE_DIR,
                                           .json = true,
                                           .board = &mup_board_posix,
                                           .image_size = rows[i].image_size,
                                           .window = rows[i].window,
                                           .slice = rows[i].slice};
        double ms[RUNS];
        json_t *steps = measure(&options, ms);

        if (steps == NULL)
            return mup_fail("a run of '%s' was not confirmed", rows[i].name);
        if (!json)
            printf("%-42s transfer %9.1f ms (%.1f to %.1f, %u runs), %.0f kB/s\n", rows[i].name,
                   ms[RUNS / 2], ms[0], ms[RUNS - 1], RUNS, rows[i].image_size / ms[RUNS / 2]);
        if (!json && i == 0)
            print_steps(steps);
        fflush(stdout);
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:i, s:o}", "name", rows[i].name,
                            "image_size", (json_int_t)rows[i].image_size, "window",
                            (json_int_t)rows[i].window, "slice", (json_int_t)rows[i].slice,
                            "transfer_ms", ms[RUNS / 2], "transfer_ms_min", ms[0],
                            "transfer_ms_max", ms[RUNS - 1], "runs", (int)RUNS, "steps", steps));
    }
    return MUP_EXIT_DONE;
}

int main(int argc, char **argv)
{
    bool json = argc > 2 && strcmp(argv[2], "--json") == 0;
    json_t *list = json_array();
    json_t *sizes;
    int code;

    if (argc < 2 || argc > 3 || (argc == 3 && !json)) {
        fprintf(stderr, "usage: bench-spine BIN_FOLDER [--json]\n");
        return MUP_EXIT_USAGE;
    }
    code = run_rows(argv[1], list, json);
    if (code == MUP_EXIT_DONE && json) {
        sizes = footprint(MUP_SOURCE_DIR);
        mup_print_json(json_pack("{s:o, s:o}", "rows", json_incref(list), "footprint",
                                 sizes == NULL ? json_null() : sizes));
    }
    json_decref(list);
    return code;
}
