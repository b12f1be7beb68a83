/* What the bridge tells of devices, and finding one of many (edge/server/fleet). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/fleet/index.h"
#include "server/fleet/notice.h"
#include "server/fleet/points.h"
#include "support/cmocka_all.h"

#define HEAD                                                                   \
    "<notification xmlns=\"urn:ietf:params:xml:ns:netconf:notification:1.0\">" \
    "<eventTime>2026-11-22T03:35:39.847Z</eventTime>"
#define DEVICES "xmlns=\"urn:mup:myno-devices\""

static const char change[] = HEAD
    "<device-change " DEVICES
    "><uuid>4b88a486-ac2a-49fa-aa7e-8114ca5dbdea</uuid><name>a&amp;b</name>"
    "<state>refused</state><reachable>true</reachable><firmware-version>7</firmware-version>"
    "<on-trial>false</on-trial><reason>line 3: &lt;b&gt;</reason></device-change></notification>";

/* An exact-size copy, so that the address sanitizer sees a byte too many. */
static enum mup_status parse(struct mup_notice *notice, const char *xml, size_t size)
{
    char *exact = malloc(size ? size : 1);

    memcpy(exact, xml, size);
    enum mup_status status = mup_notice_parse(notice, exact, size);
    free(exact);
    return status;
}

static void a_change_of_a_device_is_read(void **state)
{
    static struct mup_notice n;

    (void)state;
    assert_int_equal(parse(&n, change, sizeof change - 1), MUP_OK);
    assert_int_equal(n.kind, MUP_NOTICE_CHANGE);
    assert_string_equal(n.time, "2026-11-22T03:35:39.847Z");
    assert_string_equal(n.device.uuid, "4b88a486-ac2a-49fa-aa7e-8114ca5dbdea");
    assert_string_equal(n.device.name, "a&b");
    assert_string_equal(n.device.state, "refused");
    assert_string_equal(n.device.reason, "line 3: <b>");
    assert_true(n.has_reason && n.device.has_reachable && n.device.reachable);
    assert_true(n.device.has_version && n.device.has_on_trial && !n.device.on_trial);
    assert_int_equal(n.device.version, 7);
}

static void values_events_and_progress_are_told_apart(void **state)
{
    static const struct {
        const char *xml;
        enum mup_notice_kind kind;
        const char *point;
        const char *value;
    } cases[] = {
        {HEAD "<telemetry " DEVICES "><uuid>u</uuid><name>n</name><point>temperature</point>"
              "<value>21.4</value><unit>degreeCelsius</unit><symbol>&#176;C</symbol></telemetry>"
              "</notification>",
         MUP_NOTICE_TELEMETRY, "temperature", "21.4"},
        {HEAD "<event " DEVICES
              "><uuid>u</uuid><name>n</name><event>broken</event><value>&lt;script&gt;"
              "</value></event></notification>",
         MUP_NOTICE_EVENT, "broken", "<script>"},
        {HEAD "<event " DEVICES "><uuid>u</uuid><name>n</name><event>over</event><value/></event>"
              "</notification>",
         MUP_NOTICE_EVENT, "over", ""},
        {HEAD "<update-progress " DEVICES "><uuid>u</uuid><name>n</name><update-state>trial"
              "</update-state></update-progress></notification>",
         MUP_NOTICE_PROGRESS, "", ""},
        {HEAD
         "<netconf-config-change xmlns=\"urn:x\"><edit/></netconf-config-change></notification>",
         MUP_NOTICE_CONFIG, "", ""},
        {HEAD "<netconf-session-start xmlns=\"urn:x\"/></notification>", MUP_NOTICE_OTHER, "", ""},
    };
    static struct mup_notice n;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(&n, cases[i].xml, strlen(cases[i].xml)), MUP_OK);
        assert_int_equal(n.kind, cases[i].kind);
        assert_string_equal(n.point, cases[i].point);
        assert_string_equal(n.value, cases[i].value);
    }
    assert_int_equal(parse(&n, cases[0].xml, strlen(cases[0].xml)), MUP_OK);
    assert_string_equal(n.unit, "degreeCelsius");
    assert_string_equal(n.symbol, "\xc2\xb0"
                                  "C");
    assert_int_equal(parse(&n, cases[3].xml, strlen(cases[3].xml)), MUP_OK);
    assert_string_equal(n.device.update_state, "trial");
}

