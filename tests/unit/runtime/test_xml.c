/* What the XML reader lets through to libyang, and what it does not. */
#include "support/cmocka_all.h"

#include "runtime/text.h"
#include "runtime/xml.h"

static enum mup_status check(const char *text, size_t size)
{
    char *copy = malloc(size ? size : 1);

    assert_non_null(copy);
    memcpy(copy, text, size);
    enum mup_status status = mup_xml_check(copy, size, 1000);
    free(copy);
    return status;
}

static void accepts_what_netconf_clients_send(void **state)
{
    static const char *const good[] = {
        "<a/>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a:b xmlns:a='urn:a' c = \"1\"></a:b>\n",
        "<a><!-- <!DOCTYPE b> - --><b>&lt;&#x41;&#66;</b><![CDATA[<!ENTITY ]]></a>",
        "<a>\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xa1</a>",
        "<!-- before --><a/><!-- behind -->",
    };
    (void)state;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(check(good[i], strlen(good[i])), MUP_OK);
    }
}

static void refuses_what_is_not_well_formed_or_dangerous(void **state)
{
    static const char *const bad[] = {
        "",
        "text",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>text",
        "<a b></a>",
        "<a b=1/>",
        "<a b=\"1\"c=\"2\"/>",
        "<a b=\"<\"/>",
        "<a>&nbsp;</a>",
        "<a>&#0;</a>",
        "<a>&#xD800;</a>",
        "<a>&#x110000;</a>",
        "<a>&#99999999999;</a>",
        "<a>&amp</a>",
        "<a>]]></a>",
        "<a>\x01</a>",
        "<a>\x80</a>",
        "<a>\xc0\x80</a>",
        "<a>\xed\xa0\x80</a>",
        "<a>\xf4\x90\x80\x80</a>",
        "<a><?php ?></a>",
        "<1/>",
        "<a><!-- - -- --></a>",
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>",
        "<a><!DOCTYPE a></a>",
        "<a><!ENTITY b \"c\"></a>",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>",
        " <?xml version=\"1.0\"?><a/>",
    };
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(check(bad[i], strlen(bad[i])), MUP_ERR_FORMAT);
    }
    assert_int_equal(check("<a>\0</a>", 8), MUP_ERR_FORMAT);
}

static void refuses_every_truncation(void **state)
{
    static const char text[] = "<?xml version=\"1.0\"?><a b=\"&lt;\"><!-- c --><d>\xc3\xa4&#65;</d>"
                               "<e/><![CDATA[f]]></a>";
    (void)state;

    assert_int_equal(check(text, sizeof text - 1), MUP_OK);
    for (size_t size = 0; size < sizeof text - 1; size++) {
        assert_int_equal(check(text, size), MUP_ERR_FORMAT);
    }
}

static void nests_to_the_limit_and_no_deeper(void **state)
{
    char text[8 * MUP_XML_DEPTH_MAX + 16];
    (void)state;

    for (unsigned depth = MUP_XML_DEPTH_MAX; depth <= MUP_XML_DEPTH_MAX + 1; depth++) {
        size_t size = 0;
        for (unsigned i = 0; i < depth; i++) {
            memcpy(text + size, "<a>", 3);
            size += 3;
        }
        for (unsigned i = 0; i < depth; i++) {
            memcpy(text + size, "</a>", 4);
            size += 4;
        }
        assert_int_equal(check(text, size), depth > MUP_XML_DEPTH_MAX ? MUP_ERR_RANGE : MUP_OK);
    }
}

static void counts_elements_and_attributes(void **state)
{
    char text[16 * MUP_XML_ATTRIBUTES_MAX + 16] = "<a";
    (void)state;

    assert_int_equal(mup_xml_check("<a><b/><c/></a>", 15, 3), MUP_OK);
    assert_int_equal(mup_xml_check("<a><b/><c/></a>", 15, 2), MUP_ERR_RANGE);
    for (unsigned i = 0; i <= MUP_XML_ATTRIBUTES_MAX; i++) {
        strcat(text, " b='1'");
    }
    strcat(text, "/>");
    assert_int_equal(check(text, strlen(text)), MUP_ERR_RANGE);
}

