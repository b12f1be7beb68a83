/* Who may come in: users, passwords, sessions, limits, paths (edge/server/web). */
#define _GNU_SOURCE /* memmem */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/loop.h"
#include "server/web/limiter.h"
#include "server/web/password.h"
#include "server/web/route.h"
#include "server/web/sessions.h"
#include "server/web/users.h"
#include "support/cmocka_all.h"

#define HASH "$argon2id$v=19$m=65536,t=2,p=1$abcdefgh$ijklmnop"

struct place {
    char folder[32];
    char path[64];
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    assert_true(mup_password_init());
    strcpy(place->folder, "/tmp/mup-web-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/users", place->folder);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    unlink(place->path);
    rmdir(place->folder);
    free(place);
    return 0;
}

static void write_users(const struct place *place, const char *text, mode_t mode)
{
    FILE *file = fopen(place->path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fchmod(fileno(file), mode), 0);
    assert_int_equal(fclose(file), 0);
}

/* ---- users ---- */

static void users_are_kept_changed_and_taken_away(void **state)
{
    const struct place *place = *state;
    struct mup_users *users = mup_users_new(place->path);
    struct mup_error error;
    struct stat about;

    mup_users_refresh(users);
    assert_int_equal(mup_users_count(users), 0);
    assert_int_equal(mup_users_put(place->path, "rita", MUP_ROLE_READ_ONLY, HASH, &error), MUP_OK);
    assert_int_equal(mup_users_put(place->path, "otto", MUP_ROLE_OPERATOR, HASH, &error), MUP_OK);
    assert_int_equal(stat(place->path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    mup_users_refresh(users);
    assert_int_equal(mup_users_count(users), 2);
    assert_int_equal(mup_users_find(users, "rita")->role, MUP_ROLE_READ_ONLY);
    assert_string_equal(mup_users_find(users, "otto")->hash, HASH);
    assert_null(mup_users_find(users, "ott"));
    assert_int_equal(mup_users_put(place->path, "rita", MUP_ROLE_ADMINISTRATOR, HASH "x", &error),
                     MUP_OK);
    assert_int_equal(mup_users_put(place->path, "otto", MUP_ROLE_OPERATOR, NULL, &error), MUP_OK);
    mup_users_refresh(users);
    assert_int_equal(mup_users_count(users), 1);
    assert_int_equal(mup_users_find(users, "rita")->role, MUP_ROLE_ADMINISTRATOR);
    assert_int_equal(mup_users_put(place->path, "otto", MUP_ROLE_OPERATOR, NULL, &error),
                     MUP_ERR_STATE);
    assert_non_null(strstr(error.text, "otto"));
    mup_users_free(users);
}

static void a_file_that_is_wrong_has_no_users_and_is_not_written(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"rita\n", "line 1"},
        {"rita operator\n", "line 1"},
        {"# fine\nrita king " HASH "\n", "line 2"},
        {"rita operator plain\n", "line 1"},
        {"rita operator " HASH " more\n", "line 1"},
        {"r!ta operator " HASH "\n", "line 1"},
        {"mup-server operator " HASH "\n", "line 1"},
        {"rita operator " HASH "\nrita operator " HASH "\n", "line 2"},
        {"r23456789012345678901234567890123 operator " HASH "\n", "line 1"},
    };
    const struct place *place = *state;
    struct mup_error error;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_users *users = mup_users_new(place->path);
        write_users(place, cases[i].text, 0600);
        mup_users_refresh(users);
        assert_int_equal(mup_users_count(users), 0);
        assert_int_equal(mup_users_put(place->path, "otto", MUP_ROLE_OPERATOR, HASH, &error),
                         MUP_ERR_FORMAT);
        assert_non_null(strstr(error.text, cases[i].says));
        mup_users_free(users);
    }
}

static void a_file_that_others_may_read_has_no_users(void **state)
{
    const struct place *place = *state;
    struct mup_users *users = mup_users_new(place->path);

    write_users(place, "rita operator " HASH "\n", 0640);
    mup_users_refresh(users);
    assert_int_equal(mup_users_count(users), 0);
    assert_int_equal(chmod(place->path, 0600), 0);
    mup_users_refresh(users);
    assert_int_equal(mup_users_count(users), 1);
    mup_users_free(users);
}

