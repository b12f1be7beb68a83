/* Flash in a file: NOR rules, refusals, and what survives kill -9. Clock, randomness, reset. */
#include "support/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mup/port/posix.h"

#define SIZE      8192u
#define PAGE_SIZE 1024u

static char folder[] = "/tmp/mup-port-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/flash.bin", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails if a helper file was left behind */
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void a_new_file_is_erased_and_private(void **state)
{
    struct mup_posix_flash flash;
    struct mup_port_flash port;
    struct stat file;
    uint8_t bytes[SIZE];

    (void)state;
    assert_int_equal(mup_posix_flash_open(&flash, path, SIZE, PAGE_SIZE), 0);
    port = mup_posix_flash_port(&flash);
    assert_int_equal(port.size, SIZE);
    assert_int_equal(port.page_size, PAGE_SIZE);
    assert_int_equal(port.read(port.context, 0, bytes, SIZE), 0);
    for (uint32_t i = 0; i < SIZE; i++)
        assert_int_equal(bytes[i], 0xff);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_size, SIZE);
    assert_int_equal(file.st_mode & 0777, 0600);
    mup_posix_flash_close(&flash);
}

static void programming_clears_bits_and_erasing_sets_a_page(void **state)
{
    struct mup_posix_flash flash;
    struct mup_port_flash port;
    const uint32_t first = 0xf0f0ffff;
    const uint32_t second = 0xff00ff00;
    uint32_t words[3];
    uint32_t other = 0x12345678;

    (void)state;
    assert_int_equal(mup_posix_flash_open(&flash, path, SIZE, PAGE_SIZE), 0);
    port = mup_posix_flash_port(&flash);
    assert_int_equal(port.program(port.context, 1028, &first, 1), 0);
    assert_int_equal(port.program(port.context, 1028, &second, 1), 0);
    assert_int_equal(port.program(port.context, 2048, &other, 1), 0);
    assert_int_equal(port.read(port.context, 1024, words, sizeof words), 0);
    assert_int_equal(words[0], 0xffffffff);
    assert_int_equal(words[1], 0xf000ff00);
    assert_int_equal(words[2], 0xffffffff);
    assert_int_equal(port.erase(port.context, 1024), 0);
    assert_int_equal(port.read(port.context, 1028, words, 4), 0);
    assert_int_equal(words[0], 0xffffffff);
    assert_int_equal(port.read(port.context, 2048, words, 4), 0);
    assert_int_equal(words[0], 0x12345678);
    mup_posix_flash_close(&flash);
}

static void refuses_what_is_misaligned_or_outside(void **state)
{
    struct mup_posix_flash flash;
    struct mup_port_flash port;
    uint32_t words[2] = {0, 0};

    (void)state;
    assert_int_equal(mup_posix_flash_open(&flash, path, SIZE, PAGE_SIZE), 0);
    port = mup_posix_flash_port(&flash);
    for (uint32_t at = 1; at < 4; at++)
        assert_int_equal(port.program(port.context, at, words, 1), -1);
    assert_int_equal(port.program(port.context, SIZE, words, 1), -1);
    assert_int_equal(port.program(port.context, SIZE - 4, words, 2), -1);
    assert_int_equal(port.program(port.context, 0xfffffffcu, words, 2), -1);
    assert_int_equal(port.program(port.context, 0, words, (size_t)-1), -1);
    assert_int_equal(port.erase(port.context, 4), -1);
    assert_int_equal(port.erase(port.context, SIZE), -1);
    assert_int_equal(port.read(port.context, SIZE - 3, words, 4), -1);
    assert_int_equal(port.read(port.context, SIZE + 1, words, 0), -1);
    assert_int_equal(port.read(port.context, SIZE, words, 0), 0);
    assert_int_equal(port.read(port.context, SIZE - 4, words, 4), 0);
    assert_int_equal(words[0], 0xffffffff);
    mup_posix_flash_close(&flash);
}

