/*
 * From answers to a capability: the rules that a description must keep, and what is made of it.
 *
 * Errors refuse the description; warnings leave a part out or mark it. The rules stand in
 * docs/ONTOLOGY.md.
 */
#ifndef MUP_BRIDGE_EXTRACT_H
#define MUP_BRIDGE_EXTRACT_H

#include "bridge/description/questions.h"

#define MUP_CAPABILITY_RPCS_MAX      256u
#define MUP_CAPABILITY_TELEMETRY_MAX 256u
#define MUP_RPC_INPUTS_MAX           64u
#define MUP_INPUT_VALUES_MAX         256u
#define MUP_RPC_STATES_MAX           256u
#define MUP_CAPABILITY_ITEMS_MAX     8192u /* inputs, values and states of all RPCs together */

#define MUP_EXTRACTION_TEXTS         128u
#define MUP_EXTRACTION_STATES        8u /* different lists of states that are looked at again */

/* What the parts of the extraction share. */
struct mup_extraction {
    const struct mup_answers *answers;
    struct mup_arena *arena; /* the capability's */
    struct mup_problems *problems;
    size_t items;                            /* counted against MUP_CAPABILITY_ITEMS_MAX */
    const char *texts[MUP_EXTRACTION_TEXTS]; /* kept ones, each where its hash says */
    /* Lists of states that are kept: operations often have the same. */
    struct {
        const struct mup_declared_state *states;
        size_t count;
    } lists[MUP_EXTRACTION_STATES];
    size_t list_count;
    size_t inputs; /* of the operation at hand, parts included, against MUP_RPC_INPUTS_MAX */
};

/*
 * Fill everything of *out but digest, module_name and memory. MUP_ERR_FORMAT or MUP_ERR_RANGE when
 * a rule is broken (*problems say which), MUP_ERR_SPACE when out of memory.
 */
MUP_MUST_CHECK
enum mup_status mup_extract(struct mup_capability *out, struct mup_extraction *extraction);

/* The inputs and the states of one operation; used by mup_extract(). `where` is what problems of
 * the states name: the operation, or what refers to it when it has no name. */
MUP_MUST_CHECK
enum mup_status mup_extract_inputs(struct mup_rpc *out, struct mup_extraction *extraction,
                                   const char *operation);
MUP_MUST_CHECK
enum mup_status mup_extract_states(struct mup_rpc *out, struct mup_extraction *extraction,
                                   const char *operation, const char *where);

/*
 * Warn of parts of a finished capability that hang in the air or cannot be told apart.
 * MUP_ERR_FORMAT when the device has functions, and none of them can be used.
 */
MUP_MUST_CHECK
enum mup_status mup_extract_check(const struct mup_capability *capability,
                                  const struct mup_extraction *extraction);

/*
 * The one value of `key` where two would contradict each other: *out is NULL when there is none,
 * MUP_ERR_FORMAT with a problem when there are several.
 */
MUP_MUST_CHECK
enum mup_status mup_extract_only(const char **out, struct mup_extraction *extraction,
                                 enum mup_question question, const char *key, const char *what);

/* The one value of `key`; the first with a warning when there are several, NULL when none. */
const char *mup_extract_one(struct mup_extraction *extraction, enum mup_question question,
                            const char *key, const char *what);

/* The unit of a data point or an input and its symbol, both "" where there is none. */
MUP_MUST_CHECK
enum mup_status mup_extract_unit(const char **unit, const char **symbol,
                                 struct mup_extraction *extraction, enum mup_question question,
                                 const char *key);

/* `text` with `%%` as `%`, in the arena; "" for NULL. NULL when out of memory. */
const char *mup_extract_text(struct mup_extraction *extraction, const char *text);

/* Count `count` more items; MUP_ERR_RANGE with a problems when there are too many. */
MUP_MUST_CHECK
enum mup_status mup_extract_count(struct mup_extraction *extraction, const char *where,
                                  size_t count, size_t maximum, const char *what);

#endif
