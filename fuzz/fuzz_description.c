/*
 * Any bytes as a device description: every reader, the queries, the rules, and the YANG and JSON
 * that come of what passes. A description that passes must pass again with the same YANG.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/description/capability.h"
#include "bridge/description/yang.h"

/* raptor 2.0.15 loses the buffer of a text with a wrong escape: a few bytes, of a refused
 * description, in the child that judges it. */
const char *__lsan_default_suppressions(void)
{
    return "leak:raptor_stringbuffer_append_turtle_string\n";
}

static struct mup_describer *describer;

static char *yang_of(const uint8_t *data, size_t size)
{
    struct mup_problems problems;
    struct mup_capability *capability;
    char *yang = NULL, *json = NULL;
    enum mup_status status = mup_description_parse(&capability, &problems, describer, data, size,
                                                   MUP_DESCRIPTION_AUTO, NULL);
    if (status != MUP_OK) {
        /* Whoever sent it must be told why. */
        if (mup_status_is_peer(status) && problems.error_count == 0)
            abort();
        return NULL;
    }
    if (problems.error_count > 0 || mup_yang_module(&yang, capability) != MUP_OK ||
        mup_capability_json(&json, capability, "name") != MUP_OK)
        abort();
    free(json);
    mup_capability_free(capability);
    return yang;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mup_problems problems;
    if (!describer && mup_describer_new(&describer, &problems, NULL) != MUP_OK)
        abort();
    char *first = yang_of(data, size);
    if (first) {
        char *second = yang_of(data, size);
        if (!second || strcmp(first, second) != 0)
            abort();
        free(second);
    }
    free(first);
    return 0;
}
