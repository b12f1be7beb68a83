/*
 * What a kind of device can do: the functions, inputs, states and telemetry that its semantic
 * description declares, in the form that the bridge calls them by.
 *
 * A description is a template (docs/DESIGN.md): `%s` in a value stands for the device, and `%%` for
 * a percent sign. Its SHA-256 digest is taken over the template, so a million equal devices share
 * one capability and one YANG module, and only the topics are filled in for each device.
 *
 * Order of calls:
 *
 *     mup_describer_new()                        once per process or thread (loads the queries)
 *       mup_describer_align()                    once per alignment, before anything is parsed
 *       mup_description_parse()                  once per template digest
 *         mup_yang_module()          (yang.h)    once per template digest
 *         mup_capability_admits()                per device that announces this digest
 *         mup_capability_rpc(), mup_topic_fill(), mup_topic_check(), mup_rpc_state_by_code()
 *                                                per command
 *       mup_capability_free()
 *     mup_describer_free()
 *
 * Everything is ordered by the local name of the IRI (the text after the last `#` or `/`), then by
 * the IRI: the same template gives the same capability on every run. Strings are valid UTF-8, NUL
 * terminated and owned by the capability.
 */
#ifndef MUP_BRIDGE_CAPABILITY_H
#define MUP_BRIDGE_CAPABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/description/problems.h"
#include "mup/status.h"

#define MUP_DESCRIPTION_SIZE_MAX    262144u /* bytes of a template */
#define MUP_DESCRIPTION_TRIPLES_MAX 10000u  /* after materialising */
#define MUP_DESCRIPTION_DEPTH_MAX   64u     /* nested JSON objects and arrays */
#define MUP_DESCRIPTION_DIGEST_SIZE 32u     /* SHA-256 */
#define MUP_UUID_SIZE_MAX           64u     /* bytes of a device's UUID text or name, without NUL */
#define MUP_TOPIC_SIZE_MAX          256u    /* bytes of a filled topic, without NUL */
#define MUP_YANG_NAME_SIZE_MAX      64u     /* bytes of a YANG identifier, without NUL */
#define MUP_DECIMAL_DIGITS          6u      /* a decimal is an integer count of 10^-6 */
#define MUP_INPUT_DEPTH_MAX         4u      /* an input, its parts, their parts, ... */
#define MUP_NO_STATE_CODE           (-1)

/* Before the digits of a module's namespace. */
#define MUP_YANG_NAMESPACE_PREFIX "urn:mup:capability:"

enum mup_input_type {
    MUP_INPUT_INT,     /* int64_t, YANG int32 or int64 */
    MUP_INPUT_DECIMAL, /* int64_t count of 10^-6, YANG decimal64 with MUP_DECIMAL_DIGITS */
    MUP_INPUT_BOOL,
    MUP_INPUT_STRING,
    MUP_INPUT_ENUM,   /* one of enum_values, as text */
    MUP_INPUT_BINARY, /* bytes, YANG binary (base64 in NETCONF) */
    MUP_INPUT_STRUCT, /* its parts, YANG container */
};

/*
 * One input of an RPC. The device that is meant is not among them: every RPC of a module takes it
 * as the mandatory leaf `uuid`, and it is not sent.
 *
 * An input with a sub-structure (an RGB value) has parts, which may have parts themselves, at most
 * MUP_INPUT_DEPTH_MAX levels in all. In YANG it is a container. On the wire only the parts without
 * parts stand, one argument each, in order; a structure that was left out is a null for each.
 */
struct mup_input {
    const char *name;        /* local name of the IRI */
    const char *yang_name;   /* legal, unique among its neighbours */
    const char *description; /* may be empty */
    enum mup_input_type type;
    bool required; /* must be given; false only where the description says so */
    bool has_min;  /* MUP_INPUT_INT and MUP_INPUT_DECIMAL only */
    bool has_max;
    int64_t min; /* inclusive; for a decimal in units of 10^-6 */
    int64_t max;
    bool has_min_size; /* MUP_INPUT_STRING (characters) and MUP_INPUT_BINARY (bytes) only */
    bool has_max_size;
    uint32_t min_size; /* inclusive */
    uint32_t max_size;
    const char *pattern; /* MUP_INPUT_STRING: a regular expression of XML Schema, may be empty */
    const char *unit;    /* local name of the unit's IRI, may be empty */
    const char *symbol;  /* such as "hPa", may be empty */
    const char *const *enum_values; /* distinct, sorted */
    size_t enum_count;              /* > 0 exactly for MUP_INPUT_ENUM */
    const struct mup_input *parts;  /* in the order in which they are sent */
    size_t part_count;              /* > 0 exactly for MUP_INPUT_STRUCT */
};

