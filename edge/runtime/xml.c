/* The XML pull reader: every byte is looked at once, in order; nothing is kept but the names of
 * the open elements. */
#include "runtime/xml.h"

#include <string.h>

void mup_xml_init(struct mup_xml *xml, const char *bytes, size_t size)
{
    *xml = (struct mup_xml){.bytes = bytes, .size = size};
}

bool mup_xml_is(struct mup_xml_span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.bytes, text, span.size) == 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t left(const struct mup_xml *xml)
{
    return xml->size - xml->at;
}

static bool starts_with(const struct mup_xml *xml, const char *text)
{
    size_t size = strlen(text);

    return left(xml) >= size && memcmp(xml->bytes + xml->at, text, size) == 0;
}

static void skip_space(struct mup_xml *xml)
{
    while (left(xml) > 0 && is_space(xml->bytes[xml->at])) {
        xml->at++;
    }
}

/* Whether XML 1.0 (production 2) has this character. */
static bool is_character(uint32_t value)
{
    return value == 0x9 || value == 0xa || value == 0xd || (value >= 0x20 && value <= 0xd7ff) ||
           (value >= 0xe000 && value <= 0xfffd) || (value >= 0x10000 && value <= 0x10ffff);
}

size_t mup_xml_character_size(const char *text, size_t size)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = (const uint8_t *)text;
    size_t length = size == 0                   ? 0
                    : bytes[0] < 0x80           ? 1
                    : (bytes[0] & 0xe0) == 0xc0 ? 2
                    : (bytes[0] & 0xf0) == 0xe0 ? 3
                    : (bytes[0] & 0xf8) == 0xf0 ? 4
                                                : 0;

    if (length == 0 || length > size) {
        return 0;
    }
    uint32_t value = length == 1 ? bytes[0] : bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (bytes[i] & 0x3fu);
    }
    return value < smallest[length] || !is_character(value) ? 0 : length;
}

/* Step over one UTF-8 character that XML allows. */
static enum mup_status skip_character(struct mup_xml *xml)
{
    size_t length = mup_xml_character_size(xml->bytes + xml->at, left(xml));

    xml->at += length;
    return length == 0 ? MUP_ERR_FORMAT : MUP_OK;
}

static int digit_value(char c, unsigned base)
{
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 99;
    return (unsigned)value < base ? value : -1;
}

/* The value of the reference at span.bytes[0] == '&' and its length; 0 if it is none. */
static size_t reference(uint32_t *value, struct mup_xml_span span)
{
    static const struct {
        const char *text;
        char value;
    } named[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};

    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        size_t size = strlen(named[i].text);
        if (span.size >= size && memcmp(span.bytes, named[i].text, size) == 0) {
            *value = (uint32_t)named[i].value;
            return size;
        }
    }
    if (span.size < 4 || span.bytes[1] != '#') {
        return 0;
    }
    unsigned base = span.bytes[2] == 'x' ? 16 : 10;
    size_t at = base == 16 ? 3 : 2;
    size_t first = at;
    uint32_t number = 0;
    while (at < span.size && digit_value(span.bytes[at], base) >= 0 && number <= 0x10ffff) {
        number = number * base + (uint32_t)digit_value(span.bytes[at], base);
        at++;
    }
    if (at == first || at == span.size || span.bytes[at] != ';' || !is_character(number)) {
        return 0;
    }
    *value = number;
    return at + 1;
}

/* Step over text up to `end`, checking characters and references. */
static enum mup_status skip_text(struct mup_xml *xml, char end)
{
    while (left(xml) > 0 && xml->bytes[xml->at] != end) {
        uint32_t value;
        if (xml->bytes[xml->at] == '<' || starts_with(xml, "]]>")) {
            return MUP_ERR_FORMAT;
        }
        if (xml->bytes[xml->at] == '&') {
            struct mup_xml_span span = {xml->bytes + xml->at, left(xml)};
            size_t size = reference(&value, span);
            if (size == 0) {
                return MUP_ERR_FORMAT;
            }
            xml->at += size;
            continue;
        }
        if (skip_character(xml)) {
            return MUP_ERR_FORMAT;
        }
    }
    return MUP_OK;
}

/* Step behind the text `end`. */
static enum mup_status skip_behind(struct mup_xml *xml, const char *end)
{
    while (!starts_with(xml, end)) {
        if (left(xml) == 0 || skip_character(xml)) {
            return MUP_ERR_FORMAT;
        }
    }
    xml->at += strlen(end);
    return MUP_OK;
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}

static bool is_name_part(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':';
}

static enum mup_status take_name(struct mup_xml *xml, struct mup_xml_span *name)
{
    size_t first = xml->at;

