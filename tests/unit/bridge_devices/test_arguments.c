/* YANG input to request bytes and response values to YANG output (docs/SPEC.md section 12). */
#include "support/cmocka_all.h"

#include "bridge/devices/arguments.h"

static const char module_text[] =
    "module t { namespace \"urn:t\"; prefix t;"
    " rpc set { input { leaf uuid { type string; } leaf a { type int64; } leaf b { type boolean; }"
    " leaf c { type string; } leaf d { type binary; } }"
    " output { leaf state { type string; } leaf value { type binary; } } }"
    " rpc paint { input { leaf uuid { type string; } container colour { presence \"given\";"
    " leaf blue { type int32; } container warm { leaf green { type int32; }"
    " leaf red { type int32; } } } leaf text { type string; } } } }";

static struct ly_ctx *schemas;

static int open_schemas(void **state)
{
    (void)state;
    return ly_ctx_new(NULL, 0, &schemas) == LY_SUCCESS &&
                   lys_parse_mem(schemas, module_text, LYS_IN_YANG, NULL) == LY_SUCCESS
               ? 0
               : -1;
}

static int close_schemas(void **state)
{
    (void)state;
    ly_ctx_destroy(schemas);
    return 0;
}

static const struct mup_input inputs[] = {
    {.name = "a", .yang_name = "a", .type = MUP_INPUT_INT},
    {.name = "b", .yang_name = "b", .type = MUP_INPUT_BOOL},
    {.name = "c", .yang_name = "c", .type = MUP_INPUT_STRING},
    {.name = "d", .yang_name = "d", .type = MUP_INPUT_BINARY},
};
static const struct mup_rpc rpc = {
    .name = "set", .yang_name = "set", .method = "SET", .inputs = inputs, .input_count = 4};

static const struct mup_input warm[] = {
    {.name = "green", .yang_name = "green", .type = MUP_INPUT_INT},
    {.name = "red", .yang_name = "red", .type = MUP_INPUT_INT},
};
static const struct mup_input colour[] = {
    {.name = "blue", .yang_name = "blue", .type = MUP_INPUT_INT},
    {.name = "warm", .yang_name = "warm", .type = MUP_INPUT_STRUCT, .parts = warm, .part_count = 2},
};
static const struct mup_input paint_inputs[] = {
    {.name = "colour",
     .yang_name = "colour",
     .type = MUP_INPUT_STRUCT,
     .parts = colour,
     .part_count = 2},
    {.name = "text", .yang_name = "text", .type = MUP_INPUT_STRING},
};
static const struct mup_rpc paint = {
    .name = "paint", .yang_name = "paint", .method = "P", .inputs = paint_inputs, .input_count = 2};

static struct lyd_node *input(const char *xml)
{
    struct ly_in *in = NULL;
    struct lyd_node *tree = NULL;

    assert_int_equal(ly_in_new_memory(xml, &in), LY_SUCCESS);
    assert_int_equal(lyd_parse_op(schemas, NULL, in, LYD_XML, LYD_TYPE_RPC_YANG, &tree, NULL),
                     LY_SUCCESS);
    ly_in_free(in, 0);
    return tree;
}

static void check_rpc(const struct mup_rpc *called, const char *xml, const uint8_t *expected,
                      size_t expected_size)
{
    uint8_t bytes[MUP_REQUEST_MAX];
    const char *leaf = NULL;
    size_t size = 0;
    struct lyd_node *tree = input(xml);

    assert_int_equal(mup_arguments_encode(bytes, &size, &leaf, called, tree), MUP_OK);
    assert_int_equal(size, expected_size);
    assert_memory_equal(bytes, expected, expected_size);
    lyd_free_all(tree);
}

static void check(const char *xml, const uint8_t *expected, size_t expected_size)
{
    check_rpc(&rpc, xml, expected, expected_size);
}

static void a_structure_is_sent_as_its_parts_one_argument_each(void **state)
{
    /* {1: "P", 2: [3, 1, 2, "hi"]} */
    static const uint8_t expected[] = {0xa2, 0x01, 0x61, 'P',  0x02, 0x84,
                                       0x03, 0x01, 0x02, 0x62, 'h',  'i'};

    (void)state;
    check_rpc(&paint,
              "<paint xmlns=\"urn:t\"><text>hi</text><colour><warm><red>2</red><green>1</green>"
              "</warm><blue>3</blue></colour></paint>",
              expected, sizeof expected);
}

static void a_structure_that_was_left_out_is_a_null_for_each_part(void **state)
{
    /* {1: "P", 2: [null, null, null, "hi"]}, so that the text keeps its place */
    static const uint8_t expected[] = {0xa2, 0x01, 0x61, 'P',  0x02, 0x84,
                                       0xf6, 0xf6, 0xf6, 0x62, 'h',  'i'};

    (void)state;
    check_rpc(&paint, "<paint xmlns=\"urn:t\"><text>hi</text></paint>", expected, sizeof expected);
}

