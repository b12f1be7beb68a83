/* What devices publish by themselves, and how their updates fare, as subscribers and <get> see it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/cmocka_all.h"

#include "bridge/devices/bridge.h"
#include "bridge/devices/tell.h"
#include "mup/rpc.h"
#include "runtime/log.h"

#define WAIT_NS 30000000000u
#define END     "]]>]]>"
#define BASE    "urn:ietf:params:xml:ns:netconf:base:1.0"

static struct mup_bridge bridge;
static char path[] = "/tmp/mup-telemetry-XXXXXX";

/* Of a capability only what is used here. */
static const struct mup_telemetry telemetry[] = {
    {.name = "temp",
     .yang_name = "temp",
     .topic = "sensor/temp/%s",
     .unit = "degreeCelsius",
     .symbol = "\xc2\xb0"
               "C"},
    {.name = "rain", .yang_name = "rain", .topic = "sensor/%s/rain/%s", .unit = "", .symbol = ""},
};
static const struct mup_telemetry events[] = {
    {.name = "door", .yang_name = "door", .topic = "event/door/%s", .unit = "", .symbol = ""},
};

static int open_netconf(void **state)
{
    static const struct mup_netconf_backend backend = {.context = &bridge};
    static char error[MUP_NETCONF_ERROR_SIZE];
    static const char *const administrators[] = {"alice"};
    uid_t self = getuid();
    struct mup_netconf_settings settings = {.socket_path = path,
                                            .uids = &self,
                                            .uid_count = 1,
                                            .administrators = administrators,
                                            .administrator_count = 1};

    (void)state;
    mup_log_set_level(MUP_LOG_ERROR);
    assert_int_not_equal(close(mkstemp(path)), -1);
    unlink(path);
    assert_int_equal(mup_loop_init(&bridge.loop, NULL, NULL), MUP_OK);
    bridge.netconf = mup_netconf_new(&bridge.loop, &settings, &backend, error);
    assert_non_null(bridge.netconf);
    return 0;
}

static int close_netconf(void **state)
{
    (void)state;
    mup_netconf_free(bridge.netconf);
    mup_loop_close(&bridge.loop);
    return 0;
}

static int forget_devices(void **state)
{
    (void)state;
    mup_registry_free(&bridge.registry);
    return 0;
}

static struct mup_device *add_device(const char *name, uint8_t digest)
{
    struct mup_stored_device stored = {.version = 1, .present = true};
    struct mup_device *device;

    snprintf(stored.name, sizeof stored.name, "%s", name);
    stored.uuid[0] = (uint8_t)name[0];
    stored.digest[0] = digest;
    assert_int_equal(mup_registry_put_device(&bridge.registry, &device, &stored), MUP_OK);
    return device;
}

static void add_kind(uint8_t digest)
{
    struct mup_capability *capability = calloc(1, sizeof *capability);
    uint8_t whole[MUP_DIGEST_SIZE] = {digest};

    *capability = (struct mup_capability){.category = "c",
                                          .module_name = "m",
                                          .telemetry = telemetry,
                                          .telemetry_count = 2,
                                          .events = events,
                                          .event_count = 1};
    assert_non_null(mup_registry_put_description(&bridge.registry, whole, capability, NULL));
}

static void publish(const char *topic, const void *bytes, size_t size)
{
    struct mup_mqtt_message message = {.topic = topic, .payload = bytes, .payload_size = size};
    uint8_t *exact = malloc(size + (size == 0));

    memcpy(exact, bytes, size); /* so that the sanitizer sees a byte too many */
    message.payload = exact;
    mup_bridge_take_telemetry(&bridge, &message);
    free(exact);
}

/* What a client would read; to be freed. */
static char *inventory(void)
{
    struct lyd_node *tree = NULL;
    char *xml = NULL;

    assert_int_equal(mup_bridge_get(&bridge, "alice", mup_netconf_schemas(bridge.netconf), &tree),
                     MUP_OK);
    assert_int_equal(lyd_print_mem(&xml, tree, LYD_XML, LYD_PRINT_SHRINK), LY_SUCCESS);
    lyd_free_all(tree);
    return xml;
}

static void assert_shown(const char *part, bool shown)
{
    char *xml = inventory();

    if ((strstr(xml, part) != NULL) != shown)
        fail_msg("%s%s in %s", shown ? "no " : "", part, xml);
    free(xml);
}

