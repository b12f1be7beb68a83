/* The bridge's list of devices, read without trust. */
#include "support/cmocka_all.h"

#include <stdio.h>

#include "server/directory.h"

static const char reply[] =
    "<rpc-reply xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\" message-id=\"1\"><data>"
    "<devices xmlns=\"urn:mup:myno-devices\">"
    "<device><uuid>5f0c1d2e-3a4b-4c5d-8e9f-a0b1c2d3e4f5</uuid><name>lamp-1</name>"
    "<category>a &amp; b</category><module>mup-lamp-0011</module>"
    "<firmware-version>7</firmware-version><on-trial>false</on-trial><state>ready</state>"
    "<last-seen>2026-11-21T23:00:00Z</last-seen></device>"
    "<device><uuid>00000000-0000-4000-8000-000000000001</uuid><name>lamp-2</name>"
    "<state>announced</state><on-trial>true</on-trial></device>"
    "<device><name>nobody</name></device>"
    "<device><uuid>00000000-0000-4000-8000-000000000009</uuid><label>to come</label></device>"
    "<device><uuid>x</uuid><name>not/a+name</name></device></devices>"
    "<yang-library xmlns=\"urn:ietf:params:xml:ns:yang:ietf-yang-library\"><module-set>"
    "<name>complete</name><module><name>mup-lamp-0011</name>"
    "<namespace>urn:mup:capability:0011</namespace></module></module-set></yang-library>"
    "</data></rpc-reply>";

static void devices_come_with_the_namespace_of_their_module(void **state)
{
    (void)state;
    struct mup_directory d;

    assert_int_equal(mup_directory_parse(&d, reply, sizeof reply - 1), MUP_OK);
    assert_int_equal(d.count, 2);
    const struct mup_directory_device *lamp = mup_directory_find(&d, "lamp-1");
    assert_non_null(lamp);
    assert_ptr_equal(mup_directory_find(&d, "5f0c1d2e-3a4b-4c5d-8e9f-a0b1c2d3e4f5"), lamp);
    assert_string_equal(lamp->xml_space, "urn:mup:capability:0011");
    assert_string_equal(lamp->category, "a & b");
    assert_true(lamp->has_version && lamp->version == 7);
    assert_true(lamp->has_on_trial && !lamp->on_trial);
    const struct mup_directory_device *other = mup_directory_find(&d, "lamp-2");
    assert_non_null(other);
    assert_string_equal(other->xml_space, "");
    assert_true(other->on_trial && !other->has_version);
    assert_null(mup_directory_find(&d, "nobody"));
    assert_null(mup_directory_find(&d, ""));
    mup_directory_free(&d);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < sizeof reply - 1; cut++) {
        struct mup_directory d = {NULL, 99};
        char *exact = malloc(cut + 1);
        memcpy(exact, reply, cut);
        assert_true(mup_directory_parse(&d, exact, cut) != MUP_OK);
        assert_int_equal(d.count, 99);
        free(exact);
    }
}

static void a_text_that_is_too_long_is_left_out_not_cut(void **state)
{
    (void)state;
    char xml[2048];
    char name[400];
    struct mup_directory d;

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(xml, sizeof xml,
             "<r><device><uuid>u-1</uuid><name>%s</name><module>%s</module></device></r>", name,
             name);
    assert_int_equal(mup_directory_parse(&d, xml, strlen(xml)), MUP_OK);
    assert_int_equal(d.count, 1);
    assert_string_equal(d.devices[0].name, "u-1");
    assert_string_equal(d.devices[0].module, "");
    mup_directory_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_come_with_the_namespace_of_their_module),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(a_text_that_is_too_long_is_left_out_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
