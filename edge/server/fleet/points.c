/* A <get> for one device, in a session of its own. */
#include "server/fleet/points.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/netconf_client.h"
#include "runtime/text.h"
#include "runtime/xml.h"
#include "server/fleet/notice.h"

struct question {
    struct question *next;
    struct mup_point_reader *reader;
    struct mup_netconf_client *client;
    struct mup_timer *settle;
    json_t *points;
    void (*on_points)(void *arg, const json_t *points);
    void *arg;
};

struct mup_point_reader {
    struct mup_loop *loop;
    char *socket_path;
    char *user;
    struct question *questions;
};

/* ---- reading ---- */

struct reading {
    json_t *points;
    unsigned list_depth; /* of the open <telemetry>; 0: none */
    char leaf[32];
    unsigned leaf_depth;
    char text[MUP_NOTICE_VALUE_SIZE];
    char name[MUP_DIRECTORY_TEXT_SIZE];
    char value[MUP_NOTICE_VALUE_SIZE];
    char time[MUP_DIRECTORY_TIME_SIZE];
};

static void set(char *out, size_t size, const char *text)
{
    if (strlen(text) < size) {
        memcpy(out, text, strlen(text) + 1);
    }
}

static void open_element(struct reading *r, const struct mup_xml *xml)
{
    if (r->list_depth == 0 && mup_xml_is(xml->local, "telemetry")) {
        r->list_depth = xml->depth;
        r->name[0] = r->value[0] = r->time[0] = '\0';
    }
    r->leaf_depth = xml->depth;
    r->text[0] = r->leaf[0] = '\0';
    if (xml->local.size < sizeof r->leaf) {
        memcpy(r->leaf, xml->local.bytes, xml->local.size);
        r->leaf[xml->local.size] = '\0';
    }
}

static void close_element(struct reading *r, const struct mup_xml *xml)
{
    if (r->list_depth != 0 && r->leaf_depth == xml->depth && xml->depth == r->list_depth + 1) {
        if (strcmp(r->leaf, "name") == 0) {
            set(r->name, sizeof r->name, r->text);
        } else if (strcmp(r->leaf, "value") == 0) {
            set(r->value, sizeof r->value, r->text);
        } else if (strcmp(r->leaf, "time") == 0) {
            set(r->time, sizeof r->time, r->text);
        }
    }
    if (xml->depth == r->list_depth) {
        json_t *value = json_string(r->value);
        if (r->name[0] && json_object_size(r->points) < MUP_POINTS_MAX) {
            json_object_set_new(
                r->points, r->name,
                json_pack("{s:o, s:s}", "value", value ? value : json_null(), "at", r->time));
        } else {
            json_decref(value);
        }
        r->list_depth = 0;
    }
    r->leaf_depth = 0;
}

json_t *mup_points_parse(const char *bytes, size_t size)
{
    struct reading *reading = calloc(1, sizeof *reading);
    json_t *points = json_object();
    struct mup_xml xml;

    if (!reading) {
        return points;
    }
    reading->points = points;
    mup_xml_init(&xml, bytes, size);
    while (mup_xml_next(&xml) == MUP_OK && xml.event != MUP_XML_DONE) {
        if (xml.event == MUP_XML_START) {
            open_element(reading, &xml);
        } else if (xml.event == MUP_XML_END) {
            close_element(reading, &xml);
        } else if (xml.cdata || mup_xml_decode(reading->text, sizeof reading->text, xml.text)) {
            reading->text[0] = '\0';
        }
    }
    free(reading);
    return points;
}

/* ---- asking ---- */

static void free_question(struct question *question)
{
    struct question **at = &question->reader->questions;

    while (*at != question) {
        at = &(*at)->next;
    }
    *at = question->next;
    mup_netconf_client_free(question->client);
    mup_timer_free(question->settle);
    json_decref(question->points);
    free(question);
}

static void settle(void *arg)
{
    struct question *question = arg;

    question->on_points(question->arg, question->points);
    free_question(question);
}

static void on_reply(void *arg, const struct mup_netconf_reply *reply)
{
    struct question *question = arg;

    if (reply->outcome == MUP_NETCONF_OK) {
        json_decref(question->points);
        question->points = mup_points_parse(reply->xml, reply->xml_size);
    }
    mup_timer_start(question->settle, 0);
}

static void on_state(void *arg, bool open)
{
    (void)arg;
    (void)open;
}

static bool call(struct question *question, const char *uuid)
{
    struct mup_text xml = {0};

    mup_text_add(&xml, "<get xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\">"
                       "<filter type=\"subtree\"><devices xmlns=\"urn:mup:myno-devices\"><device>"
                       "<uuid>");
    mup_text_escape(&xml, uuid);
    mup_text_add(&xml, "</uuid><telemetry/></device></devices></filter></get>");
    bool good =
        !xml.failed && mup_netconf_client_call(question->client, xml.bytes, MUP_POINTS_TIMEOUT_MS,
                                               on_reply, question) == MUP_OK;
    mup_text_free(&xml);
    return good;
}

bool mup_point_reader_ask(struct mup_point_reader *reader, const char *uuid,
                          void (*on_points)(void *arg, const json_t *points), void *arg)
{
    struct mup_netconf_client_settings settings = {.socket_path = reader->socket_path,
                                                   .user = reader->user};
    struct question *question = calloc(1, sizeof *question);

    if (!question || !(question->settle = mup_timer_new(reader->loop, settle, question))) {
        free(question);
        return false;
    }
    question->reader = reader;
    question->points = json_object();
    question->on_points = on_points;
    question->arg = arg;
    question->next = reader->questions;
    reader->questions = question;
    question->client = mup_netconf_client_new(reader->loop, &settings, on_state, question);
    if (!question->client || !call(question, uuid)) {
        mup_timer_start(question->settle, 0);
    }
    return true;
}

struct mup_point_reader *mup_point_reader_new(struct mup_loop *loop, const char *socket_path,
                                              const char *user)
{
    struct mup_point_reader *reader = calloc(1, sizeof *reader);

    if (!reader) {
        return NULL;
    }
    reader->loop = loop;
    reader->socket_path = strdup(socket_path);
    reader->user = strdup(user);
    if (!reader->socket_path || !reader->user) {
        mup_point_reader_free(reader);
        return NULL;
    }
    return reader;
}

void mup_point_reader_free(struct mup_point_reader *reader)
{
    if (!reader) {
        return;
    }
    while (reader->questions) {
        free_question(reader->questions);
    }
    free(reader->socket_path);
    free(reader->user);
    free(reader);
}
