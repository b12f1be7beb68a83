/*
 * The codec as a filter for test_cbor2.py. Each line of input is "CODEC:HEX": the message is
 * decoded, and what our encoder makes of the fields is printed in hex, or the status as a word.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/protocol/messages.h"

#define LINE_MAX_SIZE (2 * MESSAGE_MAX + 64)

static const struct codec *find_codec(const char *name)
{
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        if (strcmp(codecs[i].name, name) == 0)
            return &codecs[i];
    }
    (void)fprintf(stderr, "no such codec: %s\n", name);
    exit(EXIT_FAILURE);
}

/* A slice has no codec for the whole: its header is written again, its data are kept. */
static enum mup_status write_slice_again(struct message *again, const struct message *message)
{
    struct mup_slice_header header;
    size_t head = 0;
    enum mup_status status = mup_slice_header_decode(&header, &head, message->bytes, message->size);

    if (status != MUP_OK)
        return status;
    if (header.size != message->size - head)
        return MUP_ERR_FORMAT;
    again->size = mup_slice_header_encode(again->bytes, &header);
    memcpy(again->bytes + again->size, message->bytes + head, header.size);
    again->size += header.size;
    return MUP_OK;
}

static enum mup_status write_again(struct message *again, const char *name,
                                   const struct message *message)
{
    union any_message out;

    if (strcmp(name, "slice") == 0)
        return write_slice_again(again, message);
    const struct codec *codec = find_codec(name);
    enum mup_status status = codec->decode(&out, message->bytes, message->size);
    if (status != MUP_OK)
        return status;
    return codec->encode(again->bytes, sizeof again->bytes, &again->size, &out);
}

static void answer(const char *name, const char *hex)
{
    struct message message = from_hex(hex);
    struct message again = {.size = 0};
    enum mup_status status = write_again(&again, name, &message);

    if (status != MUP_OK) {
        (void)puts(mup_status_name(status));
        return;
    }
    for (size_t i = 0; i < again.size; i++)
        (void)printf("%02x", again.bytes[i]);
    (void)puts("");
}

int main(void)
{
    static char line[LINE_MAX_SIZE];

    while (fgets(line, sizeof line, stdin) != NULL) {
        char *hex = strrchr(line, ':');

        line[strcspn(line, "\n")] = '\0';
        if (hex == NULL)
            return EXIT_FAILURE;
        *hex = '\0';
        answer(line, hex + 1);
        (void)fflush(stdout);
    }
    return EXIT_SUCCESS;
}