static void gives_names_attributes_and_text(void **state)
{
    static const char text[] = "<n:rpc id='a&amp;b' n:x=\"2\"><c>d</c></n:rpc>";
    struct mup_xml xml;
    struct mup_xml_span value;
    char decoded[8];
    (void)state;

    mup_xml_init(&xml, text, sizeof text - 1);
    assert_int_equal(mup_xml_next(&xml), MUP_OK);
    assert_int_equal(xml.event, MUP_XML_START);
    assert_true(mup_xml_is(xml.name, "n:rpc"));
    assert_true(mup_xml_is(xml.local, "rpc"));
    assert_true(mup_xml_attribute(&xml, "n:x", &value));
    assert_true(mup_xml_is(value, "2"));
    assert_false(mup_xml_attribute(&xml, "x", &value));
    assert_true(mup_xml_attribute(&xml, "id", &value));
    assert_int_equal(mup_xml_decode(decoded, 4, value), MUP_OK);
    assert_string_equal(decoded, "a&b");
    assert_int_equal(mup_xml_decode(decoded, 3, value), MUP_ERR_SPACE);
    assert_string_equal(decoded, "a&b");
    assert_int_equal(mup_xml_next(&xml), MUP_OK);
    assert_int_equal(xml.depth, 2);
    assert_int_equal(mup_xml_next(&xml), MUP_OK);
    assert_int_equal(xml.event, MUP_XML_TEXT);
    assert_true(mup_xml_is(xml.text, "d"));
    assert_int_equal(mup_xml_next(&xml), MUP_OK);
    assert_int_equal(xml.event, MUP_XML_END);
    assert_int_equal(xml.depth, 2);
    assert_int_equal(mup_xml_next(&xml), MUP_OK);
    assert_int_equal(xml.depth, 1);
    assert_int_equal(mup_xml_next(&xml), MUP_OK);
    assert_int_equal(xml.event, MUP_XML_DONE);
}

static void decodes_references_to_utf_8(void **state)
{
    static const char raw[] = "&#x41;&#xe4;&#x20ac;&#x1f4a1;&quot;&apos;&gt;";
    char text[32];
    (void)state;

    assert_int_equal(mup_xml_decode(text, sizeof text, (struct mup_xml_span){raw, sizeof raw - 1}),
                     MUP_OK);
    assert_string_equal(text, "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xa1\"'>");
}

static void escaping_leaves_no_byte_that_xml_cannot_carry(void **state)
{
    static const struct {
        const char *words;
        const char *escaped;
    } cases[] = {
        {"a<b>&\"c", "a&lt;b&gt;&amp;&quot;c"},
        {"\x01\x1f\x7f\t", "??\x7f\t"},
        {"\xe2\x82\xac\xf0\x9f\x92\xa1", "\xe2\x82\xac\xf0\x9f\x92\xa1"},
        {"\xe2\x82", "??"},
        {"\xe2<", "?&lt;"},
        {"\xef\xbf\xbf", "???"},
        {"\xed\xa0\x80", "???"},
        {"\xc0\x80", "??"},
        {"\xff", "?"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mup_text text = {0};
        mup_text_append(&text, "", 0);
        mup_text_escape(&text, cases[i].words);
        assert_string_equal(text.bytes, cases[i].escaped);
        mup_text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_netconf_clients_send),
        cmocka_unit_test(refuses_what_is_not_well_formed_or_dangerous),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(nests_to_the_limit_and_no_deeper),
        cmocka_unit_test(counts_elements_and_attributes),
        cmocka_unit_test(gives_names_attributes_and_text),
        cmocka_unit_test(decodes_references_to_utf_8),
        cmocka_unit_test(escaping_leaves_no_byte_that_xml_cannot_carry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
