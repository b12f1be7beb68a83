/*
 * bench-describe: what it takes to make a capability of a description, text to capability, as the
 * bridge does it for each new kind of device. Prints one JSON object; medians of many runs.
 *
 *     bench-describe FILE...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "bridge/description/capability.h"
#include "bridge/description/yang.h"

#define RUNS_MIN 30u
#define RUNS_MAX 1000u
#define RUN_S    1.0 /* of each file, as long as there were enough runs */

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static char *read_file(size_t *size, const char *path)
{
    FILE *file = fopen(path, "re");
    char *bytes = malloc(MUP_DESCRIPTION_SIZE_MAX + 1);

    if (file == NULL || bytes == NULL) {
        fprintf(stderr, "bench-describe: %s cannot be read\n", path);
        exit(1);
    }
    *size = fread(bytes, 1, MUP_DESCRIPTION_SIZE_MAX + 1, file);
    fclose(file);
    return bytes;
}

static unsigned count_triples(struct mup_describer *describer, const char *bytes, size_t size)
{
    struct mup_problems problems;
    char *lines = NULL;
    unsigned count = 0;

    if (mup_description_ntriples(&lines, &problems, describer, bytes, size, MUP_DESCRIPTION_AUTO) !=
        MUP_OK)
        return 0;
    for (const char *at = lines; *at != '\0'; at++)
        count += *at == '\n';
    free(lines);
    return count;
}

/* One run; the clock stops before the capability is let go. */
static double run_once(struct mup_describer *describer, const char *bytes, size_t size,
                       bool with_yang)
{
    struct mup_problems problems;
    struct mup_capability *capability = NULL;
    char *yang = NULL;
    double begun = now_ms();

    if (mup_description_parse(&capability, &problems, describer, bytes, size, MUP_DESCRIPTION_AUTO,
                              NULL) != MUP_OK ||
        (with_yang && mup_yang_module(&yang, capability) != MUP_OK)) {
        fprintf(stderr, "bench-describe: a description is refused\n");
        exit(1);
    }
    double took = now_ms() - begun;
    free(yang);
    mup_capability_free(capability);
    return took;
}

static double median(struct mup_describer *describer, const char *bytes, size_t size,
                     bool with_yang)
{
    static double ms[RUNS_MAX];
    unsigned runs = 0;
    double begun = now_ms();

    while (runs < RUNS_MAX && (runs < RUNS_MIN || now_ms() - begun < RUN_S * 1e3))
        ms[runs++] = run_once(describer, bytes, size, with_yang);
    qsort(ms, runs, sizeof ms[0], compare);
    return ms[runs / 2];
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

int main(int argc, char **argv)
{
    struct mup_problems problems;
    struct mup_describer *describer = NULL;
    json_t *describe = json_object();
    json_t *yang = json_object();
    json_t *triples = json_object();
    json_t *rate = json_object();

    if (mup_describer_new(&describer, &problems, NULL) != MUP_OK) {
        fprintf(stderr, "bench-describe: no queries\n");
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        size_t size = 0;
        char *bytes = read_file(&size, argv[i]);
        const char *name = base_name(argv[i]);
        unsigned count = count_triples(describer, bytes, size);
        double took = median(describer, bytes, size, false);

        json_object_set_new(describe, name, json_real(took));
        json_object_set_new(yang, name, json_real(median(describer, bytes, size, true)));
        json_object_set_new(triples, name, json_integer(count));
        json_object_set_new(rate, name, json_real((double)count / took * 1e3));
        free(bytes);
    }
    mup_describer_free(describer);
    json_t *all = json_pack("{s:o, s:o, s:o, s:o}", "describe_ms", describe, "describe_yang_ms",
                            yang, "triples", triples, "triples_per_s", rate);
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(all);
    return 0;
}
