/*
 * bench-radio: measures updates over the radio of the lab, one after the other in one lab.
 *
 *     bench-radio BIN_FOLDER < RUNS
 *
 * Each line of standard input is a run, a JSON object with a "name"; everything else has a default:
 *
 *     seed        printed again with the result
 *     kind        "update", "replay", "downgrade" or "rpc" (air.h)
 *     devices     how many, updated at the same time: 1
 *     name_size   bytes of a device's name; unless told, its UUID is its name
 *     image_size  bytes: 87800
 *     factory     list of further arguments of mup-microbit factory
 *     router      list of further arguments of mup-router, such as "--air"
 *     faults      words for the router's command `set`, from the request for the token on
 *     cut_s       seconds for which the link is gone in mid-transfer
 *     timeout_s   until a run has failed: 300
 *     capture     where to keep the capture
 *
 * For each there is one line of standard output: figures, or "error". lab/bench/radio drives it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "air.h"
#include "watch.h"

#define LINE_MAX_SIZE 8192

static volatile int must_stop;

static void on_signal(int number)
{
    (void)number;
    must_stop = 1;
}

static json_t *run_line(struct mup_air_lab *lab, const char *text)
{
    struct mup_air_row row;
    json_error_t problem;
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    json_t *result;

    lab->error[0] = '\0';
    if (line == NULL)
        result = json_pack("{s:s}", "error", problem.text);
    else if (!mup_air_row_read(&row, line, lab->error))
        result = json_pack("{s:s}", "error", lab->error);
    else
        result = mup_air_run(lab, &row);
    json_decref(line);
    return result;
}

static void print(json_t *result)
{
    json_dumpf(result, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(17));
    putchar('\n');
    fflush(stdout);
    json_decref(result);
}

int main(int argc, char **argv)
{
    static struct mup_air_lab lab;
    static char line[LINE_MAX_SIZE];
    struct sigaction stop = {.sa_handler = on_signal}; /* without SA_RESTART: fgets ends */
    bool good;

    if (argc != 2) {
        fprintf(stderr, "usage: bench-radio BIN_FOLDER < RUNS\n");
        return 2;
    }
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* nobody is there to read what would be measured */
    mup_air_hurry(true);
    good = mup_watch_start(MUP_AIR_DEVICE_PRIORITY) &&
           mup_air_open(&lab, argv[1], MUP_SOURCE_DIR, &must_stop);
    while (good && !must_stop && fgets(line, sizeof line, stdin) != NULL)
        print(run_line(&lab, line));
    mup_air_close(&lab);
    return good ? 0 : 1;
}
