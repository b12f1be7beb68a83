/*
 * A command to a device and its answer (docs/SPEC.md, Request and Response).
 *
 * They travel as MQTT 5 PUBLISH packets of QoS 1; the request carries the Response Topic and
 * 1 to 16 bytes of Correlation Data, which the response carries back (MQTT 5 section 4.10).
 */
#ifndef MUP_RPC_H
#define MUP_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/bytes.h"
#include "mup/cbor.h"
#include "mup/status.h"

#define MUP_METHOD_MAX         32u
#define MUP_ARGUMENTS_MAX      16u
#define MUP_REQUEST_MAX        512u /* what a device must be able to take in */
#define MUP_RESPONSE_MAX       512u
#define MUP_CORRELATION_MAX    16u
#define MUP_AUTHENTICATION_MAX 64u
#define MUP_STATE_TEXT_MAX     64u

/* The methods of an update; a device description names them as mqttMethod. */
#define MUP_METHOD_GET_TOKEN "GET-DEVICE-TOKEN"
#define MUP_METHOD_MANIFEST  "PUB-UPDATE-MANIFEST"
#define MUP_METHOD_VERIFY    "VERIFY-UPDATE"

/* Points into the bytes that were decoded. */
struct mup_request {
    struct mup_bytes method;
    size_t argument_count;
    struct mup_bytes arguments; /* that many CBOR items, one after the other */
};

/* Errors as mup_manifest_decode; *out is untouched on error. */
MUP_MUST_CHECK
enum mup_status mup_request_decode(struct mup_request *out, const uint8_t *bytes, size_t size);

/* Write a request; `arguments` is argument_count encoded items. */
MUP_MUST_CHECK
enum mup_status mup_request_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                   const struct mup_request *request);

/* Points into the bytes that were decoded. */
struct mup_response {
    uint32_t state;              /* enum mup_state, or 0 when the state is a text */
    struct mup_bytes state_text; /* empty unless state is 0; UTF-8 */
    struct mup_bytes value;      /* one encoded CBOR item, or empty */
};

/*
 * Read exactly one response. The reserved authentication field is checked for its shape and
 * otherwise ignored in this version. Errors as mup_manifest_decode.
 */
MUP_MUST_CHECK
enum mup_status mup_response_decode(struct mup_response *out, const uint8_t *bytes, size_t size);

MUP_MUST_CHECK
enum mup_status mup_response_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                    const struct mup_response *response);

#endif
