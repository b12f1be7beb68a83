/* YANG input -> CBOR arguments, CBOR value -> YANG output. */
#include "bridge/devices/arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

static const struct lyd_node *leaf_of(const struct lyd_node *input, const char *name)
{
    const struct lyd_node *child;

    LY_LIST_FOR(lyd_child(input), child)
    {
        if (strcmp(LYD_NAME(child), name) == 0)
            return child;
    }
    return NULL;
}

/* Decimals too: the wire has no fractions. */
static void write_text(struct mup_cbor_writer *writer, const char *text)
{
    mup_cbor_write_text(writer, text, strlen(text));
}

static enum mup_status write_integer(struct mup_cbor_writer *writer, const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 10);

    if (*end != '\0' || value < INT32_MIN || value > UINT32_MAX)
        return MUP_ERR_RANGE;
    if (value > INT32_MAX)
        mup_cbor_write_uint(writer, (uint32_t)value);
    else
        mup_cbor_write_int(writer, (int32_t)value);
    return MUP_OK;
}

/* libyang keeps a binary as the base64 text that it was given, and the bytes beside it. */
static void write_binary(struct mup_cbor_writer *writer, const struct lyd_node *leaf)
{
    const struct lyd_node_term *term = (const struct lyd_node_term *)leaf;
    const struct lyd_value_binary *binary;

    LYD_VALUE_GET(&term->value, binary);
    mup_cbor_write_bytes(writer, binary->data, binary->size);
}

/* An input without parts, with the leaf that it has. */
static enum mup_status write_leaf(struct mup_cbor_writer *writer, const struct mup_input *input,
                                  const struct lyd_node *leaf)
{
    const char *text = lyd_get_value(leaf);

    switch (input->type) {
    case MUP_INPUT_INT:
        return write_integer(writer, text);
    case MUP_INPUT_BOOL:
        mup_cbor_write_bool(writer, strcmp(text, "true") == 0);
        return MUP_OK;
    case MUP_INPUT_BINARY:
        write_binary(writer, leaf);
        return MUP_OK;
    case MUP_INPUT_DECIMAL:
    case MUP_INPUT_STRING:
    case MUP_INPUT_ENUM:
        write_text(writer, text);
        return MUP_OK;
    case MUP_INPUT_STRUCT:
        break;
    }
    return MUP_ERR_RANGE;
}

/*
 * The inputs of one level below `node`, which is NULL when a whole structure was left out. A
 * structure is written as its parts, so that a device never sees more than a flat array. The levels
 * are MUP_INPUT_DEPTH_MAX at most.
 */
static enum mup_status write_level(struct mup_cbor_writer *writer, size_t *written,
                                   const char **leaf, const struct mup_input *inputs, size_t count,
                                   const struct lyd_node *node)
{
    for (size_t i = 0; i < count; i++) {
        const struct mup_input *input = &inputs[i];
        const struct lyd_node *own = node == NULL ? NULL : leaf_of(node, input->yang_name);
        enum mup_status status = MUP_OK;

        if (input->type == MUP_INPUT_STRUCT) {
            status = write_level(writer, written, leaf, input->parts, input->part_count, own);
            if (status != MUP_OK)
                return status;
            continue;
        }
        if (own == NULL)
            mup_cbor_write_null(writer);
        else
            status = write_leaf(writer, input, own);
        if (status != MUP_OK) {
            *leaf = input->yang_name;
            return status;
        }
        (*written)++;
    }
    return MUP_OK;
}

enum mup_status mup_arguments_encode(uint8_t bytes[MUP_REQUEST_MAX], size_t *size,
                                     const char **leaf, const struct mup_rpc *rpc,
                                     const struct lyd_node *input)
{
    uint8_t items[MUP_REQUEST_MAX];
    struct mup_cbor_writer writer;
    struct mup_request request = {
        .method = {(const uint8_t *)rpc->method, strlen(rpc->method)},
        .arguments = {items, 0},
    };
    size_t count = 0;
    enum mup_status status;

    mup_cbor_writer_init(&writer, items, sizeof items);
    status = write_level(&writer, &count, leaf, rpc->inputs, rpc->input_count, input);
    if (status != MUP_OK)
        return status;
    if (mup_cbor_writer_finish(&writer, &request.arguments.size) != MUP_OK)
        return MUP_ERR_SPACE;
    request.argument_count = count;
    return mup_request_encode(bytes, MUP_REQUEST_MAX, size, &request);
}

/* The bytes that a value stands for; see the header. */
static struct mup_bytes value_content(struct mup_bytes value)
{
    struct mup_cbor_reader reader;
    struct mup_bytes content;

    mup_cbor_reader_init(&reader, value.data, value.size);
    if (mup_cbor_peek(&reader) == MUP_CBOR_BYTES)
        content = mup_cbor_read_bytes(&reader, 0, MUP_RESPONSE_MAX);
    else if (mup_cbor_peek(&reader) == MUP_CBOR_TEXT)
        content = mup_cbor_read_utf8(&reader, 0, MUP_RESPONSE_MAX);
    else
        return value;
    return mup_cbor_reader_finish(&reader) == MUP_OK ? content : value;
}

static LY_ERR add_output(struct lyd_node **tree, const struct ly_ctx *schemas, const char *module,
                         const char *rpc, const char *leaf, const char *text)
{
    char path[3 * (MUP_YANG_NAME_SIZE_MAX + 64)];

    snprintf(path, sizeof path, "/%s:%s/%s", module, rpc, leaf);
    return lyd_new_path(*tree, schemas, path, text, LYD_NEW_PATH_OUTPUT,
                        *tree == NULL ? tree : NULL);
}

void mup_value_text(char text[MUP_VALUE_TEXT_SIZE], struct mup_bytes value)
{
    struct mup_bytes content = value_content(value);

    EVP_EncodeBlock((unsigned char *)text, content.data, (int)content.size);
}

enum mup_status mup_output_make(struct lyd_node **tree, const struct ly_ctx *schemas,
                                const char *module, const char *rpc, const char *state,
                                struct mup_bytes value)
{
    char base64[MUP_VALUE_TEXT_SIZE];
    struct lyd_node *output = NULL;
    LY_ERR bad = add_output(&output, schemas, module, rpc, "state", state);

    if (bad == LY_SUCCESS && value.size > 0) {
        mup_value_text(base64, value);
        bad = add_output(&output, schemas, module, rpc, "value", base64);
    }
    if (bad != LY_SUCCESS) {
        lyd_free_all(output);
        return MUP_ERR_FORMAT;
    }
    *tree = output;
    return MUP_OK;
}
