/* The device, its functions and its telemetry, and the rules they must keep (extract.h). */
#include "bridge/description/extract.h"

#include <string.h>

#include "bridge/description/units.h"
#include "bridge/description/yang_name.h"
#include "mup/rpc.h"

/* Stands for the device while a template's topics are judged. Not UTF-8, so no description has it.
 */
#define ANY_NAME "\x80"

const char *mup_extract_one(struct mup_extraction *extraction, enum mup_question question,
                            const char *key, const char *what)
{
    size_t count;
    const struct mup_pair *pairs = mup_answer_of(&extraction->answers->to[question], key, &count);
    if (count == 0)
        return NULL;
    if (count > 1)
        mup_problems_warning(extraction->problems, 0, key, "has %zu %s; `%s` is used", count, what,
                             pairs[0].value);
    return pairs[0].value;
}

enum mup_status mup_extract_only(const char **out, struct mup_extraction *extraction,
                                 enum mup_question question, const char *key, const char *what)
{
    size_t count;
    const struct mup_pair *pairs = mup_answer_of(&extraction->answers->to[question], key, &count);
    if (count > 1) {
        mup_problems_error(extraction->problems, 0, key, "has %zu %s: `%s`, `%s`", count, what,
                           pairs[0].value, pairs[1].value);
        return MUP_ERR_FORMAT;
    }
    *out = count == 0 ? NULL : pairs[0].value;
    return MUP_OK;
}

/* States of one name stand in many functions: each text is kept once, as far as the table reaches.
 */
