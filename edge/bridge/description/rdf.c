/* librdf, raptor and rasqal behind the four calls of rdf.h. */
#include "bridge/description/rdf.h"

#include <inttypes.h>
#include <librdf.h>
#include <rasqal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/description/rdf_internal.h"
#include "bridge/description/turtle.h"

/* What a relative IRI resolves to, so that it can be recognised and refused. */
#define NO_BASE "mup-no-base:/"

struct mup_rdf {
    librdf_world *world;
    /* Where the library's complaints go while a call is under way. */
    struct mup_problems *problems;
    const char *name; /* of the query being run, or NULL */
    unsigned line;    /* of the XML document that was last given to the parser, or 0 */
};

struct mup_rdf_graph {
    struct mup_rdf *rdf;
    librdf_storage *storage;
    librdf_model *model;
};

/* A document being parsed. */
struct reading {
    struct mup_triples *triples;
    struct mup_problems *problems;
    raptor_parser *parser;
    /* The library's labels of blank nodes differ from run to run: a label's id here is our number.
     */
    struct mup_triples labels;
    enum mup_status status;
};

/* A warning while a query runs is about the style of our own query, and nobody's to read. */
static void note(struct mup_rdf *rdf, bool is_error, bool is_warning, raptor_locator *locator,
                 const char *text)
{
    int known = locator ? raptor_locator_line(locator) : 0;
    /* Complaints of the XML parser come without a line. */
    unsigned line = known > 0 ? (unsigned)known : rdf->line;
    if (rdf->problems && is_error)
        mup_problems_error(rdf->problems, line, rdf->name, "%s", text);
    else if (rdf->problems && is_warning && !rdf->name)
        mup_problems_warning(rdf->problems, line, rdf->name, "%s", text);
}

static int on_log(void *arg, librdf_log_message *message)
{
    librdf_log_level level = librdf_log_message_level(message);
    note(arg, level >= LIBRDF_LOG_ERROR, level == LIBRDF_LOG_WARN,
         librdf_log_message_locator(message), librdf_log_message_message(message));
    return 1;
}

/* raptor and rasqal have a log of their own. */
static void on_raptor_log(void *arg, raptor_log_message *message)
{
    note(arg, message->level >= RAPTOR_LOG_LEVEL_ERROR, message->level == RAPTOR_LOG_LEVEL_WARN,
         message->locator, message->text);
}

struct mup_rdf *mup_rdf_new(void)
{
    struct mup_rdf *rdf = calloc(1, sizeof *rdf);
    if (!rdf)
        return NULL;
    rdf->world = librdf_new_world();
    if (!rdf->world) {
        free(rdf);
        return NULL;
    }
    librdf_world_set_logger(rdf->world, rdf, on_log);
    librdf_world_open(rdf->world);
    rasqal_world_set_log_handler(librdf_world_get_rasqal(rdf->world), rdf, on_raptor_log);
    return rdf;
}

void mup_rdf_free(struct mup_rdf *rdf)
{
    if (!rdf)
        return;
    librdf_free_world(rdf->world);
    free(rdf);
}

rasqal_world *mup_rdf_rasqal(struct mup_rdf *rdf)
{
    return librdf_world_get_rasqal(rdf->world);
}

static unsigned line_of(const struct reading *reading)
{
    raptor_locator *locator = raptor_parser_get_locator(reading->parser);
    int line = locator ? raptor_locator_line(locator) : 0;
    return line > 0 ? (unsigned)line : 0;
}

static enum mup_status refuse(struct reading *reading, const char *where, const char *text)
{
    mup_problems_error(reading->problems, line_of(reading), where, "%s", text);
    return MUP_ERR_FORMAT;
}