static void inputs_go_in_declared_order_whatever_the_order_of_the_xml(void **state)
{
    /* {1: "SET", 2: [-2, true, "hi", h'00ff']} */
    static const uint8_t expected[] = {0xa2, 0x01, 0x63, 'S', 'E', 'T',  0x02, 0x84,
                                       0x21, 0xf5, 0x62, 'h', 'i', 0x42, 0x00, 0xff};

    (void)state;
    check("<set xmlns=\"urn:t\"><d>AP8=</d><c>hi</c><uuid>x</uuid><b>true</b><a>-2</a></set>",
          expected, sizeof expected);
}

/* The prototype joined its parameters with commas and semicolons. */
static void separators_of_the_prototype_are_bytes_like_others(void **state)
{
    /* {1: "SET", 2: [1, null, "a,b;c", h'2c3b']} */
    static const uint8_t expected[] = {0xa2, 0x01, 0x63, 'S', 'E', 'T', 0x02, 0x84, 0x01, 0xf6,
                                       0x65, 'a',  ',',  'b', ';', 'c', 0x42, ',',  ';'};

    (void)state;
    check("<set xmlns=\"urn:t\"><a>1</a><c>a,b;c</c><d>LDs=</d></set>", expected, sizeof expected);
}

static void an_input_that_was_left_out_is_null(void **state)
{
    /* {1: "SET", 2: [7, null, null, null]} */
    static const uint8_t expected[] = {0xa2, 0x01, 0x63, 'S',  'E',  'T',
                                       0x02, 0x84, 0x07, 0xf6, 0xf6, 0xf6};

    (void)state;
    check("<set xmlns=\"urn:t\"><uuid>x</uuid><a>7</a></set>", expected, sizeof expected);
}

static void integers_use_the_whole_range_of_the_wire_and_no_more(void **state)
{
    static const struct {
        const char *xml;
        enum mup_status want;
    } cases[] = {
        {"<set xmlns=\"urn:t\"><a>4294967295</a></set>", MUP_OK},
        {"<set xmlns=\"urn:t\"><a>-2147483648</a></set>", MUP_OK},
        {"<set xmlns=\"urn:t\"><a>4294967296</a></set>", MUP_ERR_RANGE},
        {"<set xmlns=\"urn:t\"><a>-2147483649</a></set>", MUP_ERR_RANGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[MUP_REQUEST_MAX];
        const char *leaf = NULL;
        size_t size = 0;
        struct lyd_node *tree = input(cases[i].xml);

        assert_int_equal(mup_arguments_encode(bytes, &size, &leaf, &rpc, tree), cases[i].want);
        if (cases[i].want != MUP_OK)
            assert_string_equal(leaf, "a");
        lyd_free_all(tree);
    }
}

static void a_request_larger_than_a_device_takes_is_refused(void **state)
{
    char xml[1024] = "<set xmlns=\"urn:t\"><c>";
    uint8_t bytes[MUP_REQUEST_MAX];
    const char *leaf = NULL;
    size_t size = 0;
    struct lyd_node *tree;

    (void)state;
    memset(xml + strlen(xml), 'x', 600);
    strcat(xml, "</c></set>");
    tree = input(xml);
    assert_int_equal(mup_arguments_encode(bytes, &size, &leaf, &rpc, tree), MUP_ERR_SPACE);
    lyd_free_all(tree);
}

static void a_value_becomes_the_bytes_that_it_stands_for(void **state)
{
    static const struct {
        uint8_t value[4];
        size_t size;
        const char *base64;
    } cases[] = {
        {{0x42, 0x00, 0xff}, 3, "AP8="}, /* a byte string: its bytes */
        {{0x62, 'h', 'i'}, 3, "aGk="},   /* a text: its UTF-8 */
        {{0x18, 0x64}, 2, "GGQ="},       /* anything else: its CBOR */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lyd_node *tree = NULL;
        const struct lyd_node *leaf;

        assert_int_equal(mup_output_make(&tree, schemas, "t", "set", "10_OK",
                                         (struct mup_bytes){cases[i].value, cases[i].size}),
                         MUP_OK);
        leaf = lyd_child(tree);
        assert_string_equal(lyd_get_value(leaf), "10_OK");
        assert_string_equal(lyd_get_value(leaf->next), cases[i].base64);
        lyd_free_all(tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_go_in_declared_order_whatever_the_order_of_the_xml),
        cmocka_unit_test(separators_of_the_prototype_are_bytes_like_others),
        cmocka_unit_test(an_input_that_was_left_out_is_null),
        cmocka_unit_test(a_structure_is_sent_as_its_parts_one_argument_each),
        cmocka_unit_test(a_structure_that_was_left_out_is_a_null_for_each_part),
        cmocka_unit_test(integers_use_the_whole_range_of_the_wire_and_no_more),
        cmocka_unit_test(a_request_larger_than_a_device_takes_is_refused),
        cmocka_unit_test(a_value_becomes_the_bytes_that_it_stands_for),
    };
    return cmocka_run_group_tests(tests, open_schemas, close_schemas);
}
