/*
 * Requests (docs/SPEC.md section 12). Arguments are handed on as raw items, because only the
 * description knows what they mean.
 */
#include "layout.h"
#include "mup/rpc.h"

#define KEY_METHOD    1
#define KEY_ARGUMENTS 2
#define AT(member)    offsetof(struct mup_request, member)

static const struct mup_field rows[] = {
    {KEY_METHOD, MUP_FIELD_ASCII, MUP_REQUIRED, AT(method), 1, MUP_METHOD_MAX},
    {KEY_ARGUMENTS, MUP_FIELD_ITEM, MUP_OPTIONAL, AT(arguments), 0, 1},
};

/* Take the array of arguments apart: how many there are, and where the first begins. */
static enum mup_status settle(void *message, uint32_t seen)
{
    struct mup_request *request = message;
    struct mup_cbor_reader reader;

    (void)seen;
    if (request->arguments.size == 0)
        return MUP_OK;
    mup_cbor_reader_init(&reader, request->arguments.data, request->arguments.size);
    request->argument_count = mup_cbor_read_array(&reader, MUP_ARGUMENTS_MAX);
    request->arguments = (struct mup_bytes){reader.at, reader.left};
    if (reader.error == MUP_OK && request->argument_count == 0)
        return MUP_ERR_RANGE;
    return reader.error;
}

MUP_LAYOUT(layout, rows, struct mup_request, MUP_REQUEST_MAX, settle);

enum mup_status mup_request_decode(struct mup_request *out, const uint8_t *bytes, size_t size)
{
    return mup_layout_decode(out, bytes, size, &layout);
}

enum mup_status mup_request_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                   const struct mup_request *request)
{
    struct mup_cbor_writer writer;
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
    if (mup_layout_decode(NULL, bytes, writer.size, &layout) != MUP_OK)
        return MUP_ERR_RANGE;
    *size = writer.size;
    return MUP_OK;
}
