/*
 * mup describe: read a device description offline, as the bridge would, and show what it makes of
 * it: the RDF, the YANG module, the capability as JSON or as a tree. Problems go to stderr.
 */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/description/capability.h"
#include "bridge/description/yang.h"

enum view {
    VIEW_TREE,
    VIEW_JSON,
    VIEW_YANG,
    VIEW_NTRIPLES,
};

static const struct {
    const char *name;
    enum view view;
} views[] = {
    {"tree", VIEW_TREE},
    {"json", VIEW_JSON},
    {"yang", VIEW_YANG},
    {"nt", VIEW_NTRIPLES},
};

static const struct {
    const char *name;
    enum mup_description_format format;
} syntaxes[] = {
    {"auto", MUP_DESCRIPTION_AUTO},
    {"jsonld", MUP_DESCRIPTION_JSONLD},
    {"turtle", MUP_DESCRIPTION_TURTLE},
    {"rdfxml", MUP_DESCRIPTION_RDFXML},
};

struct options {
    const char *file;
    const char *name;                           /* fills the topics, or NULL */
    const char *queries;                        /* folder, or NULL */
    const char *alignments[MUP_ALIGNMENTS_MAX]; /* files or folders */
    unsigned alignment_count;
    enum view view;
    enum mup_description_format syntax;
};

static const char help[] =
    "usage: mup describe [OPTION ...] FILE\n"
    "\n"
    "Read a device description (JSON-LD, Turtle, N-Triples or RDF/XML; - is stdin) as\n"
    "the bridge would, and show what it makes of it. Problems go to stderr.\n"
    "\n"
    "  -f, --format VIEW    tree (default), json, yang, or nt (the RDF as N-Triples)\n"
    "      --json           the same as --format json\n"
    "  -s, --syntax SYNTAX  jsonld, turtle or rdfxml; default: by the first bytes\n"
    "  -n, --name NAME      fill the topics for the device called NAME\n"
    "  -w, --with PATH      take the RDF of this file, or of all files of this\n"
    "                       folder, as true too: how another ontology maps to the\n"
    "                       vocabulary; may be repeated\n"
    "  -q, --queries DIR    take the SPARQL queries from DIR\n"
    "  -h, --help           show this\n"
    "\n"
    "Exit codes: 0 done, 1 refused or not readable, 2 the command line cannot be\n"
    "used.\n"
    "\n"
    "example: mup describe --format yang firmware/description/virtual.jsonld\n";

static bool find_view(struct options *options, const char *name)
{
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        if (strcmp(views[i].name, name) == 0) {
            options->view = views[i].view;
            return true;
        }
    }
    return false;
}

static bool find_syntax(struct options *options, const char *name)
{
    for (size_t i = 0; i < sizeof syntaxes / sizeof syntaxes[0]; i++) {
        if (strcmp(syntaxes[i].name, name) == 0) {
            options->syntax = syntaxes[i].format;
            return true;
        }
    }
    return false;
}

/* MUP_EXIT_DONE with options->file set: go on. With it NULL: help was shown. */
static int read_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"format", required_argument, NULL, 'f'},  {"json", no_argument, NULL, 'j'},
        {"syntax", required_argument, NULL, 's'},  {"name", required_argument, NULL, 'n'},
        {"queries", required_argument, NULL, 'q'}, {"with", required_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    int option;
    optind = 0; /* the mup command has read its own options before */
    while ((option = getopt_long(argc, argv, "f:s:n:q:w:h", known, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return MUP_EXIT_DONE;
        }
        if (option == '?')
            return MUP_EXIT_USAGE;
        bool good = true;
        if (option == 'f')
            good = find_view(options, optarg);
        else if (option == 's')
            good = find_syntax(options, optarg);
        else if (option == 'j')
            options->view = VIEW_JSON;
        else if (option == 'n')
            options->name = optarg;
        else if (option == 'q')
            options->queries = optarg;
        else if (option == 'w' && options->alignment_count == MUP_ALIGNMENTS_MAX)
            return mup_usage("describe", "more than %u --with", MUP_ALIGNMENTS_MAX);
        else if (option == 'w')
            options->alignments[options->alignment_count++] = optarg;
        if (!good)
            return mup_usage("describe", "'%s' is not among the choices", optarg);
    }
    if (argc - optind != 1)
        return mup_usage("describe", "give one file");
    options->file = argv[optind];
    return MUP_EXIT_DONE;
}

/* The whole file, one byte more than the limit at most: the parser says that it is too large. */
static char *read_file(size_t *size, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!file)
        return NULL;
    char *bytes = malloc(MUP_DESCRIPTION_SIZE_MAX + 1);
    if (bytes)
        *size = fread(bytes, 1, MUP_DESCRIPTION_SIZE_MAX + 1, file);
    int failed = ferror(file);
    int reason = errno;
    if (file != stdin)
        fclose(file);
    if (failed) {
        free(bytes);
        errno = reason;
        return NULL;
    }
    return bytes;
}

