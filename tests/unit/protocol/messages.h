/*
 * All messages behind one interface, so that a test can say something about every one of them,
 * and the changes to a message's bytes that no decoder may accept.
 */
#ifndef MUP_TEST_PROTOCOL_MESSAGES_H
#define MUP_TEST_PROTOCOL_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/bootstrap.h"
#include "mup/certificate.h"
#include "mup/cose.h"
#include "mup/manifest.h"
#include "mup/report.h"
#include "mup/rpc.h"
#include "mup/token.h"
#include "mup/transfer.h"

union any_message {
    struct mup_manifest manifest;
    struct mup_extended_manifest extended;
    struct mup_certificate certificate;
    struct mup_token token;
    struct mup_announcement announcement;
    struct mup_piece piece;
    struct mup_bootstrap_reply reply;
    bool presence;
    struct mup_request request;
    struct mup_response response;
    struct mup_ack ack;
    struct mup_report report;
    struct mup_cose_sign1 cose;
};

struct codec {
    const char *name;
    enum mup_status (*decode)(union any_message *out, const uint8_t *bytes, size_t size);
    enum mup_status (*encode)(uint8_t *bytes, size_t capacity, size_t *size,
                              const union any_message *in);
};

enum {
    CODEC_MANIFEST,
    CODEC_EXTENDED,
    CODEC_CERTIFICATE,
    CODEC_TOKEN,
    CODEC_ANNOUNCEMENT,
    CODEC_PIECE,
    CODEC_REPLY,
    CODEC_PRESENCE,
    CODEC_REQUEST,
    CODEC_RESPONSE,
    CODEC_ACK,
    CODEC_REPORT,
    CODEC_COSE,
    CODEC_COUNT
};

extern const struct codec codecs[CODEC_COUNT];

/* Which vector of docs/SPEC.md is of which codec. */
struct known_vector {
    const char *name;
    int codec;
    bool is_map;             /* map or array at the top, where keys can be changed */
    bool has_authentication; /* key 15 is there, which is not written again */
};

#define KNOWN_VECTORS 25u
extern const struct known_vector known_vectors[KNOWN_VECTORS];

/* Room for the largest request and for what a change adds. */
#define MESSAGE_MAX 2048u

struct message {
    uint8_t bytes[MESSAGE_MAX];
    size_t size;
};

/*
 * Decode from a heap block of exactly the right size. A refused message must leave the output as
 * it was, whatever the error; that is asserted here. `kept` gets the block: free it after use.
 */
enum mup_status decode_exactly(const struct codec *codec, union any_message *out,
                               const struct message *message, uint8_t **kept);

/* The same for tests that only want to know. */
enum mup_status verdict(const struct codec *codec, const struct message *message);

/* The offsets of all heads in the message, nested ones included; how many there are. */
size_t find_heads(const struct message *message, size_t offsets[MESSAGE_MAX]);

/* Where the item that begins at `at` ends. */
size_t item_end(const struct message *message, size_t at);

/* One pair of the outermost map. */
struct pair {
    size_t key;
    size_t value;
    size_t end;
};

size_t find_pairs(const struct message *message, struct pair pairs[24]);

/* Put `size` bytes in place of those from `at` to `end`. */
struct message replaced(const struct message *message, size_t at, size_t end, const uint8_t *bytes,
                        size_t size);

/* The value of `key` in the outermost map replaced by hex digits; spaces are ignored. */
struct message with_value(const struct message *message, uint8_t key, const char *hex);

/* Hex digits to bytes; "XX*N" repeats a byte N times. */
struct message from_hex(const char *hex);

struct message from_spec(const char *name);

#endif