static void the_last_value_of_each_point_is_kept(void **state)
{
    (void)state;
    add_device("lamp", 1);
    add_device("other", 1);
    add_kind(1);
    assert_shown("<telemetry>", false);
    publish("sensor/temp/lamp", "20.5", 4);
    publish("sensor/temp/lamp", "21", 2);
    publish("sensor/lamp/rain/lamp", "wet", 3);
    assert_shown("<telemetry><name>temp</name><value>21</value><unit>degreeCelsius</unit>"
                 "<symbol>\xc2\xb0"
                 "C</symbol><time>",
                 true);
    assert_shown("<telemetry><name>rain</name><value>wet</value><time>", true);
    assert_shown("20.5", false);
}

static void what_nobody_declared_is_not_kept(void **state)
{
    static const char *const topics[] = {
        "sensor/humidity/lamp",   "sensor/time/lamp", "sensor/temp/nobody",
        "sensor/temp/",           "sensor/temp",      "lamp",
        "sensor/other/rain/lamp", "event/door/lamp",
    };

    (void)state;
    add_device("lamp", 1);
    add_device("other", 1);
    add_device("unknown", 9); /* its description has not come */
    add_kind(1);
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        publish(topics[i], "7", 1);
    publish("sensor/temp/unknown", "7", 1);
    assert_shown("<telemetry>", false);
}

static void a_value_is_cut_and_cleaned(void **state)
{
    char large[4 * MUP_READING_SIZE_MAX];
    char *xml;

    (void)state;
    memset(large, 'x', sizeof large);
    add_device("lamp", 1);
    add_kind(1);
    publish("sensor/temp/lamp", large, sizeof large);
    xml = inventory();
    assert_non_null(strstr(xml, "xxxx"));
    assert_true(strlen(xml) < 2 * MUP_READING_SIZE_MAX + 600);
    free(xml);
    publish("sensor/temp/lamp", "a\x01<\xff", 4);
    assert_shown("<value>a?&lt;?</value>", true);
    publish("sensor/temp/lamp", "", 0);
    assert_shown("<value/>", true);
}

/* Another description may have other points in other places. */
static void readings_go_with_their_description(void **state)
{
    struct mup_device *device;

    (void)state;
    device = add_device("lamp", 1);
    add_kind(1);
    publish("sensor/temp/lamp", "21", 2);
    add_device("lamp", 2);
    add_kind(2);
    assert_ptr_equal(mup_registry_by_name(&bridge.registry, "lamp"), device);
    assert_shown("<telemetry>", false);
    publish("sensor/temp/lamp", "22", 2);
    assert_shown("<value>22</value>", true);
    assert_shown("<value>21</value>", false);
}

static void an_update_is_followed_by_what_the_device_says(void **state)
{
    static const struct {
        const char *method; /* NULL: it announces itself */
        int32_t code;
        uint32_t version;
        bool on_trial;
        enum mup_update_state want;
    } steps[] = {
        {"SET-INTERVAL", 10, 0, false, MUP_UPDATE_UNSEEN},
        {MUP_METHOD_GET_TOKEN, 20, 0, false, MUP_UPDATE_UNSEEN},
        {MUP_METHOD_GET_TOKEN, 10, 0, false, MUP_UPDATE_TOKEN_GIVEN},
        {MUP_METHOD_MANIFEST, 24, 0, false, MUP_UPDATE_REFUSED},
        {MUP_METHOD_GET_TOKEN, 10, 0, false, MUP_UPDATE_TOKEN_GIVEN},
        {MUP_METHOD_MANIFEST, 10, 0, false, MUP_UPDATE_TRANSFERRING},
        {MUP_METHOD_VERIFY, 39, 0, false, MUP_UPDATE_TRANSFERRING},
        {MUP_METHOD_GET_TOKEN, 10, 0, false, MUP_UPDATE_TRANSFERRING},
        {MUP_METHOD_VERIFY, 10, 0, false, MUP_UPDATE_VERIFIED},
        {NULL, 0, 2, true, MUP_UPDATE_TRIAL},
        {NULL, 0, 2, false, MUP_UPDATE_CONFIRMED},
        {NULL, 0, 2, false, MUP_UPDATE_CONFIRMED},
        {NULL, 0, 3, true, MUP_UPDATE_TRIAL},
        {NULL, 0, 2, false, MUP_UPDATE_REVERTED},
        {NULL, 0, 4, false, MUP_UPDATE_CONFIRMED},
    };
    struct mup_device *device = add_device("lamp", 1);

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const struct mup_rpc rpc = {.method = steps[i].method};
        const struct mup_declared_state answer = {.name = "state", .code = steps[i].code};
        struct mup_stored_device before = device->stored;
        if (steps[i].method != NULL) {
            mup_bridge_update_answer(&bridge, device, &rpc, &answer);
        } else {
            device->stored.version = steps[i].version;
            device->stored.on_trial = steps[i].on_trial;
            mup_bridge_update_announced(&bridge, device, &before);
        }
        assert_int_equal(device->update_state, steps[i].want);
    }
    assert_shown("<update-state>confirmed</update-state>", true);
}