    if (left(xml) == 0 || !is_name_start(xml->bytes[xml->at])) {
        return MUP_ERR_FORMAT;
    }
    while (left(xml) > 0 && is_name_part(xml->bytes[xml->at])) {
        if (skip_character(xml)) {
            return MUP_ERR_FORMAT;
        }
    }
    *name = (struct mup_xml_span){xml->bytes + first, xml->at - first};
    return name->size > MUP_XML_NAME_SIZE_MAX ? MUP_ERR_RANGE : MUP_OK;
}

/* One ` name="value"`, both given; the reader stands behind the blanks. */
static enum mup_status take_attribute(struct mup_xml *xml, struct mup_xml_span *name,
                                      struct mup_xml_span *value)
{
    enum mup_status status = take_name(xml, name);

    if (status) {
        return status;
    }
    skip_space(xml);
    if (!starts_with(xml, "=")) {
        return MUP_ERR_FORMAT;
    }
    xml->at++;
    skip_space(xml);
    if (!starts_with(xml, "\"") && !starts_with(xml, "'")) {
        return MUP_ERR_FORMAT;
    }
    char quote = xml->bytes[xml->at++];
    size_t first = xml->at;
    if (skip_text(xml, quote) || left(xml) == 0) {
        return MUP_ERR_FORMAT;
    }
    *value = (struct mup_xml_span){xml->bytes + first, xml->at - first};
    xml->at++;
    return MUP_OK;
}

static struct mup_xml_span local_of(struct mup_xml_span name)
{
    const char *colon = memchr(name.bytes, ':', name.size);

    if (colon) {
        name.size -= (size_t)(colon + 1 - name.bytes);
        name.bytes = colon + 1;
    }
    return name;
}

static enum mup_status take_attributes(struct mup_xml *xml)
{
    struct mup_xml_span name;
    struct mup_xml_span value;
    size_t first = xml->at;

    for (size_t count = 0;; count++) {
        size_t before = xml->at;
        skip_space(xml);
        if (starts_with(xml, ">") || starts_with(xml, "/>")) {
            xml->attributes = (struct mup_xml_span){xml->bytes + first, xml->at - first};
            return MUP_OK;
        }
        if (xml->at == before) {
            return MUP_ERR_FORMAT;
        }
        if (count == MUP_XML_ATTRIBUTES_MAX) {
            return MUP_ERR_RANGE;
        }
        enum mup_status status = take_attribute(xml, &name, &value);
        if (status) {
            return status;
        }
    }
}

static enum mup_status take_start(struct mup_xml *xml)
{
    if (xml->depth == 0 && xml->root_seen) {
        return MUP_ERR_FORMAT;
    }
    if (xml->depth == MUP_XML_DEPTH_MAX) {
        return MUP_ERR_RANGE;
    }
    xml->at++;
    enum mup_status status = take_name(xml, &xml->name);
    if (status) {
        return status;
    }
    status = take_attributes(xml);
    if (status) {
        return status;
    }
    xml->empty_element = starts_with(xml, "/>");
    xml->at += xml->empty_element ? 2 : 1;
    xml->local = local_of(xml->name);
    xml->open[xml->depth++] = xml->name;
    xml->root_seen = true;
    xml->event = MUP_XML_START;
    return MUP_OK;
}

static enum mup_status take_end(struct mup_xml *xml)
{
    struct mup_xml_span name;

    xml->at += 2;
    if (xml->depth == 0 || take_name(xml, &name)) {
        return MUP_ERR_FORMAT;
    }
    struct mup_xml_span open = xml->open[xml->depth - 1];
    skip_space(xml);
    if (open.size != name.size || memcmp(open.bytes, name.bytes, name.size) != 0 ||
        !starts_with(xml, ">")) {
        return MUP_ERR_FORMAT;
    }
    xml->at++;
    xml->name = name;
    xml->local = local_of(name);
    xml->event = MUP_XML_END;
    xml->end_pending = true;
    return MUP_OK;
}

static enum mup_status take_cdata(struct mup_xml *xml)
{
    if (xml->depth == 0) {
        return MUP_ERR_FORMAT;
    }
    xml->at += strlen("<![CDATA[");
    size_t first = xml->at;
    if (skip_behind(xml, "]]>")) {
        return MUP_ERR_FORMAT;
    }
    xml->text = (struct mup_xml_span){xml->bytes + first, xml->at - first - 3};
    xml->cdata = true;
    xml->event = MUP_XML_TEXT;
    return MUP_OK;
}

/* `<?xml ...?>`, allowed only as the very first bytes, and only for UTF-8. */
static enum mup_status skip_declaration(struct mup_xml *xml)
{
    struct mup_xml_span name;
    struct mup_xml_span value;

