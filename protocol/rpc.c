/*
 * Requests and responses (docs/SPEC.md section 12). Arguments and values are handed on as raw
 * items, because only the description knows what they mean.
 */
#include "fields.h"
#include "mup/rpc.h"
#include "mup/state.h"

#define KEY_METHOD         1
#define KEY_ARGUMENTS      2
#define KEY_STATE          1
#define KEY_VALUE          2
#define KEY_AUTHENTICATION 15

/* A request as it lies in the map; the array is taken apart in a second step. */
struct raw_request {
    struct mup_bytes method;
    struct mup_bytes arguments;
};

static const struct mup_field request_rows[] = {
    {KEY_METHOD, MUP_FIELD_ASCII, offsetof(struct raw_request, method), 1, MUP_METHOD_MAX},
    {KEY_ARGUMENTS, MUP_FIELD_ITEM | MUP_FIELD_OPTIONAL, offsetof(struct raw_request, arguments), 0,
     0},
};

struct raw_response {
    struct mup_bytes state;
    struct mup_bytes value;
};

static const struct mup_field response_rows[] = {
    {KEY_STATE, MUP_FIELD_ITEM, offsetof(struct raw_response, state), 0, 0},
    {KEY_VALUE, MUP_FIELD_ITEM | MUP_FIELD_OPTIONAL, offsetof(struct raw_response, value), 0, 0},
    {KEY_AUTHENTICATION, MUP_FIELD_IGNORED | MUP_FIELD_OPTIONAL, 0, 0, MUP_AUTHENTICATION_MAX},
};

/* Take the array of arguments apart: how many there are, and where the first begins. */
static enum mup_status open_arguments(struct mup_request *request, struct mup_bytes array)
{
    struct mup_cbor_reader reader;

    mup_cbor_reader_init(&reader, array.data, array.size);
    size_t count = mup_cbor_read_array(&reader, MUP_ARGUMENTS_MAX);
    if (reader.error != MUP_OK)
        return reader.error;
    if (count == 0)
        return MUP_ERR_RANGE;
    request->arguments = (struct mup_bytes){reader.at, reader.left};
    request->argument_count = count;
    for (size_t i = 0; i < count; i++) {
        enum mup_cbor_type type = mup_cbor_peek(&reader);
        if (type == MUP_CBOR_ARRAY || type == MUP_CBOR_MAP)
            return MUP_ERR_FORMAT;
        (void)mup_cbor_read_item(&reader);
    }
    return mup_cbor_reader_finish(&reader);
}

enum mup_status mup_request_decode(struct mup_request *out, const uint8_t *bytes, size_t size)
{
    struct raw_request raw = {0};
    struct mup_request scratch = {0};
    uint32_t seen;

    if (size > MUP_REQUEST_MAX)
        return MUP_ERR_RANGE;
    enum mup_status status = mup_fields_decode(MUP_FIELDS(request_rows), &raw, &seen, bytes, size);
    if (status == MUP_OK && raw.arguments.size != 0)
        status = open_arguments(&scratch, raw.arguments);
    if (status != MUP_OK)
        return status;
    scratch.method = raw.method;
    *out = scratch;
    return MUP_OK;
}

enum mup_status mup_request_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                   const struct mup_request *request)
{
    struct mup_cbor_writer writer;
    struct mup_request again;
    bool has_arguments = request->argument_count != 0 || request->arguments.size != 0;

    mup_cbor_writer_init(&writer, bytes, capacity);
    mup_cbor_write_map(&writer, has_arguments ? 2 : 1);
    mup_cbor_write_uint(&writer, KEY_METHOD);
    mup_cbor_write_text(&writer, (const char *)request->method.data, request->method.size);
    if (has_arguments) {
        mup_cbor_write_uint(&writer, KEY_ARGUMENTS);
        mup_cbor_write_array(&writer, request->argument_count);
        mup_cbor_write_raw(&writer, request->arguments.data, request->arguments.size);
    }
    if (writer.error != MUP_OK)
        return writer.error;
    if (mup_request_decode(&again, bytes, writer.size) != MUP_OK)
        return MUP_ERR_RANGE;
    *size = writer.size;
    return MUP_OK;
}

/* A state is a number, or a text that the description declares. */
static enum mup_status open_state(struct mup_response *response, struct mup_bytes state)
{
    struct mup_cbor_reader reader;

    mup_cbor_reader_init(&reader, state.data, state.size);
    if (mup_cbor_peek(&reader) == MUP_CBOR_TEXT) {
        response->state_text = mup_cbor_read_utf8(&reader, 1, MUP_STATE_TEXT_MAX);
        return mup_cbor_reader_finish(&reader);
    }
    response->state = mup_cbor_read_uint(&reader, MUP_STATE_MAX);
    if (reader.error == MUP_OK && response->state == 0)
        return MUP_ERR_RANGE;
    return mup_cbor_reader_finish(&reader);
}

enum mup_status mup_response_decode(struct mup_response *out, const uint8_t *bytes, size_t size)
{
    struct raw_response raw = {0};
    struct mup_response scratch = {0};
    uint32_t seen;

    if (size > MUP_RESPONSE_MAX)
        return MUP_ERR_RANGE;
    enum mup_status status = mup_fields_decode(MUP_FIELDS(response_rows), &raw, &seen, bytes, size);
    if (status == MUP_OK)
        status = open_state(&scratch, raw.state);
    if (status != MUP_OK)
        return status;
    scratch.value = raw.value;
    *out = scratch;
    return MUP_OK;
}

enum mup_status mup_response_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                    const struct mup_response *response)
{
    struct mup_cbor_writer writer;
    struct mup_response again;

    if (response->state != 0 && response->state_text.size != 0)
        return MUP_ERR_RANGE;
    mup_cbor_writer_init(&writer, bytes, capacity);
    mup_cbor_write_map(&writer, response->value.size != 0 ? 2 : 1);
    mup_cbor_write_uint(&writer, KEY_STATE);
    if (response->state_text.size != 0)
        mup_cbor_write_text(&writer, (const char *)response->state_text.data,
                            response->state_text.size);
    else
        mup_cbor_write_uint(&writer, response->state);
    if (response->value.size != 0) {
        mup_cbor_write_uint(&writer, KEY_VALUE);
        mup_cbor_write_raw(&writer, response->value.data, response->value.size);
    }
    if (writer.error != MUP_OK)
        return writer.error;
    if (mup_response_decode(&again, bytes, writer.size) != MUP_OK)
        return MUP_ERR_RANGE;
    *size = writer.size;
    return MUP_OK;
}
