/*
 * bench-powercut: cut an update, a revert, a retried trial and a key change at every flash
 * operation.
 *
 *     bench-powercut [JOB] [--quick | --sample] [--seed N] [--jobs N] [--thinner N] [--json]
 *                    [--forget] [--emulated FILE]
 *
 * Jobs, all of them unless one is named:
 * - single: 8-page image, a cut at every word programmed and every page erased, in every way that
 *   port/hostile knows, and a further update after each
 * - smaller: the same with a new image that is smaller than the old, in one way for each
 *   word of image data
 * - slot: the same with an image that fills the slot of 112 kB, in one way for each word of image
 *   data, drawn by the seed, and in every way for all else
 * - pairs: 8-page image, a second cut in all that follows the first, up to the end of the update;
 *   exhaustively, with page operations cut at the erasure and the first, middle and last word; both
 *   cuts in every way, but with --quick and --sample the second in one that is drawn
 * - torn-pairs: 2-page image, one word in many of image data; both cuts in every way, at each
 *   third operation of what follows the first, drawn
 * - slot-pairs: full-size image, pairs drawn by the seed
 * - key-change: the update server's key is replaced; cuts, then pairs, at every operation and in
 *   every way
 *
 * Which invariants they attack: F1 to F5 (ledger.h) and B1 to B3, B5, B6 (boot.h) all of them, by
 * every cut in the journal and in the copying of pages; F6 (slot.h) and F7 (progress.h) those that
 * cut a download, and the pairs that go on with it; B4 by the digest that is compared after each.
 * key-change: F1 to F5 as the identity record stands on them.
 *
 * --quick takes about a minute, --sample is what ctest does. --emulated reads rows of cuts that
 * were made elsewhere (lab/bench/powercut).
 *
 * A device is not taken through a future that was judged already (recall.h): "recalled" says how
 * many came to a state, of flash, memory and registers, in which one before them had been. --forget
 * takes each through all of it, for comparison; the verdicts are the same.
 *
 * Exit code 0 when every device still boots a whole image, 1 when one does not, 2 for usage.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "campaign.h"

#define JOBS_MAX      64u

#define RECALL_PLACES (UINT32_C(1) << 24) /* 128 MB if all are used */

enum level { LEVEL_SAMPLE, LEVEL_QUICK, LEVEL_FULL, LEVEL_COUNT };

#define UPDATES (1u << SCENARIO_UPDATE | 1u << SCENARIO_REVERT | 1u << SCENARIO_RETRY)
#define KEYS    (1u << SCENARIO_KEY_CHANGE)

struct job {
    const char *name;
    uint32_t scenarios;
    struct plan plan;
    /* For each level, instead of the plan's strides. */
    uint32_t data_stride[LEVEL_COUNT];
    uint32_t first_stride[LEVEL_COUNT];
    uint32_t second_stride[LEVEL_COUNT];
    bool second_thinner; /* but for the full level, one kind for each second cut, drawn */
};