static enum mup_status take_iri(struct reading *reading, raptor_uri *uri, const char **out)
{
    const char *text = (const char *)raptor_uri_as_string(uri);
    if (strncmp(text, NO_BASE, strlen(NO_BASE)) == 0)
        return refuse(reading, text + strlen(NO_BASE), "a relative IRI, and there is no base");
    if (!mup_iri_is_absolute(text) || !mup_text_is_utf8(text))
        return refuse(reading, NULL, "an IRI with characters that it must not have");
    *out = text;
    return MUP_OK;
}

static enum mup_status take_literal(struct reading *reading, const raptor_term_literal_value *value,
                                    struct mup_term *out)
{
    const char *text = (const char *)value->string;
    if (strlen(text) != value->string_len || !mup_text_is_utf8(text)) /* raptor is lenient */
        return refuse(reading, NULL, "a text with a NUL or bytes that are not UTF-8");
    out->text = text;
    out->language = (const char *)value->language;
    if (!value->datatype)
        return MUP_OK;
    enum mup_status status = take_iri(reading, value->datatype, &out->datatype);
    if (status == MUP_OK && strcmp(out->datatype, "http://www.w3.org/2001/XMLSchema#string") == 0)
        out->datatype = NULL; /* the same as a plain literal (RDF 1.1 Concepts 3.3) */
    return status;
}

static enum mup_status take_term(struct reading *reading, const raptor_term *from, uint32_t *id)
{
    struct mup_term term = {.text = ""};
    char label[16];
    enum mup_status status = MUP_OK;
    if (from->type == RAPTOR_TERM_TYPE_URI) {
        term.kind = MUP_TERM_IRI;
        status = take_iri(reading, from->value.uri, &term.text);
    } else if (from->type == RAPTOR_TERM_TYPE_BLANK) {
        term.kind = MUP_TERM_BLANK;
        term.text = (const char *)from->value.blank.string;
        uint32_t number = 0;
        status = mup_triples_term(&reading->labels, &number, &term);
        snprintf(label, sizeof label, "b%" PRIu32, number);
        term.text = label;
    } else {
        term.kind = MUP_TERM_LITERAL;
        status = take_literal(reading, &from->value.literal, &term);
    }
    if (status != MUP_OK)
        return status;
    return mup_triples_term(reading->triples, id, &term);
}

static void on_statement(void *arg, raptor_statement *statement)
{
    struct reading *reading = arg;
    uint32_t subject, predicate, object;
    if (reading->status != MUP_OK)
        return;
    enum mup_status status = take_term(reading, statement->subject, &subject);
    if (status == MUP_OK)
        status = take_term(reading, statement->predicate, &predicate);
    if (status == MUP_OK)
        status = take_term(reading, statement->object, &object);
    if (status == MUP_OK)
        status = mup_triples_add(reading->triples, subject, predicate, object);
    if (status == MUP_ERR_RANGE)
        mup_problems_error(reading->problems, line_of(reading), NULL, "%s",
                           reading->triples->limit);
    if (status != MUP_OK) {
        reading->status = status;
        raptor_parser_parse_abort(reading->parser);
    }
}

/* Line by line, so that a complaint without a line number gets one. */
static int feed_lines(struct reading *reading, struct mup_rdf *rdf, const char *bytes, size_t size)
{
    int failed = 0;
    size_t at = 0;
    while (at < size && !failed && reading->status == MUP_OK) {
        const char *end = memchr(bytes + at, '\n', size - at);
        size_t next = end ? (size_t)(end - bytes) + 1 : size;
        rdf->line++;
        failed = raptor_parser_parse_chunk(reading->parser, (const unsigned char *)bytes + at,
                                           next - at, next == size);
        at = next;
    }
    return failed;
}

