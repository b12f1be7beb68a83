/*
 * A pull reader for the XML that NETCONF carries: elements, attributes and text, one event a call.
 *
 * It exists to look at bytes of strangers before anything larger does. It accepts only well-formed
 * UTF-8 without document type, entities of its own or processing instructions (RFC 6241 3 forbids
 * the first), with matching tags, at most MUP_XML_DEPTH_MAX deep. It allocates nothing, does not
 * recurse, and everything that it returns points into the caller's bytes. Namespaces are not
 * resolved; names are given with and without prefix.
 *
 *     mup_xml_init(&xml, bytes, size);
 *     while (mup_xml_next(&xml) == MUP_OK && xml.event != MUP_XML_DONE) ...
 */
#ifndef MUP_RUNTIME_XML_H
#define MUP_RUNTIME_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"

#define MUP_XML_DEPTH_MAX      64u
#define MUP_XML_ATTRIBUTES_MAX 64u /* of one element */
#define MUP_XML_NAME_SIZE_MAX  256u

enum mup_xml_event {
    MUP_XML_START, /* an element begins: name, local; attributes by mup_xml_attribute() */
    MUP_XML_END,   /* it ends; <a/> gives both */
    MUP_XML_TEXT,  /* a run of text, raw: decode with mup_xml_decode() unless cdata */
    MUP_XML_DONE,  /* the document is complete and nothing follows it */
};

struct mup_xml_span {
    const char *bytes;
    size_t size;
};

struct mup_xml {
    enum mup_xml_event event;
    struct mup_xml_span name;  /* as written, with prefix */
    struct mup_xml_span local; /* without */
    struct mup_xml_span text;
    bool cdata;
    unsigned depth; /* open elements; in START and END counts the element itself */
    size_t at;      /* of the next byte to read; after an error, where it was */

    /* private */
    const char *bytes;
    size_t size;
    bool root_seen;
    bool empty_element;
    bool end_pending;
    struct mup_xml_span attributes;
    struct mup_xml_span open[MUP_XML_DEPTH_MAX];
};

void mup_xml_init(struct mup_xml *xml, const char *bytes, size_t size);

/* MUP_ERR_FORMAT: not what is accepted, or cut off; xml->at says where. MUP_ERR_RANGE: a limit. */
MUP_MUST_CHECK
enum mup_status mup_xml_next(struct mup_xml *xml);

/* After START: the raw value of the attribute with this name, as written. False: none. */
bool mup_xml_attribute(const struct mup_xml *xml, const char *name, struct mup_xml_span *value);

/* True if the span has exactly these bytes. */
bool mup_xml_is(struct mup_xml_span span, const char *text);

/* Write the text with its references decoded, NUL-terminated. MUP_ERR_SPACE: it does not fit. */
MUP_MUST_CHECK
enum mup_status mup_xml_decode(char *text, size_t size, struct mup_xml_span raw);

/* Read the whole document. MUP_ERR_RANGE: more than elements_max elements, or another limit. */
MUP_MUST_CHECK
enum mup_status mup_xml_check(const char *bytes, size_t size, size_t elements_max);

/* Bytes of the UTF-8 character at text[0..size) when XML 1.0 (production 2) allows it; 0: there is
 * none, or it is torn or forbidden. */
size_t mup_xml_character_size(const char *text, size_t size);

#endif