/* A state that an operation may end with; "10_OK" has the code 10, "OK" has none. */
struct mup_declared_state {
    const char *name;        /* the whole declared text, also the YANG enum */
    int32_t code;            /* 0.. from a decimal prefix before `_`, or MUP_NO_STATE_CODE */
    const char *description; /* may be empty */
};

/* Why a topic must not be used for a device, most severe last. */
enum mup_topic_fault {
    MUP_TOPIC_OK = 0,
    MUP_TOPIC_NOT_OWN,  /* no level is the device's name: only by an operator's allow-list */
    MUP_TOPIC_DOLLAR,   /* begins with `$` (MQTT 4.7.2) or has a level that does */
    MUP_TOPIC_WILDCARD, /* contains `+` or `#` (MQTT-3.3.2-2) */
    MUP_TOPIC_TEXT,     /* empty, too long, or with a control character */
};

struct mup_rpc {
    const char *name;        /* local name of the functionality's IRI */
    const char *yang_name;   /* legal, unique within the capability */
    const char *description; /* may be empty */
    const char *topic;       /* template: fill with mup_topic_fill() */
    const char *method;      /* method text of the request */
    /* For the device as the template declares it. Anything but MUP_TOPIC_OK: the bridge answers
     * calls with an error (MUP_TOPIC_NOT_OWN may be lifted by the operator's allow-list). */
    enum mup_topic_fault topic_fault;
    const struct mup_input *inputs; /* in the order in which they are sent */
    size_t input_count;
    const struct mup_declared_state *states; /* those with a code first, by code; then by text */
    size_t state_count;
};

/* What a device publishes by itself: values as they come, or events. */
struct mup_telemetry {
    const char *name;      /* local name of the functionality's IRI */
    const char *yang_name; /* legal, unique among the telemetry and events together */
    const char *description;
    const char *topic;  /* template */
    const char *unit;   /* local name of the unit's IRI, may be empty */
    const char *symbol; /* such as "hPa", may be empty */
    enum mup_topic_fault topic_fault;
};

struct mup_capability {
    uint8_t digest[MUP_DESCRIPTION_DIGEST_SIZE]; /* SHA-256 of the template's bytes */
    const char *uuid;        /* as declared: "%s" in a template, or one device's UUID */
    const char *category;    /* kind of device; of the template, so without `%s` */
    const char *description; /* may be empty */
    /*
     * Of its YANG module: `mup-<category>-<16 hex digits>` and MUP_YANG_NAMESPACE_PREFIX with 64
     * hex digits. The digits are the digest's, or, where alignments are in use, those of the
     * SHA-256 over the digest and the alignments' digests: another mapping is another module.
     */
    const char *module_name;
    const char *module_namespace;
    const struct mup_rpc *rpcs;
    size_t rpc_count;
    const struct mup_telemetry *telemetry;
    size_t telemetry_count;
    const struct mup_telemetry *events; /* of functionalities that are EventFunctionality */
    size_t event_count;
    void *memory; /* private: everything above lives here */
};

/* How the bytes of a description are to be read. */
enum mup_description_format {
    MUP_DESCRIPTION_AUTO, /* by the first bytes: `{` or `[` JSON-LD, `<?xml` or `<rdf:RDF` RDF/XML
                           */
    MUP_DESCRIPTION_JSONLD,
    MUP_DESCRIPTION_TURTLE, /* N-Triples is a part of it */
    MUP_DESCRIPTION_RDFXML,
};

/* Holds the RDF library and the queries. Not thread safe: one per thread. */
struct mup_describer;

/*
 * Load the queries (*.rq) from `folder`; NULL takes MUP_QUERIES from the environment, and without
 * it the folder that the build or the installation knows. With MUP_ALIGNMENTS in the environment,
 * that file or folder is taken as by mup_describer_align().
 *
 * MUP_ERR_FORMAT  a query is missing or does not parse: *problems say which file and why.
 * MUP_ERR_SPACE   out of memory, or the RDF library does not start.
 */
MUP_MUST_CHECK
enum mup_status mup_describer_new(struct mup_describer **out, struct mup_problems *problems,
                                  const char *folder);
void mup_describer_free(struct mup_describer *describer);

#define MUP_ALIGNMENTS_MAX 16u