static enum mup_status parse(struct reading *reading, struct mup_rdf *rdf, const char *bytes,
                             size_t size, bool by_line)
{
    raptor_world *world = librdf_world_get_raptor(rdf->world);
    raptor_uri *base = raptor_new_uri(world, (const unsigned char *)NO_BASE);
    if (!base)
        return MUP_ERR_SPACE;
    raptor_parser_set_option(reading->parser, RAPTOR_OPTION_NO_NET, NULL, 1);
    raptor_parser_set_option(reading->parser, RAPTOR_OPTION_NO_FILE, NULL, 1);
    raptor_parser_set_option(reading->parser, RAPTOR_OPTION_LOAD_EXTERNAL_ENTITIES, NULL, 0);
    raptor_parser_set_statement_handler(reading->parser, reading, on_statement);

    size_t errors = reading->problems->error_count;
    int failed = raptor_parser_parse_start(reading->parser, base);
    if (!failed)
        failed = by_line ? feed_lines(reading, rdf, bytes, size)
                         : raptor_parser_parse_chunk(reading->parser, (const unsigned char *)bytes,
                                                     size, 1);
    raptor_free_uri(base);
    if (reading->status != MUP_OK)
        return reading->status;
    if (failed && reading->problems->error_count == errors)
        return refuse(reading, NULL, "the document does not parse");
    return reading->problems->error_count > errors ? MUP_ERR_FORMAT : MUP_OK;
}

enum mup_status mup_rdf_read(struct mup_triples *out, struct mup_problems *problems,
                             struct mup_rdf *rdf, const char *bytes, size_t size,
                             enum mup_description_format format)
{
    raptor_world *world = librdf_world_get_raptor(rdf->world);
    const char *syntax = format == MUP_DESCRIPTION_RDFXML ? "rdfxml" : "turtle";
    struct reading reading = {.triples = out, .problems = problems, .status = MUP_OK};
    unsigned brace = format == MUP_DESCRIPTION_RDFXML ? 0 : mup_turtle_brace_line(bytes, size);
    if (brace > 0) {
        mup_problems_error(problems, brace, NULL,
                           "a brace outside of a text: Turtle has no graphs");
        return MUP_ERR_FORMAT;
    }
    reading.parser = raptor_new_parser(world, syntax);
    if (!reading.parser)
        return MUP_ERR_SPACE;
    mup_triples_init(&reading.labels);
    rdf->problems = problems;
    enum mup_status status = parse(&reading, rdf, bytes, size, format == MUP_DESCRIPTION_RDFXML);
    rdf->line = 0;
    raptor_free_parser(reading.parser);
    mup_triples_free(&reading.labels);
    rdf->problems = NULL;
    return status;
}

static librdf_node *new_node(librdf_world *world, const struct mup_term *term)
{
    const unsigned char *text = (const unsigned char *)term->text;
    if (term->kind == MUP_TERM_IRI)
        return librdf_new_node_from_uri_string(world, text);
    if (term->kind == MUP_TERM_BLANK)
        return librdf_new_node_from_blank_identifier(world, text);

    librdf_uri *datatype = NULL;
    if (term->datatype)
        datatype = librdf_new_uri(world, (const unsigned char *)term->datatype);
    librdf_node *node = librdf_new_node_from_typed_literal(world, text, term->language, datatype);
    if (datatype)
        librdf_free_uri(datatype);
    return node;
}

/* 0 on success. The model takes a copy; the statement owns the nodes, also when it fails. */
static int add_triple(struct mup_rdf_graph *graph, const struct mup_triples *triples,
                      const struct mup_triple *item)
{
    librdf_world *world = graph->rdf->world;
    librdf_statement *statement =
        librdf_new_statement_from_nodes(world, new_node(world, &triples->terms[item->subject]),
                                        new_node(world, &triples->terms[item->predicate]),
                                        new_node(world, &triples->terms[item->object]));
    if (!statement)
        return 1;
    int failed = !librdf_statement_is_complete(statement) ||
                 librdf_model_add_statement(graph->model, statement);
    librdf_free_statement(statement);
    return failed;
}

