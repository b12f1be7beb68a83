/* Reads plans out of prepared queries, and answers them by nested loops over two sorted indexes. */
#include "bridge/description/plan.h"

#include <librdf.h>
#include <rasqal.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/description/rdf_internal.h"

/* A place in a pattern: a variable of the query, or a term that must stand there. */
struct place {
    bool is_variable;
    unsigned variable;    /* number within the plan */
    struct mup_term term; /* an IRI or a plain literal */
};

struct pattern {
    struct place subject, object;
    const char *predicate;
};

/* Patterns that must hold together. */
struct branch {
    unsigned count;
    struct pattern patterns[MUP_PLAN_PATTERNS_MAX];
};

struct mup_plan {
    unsigned branch_count; /* the answers of all of them count */
    const struct branch *branches;
    unsigned variable_count;
    unsigned column_count;
    unsigned columns[MUP_ANSWER_COLUMNS]; /* variables */
};

/* A plan under way. */
struct making {
    struct mup_arena *arena;  /* the plan's */
    struct mup_arena scratch; /* sums are large, and most of their room stays empty */
    struct mup_plan *plan;
    const rasqal_variable *variables[MUP_PLAN_NAMES_MAX];
};

static bool take_variable(struct making *making, const rasqal_variable *variable, unsigned *out)
{
    unsigned count = making->plan->variable_count;
    for (unsigned i = 0; i < count; i++) {
        if (strcmp((const char *)making->variables[i]->name, (const char *)variable->name) == 0) {
            *out = i;
            return true;
        }
    }
    if (count == MUP_PLAN_NAMES_MAX)
        return false;
    making->variables[count] = variable;
    *out = making->plan->variable_count++;
    return true;
}

static bool take_text(struct making *making, const char *text, const char **out)
{
    *out = mup_arena_copy(making->arena, text, strlen(text));
    return *out != NULL;
}

static bool take_place(struct making *making, rasqal_literal *literal, struct place *out)
{
    *out = (struct place){0};
    if (!literal)
        return false;
    const rasqal_variable *variable = rasqal_literal_as_variable(literal);
    if (variable) {
        out->is_variable = true;
        return take_variable(making, variable, &out->variable);
    }
    if (literal->type == RASQAL_LITERAL_URI) {
        out->term.kind = MUP_TERM_IRI;
        return take_text(making, (const char *)raptor_uri_as_string(literal->value.uri),
                         &out->term.text);
    }
    if (literal->type == RASQAL_LITERAL_STRING && !literal->language && !literal->datatype) {
        out->term.kind = MUP_TERM_LITERAL;
        return take_text(making, (const char *)literal->string, &out->term.text);
    }
    return false;
}

static bool take_triple(struct making *making, const rasqal_triple *triple, struct pattern *out)
{
    struct place predicate;
    if (triple->origin || !take_place(making, triple->subject, &out->subject) ||
        !take_place(making, triple->predicate, &predicate) ||
        !take_place(making, triple->object, &out->object))
        return false;
    out->predicate = predicate.term.text;
    return !predicate.is_variable && predicate.term.kind == MUP_TERM_IRI;
}

/* What a graph pattern looks for, as branches: a sum of products. */
struct sum {
    unsigned count;
    struct branch *branches; /* MUP_PLAN_BRANCHES_MAX of them */
};

static bool sum_new(struct making *making, struct sum *out)
{
    out->count = 0;
    out->branches = mup_arena_take(&making->scratch, MUP_PLAN_BRANCHES_MAX * sizeof *out->branches);
    return out->branches != NULL;
}

static bool sum_add(struct sum *sum, const struct sum *more)
{
    if (more->count > MUP_PLAN_BRANCHES_MAX - sum->count)
        return false;
    memcpy(sum->branches + sum->count, more->branches, more->count * sizeof *more->branches);
    sum->count += more->count;
    return true;
}

