/* The child that judges descriptions: this same program, as mup-bridge starts itself. */
#include <fcntl.h>
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

static struct mup_loop loop;
static char verdict[MUP_JUDGE_REASON_MAX + 1];
static bool usable;

static void on_verdict(void *arg, const char *reason)
{
    (void)arg;
    usable = reason == NULL;
    snprintf(verdict, sizeof verdict, "%s", reason == NULL ? "" : reason);
}

static void judge(const void *bytes, size_t size)
{
    assert_int_equal(mup_loop_init(&loop, NULL, NULL), MUP_OK);
    assert_non_null(mup_judge_start(&loop, NULL, bytes, size, on_verdict, NULL));
    mup_loop_run(&loop); /* until the child has ended: nothing else is on this loop */
    mup_loop_close(&loop);
}

static void judge_virtual(void)
{
    static uint8_t bytes[65535];
    FILE *file = fopen(MUP_SOURCE_DIR "/firmware/description/virtual.jsonld", "re");
    size_t size;

    assert_non_null(file);
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    judge(bytes, size);
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
    setenv(SLOW, "1", 1);
    judge_virtual();
    unsetenv(SLOW);
    assert_false(usable);
    assert_non_null(strstr(verdict, "too long"));
}

/* Use the processor for as long as a description may, and a tenth more. */
static void be_slow(void)
{
    while (clock() < (clock_t)(MUP_JUDGE_READ_MS * 11 / 10) * (CLOCKS_PER_SEC / 1000))
        continue;
}

static int child(const char *queries_folder)
{
    int code;

    if (getenv(SLOW) != NULL)
        be_slow();
    code = mup_judge_child(queries_folder);
    if (getenv(WARNS) != NULL)
        fputs("as a library might\n", stderr);
    if (fcntl(INHERITED, F_GETFD) != -1) {
        fputs("a descriptor of the bridge is open here", stdout);
        return 1;
    }
    return code;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_description_can_be_used),
        cmocka_unit_test(the_reason_of_a_refusal_comes_back),
        cmocka_unit_test(a_warning_to_a_file_is_no_verdict),
        cmocka_unit_test(the_child_has_no_descriptor_but_its_three),
        cmocka_unit_test(what_would_hold_up_the_bridge_cannot_be_used),
    };

    if (argc > 1 && strcmp(argv[1], MUP_JUDGE_ARGUMENT) == 0)
        return child(argc > 2 ? argv[2] : NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
