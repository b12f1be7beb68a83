/* Asks the queries and puts the answers into the order that a capability is built in (questions.h).
 */
#include "bridge/description/questions.h"

#include <stdlib.h>
#include <string.h>

/* `text`: the second column is a literal, which has no local name to sort by. */
static const struct {
    const char *name;
    unsigned columns;
    bool text;
} questions[MUP_QUESTION_COUNT] = {
    [MUP_ASK_DEVICE] = {"device", 1, false},
    [MUP_ASK_DEVICE_UUID] = {"device-uuid", 2, true},
    [MUP_ASK_DEVICE_CATEGORY] = {"device-category", 2, true},
    [MUP_ASK_DEVICE_TEXT] = {"device-text", 2, true},
    [MUP_ASK_FUNCTION] = {"function", 1, false},
    [MUP_ASK_FUNCTION_EXPOSED] = {"function-exposed", 1, false},
    [MUP_ASK_FUNCTION_TEXT] = {"function-text", 2, true},
    [MUP_ASK_FUNCTION_EVENT] = {"function-event", 1, false},
    [MUP_ASK_COMMAND] = {"command", 2, false},
    [MUP_ASK_OPERATION] = {"operation", 2, false},
    [MUP_ASK_OPERATION_TOPIC] = {"operation-topic", 2, true},
    [MUP_ASK_OPERATION_METHOD] = {"operation-method", 2, true},
    [MUP_ASK_OPERATION_INPUT] = {"operation-input", 2, false},
    [MUP_ASK_INPUT_TARGET] = {"input-target", 1, false},
    [MUP_ASK_INPUT_TEXT] = {"input-text", 2, true},
    [MUP_ASK_INPUT_TYPE] = {"input-type", 2, false},
    [MUP_ASK_INPUT_MIN] = {"input-min", 2, true},
    [MUP_ASK_INPUT_MAX] = {"input-max", 2, true},
    [MUP_ASK_INPUT_ABOVE] = {"input-above", 2, true},
    [MUP_ASK_INPUT_BELOW] = {"input-below", 2, true},
    [MUP_ASK_INPUT_SIZE] = {"input-size", 2, true},
    [MUP_ASK_INPUT_MIN_SIZE] = {"input-min-size", 2, true},
    [MUP_ASK_INPUT_MAX_SIZE] = {"input-max-size", 2, true},
    [MUP_ASK_INPUT_VALUE] = {"input-value", 2, true},
    [MUP_ASK_INPUT_PART] = {"input-part", 2, false},
    [MUP_ASK_INPUT_OPTIONAL] = {"input-optional", 2, true},
    [MUP_ASK_INPUT_UNIT] = {"input-unit", 2, false},
    [MUP_ASK_OPERATION_STATES] = {"operation-states", 2, false},
    [MUP_ASK_STATE] = {"state", 2, true},
    [MUP_ASK_STATE_TEXT] = {"state-text", 2, true},
    [MUP_ASK_STATE_OWN_TEXT] = {"state-own-text", 2, true},
    [MUP_ASK_TELEMETRY] = {"telemetry", 2, false},
    [MUP_ASK_POINT_TOPIC] = {"point-topic", 2, true},
    [MUP_ASK_POINT_UNIT] = {"point-unit", 2, false},
    [MUP_ASK_UNIT_SYMBOL] = {"unit-symbol", 2, true},
};

const char *mup_question_name(enum mup_question question)
{
    return questions[question].name;
}

unsigned mup_question_columns(enum mup_question question)
{
    return questions[question].columns;
}

const char *mup_iri_local_name(const char *iri)
{
    static const char separators[] = "#/:";
    for (size_t i = 0; i < sizeof separators - 1; i++) {
        const char *last = strrchr(iri, separators[i]);
        if (last && last[1])
            return last + 1;
    }
    return iri;
}

static int compare_iris(const char *a, const char *b)
{
    int order = strcmp(mup_iri_local_name(a), mup_iri_local_name(b));
    return order ? order : strcmp(a, b);
}

static int compare_text_pairs(const void *a, const void *b)
{
    const struct mup_pair *left = a, *right = b;
    int order = compare_iris(left->key, right->key);
    return order ? order : strcmp(left->value, right->value);
}

static int compare_iri_pairs(const void *a, const void *b)
{
    const struct mup_pair *left = a, *right = b;
    int order = compare_iris(left->key, right->key);
    return order ? order : compare_iris(left->value, right->value);
}

static enum mup_status sort_answer(struct mup_answer *out, struct mup_arena *arena,
                                   const struct mup_rows *rows, enum mup_question question)
{
    int (*compare)(const void *, const void *) =
        questions[question].text ? compare_text_pairs : compare_iri_pairs;
    struct mup_pair *pairs = mup_arena_take(arena, rows->count * sizeof *pairs);
    if (!pairs)
        return MUP_ERR_SPACE;
    for (size_t i = 0; i < rows->count; i++) {
        const char **cells = rows->cells + i * rows->columns;
        pairs[i] = (struct mup_pair){cells[0], rows->columns > 1 ? cells[1] : ""};
    }
    qsort(pairs, rows->count, sizeof *pairs, compare);
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (kept == 0 || compare(&pairs[kept - 1], &pairs[i]) != 0)
            pairs[kept++] = pairs[i];
    }
    *out = (struct mup_answer){kept, pairs};
    return MUP_OK;
}

/* Where the answers come from: the index, and the engine's graph once a query needs it. */
struct sources {
    struct mup_index index;
    struct mup_rdf_graph *graph;
};

static enum mup_status ask_engine(struct mup_rows *rows, struct mup_arena *arena,
                                  struct mup_problems *problems, struct mup_rdf *rdf,
                                  struct sources *sources, const char *query, const char *name)
{
    if (!sources->graph)
        sources->graph = mup_rdf_graph_open(rdf, sources->index.triples);
    if (!sources->graph)
        return MUP_ERR_SPACE;
    return mup_rdf_ask(rows, arena, problems, sources->graph, query, name);
}

enum mup_status mup_questions_ask(struct mup_answers *out, struct mup_arena *arena,
                                  struct mup_problems *problems, struct mup_rdf *rdf,
                                  const struct mup_queries *queries,
                                  const struct mup_triples *triples)
{
    struct sources sources = {.graph = NULL};
    enum mup_status status = mup_index_make(&sources.index, triples);
    for (unsigned i = 0; i < MUP_QUESTION_COUNT && status == MUP_OK; i++) {
        const char *name = questions[i].name;
        struct mup_rows rows;
        status = queries->plans[i]
                     ? mup_plan_run(&rows, arena, problems, &sources.index, queries->plans[i], name)
                     : ask_engine(&rows, arena, problems, rdf, &sources, queries->texts[i], name);
        if (status == MUP_OK)
            status = sort_answer(&out->to[i], arena, &rows, (enum mup_question)i);
    }
    mup_rdf_graph_close(sources.graph);
    mup_index_free(&sources.index);
    return status;
}

const struct mup_pair *mup_answer_of(const struct mup_answer *answer, const char *key,
                                     size_t *count)
{
    size_t low = 0, high = answer->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_iris(answer->pairs[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < answer->count && strcmp(answer->pairs[end].key, key) == 0)
        end++;
    *count = end - low;
    return answer->pairs + low;
}
