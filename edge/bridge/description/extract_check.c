/*
 * What does not fit together in a description that can be used all the same: parts that hang in the
 * air and parts that cannot be told apart. Warnings, because the rest is right, unless there is no
 * rest (extract.h).
 */
#include <string.h>

#include "bridge/description/extract.h"

static bool has_key(const struct mup_extraction *extraction, enum mup_question question,
                    const char *key)
{
    size_t count;
    mup_answer_of(&extraction->answers->to[question], key, &count);
    return count > 0;
}

/* A service exposes a function that the device does not claim to have. */
static void check_exposed(const struct mup_extraction *extraction)
{
    const struct mup_answer *exposed = &extraction->answers->to[MUP_ASK_FUNCTION_EXPOSED];
    for (size_t i = 0; i < exposed->count; i++) {
        const char *function = exposed->pairs[i].key;
        if (!has_key(extraction, MUP_ASK_FUNCTION, function))
            mup_problems_warning(extraction->problems, 0, function,
                                 "left out: a service exposes it, but no Device has it "
                                 "(hasFunctionality)");
    }
}

static bool is_a_function_s(const struct mup_extraction *extraction, const char *command)
{
    const struct mup_answer *commands = &extraction->answers->to[MUP_ASK_COMMAND];
    for (size_t i = 0; i < commands->count; i++) {
        if (strcmp(commands->pairs[i].value, command) == 0)
            return true;
    }
    return false;
}

/* An operation exposes a command that no function has. */
static void check_operations(const struct mup_extraction *extraction)
{
    const struct mup_answer *operations = &extraction->answers->to[MUP_ASK_OPERATION];
    for (size_t i = 0; i < operations->count; i++) {
        const char *command = operations->pairs[i].key;
        bool again = i > 0 && strcmp(operations->pairs[i - 1].key, command) == 0;
        if (!again && !is_a_function_s(extraction, command))
            mup_problems_warning(extraction->problems, 0, command,
                                 "left out: an operation exposes it, but it is the command of no "
                                 "function");
    }
}

static void check_requests(const struct mup_capability *capability,
                           const struct mup_extraction *extraction)
{
    for (size_t i = 0; i < capability->rpc_count; i++) {
        const struct mup_rpc *rpc = &capability->rpcs[i];
        for (size_t j = 0; j < i; j++) {
            const struct mup_rpc *other = &capability->rpcs[j];
            if (strcmp(rpc->topic, other->topic) == 0 && strcmp(rpc->method, other->method) == 0) {
                mup_problems_warning(extraction->problems, 0, rpc->name,
                                     "has the topic and the method of `%s`: the device cannot tell "
                                     "the two apart",
                                     other->name);
                break;
            }
        }
    }
}

static void check_points(const struct mup_telemetry *points, size_t count,
                         const struct mup_extraction *extraction)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(points[i].topic, points[j].topic) == 0) {
                mup_problems_warning(extraction->problems, 0, points[i].name,
                                     "is published on the topic of `%s`: give each function a "
                                     "service with a data point of its own",
                                     points[j].name);
                break;
            }
        }
    }
}

/* All that was said of functions has been left out, so that nothing of it is right. */
static enum mup_status check_used(const struct mup_capability *capability,
                                  const struct mup_extraction *extraction)
{
    size_t declared = extraction->answers->to[MUP_ASK_FUNCTION].count;
    if (capability->rpc_count + capability->telemetry_count + capability->event_count > 0)
        return MUP_OK;
    if (declared == 0) {
        mup_problems_warning(extraction->problems, 0, NULL,
                             "the Device has no function: nothing can be called or heard");
        return MUP_OK;
    }
    mup_problems_error(extraction->problems, 0,
                       extraction->answers->to[MUP_ASK_FUNCTION].pairs[0].key,
                       "none of the %zu functions can be used: each needs a service of the device "
                       "that exposes it, and a command or a data point",
                       declared);
    return MUP_ERR_FORMAT;
}

enum mup_status mup_extract_check(const struct mup_capability *capability,
                                  const struct mup_extraction *extraction)
{
    check_exposed(extraction);
    check_operations(extraction);
    check_requests(capability, extraction);
    check_points(capability->telemetry, capability->telemetry_count, extraction);
    check_points(capability->events, capability->event_count, extraction);
    return check_used(capability, extraction);
}
