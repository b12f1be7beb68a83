/* Clocks, percentiles and the memory of a process: see figures.h. */
#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

double mup_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

void mup_samples_add(struct mup_samples *samples, double value)
{
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity == 0 ? 1024 : 2 * samples->capacity;
        samples->values = realloc(samples->values, samples->capacity * sizeof *samples->values);
        if (samples->values == NULL)
            abort();
    }
    samples->values[samples->count++] = value;
}

void mup_samples_free(struct mup_samples *samples)
{
    free(samples->values);
    *samples = (struct mup_samples){0};
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double mup_samples_percentile(struct mup_samples *samples, double share)
{
    size_t at = (size_t)(share * (double)samples->count);

    if (samples->count == 0)
        return 0;
    qsort(samples->values, samples->count, sizeof *samples->values, compare);
    return samples->values[at < samples->count ? at : samples->count - 1];
}

double mup_resident_kb(pid_t pid)
{
    char path[64];
    char line[256];
    double size = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmRSS: %lf kB", &size) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return size;
}

double mup_processor_us(pid_t pid)
{
    char path[64];
    double user = 0;
    double kernel = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    /* Fields 14 and 15; the name, field 2, has no blank. */
    if (fscanf(file, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lf %lf", &user,
               &kernel) != 2)
        user = kernel = 0;
    fclose(file);
    return (user + kernel) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}