static const char **place_of(struct mup_extraction *extraction, const char *text)
{
    uint32_t hash = 2166136261u;

    for (const char *at = text; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    return &extraction->texts[hash % MUP_EXTRACTION_TEXTS];
}

const char *mup_extract_text(struct mup_extraction *extraction, const char *text)
{
    if (!text || !text[0])
        return "";
    const char **place = place_of(extraction, text);
    if (*place && strcmp(*place, text) == 0)
        return *place;
    char *copy = mup_arena_copy(extraction->arena, text, strlen(text));
    if (!copy)
        return NULL;
    if (!strchr(text, '%'))
        *place = copy; /* it will not be shortened below */
    char *to = copy;
    for (const char *from = copy; *from; from++) {
        *to++ = *from;
        if (from[0] == '%' && from[1] == '%')
            from++;
    }
    *to = '\0';
    return copy;
}

enum mup_status mup_extract_count(struct mup_extraction *extraction, const char *where,
                                  size_t count, size_t maximum, const char *what)
{
    extraction->items += count;
    if (count > maximum) {
        mup_problems_error(extraction->problems, 0, where, "more than %zu %s", maximum, what);
        return MUP_ERR_RANGE;
    }
    if (extraction->items > MUP_CAPABILITY_ITEMS_MAX) {
        mup_problems_error(extraction->problems, 0, where,
                           "more than %u inputs, values and states together",
                           MUP_CAPABILITY_ITEMS_MAX);
        return MUP_ERR_RANGE;
    }
    return MUP_OK;
}

enum mup_status mup_extract_unit(const char **unit, const char **symbol,
                                 struct mup_extraction *extraction, enum mup_question question,
                                 const char *key)
{
    const char *iri = mup_extract_one(extraction, question, key, "units");
    const char *stated =
        iri ? mup_extract_one(extraction, MUP_ASK_UNIT_SYMBOL, iri, "symbols") : NULL;
    *unit = mup_extract_text(extraction, iri ? mup_iri_local_name(iri) : "");
    *symbol = mup_extract_text(extraction, stated || !iri ? stated : mup_unit_symbol(iri));
    return *unit && *symbol ? MUP_OK : MUP_ERR_SPACE;
}

static enum mup_status copy_raw(struct mup_extraction *extraction, const char *text,
                                const char **out)
{
    *out = mup_arena_copy(extraction->arena, text, strlen(text));
    return *out ? MUP_OK : MUP_ERR_SPACE;
}

static enum mup_status broken(struct mup_extraction *extraction, const char *where,
                              const char *text)
{
    mup_problems_error(extraction->problems, 0, where, "%s", text);
    return MUP_ERR_FORMAT;
}

static enum mup_status extract_uuid(struct mup_capability *out, struct mup_extraction *extraction,
                                    const char *device)
{
    size_t count;
    const struct mup_pair *pairs =
        mup_answer_of(&extraction->answers->to[MUP_ASK_DEVICE_UUID], device, &count);
    if (count == 0)
        return broken(extraction, device,
                      "has no UUID (b:uuid \"%s\", or hasThingProperty deviceUuid, hasValue)");
    if (count > 1)
        return broken(extraction, device, "has more than one UUID");
    const char *uuid = pairs[0].value;
    if (strcmp(uuid, "%s") != 0 && strchr(uuid, '%'))
        return broken(extraction, device, "the UUID must be %s or the text of one device's UUID");
    if (uuid[0] == '\0' || strlen(uuid) > MUP_UUID_SIZE_MAX)
        return broken(extraction, device, "the UUID must have 1 to 64 bytes");
    for (const char *c = uuid; *c; c++) {
        if ((unsigned char)*c <= 0x20 || *c == 0x7f || *c == '/')
            return broken(extraction, device,
                          "the UUID has a space, a slash or a control character");
    }
    if (strpbrk(uuid, "+#$"))
        mup_problems_warning(extraction->problems, 0, device,
                             "the UUID `%s` has one of + # $, so it cannot stand in a topic", uuid);
    return copy_raw(extraction, uuid, &out->uuid);
}

/* A category belongs to the kind: `%s` in it would give every device a module of its own. */
static enum mup_status extract_category(struct mup_capability *out,
                                        struct mup_extraction *extraction, const char *device)
{
    const char *category = NULL;
    enum mup_status status =
        mup_extract_only(&category, extraction, MUP_ASK_DEVICE_CATEGORY, device, "categories");
    if (status != MUP_OK)
        return status;
    if (!category || category[0] == '\0')
        return broken(extraction, device,
                      "has no category (b:category, or hasThingProperty deviceCategory, hasValue)");
    char *copy = mup_arena_copy(extraction->arena, category, strlen(category));
    if (!copy)
        return MUP_ERR_SPACE;
    for (char *at = strstr(copy, "%s"); at; at = strstr(copy, "%s")) {
        mup_problems_warning(extraction->problems, 0, device,
                             "%%s in the category `%s` is left out: all devices of a kind share it",
                             category);
        memmove(at, at + 2, strlen(at + 2) + 1);
    }
    out->category = mup_extract_text(extraction, copy[0] ? copy : "device");
    return out->category ? MUP_OK : MUP_ERR_SPACE;
}

static enum mup_status extract_device(struct mup_capability *out, struct mup_extraction *extraction)
{
    const struct mup_answer *devices = &extraction->answers->to[MUP_ASK_DEVICE];
    if (devices->count == 0)
        return broken(extraction, NULL, "nothing in it is a Device (rdf:type oneM2M Device)");
    if (devices->count > 1)
        return broken(extraction, devices->pairs[1].key,
                      "a second Device: a description describes exactly one");
    const char *device = devices->pairs[0].key;
    enum mup_status status = extract_uuid(out, extraction, device);
    if (status == MUP_OK)
        status = extract_category(out, extraction, device);
    if (status != MUP_OK)
        return status;
    out->description = mup_extract_text(
        extraction, mup_extract_one(extraction, MUP_ASK_DEVICE_TEXT, device, "descriptions"));
    return out->description ? MUP_OK : MUP_ERR_SPACE;
}

/* The topic of a template for nobody in particular, or of the one device that it names. */
static enum mup_topic_fault judge_topic(const struct mup_capability *capability, const char *topic)
{
    const char *name = strcmp(capability->uuid, "%s") == 0 ? ANY_NAME : capability->uuid;
    char filled[MUP_TOPIC_SIZE_MAX + 1];
    if (mup_topic_fill(filled, sizeof filled, topic, name) != MUP_OK)
        return MUP_TOPIC_TEXT;
    return mup_topic_check(filled, name);
}

static enum mup_status extract_topic(const char **topic, enum mup_topic_fault *fault,
                                     const struct mup_capability *capability,
                                     struct mup_extraction *extraction, const char *where,
                                     const char *text)
{
    *fault = judge_topic(capability, text);
    if (*fault != MUP_TOPIC_OK)
        mup_problems_warning(extraction->problems, 0, where, "unusable topic `%s`: %s", text,
                             mup_topic_fault_text(*fault));
    return copy_raw(extraction, text, topic);
}

/* Where a person finds this node: a blank one has no name in the file, who refers to it has. */
static const char *named_place(const char *node, const char *referrer)
{
    return strncmp(node, "_:", 2) == 0 ? referrer : node;
}

/* The operation by which a command travels over MQTT; NULL when there is none. */
static const char *find_operation(struct mup_extraction *extraction, const char *command)
{
    size_t count, with_topic = 0;
    const char *found = NULL;
    const struct mup_pair *pairs =
        mup_answer_of(&extraction->answers->to[MUP_ASK_OPERATION], command, &count);
    for (size_t i = 0; i < count; i++) {
        size_t topics;
        mup_answer_of(&extraction->answers->to[MUP_ASK_OPERATION_TOPIC], pairs[i].value, &topics);
        if (topics > 0 && with_topic++ == 0)
            found = pairs[i].value;
    }
    if (with_topic > 1)
        mup_problems_warning(extraction->problems, 0, command,
                             "is exposed by %zu operations with a topic; `%s` is used", with_topic,
                             mup_iri_local_name(found));
    return found;
}

static enum mup_status extract_rpc(struct mup_rpc *out, const struct mup_capability *capability,
                                   struct mup_extraction *extraction, const char *function,
                                   const char *command)
{
    const char *topic = NULL, *method = NULL;
    const char *operation = find_operation(extraction, command);
    if (!operation)
        return broken(extraction, command,
                      "a command without a topic: no operation that a service of the device has "
                      "exposes it with mqttTopic");
    const char *place = named_place(operation, command);
    enum mup_status status =
        mup_extract_only(&topic, extraction, MUP_ASK_OPERATION_TOPIC, operation, "topics");
    if (status == MUP_OK)
        status =
            mup_extract_only(&method, extraction, MUP_ASK_OPERATION_METHOD, operation, "methods");
    if (status != MUP_OK)
        return status;
    if (!method || method[0] == '\0')
        return broken(extraction, place, "an operation without mqttMethod");
    if (strlen(method) > MUP_METHOD_MAX)
        return broken(extraction, place, "the method has more than 32 bytes");

    out->method = mup_extract_text(extraction, method);
    out->description = mup_extract_text(
        extraction, mup_extract_one(extraction, MUP_ASK_FUNCTION_TEXT, function, "descriptions"));
    if (!out->method || !out->description)
        return MUP_ERR_SPACE;
    status = extract_topic(&out->topic, &out->topic_fault, capability, extraction, function, topic);
    if (status == MUP_OK)
        status = mup_extract_inputs(out, extraction, operation);
    if (status == MUP_OK)
        status = mup_extract_states(out, extraction, operation, place);
    return status;
}

static enum mup_status extract_point(struct mup_telemetry *out,
                                     const struct mup_capability *capability,
                                     struct mup_extraction *extraction, const char *function,
                                     const char *point)
{
    const char *topic = NULL;
    enum mup_status status =
        mup_extract_only(&topic, extraction, MUP_ASK_POINT_TOPIC, point, "topics");
    if (status != MUP_OK)
        return status;
    if (!topic)
        return broken(extraction, named_place(point, function), "a data point without mqttTopic");
    out->description = mup_extract_text(
        extraction, mup_extract_one(extraction, MUP_ASK_FUNCTION_TEXT, function, "descriptions"));
    if (!out->description)
        return MUP_ERR_SPACE;
    status = mup_extract_unit(&out->unit, &out->symbol, extraction, MUP_ASK_POINT_UNIT, point);
    if (status != MUP_OK)
        return status;
    return extract_topic(&out->topic, &out->topic_fault, capability, extraction, function, topic);
}

/* Where the functions are gathered: room for all of them, filled as they are met. */
struct gathered {
    struct mup_rpc *rpcs;
    struct mup_telemetry *telemetry, *events;
    struct mup_yang_scope rpc_names, telemetry_names;
};

static enum mup_status gather_rpc(struct mup_capability *out, struct gathered *gathered,
                                  struct mup_extraction *extraction, const char *function,
                                  const char *command)
{
    if (out->rpc_count == MUP_CAPABILITY_RPCS_MAX) {
        mup_problems_error(extraction->problems, 0, function,
                           "more than %u functions with a command", MUP_CAPABILITY_RPCS_MAX);
        return MUP_ERR_RANGE;
    }
    struct mup_rpc *rpc = &gathered->rpcs[out->rpc_count];
    enum mup_status status = extract_rpc(rpc, out, extraction, function, command);
    if (status == MUP_OK)
        status = copy_raw(extraction, mup_iri_local_name(function), &rpc->name);
    if (status != MUP_OK)
        return status;
    rpc->yang_name = mup_yang_name_unique(&gathered->rpc_names, extraction->arena, rpc->name);
    out->rpc_count++;
    return rpc->yang_name ? MUP_OK : MUP_ERR_SPACE;
}

static bool is_event(const struct mup_extraction *extraction, const char *function)
{
    size_t count;
    mup_answer_of(&extraction->answers->to[MUP_ASK_FUNCTION_EVENT], function, &count);
    return count > 0;
}

static enum mup_status gather_point(struct mup_capability *out, struct gathered *gathered,
                                    struct mup_extraction *extraction, const char *function,
                                    const char *point)
{
    if (out->telemetry_count + out->event_count == MUP_CAPABILITY_TELEMETRY_MAX) {
        mup_problems_error(extraction->problems, 0, function, "more than %u data points",
                           MUP_CAPABILITY_TELEMETRY_MAX);
        return MUP_ERR_RANGE;
    }
    bool event = is_event(extraction, function);
    struct mup_telemetry *telemetry =
        event ? &gathered->events[out->event_count] : &gathered->telemetry[out->telemetry_count];
    enum mup_status status = extract_point(telemetry, out, extraction, function, point);
    if (status == MUP_OK)
        status = copy_raw(extraction, mup_iri_local_name(function), &telemetry->name);
    if (status != MUP_OK)
        return status;
    telemetry->yang_name =
        mup_yang_name_unique(&gathered->telemetry_names, extraction->arena, telemetry->name);
    if (event)
        out->event_count++;
    else
        out->telemetry_count++;
    return telemetry->yang_name ? MUP_OK : MUP_ERR_SPACE;
}

static enum mup_status gather_function(struct mup_capability *out, struct gathered *gathered,
                                       struct mup_extraction *extraction, const char *function)
{
    const struct mup_answers *answers = extraction->answers;
    size_t count;
    mup_answer_of(&answers->to[MUP_ASK_FUNCTION_EXPOSED], function, &count);
    if (count == 0) {
        mup_problems_warning(extraction->problems, 0, function,
                             "left out: no service that the device reaches exposes it");
        return MUP_OK;
    }
    const char *command = mup_extract_one(extraction, MUP_ASK_COMMAND, function, "commands");
    if (command)
        return gather_rpc(out, gathered, extraction, function, command);

    const struct mup_pair *points =
        mup_answer_of(&answers->to[MUP_ASK_TELEMETRY], function, &count);
    if (count == 0)
        mup_problems_warning(extraction->problems, 0, function,
                             "left out: it has neither a command nor a data point");
    for (size_t i = 0; i < count; i++) {
        enum mup_status status = gather_point(out, gathered, extraction, function, points[i].value);
        if (status != MUP_OK)
            return status;
    }
    return MUP_OK;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

enum mup_status mup_extract(struct mup_capability *out, struct mup_extraction *extraction)
{
    struct gathered gathered = {0};
    enum mup_status status = extract_device(out, extraction);
    if (status != MUP_OK)
        return status;
    /* No more than there are answers, so that a small description takes little memory. */
    size_t rpcs = least(extraction->answers->to[MUP_ASK_COMMAND].count, MUP_CAPABILITY_RPCS_MAX);
    size_t points =
        least(extraction->answers->to[MUP_ASK_TELEMETRY].count, MUP_CAPABILITY_TELEMETRY_MAX);
    gathered.rpcs = mup_arena_take(extraction->arena, rpcs * sizeof *gathered.rpcs);
    gathered.telemetry = mup_arena_take(extraction->arena, points * sizeof *gathered.telemetry);
    gathered.events = mup_arena_take(extraction->arena, points * sizeof *gathered.events);
    if (!gathered.rpcs || !gathered.telemetry || !gathered.events)
        return MUP_ERR_SPACE;
    out->rpcs = gathered.rpcs;
    out->telemetry = gathered.telemetry;
    out->events = gathered.events;
    const struct mup_answer *functions = &extraction->answers->to[MUP_ASK_FUNCTION];
    for (size_t i = 0; i < functions->count && status == MUP_OK; i++)
        status = gather_function(out, &gathered, extraction, functions->pairs[i].key);
    if (status == MUP_OK)
        status = mup_extract_check(out, extraction);
    return status;
}