static void there_can_be_so_many_users_and_no_more(void **state)
{
    const struct place *place = *state;
    struct mup_error error;
    FILE *file = fopen(place->path, "w");

    for (unsigned i = 0; i < MUP_USERS_MAX; i++) {
        fprintf(file, "user-%u operator %s\n", i, HASH);
    }
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    fclose(file);
    assert_int_equal(mup_users_put(place->path, "user-7", MUP_ROLE_OPERATOR, HASH, &error), MUP_OK);
    assert_int_equal(mup_users_put(place->path, "one-more", MUP_ROLE_OPERATOR, HASH, &error),
                     MUP_ERR_RANGE);
}

/* ---- passwords ---- */

struct checking {
    struct mup_loop loop;
    int answers;
    bool good[4];
};

static void on_checked(void *arg, void *tag, bool good)
{
    struct checking *checking = arg;

    checking->good[(uintptr_t)tag] = good;
    if (++checking->answers == 4) {
        mup_loop_stop(&checking->loop);
    }
}

static void only_the_right_password_of_a_user_is_good(void **state)
{
    static struct checking checking;
    char password[MUP_PASSWORD_SIZE];
    char other[MUP_PASSWORD_SIZE];
    char hash[MUP_USER_HASH_SIZE];

    (void)state;
    mup_password_make(password);
    mup_password_make(other);
    assert_int_equal(strlen(password), MUP_PASSWORD_SIZE - 1);
    assert_string_not_equal(password, other);
    assert_int_equal(mup_password_hash(hash, password), MUP_OK);
    assert_int_equal(strncmp(hash, "$argon2id$", 10), 0);
    assert_int_equal(mup_loop_init(&checking.loop, NULL, NULL), MUP_OK);
    struct mup_password_check *check =
        mup_password_check_new(&checking.loop, on_checked, &checking);
    assert_int_equal(mup_password_check(check, hash, password, (void *)0), MUP_OK);
    assert_int_equal(mup_password_check(check, hash, other, (void *)1), MUP_OK);
    assert_int_equal(mup_password_check(check, NULL, password, (void *)2), MUP_OK);
    assert_int_equal(mup_password_check(check, hash, "", (void *)3), MUP_OK);
    mup_loop_run(&checking.loop);
    assert_true(checking.good[0]);
    assert_false(checking.good[1] || checking.good[2] || checking.good[3]);
    mup_password_check_free(check);
    mup_loop_close(&checking.loop);
}

static void the_line_of_checks_has_an_end(void **state)
{
    static struct checking checking;
    static char long_one[MUP_PASSWORD_SIZE_MAX + 2];

    (void)state;
    memset(long_one, 'x', sizeof long_one - 1);
    assert_int_equal(mup_loop_init(&checking.loop, NULL, NULL), MUP_OK);
    struct mup_password_check *check =
        mup_password_check_new(&checking.loop, on_checked, &checking);
    assert_int_equal(mup_password_check(check, NULL, long_one, NULL), MUP_ERR_RANGE);
    for (unsigned i = 0; i < MUP_PASSWORD_CHECKS_MAX; i++) {
        assert_int_equal(mup_password_check(check, NULL, "x", NULL), MUP_OK);
    }
    assert_int_equal(mup_password_check(check, NULL, "x", NULL), MUP_ERR_BUSY);
    mup_password_check_free(check); /* with one under way: nobody is told */
    mup_loop_close(&checking.loop);
    assert_int_equal(checking.answers, 0);
}

/* ---- limits ---- */

static void the_sixth_failure_waits_until_the_first_is_a_minute_old(void **state)
{
    static struct mup_limiter limiter;

    (void)state;
    memset(&limiter, 0, sizeof limiter);
    for (uint64_t i = 0; i < MUP_LIMITER_FAILURES; i++) {
        assert_int_equal(mup_limiter_try(&limiter, "rita", 1000 + i), 0);
    }
    assert_int_equal(mup_limiter_try(&limiter, "rita", 2000), 59000);
    assert_int_equal(mup_limiter_try(&limiter, "otto", 2000), 0);
    assert_int_equal(mup_limiter_try(&limiter, "rita", 60999), 1);
    assert_int_equal(mup_limiter_try(&limiter, "rita", 61000), 0);
    assert_int_equal(mup_limiter_try(&limiter, "rita", 61000), 1);
}

static void a_good_attempt_does_not_count(void **state)
{
    static struct mup_limiter limiter;

    (void)state;
    memset(&limiter, 0, sizeof limiter);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(mup_limiter_try(&limiter, "rita", i), 0);
        mup_limiter_take_back(&limiter, "rita");
    }
    mup_limiter_take_back(&limiter, "nobody");
}

