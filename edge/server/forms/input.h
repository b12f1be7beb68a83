/*
 * What a person typed into a form, as the XML of an RPC: JSON held against the module, value by
 * value, so that what is wrong can be named by its field.
 */
#ifndef MUP_SERVER_FORMS_INPUT_H
#define MUP_SERVER_FORMS_INPUT_H

#include <jansson.h>

#include "mup/status.h"
#include "server/forms/schema.h"

#define MUP_INPUT_FIELD_SIZE   200u
#define MUP_INPUT_MESSAGE_SIZE 200u

struct mup_input_error {
    char field[MUP_INPUT_FIELD_SIZE]; /* parts after a slash; "": none in particular */
    char message[MUP_INPUT_MESSAGE_SIZE];
};

/*
 * The RPC with its inputs for this device, malloc'ed. `input` is an object.
 *
 * MUP_ERR_FORMAT  a value is wrong, missing, or not asked for; *error says which.
 * MUP_ERR_SPACE   no memory.
 */
MUP_MUST_CHECK
enum mup_status mup_input_xml(char **xml, const struct lysc_node_action *rpc, const char *uuid,
                              const json_t *input, struct mup_input_error *error);

#endif
