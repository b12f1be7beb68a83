/* Configuration files: errors name file and line, and a bad file changes nothing. */
#include "support/cmocka_all.h"

#include "runtime/config.h"

static char *host;
static int64_t port;
static bool tls;
static struct mup_config_list topics;
static char error[MUP_CONFIG_ERROR_SIZE];

static const struct mup_config_key keys[] = {
    {"mqtt-host", MUP_CONFIG_TEXT, &host, true, 0, 0},
    {"mqtt-port", MUP_CONFIG_NUMBER, &port, false, 1, 65535},
    {"tls", MUP_CONFIG_FLAG, &tls, false, 0, 0},
    {"allow-topic", MUP_CONFIG_LIST, &topics, false, 0, 0},
};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

static int reset(void **state)
{
    (void)state;
    mup_config_free(keys, KEY_COUNT);
    port = 1883;
    tls = false;
    error[0] = '\0';
    return 0;
}

static enum mup_status parse(const char *text)
{
    size_t size = strlen(text);
    char *copy = malloc(size ? size : 1);

    assert_non_null(copy);
    memcpy(copy, text, size);
    enum mup_status status = mup_config_parse("edge.conf", copy, size, keys, KEY_COUNT, error);
    free(copy);
    return status;
}

static void reads_every_kind_of_value(void **state)
{
    (void)state;
    assert_int_equal(parse("# comment\n\n mqtt-host\t127.0.0.1 \r\nmqtt-port 1\nallow-topic led\n"
                           "tls yes\nallow-topic a b"),
                     MUP_OK);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(port, 1);
    assert_true(tls);
    assert_int_equal(topics.count, 2);
    assert_string_equal(topics.items[0], "led");
    assert_string_equal(topics.items[1], "a b");
}

static void defaults_stay_where_the_file_is_silent(void **state)
{
    (void)state;
    assert_int_equal(parse("mqtt-host h"), MUP_OK);
    assert_int_equal(port, 1883);
    assert_int_equal(topics.count, 0);
}

static void each_error_names_the_line_and_changes_nothing(void **state)
{
    static const struct {
        const char *text;
        enum mup_status status;
        const char *says;
    } cases[] = {
        {"mqtt-host h\nnonsense 1\n", MUP_ERR_FORMAT, "edge.conf:2: unknown key \"nonsense\""},
        {"mqtt-host h\nmqtt-host i\n", MUP_ERR_FORMAT, "edge.conf:2: mqtt-host stands here"},
        {"\nmqtt-host\n", MUP_ERR_FORMAT, "edge.conf:2: \"mqtt-host\" has no value"},
        {"mqtt-host h\nmqtt-port 0\n", MUP_ERR_RANGE, "edge.conf:2: mqtt-port must lie between 1"},
        {"mqtt-host h\nmqtt-port 65536\n", MUP_ERR_RANGE, "between 1 and 65535"},
        {"mqtt-host h\nmqtt-port 99999999999999999999\n", MUP_ERR_RANGE, "between"},
        {"mqtt-host h\nmqtt-port 1x\n", MUP_ERR_FORMAT, "wants a whole number, not \"1x\""},
        {"mqtt-host h\ntls maybe\n", MUP_ERR_FORMAT, "tls is yes or no, not \"maybe\""},
        {"mqtt-port 7\n", MUP_ERR_FORMAT, "edge.conf: mqtt-host is missing"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(cases[i].text), cases[i].status);
        assert_non_null(strstr(error, cases[i].says));
        assert_null(host);
        assert_int_equal(port, 1883);
    }
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    assert_int_equal(mup_config_read("/nowhere/edge.conf", keys, KEY_COUNT, error), MUP_ERR_STATE);
    assert_string_equal(error, "/nowhere/edge.conf: No such file or directory");
}

static void a_file_with_nul_bytes_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mup_config_parse("f", "mqtt-host a\0b", 13, keys, KEY_COUNT, error),
                     MUP_ERR_FORMAT);
    assert_null(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_every_kind_of_value, reset, reset),
        cmocka_unit_test_setup_teardown(defaults_stay_where_the_file_is_silent, reset, reset),
        cmocka_unit_test_setup_teardown(each_error_names_the_line_and_changes_nothing, reset,
                                        reset),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_there_is_named, reset, reset),
        cmocka_unit_test_setup_teardown(a_file_with_nul_bytes_is_refused, reset, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