    xml->at += strlen("<?xml");
    for (;;) {
        size_t before = xml->at;
        skip_space(xml);
        if (starts_with(xml, "?>")) {
            xml->at += 2;
            return MUP_OK;
        }
        if (xml->at == before || take_attribute(xml, &name, &value)) {
            return MUP_ERR_FORMAT;
        }
        if (mup_xml_is(name, "encoding") && !mup_xml_is(value, "UTF-8") &&
            !mup_xml_is(value, "utf-8")) {
            return MUP_ERR_FORMAT;
        }
    }
}

static enum mup_status take_text(struct mup_xml *xml)
{
    size_t first = xml->at;

    if (skip_text(xml, '<')) {
        return MUP_ERR_FORMAT;
    }
    xml->text = (struct mup_xml_span){xml->bytes + first, xml->at - first};
    xml->cdata = false;
    xml->event = MUP_XML_TEXT;
    return MUP_OK;
}

enum mup_status mup_xml_next(struct mup_xml *xml)
{
    if (xml->end_pending) {
        xml->end_pending = false;
        xml->depth--;
    }
    if (xml->empty_element) {
        xml->empty_element = false;
        xml->end_pending = true;
        xml->event = MUP_XML_END;
        return MUP_OK;
    }
    if (xml->at == 0 && starts_with(xml, "<?xml") && left(xml) > 5 && is_space(xml->bytes[5]) &&
        skip_declaration(xml)) {
        return MUP_ERR_FORMAT;
    }
    for (;;) {
        if (xml->depth == 0) {
            skip_space(xml);
        }
        if (left(xml) == 0) {
            xml->event = MUP_XML_DONE;
            return xml->depth == 0 && xml->root_seen ? MUP_OK : MUP_ERR_FORMAT;
        }
        if (!starts_with(xml, "<!--")) {
            break;
        }
        xml->at += 4;
        if (skip_behind(xml, "--") || !starts_with(xml, ">")) {
            return MUP_ERR_FORMAT;
        }
        xml->at++;
    }
    if (starts_with(xml, "<![CDATA[")) {
        return take_cdata(xml);
    }
    if (starts_with(xml, "</")) {
        return take_end(xml);
    }
    if (starts_with(xml, "<")) {
        return take_start(xml);
    }
    return xml->depth > 0 ? take_text(xml) : MUP_ERR_FORMAT;
}

bool mup_xml_attribute(const struct mup_xml *xml, const char *wanted, struct mup_xml_span *value)
{
    struct mup_xml scan = {.bytes = xml->attributes.bytes, .size = xml->attributes.size};
    struct mup_xml_span name;
    struct mup_xml_span found;

    for (;;) {
        skip_space(&scan);
        if (left(&scan) == 0 || take_attribute(&scan, &name, &found)) {
            return false;
        }
        if (mup_xml_is(name, wanted)) {
            *value = found;
            return true;
        }
    }
}

static size_t put_utf8(char out[4], uint32_t value)
{
    if (value < 0x80) {
        out[0] = (char)value;
        return 1;
    }
    size_t length = value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (value & 0x3f));
        value >>= 6;
    }
    out[0] = (char)((0xf00u >> length & 0xffu) | value);
    return length;
}

enum mup_status mup_xml_decode(char *text, size_t size, struct mup_xml_span raw)
{
    size_t written = 0;

    for (int pass = 0; pass < 2; pass++) { /* measure, then write */
        struct mup_xml_span rest = raw;
        written = 0;
        while (rest.size > 0) {
            char bytes[4] = {rest.bytes[0]};
            size_t count = 1;
            size_t used = 1;
            uint32_t value;
            if (rest.bytes[0] == '&') {
                used = reference(&value, rest);
                if (used == 0) {
                    return MUP_ERR_FORMAT;
                }
                count = put_utf8(bytes, value);
            }
            if (pass == 1) {
                memcpy(text + written, bytes, count);
            }
            written += count;
            rest.bytes += used;
            rest.size -= used;
        }
        if (written >= size) {
            return MUP_ERR_SPACE;
        }
    }
    text[written] = '\0';
    return MUP_OK;
}

enum mup_status mup_xml_check(const char *bytes, size_t size, size_t elements_max)
{
    struct mup_xml xml;
    size_t elements = 0;

    mup_xml_init(&xml, bytes, size);
    for (;;) {
        enum mup_status status = mup_xml_next(&xml);
        if (status) {
            return status;
        }
        if (xml.event == MUP_XML_DONE) {
            return MUP_OK;
        }
        if (xml.event == MUP_XML_START && ++elements > elements_max) {
            return MUP_ERR_RANGE;
        }
    }
}