static void many_names_make_it_forget_the_oldest_only(void **state)
{
    static struct mup_limiter limiter;
    char name[32];

    (void)state;
    memset(&limiter, 0, sizeof limiter);
    for (unsigned i = 0; i < MUP_LIMITER_FAILURES; i++) {
        assert_int_equal(mup_limiter_try(&limiter, "rita", 10), 0);
    }
    for (unsigned i = 0; i < MUP_LIMITER_KEYS_MAX - 1; i++) {
        snprintf(name, sizeof name, "name %u", i);
        assert_int_equal(mup_limiter_try(&limiter, name, 11), 0);
    }
    assert_true(mup_limiter_try(&limiter, "rita", 12) > 0);
    assert_int_equal(mup_limiter_try(&limiter, "one more", 13), 0);
    assert_true(mup_limiter_try(&limiter, "rita", 14) > 0);
}

/* ---- sessions ---- */

static struct mup_sessions sessions;

static void a_session_is_found_by_its_secret_alone(void **state)
{
    char secret[MUP_SESSION_SECRET_SIZE];
    char other[MUP_SESSION_SECRET_SIZE];

    (void)state;
    memset(&sessions, 0, sizeof sessions);
    mup_sessions_begin(&sessions, secret, "rita", 1000);
    mup_sessions_begin(&sessions, other, "otto", 1000);
    assert_int_equal(strlen(secret), 64);
    assert_string_not_equal(secret, other);
    assert_string_equal(mup_sessions_find(&sessions, secret, 1001)->user, "rita");
    for (size_t i = 0; i < 64; i++) {
        char wrong[MUP_SESSION_SECRET_SIZE];
        memcpy(wrong, secret, sizeof wrong);
        wrong[i] = wrong[i] == '0' ? '1' : '0';
        assert_null(mup_sessions_find(&sessions, wrong, 1001));
        wrong[i] = '\0';
        assert_null(mup_sessions_find(&sessions, wrong, 1001));
    }
    mup_sessions_end(mup_sessions_find(&sessions, secret, 1002));
    assert_null(mup_sessions_find(&sessions, secret, 1003));
    assert_non_null(mup_sessions_find(&sessions, other, 1003));
    /* Nothing that is kept is what the browser has. */
    assert_null(memmem(&sessions, sizeof sessions, other, 64));
}

static void a_session_ends_when_it_is_idle_or_old(void **state)
{
    char secret[MUP_SESSION_SECRET_SIZE];
    uint64_t now = 1000;

    (void)state;
    memset(&sessions, 0, sizeof sessions);
    mup_sessions_begin(&sessions, secret, "rita", now);
    assert_non_null(mup_sessions_find(&sessions, secret, now + MUP_SESSION_IDLE_MS - 1));
    assert_null(mup_sessions_find(&sessions, secret, now + 2 * MUP_SESSION_IDLE_MS - 1));
    mup_sessions_begin(&sessions, secret, "rita", now);
    for (uint64_t at = 0; at < MUP_SESSION_LIFE_MS; at += MUP_SESSION_IDLE_MS / 2) {
        assert_non_null(mup_sessions_find(&sessions, secret, now + at));
    }
    assert_null(mup_sessions_find(&sessions, secret, now + MUP_SESSION_LIFE_MS));
    mup_sessions_begin(&sessions, secret, "rita", now);
    assert_null(mup_sessions_find(&sessions, secret, now - 1)); /* the clock went back */
}

static void too_many_sessions_end_the_one_that_was_idle_longest(void **state)
{
    static char secrets[MUP_SESSIONS_MAX + 1][MUP_SESSION_SECRET_SIZE];
    char name[16];

    (void)state;
    memset(&sessions, 0, sizeof sessions);
    for (unsigned i = 0; i <= MUP_SESSIONS_OF_A_USER; i++) {
        mup_sessions_begin(&sessions, secrets[i], "rita", 1000 + i);
    }
    assert_null(mup_sessions_find(&sessions, secrets[0], 2000));
    assert_non_null(mup_sessions_find(&sessions, secrets[1], 2000));
    memset(&sessions, 0, sizeof sessions);
    for (unsigned i = 0; i <= MUP_SESSIONS_MAX; i++) {
        snprintf(name, sizeof name, "user-%u", i);
        mup_sessions_begin(&sessions, secrets[i], name, 1000 + i);
    }
    assert_null(mup_sessions_find(&sessions, secrets[0], 3000));
    assert_non_null(mup_sessions_find(&sessions, secrets[1], 3000));
    assert_non_null(mup_sessions_find(&sessions, secrets[MUP_SESSIONS_MAX], 3000));
}