struct mup_rdf_graph *mup_rdf_graph_open(struct mup_rdf *rdf, const struct mup_triples *triples)
{
    struct mup_rdf_graph *graph = calloc(1, sizeof *graph);
    if (!graph)
        return NULL;
    graph->rdf = rdf;
    /*
     * Not "hashes": it answers a pattern with one or three known terms by a scan of everything, so
     * that 9,900 properties of one device took minutes, and 517 triples 91 ms instead of 10.
     */
    graph->storage =
        librdf_new_storage(rdf->world, "trees", "description",
                           "index-spo='yes',index-sop='yes',index-ops='yes',index-pso='yes'");
    if (graph->storage)
        graph->model = librdf_new_model(rdf->world, graph->storage, NULL);
    int failed = !graph->model;
    for (uint32_t i = 0; i < triples->count && !failed; i++)
        failed = add_triple(graph, triples, &triples->items[i]);
    if (failed) {
        mup_rdf_graph_close(graph);
        return NULL;
    }
    return graph;
}

void mup_rdf_graph_close(struct mup_rdf_graph *graph)
{
    if (!graph)
        return;
    if (graph->model)
        librdf_free_model(graph->model);
    if (graph->storage)
        librdf_free_storage(graph->storage);
    free(graph);
}

static const char *cell_text(struct mup_arena *arena, librdf_node *node)
{
    if (!node)
        return "";
    if (librdf_node_is_literal(node)) {
        const char *text = (const char *)librdf_node_get_literal_value(node);
        return mup_arena_copy(arena, text, strlen(text));
    }
    if (librdf_node_is_blank(node))
        return mup_arena_print(arena, "_:%s", (const char *)librdf_node_get_blank_identifier(node));
    const char *iri = (const char *)librdf_uri_as_string(librdf_node_get_uri(node));
    return mup_arena_copy(arena, iri, strlen(iri));
}

static enum mup_status take_row(const char **cells, struct mup_arena *arena,
                                librdf_query_results *results, int columns)
{
    for (int i = 0; i < columns; i++) {
        librdf_node *node = librdf_query_results_get_binding_value(results, i);
        cells[i] = cell_text(arena, node);
        if (node)
            librdf_free_node(node);
        if (!cells[i])
            return MUP_ERR_SPACE;
    }
    return MUP_OK;
}

static enum mup_status take_rows(struct mup_rows *out, struct mup_arena *arena,
                                 struct mup_problems *problems, librdf_query_results *results,
                                 const char *name)
{
    int columns = librdf_query_results_get_bindings_count(results);
    size_t count = 0, room = 0;
    const char **cells = NULL;
    enum mup_status status = MUP_OK;
    if (columns <= 0) { /* the library forgets the columns of an answer without rows */
        *out = (struct mup_rows){0};
        return MUP_OK;
    }
    while (status == MUP_OK && !librdf_query_results_finished(results)) {
        if (count == MUP_QUERY_ROWS_MAX) {
            mup_problems_error(problems, 0, name, "the query finds more than %u rows",
                               MUP_QUERY_ROWS_MAX);
            status = MUP_ERR_RANGE;
            break;
        }
        if (count == room) {
            room = room ? room * 2 : 32;
            const char **more = realloc(cells, room * (size_t)columns * sizeof *cells);
            if (!more) {
                status = MUP_ERR_SPACE;
                break;
            }
            cells = more;
        }
        status = take_row(cells + count * (size_t)columns, arena, results, columns);
        count++;
        librdf_query_results_next(results);
    }
    if (status == MUP_OK) {
        const char **kept = mup_arena_take(arena, count * (size_t)columns * sizeof *cells);
        if (kept) {
            if (count)
                memcpy(kept, cells, count * (size_t)columns * sizeof *cells);
            *out = (struct mup_rows){count, (size_t)columns, kept};
        } else {
            status = MUP_ERR_SPACE;
        }
    }
    free(cells);
    return status;
}