static const struct job jobs[] = {
    {.name = "single",
     .scenarios = UPDATES,
     .plan = {.slot_pages = 9, .old_size = 7900, .new_size = 8192},
     .data_stride = {307, 61, 1},
     .first_stride = {3, 1, 1},
     .second_stride = {1, 1, 1}},
    {.name = "smaller",
     .scenarios = UPDATES,
     .plan = {.slot_pages = 9, .old_size = 8192, .new_size = 5001, .one_kind = true},
     .data_stride = {101, 23, 1},
     .first_stride = {2, 1, 1},
     .second_stride = {1, 1, 1}},
    {.name = "slot",
     .scenarios = UPDATES,
     .plan = {.slot_pages = 112, .old_size = 111000, .new_size = 113664, .one_kind = true},
     .data_stride = {4001, 2003, 1},
     .first_stride = {61, 23, 1},
     .second_stride = {1, 1, 1}},
    {.name = "pairs",
     .scenarios = UPDATES,
     .plan =
         {.slot_pages = 9, .old_size = 7900, .new_size = 8192, .pairs = true, .page_ends = true},
     .second_thinner = true,
     .data_stride = {1, 1, 1},
     .first_stride = {29, 11, 1},
     .second_stride = {1, 1, 1}},
    {.name = "torn-pairs",
     .scenarios = UPDATES,
     .plan = {.slot_pages = 3, .old_size = 2048, .new_size = 1500, .pairs = true},
     .data_stride = {499, 499, 97},
     .first_stride = {97, 29, 1},
     .second_stride = {3, 3, 3}},
    {.name = "slot-pairs",
     .scenarios = UPDATES,
     .plan = {.slot_pages = 112,
              .old_size = 111000,
              .new_size = 113664,
              .pairs = true,
              .one_kind = true,
              .second_one_kind = true},
     .data_stride = {1, 1, 1},
     .first_stride = {20011, 9001, 997},
     .second_stride = {2003, 2003, 1009}},
    {.name = "key-change",
     .scenarios = KEYS,
     .plan = {.slot_pages = 3, .old_size = 2048, .new_size = 1500},
     .data_stride = {1, 1, 1},
     .first_stride = {3, 1, 1},
     .second_stride = {1, 1, 1}},
    {.name = "key-change",
     .scenarios = KEYS,
     .plan = {.slot_pages = 3, .old_size = 2048, .new_size = 1500, .pairs = true},
     .data_stride = {1, 1, 1},
     .first_stride = {23, 7, 1},
     .second_stride = {1, 1, 1}},
};

struct options {
    const char *what;
    const char *emulated_path;
    enum level level;
    uint32_t thinner; /* multiplies strides; for a build that is slow */
    uint32_t seed;
    uint32_t workers;
    bool json;
    bool forgets; /* judge each device to its end, whatever is known about others */
};

