/* The process that judges descriptions: this same program, as mup-bridge starts itself. What a
 * description might do to its child is done by handlers that run in the child's fork and exit. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/cmocka_all.h"

#include "bridge/devices/judge.h"

#define INHERITED 50 /* a descriptor that an exec would pass on, like libmosquitto's socket */
#define SLOW      "MUP_TEST_SLOW"
#define WARNS     "MUP_TEST_WARNS"
#define DIES      "MUP_TEST_DIES"
#define HOG       "MUP_TEST_HOG"

static struct mup_loop loop;
static char verdict[MUP_JUDGE_REASON_MAX + 1];
static bool usable;

static struct mup_judge *asked;
static unsigned left; /* questions until the judge goes */
static const void *question;
static size_t question_size;

static void on_verdict(void *arg, const char *reason)
{
    (void)arg;
    usable = reason == NULL;
    snprintf(verdict, sizeof verdict, "%s", reason == NULL ? "" : reason);
    if (--left == 0) {
        mup_judge_free(asked);
        return;
    }
    if (getenv(DIES) != NULL)
        unsetenv(DIES);
    assert_true(mup_judge_ask(asked, question, question_size, on_verdict, NULL));
}

static void judge_times(const void *bytes, size_t size, unsigned times)
{
    question = bytes;
    question_size = size;
    left = times;
    assert_int_equal(mup_loop_init(&loop, NULL, NULL), MUP_OK);
    asked = mup_judge_new(&loop, NULL);
    assert_non_null(asked);
    assert_true(mup_judge_ask(asked, bytes, size, on_verdict, NULL));
    mup_loop_run(&loop); /* until the process has ended: nothing else is on this loop */
    mup_loop_close(&loop);
    assert_int_equal(left, 0);
}

static void judge(const void *bytes, size_t size)
{
    judge_times(bytes, size, 1);
}

static void judge_virtual_times(unsigned times)
{
    static uint8_t bytes[65535];
    FILE *file = fopen(MUP_SOURCE_DIR "/firmware/description/virtual.jsonld", "re");
    size_t size;

    assert_non_null(file);
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    judge_times(bytes, size, times);
}

static void judge_virtual(void)
{
    judge_virtual_times(1);
}

static void a_good_description_can_be_used(void **state)
{
    (void)state;
    judge_virtual();
    assert_string_equal(verdict, "");
    assert_true(usable);
}

static void the_reason_of_a_refusal_comes_back(void **state)
{
    (void)state;
    judge("{\"a\":", 5);
    assert_false(usable);
    assert_non_null(strstr(verdict, "JSON"));
}

static void a_warning_to_a_file_is_no_verdict(void **state)
{
    FILE *log = tmpfile();
    int kept = dup(STDERR_FILENO);

    (void)state;
    assert_non_null(log);
    assert_int_equal(dup2(fileno(log), STDERR_FILENO), STDERR_FILENO);
    setenv(WARNS, "1", 1);
    judge_virtual();
    unsetenv(WARNS);
    dup2(kept, STDERR_FILENO);
    close(kept);
    fclose(log);
    assert_string_equal(verdict, "");
    assert_true(usable);
}

static void the_child_has_no_descriptor_but_its_three(void **state)
{
    (void)state;
    assert_int_equal(dup2(STDOUT_FILENO, INHERITED), INHERITED);
    judge_virtual();
    close(INHERITED);
    assert_string_equal(verdict, "");
    assert_true(usable);
}

static void what_would_hold_up_the_bridge_cannot_be_used(void **state)
{
    (void)state;
    setenv(SLOW, "110", 1);
    judge_virtual();
    unsetenv(SLOW);
    assert_false(usable);
    assert_non_null(strstr(verdict, "too long"));
}

static void one_process_judges_many(void **state)
{
    (void)state;
    judge_times("{\"a\":", 5, 20);
    assert_false(usable);
    assert_non_null(strstr(verdict, "JSON"));
}