/* FROM, GRAPH and SERVICE read other files and other servers than the description. */
static bool reaches_out(rasqal_graph_pattern *pattern)
{
    rasqal_graph_pattern_operator kind = rasqal_graph_pattern_get_operator(pattern);
    if (kind == RASQAL_GRAPH_PATTERN_OPERATOR_GRAPH ||
        kind == RASQAL_GRAPH_PATTERN_OPERATOR_SERVICE)
        return true;
    for (int i = 0;; i++) {
        rasqal_graph_pattern *inner = rasqal_graph_pattern_get_sub_graph_pattern(pattern, i);
        if (!inner)
            return false;
        if (reaches_out(inner))
            return true;
    }
}

static enum mup_status check_prepared(struct mup_problems *problems, rasqal_query *query,
                                      const char *name, unsigned columns)
{
    raptor_sequence *sources = rasqal_query_get_data_graph_sequence(query);
    rasqal_graph_pattern *pattern = rasqal_query_get_query_graph_pattern(query);
    raptor_sequence *selected = rasqal_query_get_bound_variable_sequence(query);
    if (rasqal_query_get_verb(query) != RASQAL_QUERY_VERB_SELECT || !selected) {
        mup_problems_error(problems, 0, name, "not a SELECT query");
        return MUP_ERR_FORMAT;
    }
    if ((sources && raptor_sequence_size(sources) > 0) || (pattern && reaches_out(pattern))) {
        mup_problems_error(problems, 0, name, "FROM, GRAPH and SERVICE are not allowed");
        return MUP_ERR_FORMAT;
    }
    if (raptor_sequence_size(selected) != (int)columns) {
        mup_problems_error(problems, 0, name, "the query must select %u columns, not %d", columns,
                           raptor_sequence_size(selected));
        return MUP_ERR_FORMAT;
    }
    return MUP_OK;
}

enum mup_status mup_rdf_check_query(const struct mup_plan **plan, struct mup_arena *arena,
                                    struct mup_problems *problems, struct mup_rdf *rdf,
                                    const char *query, const char *name, unsigned columns)
{
    rasqal_query *prepared = rasqal_new_query(librdf_world_get_rasqal(rdf->world), "sparql", NULL);
    if (!prepared)
        return MUP_ERR_SPACE;
    size_t errors = problems->error_count;
    enum mup_status status = MUP_ERR_FORMAT;
    rdf->problems = problems;
    rdf->name = name;
    if (rasqal_query_prepare(prepared, (const unsigned char *)query, NULL) == 0)
        status = check_prepared(problems, prepared, name, columns);
    else if (problems->error_count == errors)
        mup_problems_error(problems, 0, name, "the query does not parse");
    if (status == MUP_OK)
        *plan = mup_plan_of(arena, prepared);
    rdf->problems = NULL;
    rdf->name = NULL;
    rasqal_free_query(prepared);
    return status;
}

enum mup_status mup_rdf_ask(struct mup_rows *out, struct mup_arena *arena,
                            struct mup_problems *problems, struct mup_rdf_graph *graph,
                            const char *query, const char *name)
{
    struct mup_rdf *rdf = graph->rdf;
    size_t errors = problems->error_count;
    librdf_query *prepared =
        librdf_new_query(rdf->world, "sparql", NULL, (const unsigned char *)query, NULL);
    if (!prepared)
        return MUP_ERR_SPACE;
    rdf->problems = problems;
    rdf->name = name;
    librdf_query_results *results = librdf_model_query_execute(graph->model, prepared);
    enum mup_status status = MUP_ERR_FORMAT;
    if (results && librdf_query_results_is_bindings(results)) {
        status = take_rows(out, arena, problems, results, name);
    } else if (problems->error_count == errors) {
        mup_problems_error(problems, 0, name, "not a SELECT query");
    }
    if (results)
        librdf_free_query_results(results);
    librdf_free_query(prepared);
    rdf->problems = NULL;
    rdf->name = NULL;
    return status;
}