static void every_character_of_the_csrf_token_counts(void **state)
{
    char secret[MUP_SESSION_SECRET_SIZE];
    char csrf[MUP_SESSION_SECRET_SIZE];

    (void)state;
    memset(&sessions, 0, sizeof sessions);
    mup_sessions_begin(&sessions, secret, "rita", 1000);
    mup_session_csrf(csrf, secret);
    assert_string_not_equal(csrf, secret);
    assert_true(mup_session_csrf_is(secret, csrf));
    assert_false(mup_session_csrf_is(secret, ""));
    for (size_t i = 0; i < 64; i++) {
        char wrong[MUP_SESSION_SECRET_SIZE];
        memcpy(wrong, csrf, sizeof wrong);
        wrong[i] = wrong[i] == '0' ? '1' : '0';
        assert_false(mup_session_csrf_is(secret, wrong));
    }
}

/* ---- paths ---- */

static void paths_have_places(void **state)
{
    static const struct {
        const char *pattern;
        const char *path;
        const char *first; /* NULL: it does not fit */
        const char *second;
    } cases[] = {
        {"/a", "/a", "", ""},
        {"/a", "/a/", NULL, NULL},
        {"/a", "/", NULL, NULL},
        {"/a", "/ab", NULL, NULL},
        {"/a/*", "/a/x", "x", ""},
        {"/a/*", "/a/", NULL, NULL},
        {"/a/*", "/a/x/", NULL, NULL},
        {"/a/*", "/a/x/y", NULL, NULL},
        {"/a/*/b/*", "/a/x/b/y z", "x", "y z"},
        {"/a/*/b/*", "/a/x/c/y", NULL, NULL},
        {"/a/*/b/*", "/a//b/y", NULL, NULL},
        {"/a/*/b", "/a/x/b", "x", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_route_parts parts = {{"", ""}};
        assert_int_equal(mup_route_match(cases[i].pattern, cases[i].path, &parts),
                         cases[i].first != NULL);
        if (cases[i].first) {
            assert_string_equal(parts.texts[0], cases[i].first);
            assert_string_equal(parts.texts[1], cases[i].second);
        }
    }
}

static void a_part_has_at_most_128_bytes(void **state)
{
    char path[200] = "/a/";
    struct mup_route_parts parts;

    (void)state;
    memset(path + 3, 'x', 128);
    assert_true(mup_route_match("/a/*", path, &parts));
    path[3 + 128] = 'x';
    assert_false(mup_route_match("/a/*", path, &parts));
}

static void ids_are_whole_numbers_from_1_on(void **state)
{
    (void)state;
    assert_int_equal(mup_route_id("1"), 1);
    assert_int_equal(mup_route_id("999999999999999999"), 999999999999999999);
    assert_int_equal(mup_route_id("0"), 0);
    assert_int_equal(mup_route_id("01"), 0);
    assert_int_equal(mup_route_id("-1"), 0);
    assert_int_equal(mup_route_id("1x"), 0);
    assert_int_equal(mup_route_id(" 1"), 0);
    assert_int_equal(mup_route_id(""), 0);
    assert_int_equal(mup_route_id("9999999999999999999"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_kept_changed_and_taken_away),
        cmocka_unit_test(a_file_that_is_wrong_has_no_users_and_is_not_written),
        cmocka_unit_test(a_file_that_others_may_read_has_no_users),
        cmocka_unit_test(there_can_be_so_many_users_and_no_more),
        cmocka_unit_test(only_the_right_password_of_a_user_is_good),
        cmocka_unit_test(the_line_of_checks_has_an_end),
        cmocka_unit_test(the_sixth_failure_waits_until_the_first_is_a_minute_old),
        cmocka_unit_test(a_good_attempt_does_not_count),
        cmocka_unit_test(many_names_make_it_forget_the_oldest_only),
        cmocka_unit_test(a_session_is_found_by_its_secret_alone),
        cmocka_unit_test(a_session_ends_when_it_is_idle_or_old),
        cmocka_unit_test(too_many_sessions_end_the_one_that_was_idle_longest),
        cmocka_unit_test(every_character_of_the_csrf_token_counts),
        cmocka_unit_test(paths_have_places),
        cmocka_unit_test(a_part_has_at_most_128_bytes),
        cmocka_unit_test(ids_are_whole_numbers_from_1_on),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