static void put_report(const struct mup_problems *problems, const char *source)
{
    char line[1024];
    for (size_t i = 0; i < problems->count; i++)
        fprintf(stderr, "%s\n", mup_problems_line(line, sizeof line, problems, i, source));
    size_t all = problems->error_count + problems->warning_count;
    if (all > problems->count)
        fprintf(stderr, "%s: and %zu more\n", source, all - problems->count);
}

static enum mup_status show_capability(char **out, struct mup_problems *problems,
                                       struct mup_describer *describer, const char *bytes,
                                       size_t size, const struct options *options)
{
    struct mup_capability *capability;
    enum mup_status status =
        mup_description_parse(&capability, problems, describer, bytes, size, options->syntax, NULL);
    if (status != MUP_OK)
        return status;
    if (options->view == VIEW_YANG)
        status = mup_yang_module(out, capability);
    else if (options->view == VIEW_JSON)
        status = mup_capability_json(out, capability, options->name);
    else
        status = mup_capability_tree(out, capability, options->name);
    mup_capability_free(capability);
    return status;
}

/* Control characters of a stranger's text must not reach a terminal; N-Triples may escape them. */
static void put_for_terminal(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if ((*at < 0x20 && *at != '\n') || *at == 0x7f)
            printf("\\u%04X", *at);
        else if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
            printf("\\u%04X", *++at);
        else
            putchar(*at);
    }
}

static int show(struct mup_problems *problems, struct mup_describer *describer, const char *bytes,
                size_t size, const struct options *options)
{
    char *text = NULL;
    enum mup_status status;
    if (options->view == VIEW_NTRIPLES)
        status = mup_description_ntriples(&text, problems, describer, bytes, size, options->syntax);
    else
        status = show_capability(&text, problems, describer, bytes, size, options);
    put_report(problems, options->file);
    if (mup_status_is_trouble(status))
        return mup_fail("%s: out of memory", options->file);
    if (status != MUP_OK)
        return MUP_EXIT_FAILED;
    size_t length = strlen(text);
    /* main() checks the stream when it flushes */
    if (options->view == VIEW_NTRIPLES && isatty(STDOUT_FILENO))
        put_for_terminal(text);
    else
        fwrite(text, 1, length, stdout);
    if (length > 0 && text[length - 1] != '\n')
        putchar('\n');
    free(text);
    return MUP_EXIT_DONE;
}

/* MUP_EXIT_DONE with *out set, or the reason is told. */
static int open_describer(struct mup_describer **out, struct mup_problems *problems,
                          const struct options *options)
{
    if (mup_describer_new(out, problems, options->queries) != MUP_OK) {
        put_report(problems, "queries");
        return MUP_EXIT_FAILED;
    }
    for (unsigned i = 0; i < options->alignment_count; i++) {
        enum mup_status status = mup_describer_align(*out, problems, options->alignments[i]);
        put_report(problems, "alignment");
        if (status != MUP_OK)
            return MUP_EXIT_FAILED;
    }
    return MUP_EXIT_DONE;
}

int mup_describe_main(int argc, char **argv)
{
    struct options options = {.view = VIEW_TREE, .syntax = MUP_DESCRIPTION_AUTO};
    int code = read_options(&options, argc, argv);
    if (code != MUP_EXIT_DONE || !options.file)
        return code;

    size_t size = 0;
    char *bytes = read_file(&size, options.file);
    if (!bytes)
        return mup_fail("%s: %s", options.file, strerror(errno));
    struct mup_problems problems;
    struct mup_describer *describer = NULL;
    code = open_describer(&describer, &problems, &options);
    if (code == MUP_EXIT_DONE)
        code = show(&problems, describer, bytes, size, &options);
    mup_describer_free(describer);
    free(bytes);
    return code;
}