static void refuses_a_file_of_another_size_and_a_second_process(void **state)
{
    struct mup_posix_flash flash;
    struct mup_posix_flash second;

    (void)state;
    assert_int_equal(mup_posix_flash_open(&flash, path, SIZE, PAGE_SIZE), 0);
    assert_int_equal(mup_posix_flash_open(&second, path, SIZE, PAGE_SIZE), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    mup_posix_flash_close(&flash);
    assert_int_equal(mup_posix_flash_open(&flash, path, 2 * SIZE, PAGE_SIZE), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(mup_posix_flash_open(&flash, path, SIZE + 4, PAGE_SIZE), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(mup_posix_flash_open(&flash, path, 0, PAGE_SIZE), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(mup_posix_flash_open(&flash, "/nowhere/flash.bin", SIZE, PAGE_SIZE), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(mup_posix_flash_open(&flash, path, SIZE, PAGE_SIZE), 0);
    mup_posix_flash_close(&flash);
}

/* A child programs words upwards and is killed in the middle: a prefix is in the file, whole. */
static void what_was_programmed_survives_kill_9(void **state)
{
    struct mup_posix_flash flash;
    struct mup_port_flash port;
    int pipe_fds[2];
    char byte;
    pid_t child;
    uint32_t done = 0;

    (void)state;
    assert_int_equal(pipe(pipe_fds), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (mup_posix_flash_open(&flash, path, SIZE, PAGE_SIZE) != 0)
            _exit(1);
        port = mup_posix_flash_port(&flash);
        for (uint32_t at = 0; at < SIZE; at += 4) {
            uint32_t word = 0xabcd0000u | at;

            if (port.program(port.context, at, &word, 1) != 0 ||
                (at == 4000 && write(pipe_fds[1], "x", 1) != 1))
                _exit(1);
            if (at >= 4000)
                usleep(100);
        }
        pause();
        _exit(0);
    }
    close(pipe_fds[1]);
    assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(pipe_fds[0]);

    assert_int_equal(mup_posix_flash_open(&flash, path, SIZE, PAGE_SIZE), 0);
    port = mup_posix_flash_port(&flash);
    for (uint32_t at = 0; at < SIZE; at += 4) {
        uint32_t word;

        assert_int_equal(port.read(port.context, at, &word, 4), 0);
        if (word == (0xabcd0000u | at) && done == at)
            done = at + 4;
        else
            assert_int_equal(word, 0xffffffff);
    }
    assert_true(done > 4000);
    mup_posix_flash_close(&flash);
}

static void the_clock_goes_forwards(void **state)
{
    struct mup_port_clock clock = mup_posix_clock_port();
    uint32_t before = clock.now_ms(clock.context);
    uint32_t now = before;

    (void)state;
    for (uint32_t turns = 0; now == before && turns < 2000000000u; turns++)
        now = clock.now_ms(clock.context);
    assert_true(now - before > 0 && now - before < 60000);
}

static void randomness_fills_everything_and_differs(void **state)
{
    struct mup_port_random random = mup_posix_random_port();
    uint8_t a[1000];
    uint8_t b[1000];
    unsigned zeros = 0;

    (void)state;
    memset(a, 0, sizeof a);
    assert_int_equal(random.fill(random.context, a, sizeof a), 0);
    assert_int_equal(random.fill(random.context, b, sizeof b), 0);
    assert_memory_not_equal(a, b, sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        zeros += a[i] == 0 ? 1 : 0;
    assert_true(zeros < 60); /* 4 are expected */
    assert_int_equal(random.fill(random.context, a, 0), 0);
}

/* This program, run again by the reset, exits with 42 (see main). */
static void a_reset_runs_the_program_again(void **state)
{
    char *arguments[] = {(char *)"test", (char *)"--after-reset", NULL};
    struct mup_posix_reset reset = {arguments};
    struct mup_port_reset port = mup_posix_reset_port(&reset);
    int status;
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        port.now(port.context);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_new_file_is_erased_and_private, remove_file),
        cmocka_unit_test_teardown(programming_clears_bits_and_erasing_sets_a_page, remove_file),
        cmocka_unit_test_teardown(refuses_what_is_misaligned_or_outside, remove_file),
        cmocka_unit_test_teardown(refuses_a_file_of_another_size_and_a_second_process, remove_file),
        cmocka_unit_test_teardown(what_was_programmed_survives_kill_9, remove_file),
        cmocka_unit_test(the_clock_goes_forwards),
        cmocka_unit_test(randomness_fills_everything_and_differs),
        cmocka_unit_test(a_reset_runs_the_program_again),
    };

    if (argc == 2 && strcmp(argv[1], "--after-reset") == 0)
        return 42;
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