/* Each branch of the one joined to each of the other. */
static bool sum_join(struct making *making, struct sum *sum, const struct sum *more)
{
    struct sum joined;
    if (!sum_new(making, &joined) || sum->count * more->count > MUP_PLAN_BRANCHES_MAX)
        return false;
    for (unsigned i = 0; i < sum->count; i++) {
        for (unsigned j = 0; j < more->count; j++) {
            const struct branch *left = &sum->branches[i], *right = &more->branches[j];
            if (left->count + right->count > MUP_PLAN_PATTERNS_MAX)
                return false;
            struct branch *both = &joined.branches[joined.count++];
            *both = *left;
            memcpy(both->patterns + left->count, right->patterns,
                   right->count * sizeof *right->patterns);
            both->count += right->count;
        }
    }
    *sum = joined;
    return true;
}

static bool take_basic(struct making *making, rasqal_graph_pattern *pattern, struct sum *out)
{
    if (!sum_new(making, out))
        return false;
    out->count = 1;
    struct branch *branch = &out->branches[0];
    for (int i = 0;; i++) {
        const rasqal_triple *triple = rasqal_graph_pattern_get_triple(pattern, i);
        if (!triple)
            return branch->count > 0;
        if (branch->count == MUP_PLAN_PATTERNS_MAX ||
            !take_triple(making, triple, &branch->patterns[branch->count++]))
            return false;
    }
}

/* Our own queries are not deep; others' are held to this depth. */
#define PATTERN_DEPTH_MAX 8u

static bool take_pattern(struct making *making, rasqal_graph_pattern *pattern, unsigned depth,
                         struct sum *out)
{
    rasqal_graph_pattern_operator kind = rasqal_graph_pattern_get_operator(pattern);
    if (kind == RASQAL_GRAPH_PATTERN_OPERATOR_BASIC)
        return take_basic(making, pattern, out);
    bool is_union = kind == RASQAL_GRAPH_PATTERN_OPERATOR_UNION;
    if ((!is_union && kind != RASQAL_GRAPH_PATTERN_OPERATOR_GROUP) || depth == PATTERN_DEPTH_MAX)
        return false;
    for (int i = 0;; i++) {
        struct sum part;
        rasqal_graph_pattern *inner = rasqal_graph_pattern_get_sub_graph_pattern(pattern, i);
        if (!inner)
            return i > 0;
        if (!take_pattern(making, inner, depth + 1, &part))
            return false;
        if (i == 0)
            *out = part;
        else if (is_union ? !sum_add(out, &part) : !sum_join(making, out, &part))
            return false;
    }
}

static bool take_columns(struct making *making, rasqal_query *query)
{
    raptor_sequence *selected = rasqal_query_get_bound_variable_sequence(query);
    int count = selected ? raptor_sequence_size(selected) : 0;
    if (count < 1 || count > (int)MUP_ANSWER_COLUMNS)
        return false;
    for (int i = 0; i < count; i++) {
        const rasqal_variable *variable = raptor_sequence_get_at(selected, i);
        if (variable->expression || !take_variable(making, variable, &making->plan->columns[i]))
            return false;
    }
    making->plan->column_count = (unsigned)count;
    return true;
}

static bool has_more_than_a_pattern(rasqal_query *query)
{
    return rasqal_query_get_limit(query) >= 0 || rasqal_query_get_offset(query) >= 0 ||
           rasqal_query_get_group_condition(query, 0) ||
           rasqal_query_get_having_condition(query, 0) ||
           rasqal_query_get_bindings_variables_sequence(query);
}

/* Every branch must bind every column: an unbound cell is the engine's to define. */
static bool binds_all_columns(const struct mup_plan *plan)
{
    for (unsigned b = 0; b < plan->branch_count; b++) {
        for (unsigned c = 0; c < plan->column_count; c++) {
            bool bound = false;
            for (unsigned p = 0; p < plan->branches[b].count; p++) {
                const struct pattern *pattern = &plan->branches[b].patterns[p];
                const struct place *ends[] = {&pattern->subject, &pattern->object};
                for (unsigned e = 0; e < 2; e++)
                    bound =
                        bound || (ends[e]->is_variable && ends[e]->variable == plan->columns[c]);
            }
            if (!bound)
                return false;
        }
    }
    return true;
}

