/* The states that one operation may end with: names, codes, descriptions (extract.h). */
#include <stdlib.h>
#include <string.h>

#include "bridge/description/extract.h"
#include "mup/rpc.h"

/* The decimal number at the front, when `end_with` or a space follows it; or no code. */
static int32_t leading_code(const char *text, char end_with)
{
    int32_t code = 0;
    size_t digits = 0;
    while (text[digits] >= '0' && text[digits] <= '9' && digits < 9) {
        code = code * 10 + (text[digits] - '0');
        digits++;
    }
    return digits > 0 && text[digits] == end_with ? code : MUP_NO_STATE_CODE;
}

/*
 * The text that describes a state of a node that holds several: the one with the same number in
 * front, or, when neither has numbers and there are as many texts as states, the one at the same
 * place of the sorted list (such a node has no other way to pair them).
 */
static const char *describe_state(const struct mup_pair *states, size_t at, size_t state_count,
                                  const struct mup_pair *texts, size_t text_count)
{
    int32_t code = leading_code(states[at].value, '_');
    if (code != MUP_NO_STATE_CODE) {
        for (size_t i = 0; i < text_count; i++) {
            if (leading_code(texts[i].value, ' ') == code)
                return texts[i].value + strcspn(texts[i].value, " ") + 1;
        }
    }
    if (text_count == state_count && leading_code(texts[at].value, ' ') == MUP_NO_STATE_CODE)
        return texts[at].value;
    return "";
}

static int compare_states(const void *a, const void *b)
{
    const struct mup_declared_state *left = a, *right = b;
    bool left_coded = left->code != MUP_NO_STATE_CODE;
    bool right_coded = right->code != MUP_NO_STATE_CODE;
    if (left_coded != right_coded)
        return left_coded ? -1 : 1;
    if (left->code != right->code)
        return left->code < right->code ? -1 : 1;
    return strcmp(left->name, right->name);
}

static enum mup_status check_states(struct mup_extraction *extraction, const char *where,
                                    const struct mup_declared_state *states, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (states[i].code != MUP_NO_STATE_CODE && states[i].code == states[i - 1].code) {
            mup_problems_error(extraction->problems, 0, where,
                               "the states `%s` and `%s` have the same code", states[i - 1].name,
                               states[i].name);
            return MUP_ERR_FORMAT;
        }
        if (strcmp(states[i].name, states[i - 1].name) == 0) {
            mup_problems_error(extraction->problems, 0, where, "declares the state `%s` twice",
                               states[i].name);
            return MUP_ERR_FORMAT;
        }
    }
    return MUP_OK;
}

/* One state; `where` is what a problem names. */
static enum mup_status take_state(struct mup_declared_state *out, struct mup_extraction *extraction,
                                  const char *where, const char *name, const char *text)
{
    size_t size = strlen(name);
    if (size == 0 || strchr(" \t\r\n", name[0]) || strchr(" \t\r\n", name[size - 1])) {
        mup_problems_error(extraction->problems, 0, where,
                           "the state `%s` is empty, or begins or ends with a space", name);
        return MUP_ERR_FORMAT;
    }
    if (size > MUP_STATE_TEXT_MAX) {
        mup_problems_error(extraction->problems, 0, where, "the state `%s` is longer than %u bytes",
                           name, MUP_STATE_TEXT_MAX);
        return MUP_ERR_FORMAT;
    }
    out->name = mup_extract_text(extraction, name);
    out->code = leading_code(name, '_');
    out->description = mup_extract_text(extraction, text);
    return out->name && out->description ? MUP_OK : MUP_ERR_SPACE;
}

/* The states of one node: with one state, its description is the node's own. */
static enum mup_status take_node(struct mup_declared_state *out, struct mup_extraction *extraction,
                                 const char *where, const char *node, size_t *taken)
{
    size_t count, text_count, own_count;
    const struct mup_answer *to = extraction->answers->to;
    const struct mup_pair *states = mup_answer_of(&to[MUP_ASK_STATE], node, &count);
    const struct mup_pair *texts = mup_answer_of(&to[MUP_ASK_STATE_TEXT], node, &text_count);
    mup_answer_of(&to[MUP_ASK_STATE_OWN_TEXT], node, &own_count);
    if (count == 0)
        mup_problems_warning(extraction->problems, 0, node, "left out: it holds no state");
    if (text_count > count)
        mup_problems_warning(extraction->problems, 0, where,
                             "has more descriptions of states (%zu) than states (%zu)", text_count,
                             count);
    if (own_count > 0 && count > 1)
        mup_problems_warning(extraction->problems, 0, node,
                             "its description is left out: it holds %zu states", count);
    enum mup_status status = MUP_OK;
    for (size_t i = 0; i < count && status == MUP_OK; i++) {
        const char *text =
            own_count > 0 && count == 1
                ? mup_extract_one(extraction, MUP_ASK_STATE_OWN_TEXT, node, "descriptions")
                : describe_state(states, i, count, texts, text_count);
        status = take_state(&out[(*taken)++], extraction, where, states[i].value, text);
    }
    return status;
}

static bool are_same(const struct mup_declared_state *one, const struct mup_declared_state *other,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(one[i].name, other[i].name) != 0 ||
            strcmp(one[i].description, other[i].description) != 0)
            return false; /* the code is the name's */
    return true;
}

/* The same list of another operation, or a copy in the capability's arena; NULL: no memory. */
static const struct mup_declared_state *keep_states(struct mup_extraction *extraction,
                                                    const struct mup_declared_state *states,
                                                    size_t count)
{
    for (size_t i = 0; i < extraction->list_count; i++)
        if (extraction->lists[i].count == count &&
            are_same(extraction->lists[i].states, states, count))
            return extraction->lists[i].states;
    struct mup_declared_state *kept = mup_arena_take(extraction->arena, count * sizeof *kept);
    if (!kept)
        return NULL;
    memcpy(kept, states, count * sizeof *kept);
    if (extraction->list_count < MUP_EXTRACTION_STATES) {
        extraction->lists[extraction->list_count].states = kept;
        extraction->lists[extraction->list_count++].count = count;
    }
    return kept;
}

enum mup_status mup_extract_states(struct mup_rpc *out, struct mup_extraction *extraction,
                                   const char *operation, const char *where)
{
    size_t node_count, total = 0, taken = 0;
    const struct mup_answer *to = extraction->answers->to;
    const struct mup_pair *nodes =
        mup_answer_of(&to[MUP_ASK_OPERATION_STATES], operation, &node_count);
    for (size_t i = 0; i < node_count; i++) {
        size_t count;
        mup_answer_of(&to[MUP_ASK_STATE], nodes[i].value, &count);
        total += count;
    }
    if (total == 0) {
        mup_problems_warning(extraction->problems, 0, where,
                             "declares no states: any answer of the device counts");
        return MUP_OK;
    }
    enum mup_status status =
        mup_extract_count(extraction, where, total, MUP_RPC_STATES_MAX, "states");
    if (status != MUP_OK)
        return status;
    struct mup_declared_state *states = calloc(total, sizeof *states);
    if (!states)
        return MUP_ERR_SPACE;
    for (size_t i = 0; i < node_count && status == MUP_OK; i++)
        status = take_node(states, extraction, where, nodes[i].value, &taken);
    if (status == MUP_OK) {
        qsort(states, total, sizeof *states, compare_states);
        status = check_states(extraction, where, states, total);
    }
    if (status == MUP_OK) {
        out->states = keep_states(extraction, states, total);
        out->state_count = out->states ? total : 0;
        status = out->states ? MUP_OK : MUP_ERR_SPACE;
    }
    free(states);
    return status;
}
