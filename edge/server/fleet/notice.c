/* Element by element: <notification><eventTime/><KIND><LEAF/>...</KIND></notification>. */
#include "server/fleet/notice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/xml.h"

struct reading {
    struct mup_notice notice;
    char leaf[64]; /* the one that is open; "": none */
    unsigned leaf_depth;
    char text[MUP_NOTICE_VALUE_SIZE];
    bool is_cut; /* the text did not fit */
};

static enum mup_notice_kind kind_of(struct mup_xml_span local)
{
    static const struct {
        const char *name;
        enum mup_notice_kind kind;
    } kinds[] = {
        {"device-change", MUP_NOTICE_CHANGE},         {"update-progress", MUP_NOTICE_PROGRESS},
        {"telemetry", MUP_NOTICE_TELEMETRY},          {"event", MUP_NOTICE_EVENT},
        {"netconf-config-change", MUP_NOTICE_CONFIG},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (mup_xml_is(local, kinds[i].name)) {
            return kinds[i].kind;
        }
    }
    return MUP_NOTICE_OTHER;
}

static void set(char *out, size_t size, const char *text)
{
    if (strlen(text) < size) {
        memcpy(out, text, strlen(text) + 1);
    }
}

static void take_leaf(struct reading *reading)
{
    struct mup_notice *n = &reading->notice;
    bool is_point = n->kind == MUP_NOTICE_TELEMETRY || n->kind == MUP_NOTICE_EVENT;

    if (reading->is_cut) {
        return;
    }
    if (reading->leaf_depth == 2 && strcmp(reading->leaf, "eventTime") == 0) {
        set(n->time, sizeof n->time, reading->text);
    } else if (reading->leaf_depth == 3 && is_point &&
               (strcmp(reading->leaf, "point") == 0 || strcmp(reading->leaf, "event") == 0)) {
        set(n->point, sizeof n->point, reading->text);
    } else if (reading->leaf_depth == 3 && is_point && strcmp(reading->leaf, "value") == 0) {
        set(n->value, sizeof n->value, reading->text);
    } else if (reading->leaf_depth == 3 && is_point && strcmp(reading->leaf, "unit") == 0) {
        set(n->unit, sizeof n->unit, reading->text);
    } else if (reading->leaf_depth == 3 && is_point && strcmp(reading->leaf, "symbol") == 0) {
        set(n->symbol, sizeof n->symbol, reading->text);
    } else if (reading->leaf_depth == 3) {
        n->has_reason |= strcmp(reading->leaf, "reason") == 0;
        mup_directory_take_leaf(&n->device, reading->leaf, reading->text);
    }
}

static void take_text(struct reading *reading, const struct mup_xml *xml)
{
    size_t have = strlen(reading->text);
    size_t room = sizeof reading->text - have;

    if (xml->cdata && xml->text.size < room) {
        memcpy(reading->text + have, xml->text.bytes, xml->text.size);
        reading->text[have + xml->text.size] = '\0';
    } else if (xml->cdata || mup_xml_decode(reading->text + have, room, xml->text) != MUP_OK) {
        reading->is_cut = true;
    }
}

static void open_element(struct reading *reading, const struct mup_xml *xml)
{
    if (xml->depth == 2 && !mup_xml_is(xml->local, "eventTime")) {
        reading->notice.kind = kind_of(xml->local);
    }
    reading->leaf_depth = xml->depth;
    reading->text[0] = '\0';
    reading->is_cut = false;
    snprintf(reading->leaf, sizeof reading->leaf, "%.*s", (int)xml->local.size, xml->local.bytes);
}

static enum mup_status read_all(struct reading *reading, const char *bytes, size_t size)
{
    struct mup_xml xml;
    enum mup_status status;

    mup_xml_init(&xml, bytes, size);
    while ((status = mup_xml_next(&xml)) == MUP_OK && xml.event != MUP_XML_DONE) {
        if (xml.event == MUP_XML_START) {
            if (xml.depth == 1 && !mup_xml_is(xml.local, "notification")) {
                return MUP_ERR_FORMAT;
            }
            open_element(reading, &xml);
        } else if (xml.event == MUP_XML_TEXT) {
            take_text(reading, &xml);
        } else {
            if (xml.depth == reading->leaf_depth) {
                take_leaf(reading);
            }
            reading->leaf_depth = 0;
        }
    }
    return status;
}

enum mup_status mup_notice_parse(struct mup_notice *out, const char *xml, size_t size)
{
    struct reading *reading = calloc(1, sizeof *reading);

    if (!reading) {
        return MUP_ERR_SPACE;
    }
    enum mup_status status = read_all(reading, xml, size);
    if (status == MUP_OK) {
        *out = reading->notice;
    }
    free(reading);
    return status;
}