/* ---- a subscriber ---- */

static void assert_told(int fd, const char *part)
{
    static char text[65536];
    static size_t size;
    uint64_t end = uv_hrtime() + WAIT_NS;
    char *found;

    while ((found = strstr(text, part)) == NULL) {
        ssize_t got = recv(fd, text + size, sizeof text - 1 - size, 0);
        if (got > 0)
            size += (size_t)got;
        text[size] = '\0';
        if (uv_hrtime() > end)
            fail_msg("waited for: %s\ngot: %s", part, text);
        uv_run(&bridge.loop.uv, UV_RUN_NOWAIT);
    }
    size -= (size_t)(found - text) + strlen(part);
    memmove(text, found + strlen(part), size + 1);
}

static int subscribe(void)
{
    static const char requests[] =
        "as alice\n<hello xmlns=\"" BASE "\"><capabilities><capability>urn:ietf:params:netconf:"
        "base:1.0</capability></capabilities></hello>" END "<rpc xmlns=\"" BASE
        "\" message-id=\"1\"><create-subscription xmlns=\"urn:ietf:params:xml:ns:netconf:"
        "notification:1.0\"/></rpc>" END;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, requests, sizeof requests - 1, 0), sizeof requests - 1);
    assert_told(fd, "<ok/></rpc-reply>" END);
    return fd;
}

#define TOLD(name) "<" name " xmlns=\"urn:mup:myno-devices\"><uuid>"
#define NAME       "</uuid><name>lamp</name>"

static void subscribers_are_told_all_of_it(void **state)
{
    struct mup_device *device = add_device("lamp", 1);
    int fd = subscribe();

    (void)state;
    mup_bridge_tell_device(&bridge, device);
    assert_told(fd, TOLD("device-change"));
    assert_told(fd, NAME "<state>announced</state><reachable>true</reachable><firmware-version>1"
                         "</firmware-version><on-trial>false</on-trial></device-change>");
    mup_bridge_tell_device(&bridge, device); /* nothing new: the next is about another thing */
    add_kind(1);
    mup_bridge_tell_device(&bridge, device);
    assert_told(fd, "<state>ready</state>");
    publish("sensor/temp/lamp", "21", 2);
    assert_told(fd, TOLD("telemetry"));
    assert_told(fd, NAME "<point>temp</point><value>21</value><unit>degreeCelsius</unit><symbol>");
    publish("event/door/lamp", "open <&", 7);
    assert_told(fd, TOLD("event"));
    assert_told(fd, NAME "<event>door</event><value>open &lt;&amp;</value></event>");
    mup_bridge_tell_update(&bridge, device, MUP_UPDATE_REFUSED, "24_INNER_SIGNATURE_INVALID");
    assert_told(fd, TOLD("update-progress"));
    assert_told(fd, NAME "<update-state>refused</update-state><firmware-version>1"
                         "</firmware-version><reason>24_INNER_SIGNATURE_INVALID</reason>");
    device->stored.present = false;
    mup_bridge_tell_device(&bridge, device);
    assert_told(fd, "<state>offline</state><reachable>false</reachable>");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_last_value_of_each_point_is_kept, forget_devices),
        cmocka_unit_test_teardown(what_nobody_declared_is_not_kept, forget_devices),
        cmocka_unit_test_teardown(a_value_is_cut_and_cleaned, forget_devices),
        cmocka_unit_test_teardown(readings_go_with_their_description, forget_devices),
        cmocka_unit_test_teardown(subscribers_are_told_all_of_it, forget_devices),
        cmocka_unit_test_teardown(an_update_is_followed_by_what_the_device_says, forget_devices),
    };

    return cmocka_run_group_tests(tests, open_netconf, close_netconf);
}
