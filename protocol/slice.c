/* The header of a slice (docs/SPEC.md section 15), read while the slice is still arriving. */
#include "cbor_head.h"
#include "mup/token.h"
#include "mup/transfer.h"

#define SLICE_ELEMENTS 4u

enum mup_status mup_slice_header_decode(struct mup_slice_header *header, size_t *header_size,
                                        const uint8_t *bytes, size_t size)
{
    struct mup_cbor_reader reader;
    struct mup_slice_header scratch;

    mup_cbor_reader_init(&reader, bytes, size);
    (void)mup_cbor_read_head(&reader, MUP_CBOR_ARRAY, SLICE_ELEMENTS, SLICE_ELEMENTS);
    scratch.transfer = mup_cbor_read_uint(&reader, MUP_TRANSFER_ID_MAX);
    scratch.attempt = mup_cbor_read_uint(&reader, MUP_ATTEMPT_MAX);
    scratch.offset = mup_cbor_read_uint(&reader, UINT32_MAX);
    scratch.size = mup_cbor_read_head(&reader, MUP_CBOR_BYTES, 1, MUP_SLICE_DATA_MAX);
    if (reader.error != MUP_OK)
        return reader.error;
    *header = scratch;
    *header_size = size - reader.left;
    return MUP_OK;
}

size_t mup_slice_header_encode(uint8_t bytes[MUP_SLICE_HEADER_MAX],
                               const struct mup_slice_header *header)
{
    struct mup_cbor_writer writer;

    if (header->transfer > MUP_TRANSFER_ID_MAX || header->attempt > MUP_ATTEMPT_MAX ||
        header->size == 0 || header->size > MUP_SLICE_DATA_MAX)
        return 0;
    mup_cbor_writer_init(&writer, bytes, MUP_SLICE_HEADER_MAX);
    mup_cbor_write_array(&writer, SLICE_ELEMENTS);
    mup_cbor_write_uint(&writer, header->transfer);
    mup_cbor_write_uint(&writer, header->attempt);
    mup_cbor_write_uint(&writer, header->offset);
    mup_cbor_write_bytes_head(&writer, header->size);
    return writer.size;
}
