/* The acknowledgement that grants credit (docs/SPEC.md section 16). */
#include "cbor_head.h"
#include "mup/state.h"
#include "mup/transfer.h"

#define ACK_ELEMENTS 5u

enum mup_status mup_ack_decode(struct mup_ack *out, const uint8_t *bytes, size_t size)
{
    struct mup_cbor_reader reader;
    struct mup_ack scratch;

    mup_cbor_reader_init(&reader, bytes, size);
    (void)mup_cbor_read_head(&reader, MUP_CBOR_ARRAY, ACK_ELEMENTS, ACK_ELEMENTS);
    scratch.transfer = mup_cbor_read_uint(&reader, MUP_TRANSFER_ID_MAX);
    scratch.attempt = mup_cbor_read_uint(&reader, MUP_ATTEMPT_MAX);
    scratch.next = mup_cbor_read_uint(&reader, UINT32_MAX);
    scratch.limit = mup_cbor_read_uint(&reader, UINT32_MAX);
    scratch.state = mup_cbor_read_head(&reader, MUP_CBOR_UINT, 1, MUP_STATE_MAX);
    enum mup_status status = mup_cbor_reader_finish(&reader);
    if (status != MUP_OK)
        return status;
    if (scratch.limit < scratch.next)
        return MUP_ERR_RANGE;
    *out = scratch;
    return MUP_OK;
}

enum mup_status mup_ack_encode(uint8_t bytes[MUP_ACK_MAX], size_t *size, const struct mup_ack *ack)
{
    struct mup_cbor_writer writer;

    if (ack->transfer > MUP_TRANSFER_ID_MAX || ack->attempt > MUP_ATTEMPT_MAX || ack->state == 0 ||
        ack->state > MUP_STATE_MAX || ack->limit < ack->next)
        return MUP_ERR_RANGE;
    mup_cbor_writer_init(&writer, bytes, MUP_ACK_MAX);
    mup_cbor_write_array(&writer, ACK_ELEMENTS);
    mup_cbor_write_uint(&writer, ack->transfer);
    mup_cbor_write_uint(&writer, ack->attempt);
    mup_cbor_write_uint(&writer, ack->next);
    mup_cbor_write_uint(&writer, ack->limit);
    mup_cbor_write_uint(&writer, ack->state);
    return mup_cbor_writer_finish(&writer, size);
}
