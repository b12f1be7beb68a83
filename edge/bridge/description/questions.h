/*
 * The questions that the bridge asks a description. Each stands as SPARQL in queries/<name>.rq, so
 * that another ontology can be mapped without touching C; this table says what the answers look
 * like.
 */
#ifndef MUP_BRIDGE_QUESTIONS_H
#define MUP_BRIDGE_QUESTIONS_H

#include "bridge/description/plan.h"

enum mup_question {
    MUP_ASK_DEVICE,
    MUP_ASK_DEVICE_UUID,
    MUP_ASK_DEVICE_CATEGORY,
    MUP_ASK_DEVICE_TEXT,
    MUP_ASK_FUNCTION,
    MUP_ASK_FUNCTION_EXPOSED,
    MUP_ASK_FUNCTION_TEXT,
    MUP_ASK_FUNCTION_EVENT,
    MUP_ASK_COMMAND,
    MUP_ASK_OPERATION,
    MUP_ASK_OPERATION_TOPIC,
    MUP_ASK_OPERATION_METHOD,
    MUP_ASK_OPERATION_INPUT,
    MUP_ASK_INPUT_TARGET,
    MUP_ASK_INPUT_TEXT,
    MUP_ASK_INPUT_TYPE,
    MUP_ASK_INPUT_MIN,
    MUP_ASK_INPUT_MAX,
    MUP_ASK_INPUT_ABOVE,
    MUP_ASK_INPUT_BELOW,
    MUP_ASK_INPUT_SIZE,
    MUP_ASK_INPUT_MIN_SIZE,
    MUP_ASK_INPUT_MAX_SIZE,
    MUP_ASK_INPUT_VALUE,
    MUP_ASK_INPUT_PART,
    MUP_ASK_INPUT_OPTIONAL,
    MUP_ASK_INPUT_UNIT,
    MUP_ASK_OPERATION_STATES,
    MUP_ASK_STATE,
    MUP_ASK_STATE_TEXT,
    MUP_ASK_STATE_OWN_TEXT,
    MUP_ASK_TELEMETRY,
    MUP_ASK_POINT_TOPIC,
    MUP_ASK_POINT_UNIT,
    MUP_ASK_UNIT_SYMBOL,
    MUP_QUESTION_COUNT,
};

/* One pair of an answer: what was asked about, and what was found ("" for one-column questions). */
struct mup_pair {
    const char *key;
    const char *value;
};

/* Distinct pairs, sorted by the key's local name, the key, and then the value likewise. */
struct mup_answer {
    size_t count;
    const struct mup_pair *pairs;
};

struct mup_answers {
    struct mup_answer to[MUP_QUESTION_COUNT];
};

/* The file name without ".rq". */
const char *mup_question_name(enum mup_question question);

/* The columns that the question's SELECT must have: 1 or 2. */
unsigned mup_question_columns(enum mup_question question);

/* The questions as they are asked. */
struct mup_queries {
    char *texts[MUP_QUESTION_COUNT];                  /* SPARQL */
    const struct mup_plan *plans[MUP_QUESTION_COUNT]; /* NULL: the query engine is asked */
};

/* Ask all queries about the triples. Errors as for mup_rdf_ask(). Answers point into the triples
 * and the arena. */
MUP_MUST_CHECK
enum mup_status mup_questions_ask(struct mup_answers *out, struct mup_arena *arena,
                                  struct mup_problems *problems, struct mup_rdf *rdf,
                                  const struct mup_queries *queries,
                                  const struct mup_triples *triples);

/* The pairs of one key: *count of them from the returned one on (undefined when *count is 0). */
const struct mup_pair *mup_answer_of(const struct mup_answer *answer, const char *key,
                                     size_t *count);

/* The text after the last `#`, `/` or `:` of an IRI (a label for `_:label`); never empty. */
const char *mup_iri_local_name(const char *iri);

#endif
