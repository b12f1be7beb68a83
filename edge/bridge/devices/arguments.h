/*
 * Between YANG and the wire: the input of an RPC as a device's request, a device's response as the
 * output of the RPC (docs/SPEC.md section 12).
 */
#ifndef MUP_BRIDGE_ARGUMENTS_H
#define MUP_BRIDGE_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

#include <libyang/libyang.h>

#include "bridge/description/capability.h"
#include "mup/rpc.h"
#include "mup/status.h"

/*
 * Write the request for `rpc` with the inputs that stand in `input` (a validated RPC node).
 *
 * MUP_ERR_RANGE  a value does not fit the wire: *leaf names it (a string of the capability).
 * MUP_ERR_SPACE  the request is larger than MUP_REQUEST_MAX.
 */
MUP_MUST_CHECK
enum mup_status mup_arguments_encode(uint8_t bytes[MUP_REQUEST_MAX], size_t *size,
                                     const char **leaf, const struct mup_rpc *rpc,
                                     const struct lyd_node *input);

/* Base64 of a response's value with its NUL. */
#define MUP_VALUE_TEXT_SIZE (4u * ((MUP_RESPONSE_MAX + 2u) / 3u) + 1u)

/* A value of at least one byte as clients see it: a byte string becomes these bytes, a text its
 * UTF-8, anything else its CBOR encoding; all in base64. */
void mup_value_text(char text[MUP_VALUE_TEXT_SIZE], struct mup_bytes value);

/*
 * Make the output tree of an RPC: the leaf `state`, and `value` when there is one.
 * MUP_ERR_FORMAT when libyang does not take it (logged by libyang).
 */
MUP_MUST_CHECK
enum mup_status mup_output_make(struct lyd_node **tree, const struct ly_ctx *schemas,
                                const char *module, const char *rpc, const char *state,
                                struct mup_bytes value);

#endif