static void every_truncation_of_a_notification_is_refused(void **state)
{
    static struct mup_notice n;

    (void)state;
    for (size_t size = 0; size < sizeof change - 1; size++) {
        memset(&n, 0x55, sizeof n);
        static struct mup_notice before;
        before = n;
        assert_int_not_equal(parse(&n, change, size), MUP_OK);
        assert_memory_equal(&n, &before, sizeof n);
    }
    assert_int_not_equal(parse(&n, "<rpc-reply/>", 12), MUP_OK);
}

static void a_text_that_is_too_long_is_left_out_not_cut(void **state)
{
    static struct mup_notice n;
    static char xml[MUP_NOTICE_VALUE_SIZE + 1024];
    static char value[MUP_NOTICE_VALUE_SIZE + 2];

    (void)state;
    for (size_t size = MUP_NOTICE_VALUE_SIZE - 2; size <= MUP_NOTICE_VALUE_SIZE + 1; size++) {
        memset(value, 'v', size);
        value[size] = '\0';
        snprintf(xml, sizeof xml,
                 HEAD "<telemetry " DEVICES "><uuid>u</uuid><name>n</name><point>p</point><value>%s"
                      "</value></telemetry></notification>",
                 value);
        assert_int_equal(parse(&n, xml, strlen(xml)), MUP_OK);
        assert_int_equal(strlen(n.value), size < MUP_NOTICE_VALUE_SIZE ? size : 0);
        assert_string_equal(n.point, "p");
    }
}

static void last_values_are_read_by_name(void **state)
{
    static const char xml[] =
        "<rpc-reply message-id=\"1\"><data><devices " DEVICES
        "><device><uuid>u</uuid><name>not a point"
        "</name><telemetry><name>t&amp;1</name><value>21</value><time>2026-11-22T03:35:29+00:00</"
        "time>"
        "</telemetry><telemetry><name>empty</name><value/></telemetry></device></devices></data>"
        "</rpc-reply>";
    (void)state;
    json_t *points = mup_points_parse(xml, sizeof xml - 1);

    assert_int_equal(json_object_size(points), 2);
    const json_t *first = json_object_get(points, "t&1");
    assert_string_equal(json_string_value(json_object_get(first, "value")), "21");
    assert_string_equal(json_string_value(json_object_get(first, "at")),
                        "2026-11-22T03:35:29+00:00");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(points, "empty"), "value")), "");
    json_decref(points);
    for (size_t size = 0; size < sizeof xml - 1; size++) {
        char *exact = malloc(size ? size : 1);
        memcpy(exact, xml, size);
        json_decref(mup_points_parse(exact, size)); /* what was read until then, and no byte more */
        free(exact);
    }
}

/* ---- index ---- */

#define COUNT 5000u

static char names[COUNT][16];

static const char *name_of(const void *arg, uint32_t number)
{
    (void)arg;
    return names[number];
}

static void each_of_many_is_found_and_no_other(void **state)
{
    struct mup_index index = {NULL, 0, 0};

    (void)state;
    assert_int_equal(mup_index_find(&index, "device-0", name_of, NULL), MUP_INDEX_NONE);
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "device-%u", i);
        assert_int_equal(mup_index_find(&index, names[i], name_of, NULL), MUP_INDEX_NONE);
        assert_true(mup_index_add(&index, i, name_of, NULL));
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(mup_index_find(&index, names[i], name_of, NULL), i);
    }
    assert_int_equal(mup_index_find(&index, "device-5000", name_of, NULL), MUP_INDEX_NONE);
    assert_int_equal(mup_index_find(&index, "", name_of, NULL), MUP_INDEX_NONE);
    mup_index_free(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_of_a_device_is_read),
        cmocka_unit_test(values_events_and_progress_are_told_apart),
        cmocka_unit_test(every_truncation_of_a_notification_is_refused),
        cmocka_unit_test(a_text_that_is_too_long_is_left_out_not_cut),
        cmocka_unit_test(last_values_are_read_by_name),
        cmocka_unit_test(each_of_many_is_found_and_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