static bool make(struct making *making, rasqal_query *query)
{
    rasqal_graph_pattern *pattern = rasqal_query_get_query_graph_pattern(query);
    struct sum sum;
    if (!pattern || has_more_than_a_pattern(query) || !take_pattern(making, pattern, 0, &sum) ||
        !take_columns(making, query))
        return false;
    struct branch *branches = mup_arena_take(making->arena, sum.count * sizeof *branches);
    if (!branches)
        return false;
    memcpy(branches, sum.branches, sum.count * sizeof *branches);
    making->plan->branches = branches;
    making->plan->branch_count = sum.count;
    return binds_all_columns(making->plan);
}

const struct mup_plan *mup_plan_of(struct mup_arena *arena, rasqal_query *query)
{
    struct making making = {.arena = arena, .plan = mup_arena_take(arena, sizeof *making.plan)};
    bool made = making.plan && make(&making, query);
    mup_arena_free(&making.scratch);
    return made ? making.plan : NULL;
}

const struct mup_plan *mup_plan_make(struct mup_arena *arena, struct mup_rdf *rdf,
                                     const char *query)
{
    const struct mup_plan *plan = NULL;
    rasqal_query *prepared = rasqal_new_query(mup_rdf_rasqal(rdf), "sparql", NULL);
    if (prepared && rasqal_query_prepare(prepared, (const unsigned char *)query, NULL) == 0)
        plan = mup_plan_of(arena, prepared);
    if (prepared)
        rasqal_free_query(prepared);
    return plan;
}

/* ---- indexes ----------------------------------------------------------------------------------
 */

static uint32_t end_of(const struct mup_triple *item, bool object)
{
    return object ? item->object : item->subject;
}

/* A stable counting sort of order[] by the subject, the predicate or the object. */
static void sort_by(uint32_t *to, const uint32_t *from, uint32_t *starts,
                    const struct mup_triples *triples, uint32_t (*key)(const struct mup_triple *))
{
    memset(starts, 0, ((size_t)triples->term_count + 1) * sizeof *starts);
    for (uint32_t i = 0; i < triples->count; i++)
        starts[key(&triples->items[i]) + 1]++;
    for (uint32_t i = 0; i < triples->term_count; i++)
        starts[i + 1] += starts[i];
    for (uint32_t i = 0; i < triples->count; i++)
        to[starts[key(&triples->items[from[i]])]++] = from[i];
}

static uint32_t subject_of(const struct mup_triple *item)
{
    return item->subject;
}

static uint32_t predicate_of(const struct mup_triple *item)
{
    return item->predicate;
}

static uint32_t object_of(const struct mup_triple *item)
{
    return item->object;
}

enum mup_status mup_index_make(struct mup_index *out, const struct mup_triples *triples)
{
    size_t count = (size_t)triples->count + 1;
    uint32_t *scratch = calloc(2 * count + triples->term_count + 1, sizeof *scratch);
    struct mup_index index = {.triples = triples, .count = triples->count};
    index.by_subject = calloc(count, sizeof *index.by_subject);
    index.by_object = calloc(count, sizeof *index.by_object);
    if (!scratch || !index.by_subject || !index.by_object) {
        free(scratch);
        mup_index_free(&index);
        return MUP_ERR_SPACE;
    }
    uint32_t *plain = scratch, *half = scratch + count, *starts = scratch + 2 * count;
    for (uint32_t i = 0; i < triples->count; i++)
        plain[i] = i;
    sort_by(half, plain, starts, triples, subject_of);
    sort_by(index.by_subject, half, starts, triples, predicate_of);
    sort_by(half, plain, starts, triples, object_of);
    sort_by(index.by_object, half, starts, triples, predicate_of);
    free(scratch);
    *out = index;
    return MUP_OK;
}

void mup_index_free(struct mup_index *index)
{
    free(index->by_subject);
    free(index->by_object);
    *index = (struct mup_index){0};
}

