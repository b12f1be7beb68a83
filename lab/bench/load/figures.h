/* Clocks, percentiles and the memory of a process, for the measurements of this folder. */
#ifndef MUP_BENCH_FIGURES_H
#define MUP_BENCH_FIGURES_H

#include <stddef.h>
#include <sys/types.h>

/* A clock that only goes forward, in microseconds. */
double mup_now_us(void);

/* Numbers that are collected one by one; `{0}` is empty. */
struct mup_samples {
    double *values;
    size_t count;
    size_t capacity;
};

void mup_samples_add(struct mup_samples *samples, double value);
void mup_samples_free(struct mup_samples *samples);

/* The value that `share` (0 to 1) of them do not exceed; 0 when there is none. Sorts them. */
double mup_samples_percentile(struct mup_samples *samples, double share);

/* Resident memory of a process in kB (VmRSS), and the processor time it has used so far in
 * microseconds; 0 when it is gone. */
double mup_resident_kb(pid_t pid);
double mup_processor_us(pid_t pid);

#endif