/*
 * Take the triples of a file, or of each file of a folder in the order of their names, as true of
 * every description that is parsed from now on: how another ontology maps to the vocabulary (see
 * infer.h for the rules that are understood). The file is of any syntax that a description may have
 * and of MUP_DESCRIPTION_SIZE_MAX bytes at most. Its triples count to the limits of a description.
 *
 * MUP_ERR_FORMAT  cannot be read, or is not RDF: *problems say where and why.
 * MUP_ERR_RANGE   a limit above, or more than MUP_ALIGNMENTS_MAX files. *problems say.
 * MUP_ERR_SPACE   out of memory.
 *
 * On error some files of a folder may be in use: let the describer go.
 */
MUP_MUST_CHECK
enum mup_status mup_describer_align(struct mup_describer *describer, struct mup_problems *problems,
                                    const char *path);

/*
 * When the newest of its queries and alignments, or this program's file, last changed: milliseconds
 * since 1970. A description that was refused before then may be good now.
 */
uint64_t mup_describer_changed_ms(const struct mup_describer *describer);

/*
 * Read a description: bytes → RDF → materialised graph → queries → capability, and check that it is
 * consistent. `uuid` is the device that sent it (NULL: nobody in particular). *problems is reset
 * first, and may hold warnings on success too; the caller shows them to the description's author.
 *
 * MUP_ERR_FORMAT  not a description: syntax, an unsupported feature, a broken rule. *problems say.
 * MUP_ERR_RANGE   larger, deeper or with more triples than the limits above. *problems say.
 * MUP_ERR_STATE   well formed, but declares another device's UUID than `uuid`. *problems say.
 * MUP_ERR_SPACE   out of memory.
 *
 * *out is written only on success; free it with mup_capability_free().
 */
MUP_MUST_CHECK
enum mup_status mup_description_parse(struct mup_capability **out, struct mup_problems *problems,
                                      struct mup_describer *describer, const void *bytes,
                                      size_t size, enum mup_description_format format,
                                      const char *uuid);

/*
 * Only the RDF of a description as canonical N-Triples, sorted, before anything is materialised; it
 * need not be of a device. Control characters of texts stand as they are. *out is NUL terminated
 * and freed by the caller with free(). Errors as for mup_description_parse().
 */
MUP_MUST_CHECK
enum mup_status mup_description_ntriples(char **out, struct mup_problems *problems,
                                         struct mup_describer *describer, const void *bytes,
                                         size_t size, enum mup_description_format format);

/* NULL is allowed. */
void mup_capability_free(struct mup_capability *capability);

/* The SHA-256 digest by which a device announces its template. Fails only when OpenSSL does. */
MUP_MUST_CHECK
enum mup_status mup_description_digest(uint8_t out[MUP_DESCRIPTION_DIGEST_SIZE], const void *bytes,
                                       size_t size);

/* True when a device with this UUID may use the capability: the template has `%s`, or names it. */
bool mup_capability_admits(const struct mup_capability *capability, const char *uuid);

/* The RPC with this YANG name, or NULL. */
const struct mup_rpc *mup_capability_rpc(const struct mup_capability *capability,
                                         const char *yang_name);

/* The declared state of an answer, or NULL: the device answered what it never declared. */
const struct mup_declared_state *mup_rpc_state_by_code(const struct mup_rpc *rpc, int64_t code);
const struct mup_declared_state *mup_rpc_state_by_text(const struct mup_rpc *rpc, const char *text);

/*
 * Fill a template for the device called `name`: `%s` becomes the name, `%%` a percent sign.
 * Returns MUP_ERR_SPACE when out_size (with NUL) is too small; `out` is written only on success.
 */
MUP_MUST_CHECK
enum mup_status mup_topic_fill(char *out, size_t out_size, const char *topic_template,
                               const char *name);

/* Judge a filled topic for the device called `name` (its MQTT user name). */
enum mup_topic_fault mup_topic_check(const char *topic, const char *name);

/* What a fault says to a person, such as "no level of it is the device's name"; never NULL. */
const char *mup_topic_fault_text(enum mup_topic_fault fault);

/*
 * The capability as JSON (machine) or as an indented tree (person). `name` fills the topics; NULL
 * leaves the templates. *out is NUL terminated and freed by the caller with free().
 */
MUP_MUST_CHECK
enum mup_status mup_capability_json(char **out, const struct mup_capability *capability,
                                    const char *name);
MUP_MUST_CHECK
enum mup_status mup_capability_tree(char **out, const struct mup_capability *capability,
                                    const char *name);

#endif