/* The first place in `order` whose triple is not before (predicate, key). */
static uint32_t lower_bound(const struct mup_index *index, const uint32_t *order, bool by_object,
                            uint32_t predicate, uint32_t key)
{
    uint32_t low = 0, high = index->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct mup_triple *item = &index->triples->items[order[middle]];
        if (item->predicate < predicate ||
            (item->predicate == predicate && end_of(item, by_object) < key))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct mup_index_range mup_index_objects(const struct mup_index *index, uint32_t predicate,
                                         uint32_t subject)
{
    return (struct mup_index_range){
        .order = index->by_subject,
        .from = lower_bound(index, index->by_subject, false, predicate, subject),
        .to = lower_bound(index, index->by_subject, false, predicate, subject + 1),
    };
}

/* ---- running ----------------------------------------------------------------------------------
 */

#define UNBOUND UINT32_MAX

/* A place with its term's number in this graph; UNBOUND for a variable that has no value yet. */
struct slot {
    bool is_variable;
    uint32_t number; /* of the variable, or of the term */
};

struct lookup {
    struct slot subject, object;
    uint32_t predicate;
};

struct run {
    const struct mup_index *index;
    const struct mup_plan *plan;
    struct lookup lookups[MUP_PLAN_PATTERNS_MAX]; /* of the branch at hand */
    unsigned lookup_count;
    uint32_t values[MUP_PLAN_NAMES_MAX];
    uint32_t *cells; /* column_count for each row */
    size_t row_count, row_room;
    unsigned steps;
};

static uint32_t value_of(const struct run *run, const struct slot *slot)
{
    return slot->is_variable ? run->values[slot->number] : slot->number;
}

/* What a pattern may still match. */
static struct mup_index_range range_of(const struct run *run, const struct lookup *lookup)
{
    const struct mup_index *index = run->index;
    uint32_t subject = value_of(run, &lookup->subject);
    uint32_t object = value_of(run, &lookup->object);
    bool by_object = subject == UNBOUND && object != UNBOUND;
    uint32_t key = by_object ? object : subject;
    bool any = key == UNBOUND;
    struct mup_index_range range = {.order = by_object ? index->by_object : index->by_subject};
    range.from = lower_bound(index, range.order, by_object, lookup->predicate, any ? 0 : key);
    range.to =
        lower_bound(index, range.order, by_object, lookup->predicate + any, any ? 0 : key + 1);
    return range;
}

/* False when the value contradicts the one that is there. */
static bool bind(struct run *run, const struct slot *slot, uint32_t value, bool *bound)
{
    uint32_t before = value_of(run, slot);
    *bound = before == UNBOUND;
    if (*bound)
        run->values[slot->number] = value;
    return *bound || before == value;
}

static enum mup_status add_row(struct run *run)
{
    unsigned columns = run->plan->column_count;
    if (run->row_count == MUP_QUERY_ROWS_MAX)
        return MUP_ERR_RANGE;
    if (run->row_count == run->row_room) {
        size_t room = run->row_room ? run->row_room * 2 : 64;
        uint32_t *cells = realloc(run->cells, room * columns * sizeof *cells);
        if (!cells)
            return MUP_ERR_SPACE;
        run->cells = cells;
        run->row_room = room;
    }
    for (unsigned i = 0; i < columns; i++)
        run->cells[run->row_count * columns + i] = run->values[run->plan->columns[i]];
    run->row_count++;
    return MUP_OK;
}

/* Of the patterns that are left, the one with the fewest matches; it moves to the front. */
static struct mup_index_range choose(struct run *run, unsigned done)
{
    struct mup_index_range best = range_of(run, &run->lookups[done]);
    unsigned at = done;
    for (unsigned i = done + 1; i < run->lookup_count; i++) {
        struct mup_index_range range = range_of(run, &run->lookups[i]);
        if (range.to - range.from < best.to - best.from) {
            best = range;
            at = i;
        }
    }
    struct lookup chosen = run->lookups[at];
    run->lookups[at] = run->lookups[done];
    run->lookups[done] = chosen;
    return best;
}

/* Match the patterns from `done` on; as deep as a branch has patterns. */
static enum mup_status match(struct run *run, unsigned done)
{
    if (done == run->lookup_count)
        return add_row(run);
    struct mup_index_range range = choose(run, done);
    const struct lookup lookup = run->lookups[done];
    enum mup_status status = MUP_OK;
    for (uint32_t i = range.from; i < range.to && status == MUP_OK; i++) {
        const struct mup_triple *item = &run->index->triples->items[range.order[i]];
        bool subject_bound = false, object_bound = false;
        if (++run->steps > MUP_PLAN_STEPS_MAX)
            return MUP_ERR_RANGE;
        if (bind(run, &lookup.subject, item->subject, &subject_bound) &&
            bind(run, &lookup.object, item->object, &object_bound))
            status = match(run, done + 1);
        if (subject_bound)
            run->values[lookup.subject.number] = UNBOUND;
        if (object_bound)
            run->values[lookup.object.number] = UNBOUND;
    }
    return status;
}

/* False when the graph does not have the term, so that nothing can match. */
static bool find_slot(const struct mup_triples *triples, const struct place *place,
                      struct slot *out)
{
    *out = (struct slot){.is_variable = place->is_variable, .number = place->variable};
    return place->is_variable || mup_triples_find(triples, &out->number, &place->term);
}

static bool prepare_branch(struct run *run, const struct branch *branch)
{
    const struct mup_triples *triples = run->index->triples;
    for (unsigned i = 0; i < branch->count; i++) {
        struct mup_term predicate = {.kind = MUP_TERM_IRI, .text = branch->patterns[i].predicate};
        struct lookup *lookup = &run->lookups[i];
        if (!find_slot(triples, &branch->patterns[i].subject, &lookup->subject) ||
            !find_slot(triples, &branch->patterns[i].object, &lookup->object) ||
            !mup_triples_find(triples, &lookup->predicate, &predicate))
            return false;
    }
    run->lookup_count = branch->count;
    memset(run->values, 0xff, sizeof run->values);
    return true;
}

static const char *cell_text(struct mup_arena *arena, const struct mup_term *term)
{
    return term->kind == MUP_TERM_BLANK ? mup_arena_print(arena, "_:%s", term->text) : term->text;
}

static enum mup_status give_rows(struct mup_rows *out, struct mup_arena *arena,
                                 const struct run *run)
{
    size_t columns = run->plan->column_count, count = run->row_count * columns;
    const char **cells = mup_arena_take(arena, count * sizeof *cells);
    if (!cells)
        return MUP_ERR_SPACE;
    for (size_t i = 0; i < count; i++) {
        cells[i] = cell_text(arena, &run->index->triples->terms[run->cells[i]]);
        if (!cells[i])
            return MUP_ERR_SPACE;
    }
    *out = (struct mup_rows){run->row_count, columns, cells};
    return MUP_OK;
}

enum mup_status mup_plan_run(struct mup_rows *out, struct mup_arena *arena,
                             struct mup_problems *problems, const struct mup_index *index,
                             const struct mup_plan *plan, const char *name)
{
    struct run run = {.index = index, .plan = plan};
    enum mup_status status = MUP_OK;
    for (unsigned i = 0; i < plan->branch_count && status == MUP_OK; i++) {
        if (prepare_branch(&run, &plan->branches[i]))
            status = match(&run, 0);
    }
    if (status == MUP_ERR_RANGE && run.row_count == MUP_QUERY_ROWS_MAX)
        mup_problems_error(problems, 0, name, "the query finds more than %u rows",
                           MUP_QUERY_ROWS_MAX);
    else if (status == MUP_ERR_RANGE)
        mup_problems_error(problems, 0, name, "the query takes more than %u steps",
                           MUP_PLAN_STEPS_MAX);
    if (status == MUP_OK)
        status = give_rows(out, arena, &run);
    free(run.cells);
    return status;
}