/* One line of the result. */
struct row {
    const char *job;
    const char *scenario;
    struct result result;
    double seconds;
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- work, in processes of their own --------------------------------------------------------- */

static void add(struct result *sum, const struct result *part)
{
    sum->cut_count += part->cut_count;
    sum->pair_count += part->pair_count;
    sum->recalled_count += part->recalled_count;
    sum->torn_count += part->torn_count;
    for (int i = 0; i < VERDICT_COUNT; i++)
        sum->verdict_count[i] += part->verdict_count[i];
}

/* What all workers of a job share. */
struct shared {
    struct world_images images;
    struct recall *recall;
};

static int start_worker(const struct plan *plan, enum scenario scenario,
                        const struct shared *shared, pid_t *pid)
{
    struct result result = {0};
    bool played;
    int ends[2];

    fflush(NULL);
    if (pipe(ends) != 0)
        return -1;
    *pid = fork();
    if (*pid != 0) {
        close(ends[1]);
        if (*pid > 0)
            return ends[0];
        close(ends[0]);
        return -1;
    }
    close(ends[0]);
    played = campaign_run(&result, plan, scenario, &shared->images, shared->recall);
    _exit(played && write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
}

static bool end_worker(struct result *result, int end, pid_t pid)
{
    struct result part;
    int status = 0;
    bool good = read(end, &part, sizeof part) == sizeof part;

    close(end);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!good || status != 0)
        return false;
    add(result, &part);
    result->operation_count = part.operation_count;
    return true;
}

static bool run_scenario(struct result *result, struct plan plan, enum scenario scenario,
                         const struct shared *shared)
{
    int ends[JOBS_MAX];
    pid_t pids[JOBS_MAX];
    bool good = true;

    for (plan.shard = 0; plan.shard < plan.shard_count; plan.shard++)
        ends[plan.shard] = start_worker(&plan, scenario, shared, &pids[plan.shard]);
    for (uint32_t i = 0; i < plan.shard_count; i++)
        good = ends[i] >= 0 && end_worker(result, ends[i], pids[i]) && good;
    if (!good)
        fprintf(stderr, "powercut: the %s failed without any cut\n", scenario_name(scenario));
    return good;
}

/* ---- results --------------------------------------------------------------------------------- */

static unsigned long long count_of(const struct result *result, enum verdict verdict)
{
    return (unsigned long long)result->verdict_count[verdict];
}

/* For people those alone that there were: each is a device that is not what it should be. */
static void print_verdicts(const struct result *result, bool json)
{
    for (int i = VERDICT_GOOD + 1; i < VERDICT_COUNT; i++)
        if (json)
            printf(", \"%s\": %llu", verdict_name((enum verdict)i),
                   count_of(result, (enum verdict)i));
        else if (count_of(result, (enum verdict)i) != 0)
            printf("  %s %llu", verdict_name((enum verdict)i), count_of(result, (enum verdict)i));
}

static void print_row(const struct row *row, bool json, bool first)
{
    const struct result *result = &row->result;

    if (json)
        printf(
            "%s\n  {\"job\": \"%s\", \"scenario\": \"%s\", \"operations\": %llu, \"cuts\": %llu, "
            "\"pairs\": %llu, \"torn\": %llu, \"recalled\": %llu, \"seconds\": %.1f",
            first ? "" : ",", row->job, row->scenario, (unsigned long long)result->operation_count,
            (unsigned long long)result->cut_count, (unsigned long long)result->pair_count,
            (unsigned long long)result->torn_count, (unsigned long long)result->recalled_count,
            row->seconds);
    else
        printf("%s%-10s %-10s %10llu %8llu %8llu %8llu %8llu %6.0f",
               first
                   ? "job        scenario   operations     cuts    pairs     torn recalled      s\n"
                   : "",
               row->job, row->scenario, (unsigned long long)result->operation_count,
               (unsigned long long)result->cut_count, (unsigned long long)result->pair_count,
               (unsigned long long)result->torn_count, (unsigned long long)result->recalled_count,
               row->seconds);
    print_verdicts(result, json);
    printf(json ? "}" : "\n");
    fflush(stdout);
}

static bool is_clean(const struct result *result)
{
    uint64_t bad = 0;

    for (int i = VERDICT_GOOD + 1; i < VERDICT_COUNT; i++)
        bad += result->verdict_count[i];
    return bad == 0 && result->verdict_count[VERDICT_GOOD] > 0;
}

static void print_sum(const struct result *sum, unsigned long long emulated,
                      const struct options *options, double seconds)
{
    static const char *const levels[LEVEL_COUNT] = {"sample", "quick", "full"};
    bool json = options->json;

    printf(json ? "\n], \"level\": \"%s\", \"seed\": %u" : "\n%s, seed %u", levels[options->level],
           (unsigned)options->seed);
    printf(json ? ", \"cuts\": %llu, \"pairs\": %llu, \"torn\": %llu, \"emulated_cuts\": %llu"
                : ", cuts %llu, pairs %llu, torn %llu, emulated %llu",
           (unsigned long long)sum->cut_count, (unsigned long long)sum->pair_count,
           (unsigned long long)sum->torn_count, emulated);
    if (!json)
        printf(": %s", is_clean(sum) ? "each device went on" : "DEVICES WERE LOST:");
    print_verdicts(sum, json);
    printf(json ? ", \"seconds\": %.1f}\n" : "; %.1f s\n", seconds);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Rows "SCENARIO CUTS BRICKED WRONG_IMAGE INCONSISTENT STUCK SECONDS" of the emulated board. */
static bool read_emulated(struct result *sum, unsigned long long *cuts,
                          const struct options *options, bool *first)
{
    FILE *file = fopen(options->emulated_path, "r");
    unsigned long long verdicts[4];
    unsigned long long count;
    char scenario[32];
    double seconds;

    if (file == NULL) {
        fprintf(stderr, "powercut: %s: %s\n", options->emulated_path, strerror(errno));
        return false;
    }
    while (fscanf(file, "%31s %llu %llu %llu %llu %llu %lf", scenario, &count, &verdicts[0],
                  &verdicts[1], &verdicts[2], &verdicts[3], &seconds) == 7) {
        struct row row = {.job = "microbit", .scenario = scenario, .seconds = seconds};

        row.result.cut_count = count;
        row.result.verdict_count[VERDICT_BRICKED] = verdicts[0];
        row.result.verdict_count[VERDICT_WRONG_IMAGE] = verdicts[1];
        row.result.verdict_count[VERDICT_INCONSISTENT] = verdicts[2];
        row.result.verdict_count[VERDICT_STUCK] = verdicts[3];
        print_row(&row, options->json, *first);
        *first = false;
        *cuts += count;
        row.result.cut_count = 0; /* counted apart */
        add(sum, &row.result);
    }
    fclose(file);
    return true;
}

static bool run_job(struct result *sum, const struct job *job, const struct options *options,
                    bool *first)
{
    struct plan plan = job->plan;
    struct shared shared = {.recall = recall_make(options->forgets ? 0 : RECALL_PLACES)};
    bool good = true;

    plan.seed = options->seed;
    plan.shard_count = options->workers;
    plan.data_stride = job->data_stride[options->level];
    plan.first_stride = job->first_stride[options->level] * options->thinner;
    plan.second_stride = job->second_stride[options->level];
    if (options->level != LEVEL_FULL && job->second_thinner)
        plan.second_one_kind = true;
    world_images_make(&shared.images, plan.slot_pages, plan.old_size, plan.new_size);
    for (int scenario = 0; scenario < SCENARIO_COUNT; scenario++) {
        struct row row = {.job = job->name, .scenario = scenario_name((enum scenario)scenario)};
        double begin = now_s();

        if ((job->scenarios & 1u << scenario) == 0)
            continue;
        good = run_scenario(&row.result, plan, (enum scenario)scenario, &shared) && good;
        row.seconds = now_s() - begin;
        print_row(&row, options->json, *first);
        *first = false;
        add(sum, &row.result);
    }
    world_images_free(&shared.images);
    recall_free(shared.recall);
    return good;
}

/* 0 good, 1 bad, 2 no such job. */
static int run(const struct options *options)
{
    struct result sum = {0};
    unsigned long long emulated = 0;
    double begin = now_s();
    bool good = true;
    bool any = false;
    bool first = true;

    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++)
        any = any || strcmp(options->what, jobs[i].name) == 0;
    if (!any && strcmp(options->what, "all") != 0)
        return 2;
    if (options->json)
        printf("{\"rows\": [");
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        if (!any || strcmp(options->what, jobs[i].name) == 0)
            good = run_job(&sum, &jobs[i], options, &first) && good;
    }
    if (options->emulated_path != NULL)
        good = read_emulated(&sum, &emulated, options, &first) && good;
    print_sum(&sum, emulated, options, now_s() - begin);
    return good && is_clean(&sum) ? 0 : 1;
}

