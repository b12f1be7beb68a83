/* The list of devices that <get> shows, whatever one of them has said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/cmocka_all.h"

#include "bridge/devices/bridge.h"
#include "runtime/xml.h"

static struct mup_bridge bridge;

static int open_netconf(void **state)
{
    static const struct mup_netconf_backend backend = {.context = &bridge};
    static char path[] = "/tmp/mup-operational-XXXXXX";
    static char error[MUP_NETCONF_ERROR_SIZE];
    struct mup_netconf_settings settings = {.socket_path = path};

    (void)state;
    assert_int_not_equal(close(mkstemp(path)), -1);
    unlink(path);
    assert_int_equal(mup_loop_init(&bridge.loop, NULL, NULL), MUP_OK);
    bridge.netconf = mup_netconf_new(&bridge.loop, &settings, &backend, error);
    if (bridge.netconf == NULL)
        fail_msg("%s", error);
    assert_int_equal(mup_netconf_add_module(bridge.netconf, mup_netconf_devices_yang, error),
                     MUP_OK);
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

/* A device whose description was refused, for a reason that has some of its text in it. */
static void add_refused(unsigned number, const char *reason)
{
    struct mup_stored_device stored = {.version = 1, .present = true};
    struct mup_device *device;

    snprintf(stored.name, sizeof stored.name, "d%u", number);
    stored.uuid[0] = stored.digest[0] = (uint8_t)number;
    assert_int_equal(mup_registry_put_device(&bridge.registry, &device, &stored), MUP_OK);
    assert_non_null(mup_registry_put_description(&bridge.registry, stored.digest, NULL, reason));
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

static void a_reason_that_xml_cannot_carry_hides_no_device(void **state)
{
    static const char *const reasons[] = {
        "torn \xe2\x82",                    /* UTF-8 that ends too soon */
        "torn \xe2\x82 in the middle",      /* or has no end */
        "not a character \xef\xb7\x90",     /* U+FDD0 (RFC 7950 section 14) */
        "not a character \xef\xbf\xbf",     /* U+FFFF */
        "not a character \xf0\x9f\xbf\xbe", /* U+1FFFE */
        "bell \x07",
        "delete \x7f",
    };
    const unsigned count = sizeof reasons / sizeof reasons[0];

    (void)state;
    for (unsigned i = 0; i < count; i++) {
        char *xml;
        add_refused(1, "a plain reason");
        add_refused(2, reasons[i]);
        add_refused(3, "another plain reason");
        xml = inventory();
        for (unsigned number = 1; number <= 3; number++) {
            char wanted[32];
            snprintf(wanted, sizeof wanted, "<name>d%u</name>", number);
            if (strstr(xml, wanted) == NULL)
                fail_msg("reason %u hides device %u: %s", i, number, xml);
        }
        assert_non_null(strstr(xml, "<reason>another plain reason</reason>"));
        assert_int_equal(mup_xml_check(xml, strlen(xml), 1000), MUP_OK);
        free(xml);
        mup_registry_free(&bridge.registry);
    }
}

static void a_category_that_xml_cannot_carry_or_has_no_end_hides_no_device(void **state)
{
    static char long_category[60000];
    struct mup_capability capability = {.module_name = "mup-v", .module_namespace = "urn:v"};
    const char *const categories[] = {"v\x01", "v\xef\xbf\xbf", long_category};
    struct mup_known_description *description;

    (void)state;
    memset(long_category, 'v', sizeof long_category - 1);
    add_refused(1, "a plain reason");
    add_refused(2, "to be taken for accepted");
    description = mup_registry_by_name(&bridge.registry, "d2")->description;
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++) {
        char *xml;
        capability.category = categories[i];
        description->capability = &capability;
        xml = inventory();
        description->capability = NULL;
        assert_non_null(strstr(xml, "<category>v"));
        assert_non_null(strstr(xml, "<name>d1</name>"));
        assert_int_equal(mup_xml_check(xml, strlen(xml), 1000), MUP_OK);
        assert_in_range(strlen(xml), 0, 4096);
        free(xml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_reason_that_xml_cannot_carry_hides_no_device, forget_devices),
        cmocka_unit_test_teardown(a_category_that_xml_cannot_carry_or_has_no_end_hides_no_device,
                                  forget_devices),
    };

    return cmocka_run_group_tests(tests, open_netconf, close_netconf);
}
