/*
 * bench-powercut: cut an update, a revert and a retried trial at every flash operation.
 *
 *     bench-powercut [single|pairs|torn-pairs|slot|all] [--full] [--stride N] [--json]
 *
 * - single: 8-page image; every operation with a clean cut, and a further update after each; then
 *   all kinds of cuts: torn, half-erased, weak
 * - pairs: 2-page image; a cut, and then another in the recovery from it
 * - torn-pairs: the same with all kinds of cuts, both times
 * - slot: 111-page image, clean cuts
 *
 * Operations on journals and records, and erasures, are always cut. Of the words of image data a
 * job takes each third, or fewer (stride below), unless it is told --full; they are alike, because
 * their page is erased again whatever a cut did to one of them.
 *
 * Exit code 0 when every device still boots a whole image, 1 when one does not, 2 for usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "campaign.h"

struct job {
    const char *name;
    struct plan plan;
};

static const struct job jobs[] = {
    {"single", {.slot_pages = 9, .old_size = 7900, .new_size = 8192, .torn = true, .stride = 3}},
    {"single", {.slot_pages = 9, .old_size = 8192, .new_size = 5001, .deep = true, .stride = 1}},
    {"pairs", {.slot_pages = 3, .old_size = 2048, .new_size = 1500, .pairs = true, .stride = 7}},
    {"torn-pairs",
     {.slot_pages = 3,
      .old_size = 2048,
      .new_size = 1500,
      .torn = true,
      .pairs = true,
      .stride = 499}},
    {"slot", {.slot_pages = 112, .old_size = 111000, .new_size = 113664, .stride = 509}},
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_result(const struct result *result, const char *what, double seconds, bool json)
{
    const char *format =
        json ? "{\"what\": \"%s\", \"operations\": %llu, \"cuts\": %llu, \"pairs\": %llu, "
               "\"bricked\": %llu, \"wrong_image\": %llu, \"inconsistent\": %llu, "
               "\"stuck\": %llu, \"seconds\": %.1f}\n"
             : "powercut %s: %llu operations, %llu cuts, %llu pairs, %llu bricked, "
               "%llu wrong_image, %llu inconsistent, %llu stuck, %.1f s\n";

    printf(format, what, (unsigned long long)result->operation_count,
           (unsigned long long)result->cut_count, (unsigned long long)result->pair_count,
           (unsigned long long)result->verdict_count[VERDICT_BRICKED],
           (unsigned long long)result->verdict_count[VERDICT_WRONG_IMAGE],
           (unsigned long long)result->verdict_count[VERDICT_INCONSISTENT],
           (unsigned long long)result->verdict_count[VERDICT_STUCK], seconds);
}

static bool is_clean(const struct result *result)
{
    return result->verdict_count[VERDICT_GOOD] > 0 && result->verdict_count[VERDICT_BRICKED] == 0 &&
           result->verdict_count[VERDICT_WRONG_IMAGE] == 0 &&
           result->verdict_count[VERDICT_INCONSISTENT] == 0 &&
           result->verdict_count[VERDICT_STUCK] == 0;
}

/* Run the jobs of a name. 0 good, 1 bad, 2 no such job. */
static int run(const char *what, uint32_t stride, bool json)
{
    struct result result = {0};
    double begin = now_s();
    bool played = true;
    bool any = false;

    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        struct plan plan = jobs[i].plan;

        if (strcmp(what, "all") != 0 && strcmp(what, jobs[i].name) != 0)
            continue;
        any = true;
        if (stride != 0)
            plan.stride = stride;
        for (int scenario = 0; scenario < SCENARIO_COUNT; scenario++)
            played = campaign_run(&result, &plan, (enum scenario)scenario) && played;
    }
    if (!any)
        return 2;
    print_result(&result, what, now_s() - begin, json);
    if (!played)
        fprintf(stderr, "powercut %s: a scenario failed without any cut\n", what);
    return played && is_clean(&result) ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *what = "all";
    uint32_t stride = 0;
    bool json = false;
    int status;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--full") == 0)
            stride = 1;
        else if (strcmp(argv[i], "--stride") == 0 && i + 1 < argc)
            stride = (uint32_t)strtoul(argv[++i], NULL, 10);
        else
            what = argv[i];
    }
    status = run(what, stride, json);
    if (status == 2)
        fprintf(stderr, "usage: bench-powercut [single|pairs|torn-pairs|slot|all] [--full] "
                        "[--stride N] [--json]\n");
    return status;
}