static bool number(uint32_t *out, const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    *out = (uint32_t)value;
    return *text != '\0' && *end == '\0' && value > 0 && value <= UINT32_MAX;
}

static bool parse(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        uint32_t *wanted = strcmp(argv[i], "--seed") == 0      ? &options->seed
                           : strcmp(argv[i], "--jobs") == 0    ? &options->workers
                           : strcmp(argv[i], "--thinner") == 0 ? &options->thinner
                                                               : NULL;

        if (wanted != NULL) {
            if (!number(wanted, value))
                return false;
            i++;
        } else if (strcmp(argv[i], "--emulated") == 0 && i + 1 < argc) {
            options->emulated_path = argv[++i];
        } else if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else if (strcmp(argv[i], "--forget") == 0) {
            options->forgets = true;
        } else if (strcmp(argv[i], "--quick") == 0) {
            options->level = LEVEL_QUICK;
        } else if (strcmp(argv[i], "--sample") == 0) {
            options->level = LEVEL_SAMPLE;
        } else if (argv[i][0] == '-') {
            return false;
        } else {
            options->what = argv[i];
        }
    }
    return options->workers <= JOBS_MAX;
}

int main(int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {.what = "all", .level = LEVEL_FULL, .thinner = 1, .seed = 1};
    int status = 2;

    options.workers = processors < 1                ? 1
                      : processors > (long)JOBS_MAX ? JOBS_MAX
                                                    : (uint32_t)processors;
    if (parse(&options, argc, argv))
        status = run(&options);
    if (status == 2)
        fprintf(stderr,
                "usage: bench-powercut [single|smaller|slot|pairs|torn-pairs|slot-pairs|"
                "key-change] [--quick | --sample] [--seed N] [--jobs N] [--thinner N] [--json] "
                "[--forget] [--emulated FILE]\n");
    return status;
}
