/* What a program says is kept for whoever waits, but not all of it for ever. */
#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"

#define WAIT_MS 60000

static struct mup_process_set set;

static int make_folder(void **state)
{
    (void)state;
    memset(&set, 0, sizeof set);
    snprintf(set.log_folder, sizeof set.log_folder, "/tmp/test-process-XXXXXX");
    return mkdtemp(set.log_folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    char path[320];

    (void)state;
    mup_process_stop_all(&set);
    snprintf(path, sizeof path, "%s/seq.log", set.log_folder);
    unlink(path);
    return rmdir(set.log_folder);
}

/* 400,000 numbered lines are 2.7 MB. */
static void what_is_kept_of_a_talkative_program_has_a_limit_and_its_last_lines(void **state)
{
    const char *argv[] = {"/usr/bin/seq", "1", "400000", NULL};
    struct mup_process *process = mup_process_start(&set, "seq", argv);
    char line[MUP_PROCESS_LINE_MAX];
    char path[320];
    struct stat log;

    (void)state;
    assert_non_null(process);
    assert_true(mup_process_wait_line(&set, process, "399998", WAIT_MS, line, sizeof line));
    assert_string_equal(line, "399998");
    assert_true(mup_process_wait_line(&set, process, "400000", WAIT_MS, line, sizeof line));
    assert_in_range(process->capacity, 1, MUP_PROCESS_KEEP_MAX);
    snprintf(path, sizeof path, "%s/seq.log", set.log_folder);
    assert_int_equal(stat(path, &log), 0);
    assert_int_equal(log.st_size, 9 * 2 + 90 * 3 + 900 * 4 + 9000 * 5 + 90000 * 6 + 300001 * 7);
}

/* Nobody waits meanwhile, so lines are forgotten that nobody has looked at; whole ones. */
static void lines_stay_whole_when_older_ones_are_forgotten(void **state)
{
    const char *argv[] = {"/usr/bin/seq", "1", "400000", NULL};
    struct mup_process *process = mup_process_start(&set, "seq", argv);
    char line[MUP_PROCESS_LINE_MAX];
    long last = 0;

    (void)state;
    assert_non_null(process);
    while (mup_process_is_running(process) || process->out >= 0)
        mup_process_pump(&set, 20);
    while (mup_process_next_line(process, line, sizeof line)) {
        long number = strtol(line, NULL, 10);

        assert_true(last == 0 ? number > 1 : number == last + 1);
        last = number;
    }
    assert_int_equal(last, 400000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_kept_of_a_talkative_program_has_a_limit_and_its_last_lines, make_folder,
            remove_folder),
        cmocka_unit_test_setup_teardown(lines_stay_whole_when_older_ones_are_forgotten, make_folder,
                                        remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