static void the_processor_time_of_one_is_not_counted_to_the_next(void **state)
{
    (void)state;
    setenv(SLOW, "60", 1);
    judge_virtual_times(2); /* together more than MUP_JUDGE_READ_MS */
    unsetenv(SLOW);
    assert_string_equal(verdict, "");
    assert_true(usable);
}

static void what_uses_up_the_limits_cannot_be_used(void **state)
{
    (void)state;
    setenv(HOG, "1", 1);
    judge_virtual();
    unsetenv(HOG);
    assert_false(usable);
    assert_non_null(strstr(verdict, "more than 5 s"));
}

static void a_process_that_ends_is_replaced(void **state)
{
    (void)state;
    setenv(DIES, "1", 1);
    judge_times("{\"a\":", 5, 2); /* dies of the first question, twice */
    assert_non_null(strstr(verdict, "JSON"));
}

/* Use the processor for so many hundredths of the time that a description may take. */
static void be_slow(void)
{
    long share = strtol(getenv(SLOW), NULL, 10);

    while (clock() < (clock_t)MUP_JUDGE_READ_MS * share / 100 * (CLOCKS_PER_SEC / 1000))
        continue;
}

static void be_killed(void)
{
    raise(SIGXCPU); /* as the kernel does at the limit; the test need not take 5 s */
}

/* At the exit of the child that reads, whose stdout is the reason. */
static void look_at_descriptors(void)
{
    if (fcntl(INHERITED, F_GETFD) != -1) {
        fputs("a descriptor of the bridge is open here", stdout);
        fflush(stdout);
        _exit(1);
    }
}

static void warn(void)
{
    fputs("as a library might\n", stderr);
}

static void on_first_verdict(void *arg, const char *reason)
{
    (void)arg;
    (void)reason;
    mup_loop_stop(&loop);
}

static void count_process(uv_handle_t *handle, void *count)
{
    if (handle->type == UV_PROCESS && !uv_is_closing(handle))
        ++*(unsigned *)count;
}

/* A bridge that stops closes its loop at once, while the process waits for the next question. */
static void a_judge_that_is_freed_leaves_no_process_to_the_loop(void **state)
{
    unsigned count = 0;

    (void)state;
    assert_int_equal(mup_loop_init(&loop, NULL, NULL), MUP_OK);
    asked = mup_judge_new(&loop, NULL);
    assert_non_null(asked);
    assert_true(mup_judge_ask(asked, (const uint8_t *)"{}", 2, on_first_verdict, NULL));
    mup_loop_run(&loop);
    uv_walk(&loop.uv, count_process, &count);
    assert_int_equal(count, 1);
    mup_judge_free(asked);
    count = 0;
    uv_walk(&loop.uv, count_process, &count);
    assert_int_equal(count, 0);
    mup_loop_close(&loop);
}

static int child(const char *queries_folder)
{
    if (getenv(DIES) != NULL)
        return 1;
    if (getenv(SLOW) != NULL)
        pthread_atfork(NULL, NULL, be_slow);
    if (getenv(HOG) != NULL)
        pthread_atfork(NULL, NULL, be_killed);
    if (getenv(WARNS) != NULL)
        at_quick_exit(warn);
    at_quick_exit(look_at_descriptors);
    return mup_judge_child(queries_folder);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_description_can_be_used),
        cmocka_unit_test(the_reason_of_a_refusal_comes_back),
        cmocka_unit_test(a_warning_to_a_file_is_no_verdict),
        cmocka_unit_test(the_child_has_no_descriptor_but_its_three),
        cmocka_unit_test(what_would_hold_up_the_bridge_cannot_be_used),
        cmocka_unit_test(one_process_judges_many),
        cmocka_unit_test(the_processor_time_of_one_is_not_counted_to_the_next),
        cmocka_unit_test(what_uses_up_the_limits_cannot_be_used),
        cmocka_unit_test(a_process_that_ends_is_replaced),
        cmocka_unit_test(a_judge_that_is_freed_leaves_no_process_to_the_loop),
    };

    if (argc > 1 && strcmp(argv[1], MUP_JUDGE_ARGUMENT) == 0)
        return child(argc > 2 ? argv[2] : NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
