/* RFC 6242's two framings as one state machine that may be fed a byte at a time. */
#include "runtime/netconf_framing.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END_MARK      "]]>]]>"
#define END_MARK_SIZE 6u

/* The first buffer of a message; most RPCs fit. */
#define MESSAGE_CAPACITY_MIN 1024u

/* Where a chunked message stands: what the next byte must be. */
enum chunk_state {
    CHUNK_LF,     /* the \n before # */
    CHUNK_HASH,   /* the # */
    CHUNK_FIRST,  /* the first digit of the size, or the second # of the end */
    CHUNK_DIGITS, /* more digits, or the \n */
    CHUNK_DATA,
    CHUNK_END_LF, /* the \n of \n##\n */
};

void mup_netconf_framing_init(struct mup_netconf_framing *framing, size_t size_max)
{
    *framing = (struct mup_netconf_framing){.size_max = size_max};
}

void mup_netconf_framing_free(struct mup_netconf_framing *framing)
{
    free(framing->message);
    framing->message = NULL;
}

/* Make room for `more` bytes and a NUL. */
static enum mup_status reserve(struct mup_netconf_framing *framing, size_t more, size_t limit)
{
    if (more > limit - framing->message_size) {
        return MUP_ERR_RANGE;
    }
    size_t need = framing->message_size + more + 1;
    if (need <= framing->capacity) {
        return MUP_OK;
    }
    size_t capacity = framing->capacity ? framing->capacity : MESSAGE_CAPACITY_MIN;
    while (capacity < need) {
        capacity *= 2;
    }
    char *grown = realloc(framing->message, capacity);
    if (!grown) {
        return MUP_ERR_SPACE;
    }
    framing->message = grown;
    framing->capacity = capacity;
    return MUP_OK;
}

static void append(struct mup_netconf_framing *framing, const char *bytes, size_t size)
{
    memcpy(framing->message + framing->message_size, bytes, size);
    framing->message_size += size;
    framing->message[framing->message_size] = '\0';
}

static enum mup_status feed_marked(struct mup_netconf_framing *framing, size_t *used,
                                   const char *bytes, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        if (framing->message_size == 0 && strchr(" \t\r\n", bytes[at]) && bytes[at] != '\0') {
            continue; /* people who type put line ends behind the mark */
        }
        enum mup_status status = reserve(framing, 1, framing->size_max + END_MARK_SIZE);
        if (status) {
            return status;
        }
        append(framing, bytes + at, 1);
        if (bytes[at] != '>' || framing->message_size < END_MARK_SIZE) {
            continue;
        }
        size_t start = framing->message_size - END_MARK_SIZE;
        if (memcmp(framing->message + start, END_MARK, END_MARK_SIZE) == 0) {
            framing->message_size = start;
            framing->message[start] = '\0';
            framing->complete = true;
            *used = at + 1;
            return MUP_OK;
        }
    }
    *used = size;
    return MUP_ERR_SHORT;
}

/* The size of a chunk: 1 to 4294967295 without leading zero (RFC 6242 4.2). */
static enum mup_status take_digit(struct mup_netconf_framing *framing, char byte)
{
    if (byte < '0' || byte > '9' || (framing->digits == 0 && byte == '0') ||
        framing->digits == 10) {
        return MUP_ERR_FORMAT;
    }
    framing->chunk_left = framing->chunk_left * 10 + (uint64_t)(byte - '0');
    framing->digits++;
    framing->state = CHUNK_DIGITS;
    return MUP_OK;
}

static enum mup_status end_of_header(struct mup_netconf_framing *framing)
{
    if (framing->chunk_left > UINT32_MAX) {
        return MUP_ERR_FORMAT;
    }
    if (framing->chunk_left > framing->size_max - framing->message_size) {
        return MUP_ERR_RANGE;
    }
    framing->state = CHUNK_DATA;
    return MUP_OK;
}

static enum mup_status take_header_byte(struct mup_netconf_framing *framing, char byte)
{
    switch ((enum chunk_state)framing->state) {
    case CHUNK_LF:
        framing->state = CHUNK_HASH;
        return byte == '\n' ? MUP_OK : MUP_ERR_FORMAT;
    case CHUNK_HASH:
        framing->state = CHUNK_FIRST;
        framing->chunk_left = 0;
        framing->digits = 0;
        return byte == '#' ? MUP_OK : MUP_ERR_FORMAT;
    case CHUNK_FIRST:
        if (byte == '#' && framing->message_size > 0) {
            framing->state = CHUNK_END_LF;
            return MUP_OK;
        }
        return take_digit(framing, byte);
    case CHUNK_DIGITS:
        return byte == '\n' ? end_of_header(framing) : take_digit(framing, byte);
    case CHUNK_END_LF:
        framing->state = CHUNK_LF;
        framing->complete = true;
        return byte == '\n' ? MUP_OK : MUP_ERR_FORMAT;
    case CHUNK_DATA:
        break;
    }
    return MUP_ERR_FORMAT;
}

static enum mup_status feed_chunked(struct mup_netconf_framing *framing, size_t *used,
                                    const char *bytes, size_t size)
{
    size_t at = 0;

    while (at < size && !framing->complete) {
        enum mup_status status;
        if (framing->state != CHUNK_DATA) {
            status = take_header_byte(framing, bytes[at++]);
            if (status) {
                return status;
            }
            continue;
        }
        size_t part = size - at;
        if (part > framing->chunk_left) {
            part = (size_t)framing->chunk_left;
        }
        status = reserve(framing, part, framing->size_max);
        if (status) {
            return status;
        }
        append(framing, bytes + at, part);
        at += part;
        framing->chunk_left -= part;
        if (framing->chunk_left == 0) {
            framing->state = CHUNK_LF;
        }
    }
    *used = at;
    return framing->complete ? MUP_OK : MUP_ERR_SHORT;
}

enum mup_status mup_netconf_framing_feed(struct mup_netconf_framing *framing, size_t *used,
                                         const void *bytes, size_t size)
{
    if (framing->complete) {
        framing->complete = false;
        framing->message_size = 0;
    }
    return framing->mode == MUP_NETCONF_CHUNKED ? feed_chunked(framing, used, bytes, size)
                                                : feed_marked(framing, used, bytes, size);
}

char *mup_netconf_frame(enum mup_netconf_mode mode, const char *message, size_t size,
                        size_t *framed_size)
{
    char header[16] = "";
    const char *tail = END_MARK;

    if (mode == MUP_NETCONF_CHUNKED) {
        snprintf(header, sizeof header, "\n#%zu\n", size);
        tail = "\n##\n";
    }
    size_t header_size = strlen(header);
    size_t tail_size = strlen(tail);
    char *framed = malloc(header_size + size + tail_size);
    if (!framed) {
        return NULL;
    }
    memcpy(framed, header, header_size);
    memcpy(framed + header_size, message, size);
    memcpy(framed + header_size + size, tail, tail_size);
    *framed_size = header_size + size + tail_size;
    return framed;
}
