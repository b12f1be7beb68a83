/* Looking through the mirror from end to end: ten thousand devices take a few milliseconds. */
#include "server/fleet/fleet.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/fleet/running.h"

/* ---- the question ---- */

static const char *const orders[MUP_FLEET_ORDER_COUNT] = {
    [MUP_FLEET_BY_NAME] = "name",           [MUP_FLEET_BY_LABEL] = "label",
    [MUP_FLEET_BY_CATEGORY] = "category",   [MUP_FLEET_BY_VERSION] = "version",
    [MUP_FLEET_BY_STATE] = "state",         [MUP_FLEET_BY_UPDATE] = "update",
    [MUP_FLEET_BY_LAST_SEEN] = "last_seen",
};

struct reading {
    struct mup_fleet_query *query;
    struct mup_fault *fault;
    bool is_asked;
    bool is_good;
};

/* A number in digits alone, up to `most`. */
static bool read_number(uint64_t *out, const char *text, uint64_t most)
{
    uint64_t value = 0;

    if (text[0] == '\0' || strlen(text) > 10 || strspn(text, "0123456789") != strlen(text)) {
        return false;
    }
    value = strtoull(text, NULL, 10);
    if (value > most) {
        return false;
    }
    *out = value;
    return true;
}

static bool read_order(struct mup_fleet_query *query, const char *text)
{
    query->is_backwards = text[0] == '-';
    for (int i = 0; i < MUP_FLEET_ORDER_COUNT; i++) {
        if (strcmp(orders[i], text + query->is_backwards) == 0) {
            query->order = (enum mup_fleet_order)i;
            return true;
        }
    }
    return false;
}

static bool read_version(struct mup_fleet_query *query, const char *text)
{
    uint64_t number = 0;

    query->has_version = true;
    query->is_unknown = strcmp(text, "unknown") == 0;
    if (!query->is_unknown && !read_number(&number, text, UINT32_MAX)) {
        return false;
    }
    query->version = (uint32_t)number;
    return true;
}

static bool read_size(size_t *out, const char *text, uint64_t least, uint64_t most)
{
    uint64_t number;

    if (!read_number(&number, text, most) || number < least) {
        return false;
    }
    *out = (size_t)number;
    return true;
}

/* NULL: there is no such parameter. Otherwise what it has to be, and whether it is. */
static const char *read_parameter(struct mup_fleet_query *query, const char *name,
                                  const char *value, bool *is_good)
{
    *is_good = true;
    if (strcmp(name, "search") == 0) {
        query->search = value;
        *is_good = strlen(value) <= MUP_FLEET_SEARCH_MAX;
        return "at most 128 bytes";
    }
    if (strcmp(name, "category") == 0) {
        query->category = value;
        return "a category";
    }
    if (strcmp(name, "state") == 0) {
        query->state = value;
        return "a state";
    }
    if (strcmp(name, "update") == 0) {
        query->update = value;
        return "an update state, none or running";
    }
    if (strcmp(name, "version") == 0) {
        *is_good = read_version(query, value);
        return "a whole number, or unknown";
    }
    if (strcmp(name, "sort") == 0) {
        *is_good = read_order(query, value);
        return "one of name, label, category, version, state, update, last_seen, perhaps with - "
               "before it";
    }
    if (strcmp(name, "offset") == 0) {
        *is_good = read_size(&query->offset, value, 0, MUP_DIRECTORY_DEVICES_MAX);
        return "a number from 0 to 100000";
    }
    if (strcmp(name, "limit") == 0) {
        *is_good = read_size(&query->limit, value, 1, MUP_FLEET_LIMIT_MAX);
        return "a number from 1 to 1000";
    }
    return NULL;
}

static bool take_parameter(void *arg, const char *name, const char *value)
{
    struct reading *reading = arg;
    bool is_good;

    reading->is_asked = true;
    const char *wanted = read_parameter(reading->query, name, value ? value : "", &is_good);
    if (!wanted) {
        mup_fault_set(reading->fault, MUP_FAULT_BAD_REQUEST, "there is no parameter %.60s", name);
    } else if (!is_good) {
        mup_fault_set(reading->fault, MUP_FAULT_BAD_REQUEST, "%s is not %s", name, wanted);
    }
    reading->is_good = wanted && is_good;
    return reading->is_good;
}

bool mup_fleet_read_query(struct mup_fleet_query *query, bool *is_asked,
                          const struct mup_http_request *request, struct mup_fault *fault)
{
    struct reading reading = {query, fault, false, true};

    *query = (struct mup_fleet_query){.limit = MUP_FLEET_LIMIT};
    mup_http_each_query(request, take_parameter, &reading);
    *is_asked = reading.is_asked;
    return reading.is_good;
}

/* ---- which ---- */

/* One device with what the server itself knows of it. */
struct row {
    const struct mup_directory_device *device;
    int64_t update_id;
};

struct rows {
    struct row *rows;
    size_t count;
};

/* All devices, with their updates. False: no memory. */
static bool make_rows(struct rows *rows, const struct mup_mirror *mirror,
                      const struct mup_updates *updates)
{
    struct mup_running running;

    rows->count = mup_mirror_count(mirror);
    rows->rows = calloc(rows->count + 1, sizeof *rows->rows);
    if (!rows->rows) {
        return false;
    }
    mup_running_make(&running, updates);
    for (size_t i = 0; i < rows->count; i++) {
        rows->rows[i].device = mup_mirror_at(mirror, i);
        rows->rows[i].update_id = mup_running_find(&running, rows->rows[i].device->uuid);
    }
    mup_running_free(&running);
    return true;
}

static const char *update_word(const struct row *row)
{
    return row->update_id != 0            ? "running"
           : row->device->update_state[0] ? row->device->update_state
                                          : "none";
}

/* Without regard to case of ASCII letters, which is what names and UUIDs have. */
static bool contains(const char *text, const char *wanted, size_t size)
{
    for (; *text; text++) {
        if (strncasecmp(text, wanted, size) == 0) {
            return true;
        }
    }
    return size == 0;
}

static bool is_found(const struct mup_directory_device *d, const char *wanted)
{
    size_t size = strlen(wanted);

    return contains(d->name, wanted, size) || contains(d->label, wanted, size) ||
           contains(d->uuid, wanted, size) || contains(d->category, wanted, size);
}

static bool matches(const struct row *row, const struct mup_fleet_query *q)
{
    const struct mup_directory_device *d = row->device;

    if (q->has_version &&
        (q->is_unknown ? d->has_version : !d->has_version || d->version != q->version)) {
        return false;
    }
    return (!q->category || strcmp(d->category, q->category) == 0) &&
           (!q->state || strcmp(d->state, q->state) == 0) &&
           (!q->update || strcmp(update_word(row), q->update) == 0 ||
            strcmp(d->update_state, q->update) == 0) &&
           (!q->search || is_found(d, q->search));
}

/* ---- in which order ---- */

/* Numbers within names count as numbers: sensor-9 comes before sensor-10. */
static int compare_names(const char *one, const char *other)
{
    while (*one && *other) {
        size_t digits = strspn(one, "0123456789");
        size_t others = strspn(other, "0123456789");
        if (digits > 0 && others > 0 && digits < 18 && others < 18) {
            long long a = strtoll(one, NULL, 10);
            long long b = strtoll(other, NULL, 10);
            if (a != b) {
                return a < b ? -1 : 1;
            }
            one += digits;
            other += others;
            continue;
        }
        if (*one != *other) {
            return (unsigned char)*one < (unsigned char)*other ? -1 : 1;
        }
        one++;
        other++;
    }
    return (*one != '\0') - (*other != '\0');
}

static int compare_by_name(const void *left, const void *right)
{
    const struct row *a = left;
    const struct row *b = right;
    int order = compare_names(a->device->name, b->device->name);

    return order != 0 ? order : strcmp(a->device->uuid, b->device->uuid);
}

static int or_by_name(int order, const void *left, const void *right)
{
    return order != 0 ? order : compare_by_name(left, right);
}

static int compare_by_label(const void *left, const void *right)
{
    const char *a = ((const struct row *)left)->device->label;
    const char *b = ((const struct row *)right)->device->label;

    /* Those without a label come last. */
    int order = (a[0] == '\0') - (b[0] == '\0');
    return or_by_name(order != 0 ? order : compare_names(a, b), left, right);
}

static int compare_by_category(const void *left, const void *right)
{
    return or_by_name(strcmp(((const struct row *)left)->device->category,
                             ((const struct row *)right)->device->category),
                      left, right);
}

static int compare_by_version(const void *left, const void *right)
{
    const struct mup_directory_device *a = ((const struct row *)left)->device;
    const struct mup_directory_device *b = ((const struct row *)right)->device;
    int order = a->has_version != b->has_version
                    ? b->has_version - a->has_version
                    : (a->version > b->version) - (a->version < b->version);

    return or_by_name(order, left, right);
}

static int compare_by_state(const void *left, const void *right)
{
    return or_by_name(strcmp(((const struct row *)left)->device->state,
                             ((const struct row *)right)->device->state),
                      left, right);
}

static int compare_by_update(const void *left, const void *right)
{
    return or_by_name(strcmp(update_word(left), update_word(right)), left, right);
}

static int compare_by_last_seen(const void *left, const void *right)
{
    return or_by_name(strcmp(((const struct row *)left)->device->last_seen,
                             ((const struct row *)right)->device->last_seen),
                      left, right);
}

static int (*const comparisons[MUP_FLEET_ORDER_COUNT])(const void *, const void *) = {
    [MUP_FLEET_BY_NAME] = compare_by_name,           [MUP_FLEET_BY_LABEL] = compare_by_label,
    [MUP_FLEET_BY_CATEGORY] = compare_by_category,   [MUP_FLEET_BY_VERSION] = compare_by_version,
    [MUP_FLEET_BY_STATE] = compare_by_state,         [MUP_FLEET_BY_UPDATE] = compare_by_update,
    [MUP_FLEET_BY_LAST_SEEN] = compare_by_last_seen,
};

/* ---- as JSON ---- */

/* What is not UTF-8 becomes empty. */
static json_t *text_json(const char *text)
{
    json_t *made = json_string(text);

    return made ? made : json_string("");
}

json_t *mup_fleet_device_json(const struct mup_directory_device *d, int64_t update_id)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:s, s:o, s:o}", "uuid",
                     d->uuid, "name", d->name, "label", text_json(d->label), "category",
                     text_json(d->category), "module", text_json(d->module), "state", d->state,
                     "reason", text_json(d->reason), "online", mup_directory_is_online(d) ? 1 : 0,
                     "version", d->has_version ? json_integer(d->version) : json_null(), "on_trial",
                     d->has_on_trial ? json_boolean(d->on_trial) : json_null(), "last_seen",
                     d->last_seen, "update_state",
                     d->update_state[0] ? json_string(d->update_state) : json_null(), "update_id",
                     update_id ? json_integer(update_id) : json_null());
}

static json_t *page_json(const struct row *rows, size_t count, const struct mup_fleet_query *query)
{
    json_t *list = json_array();
    size_t end = query->offset < count ? query->offset : count;

    end = query->limit < count - end ? end + query->limit : count;
    for (size_t i = query->offset; i < end; i++) {
        const struct row *row = &rows[query->is_backwards ? count - 1 - i : i];
        json_array_append_new(list, mup_fleet_device_json(row->device, row->update_id));
    }
    return list;
}

json_t *mup_fleet_page_json(const struct mup_mirror *mirror, const struct mup_updates *updates,
                            const struct mup_fleet_query *query)
{
    struct rows rows;
    size_t count = 0;

    if (!make_rows(&rows, mirror, updates)) {
        return NULL;
    }
    for (size_t i = 0; i < rows.count; i++) {
        if (matches(&rows.rows[i], query)) {
            rows.rows[count++] = rows.rows[i];
        }
    }
    qsort(rows.rows, count, sizeof *rows.rows, comparisons[query->order]);
    json_t *made = json_pack("{s:o, s:I, s:I, s:I}", "devices", page_json(rows.rows, count, query),
                             "total", (json_int_t)rows.count, "matching", (json_int_t)count,
                             "offset", (json_int_t)query->offset);
    free(rows.rows);
    return made;
}

/* ---- counting ---- */

/* {"TEXT": COUNT} while counting. */
static void count_text(json_t *counts, const char *text)
{
    json_int_t count = json_integer_value(json_object_get(counts, text));

    json_object_set_new(counts, text, json_integer(count + 1));
}

static json_t *list_counts(json_t *counts)
{
    json_t *list = json_array();
    const char *name;
    json_t *count;

    json_object_foreach(counts, name, count)
    {
        json_array_append_new(list, json_pack("{s:s, s:O}", "name", name, "count", count));
    }
    json_decref(counts);
    return list;
}

static bool is_same_version(const struct mup_directory_device *a,
                            const struct mup_directory_device *b)
{
    return a->has_version == b->has_version && a->version == b->version &&
           strcmp(a->category, b->category) == 0;
}

/* By category, then version: rows of equal ones follow one another after sorting. */
static int compare_kinds(const void *left, const void *right)
{
    const struct mup_directory_device *a = ((const struct row *)left)->device;
    const struct mup_directory_device *b = ((const struct row *)right)->device;
    int order = strcmp(a->category, b->category);

    if (order != 0) {
        return order;
    }
    return a->has_version != b->has_version ? a->has_version - b->has_version
                                            : (a->version > b->version) - (a->version < b->version);
}

static json_t *count_versions(struct rows *rows)
{
    json_t *list = json_array();

    qsort(rows->rows, rows->count, sizeof *rows->rows, compare_kinds);
    for (size_t i = 0, next; i < rows->count; i = next) {
        const struct mup_directory_device *d = rows->rows[i].device;
        json_int_t on_trial = 0;
        for (next = i; next < rows->count && is_same_version(d, rows->rows[next].device); next++) {
            on_trial += rows->rows[next].device->on_trial ? 1 : 0;
        }
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:I, s:I}", "version",
                                        d->has_version ? json_integer(d->version) : json_null(),
                                        "category", text_json(d->category), "count",
                                        (json_int_t)(next - i), "on_trial", on_trial));
    }
    return list;
}

json_t *mup_fleet_counts_json(const struct mup_mirror *mirror, const struct mup_updates *updates)
{
    struct rows rows;
    json_t *categories = json_object();
    json_t *states = json_object();
    json_t *update_states = json_object();
    json_int_t online = 0;

    if (!make_rows(&rows, mirror, updates)) {
        json_decref(categories);
        json_decref(states);
        json_decref(update_states);
        return NULL;
    }
    for (size_t i = 0; i < rows.count; i++) {
        count_text(categories, rows.rows[i].device->category);
        count_text(states, rows.rows[i].device->state);
        count_text(update_states, update_word(&rows.rows[i]));
        online += mup_directory_is_online(rows.rows[i].device) ? 1 : 0;
    }
    json_t *made =
        json_pack("{s:I, s:I, s:b, s:o, s:o, s:o, s:o}", "total", (json_int_t)rows.count, "online",
                  online, "bridge", mup_mirror_is_live(mirror) ? 1 : 0, "versions",
                  count_versions(&rows), "categories", list_counts(categories), "states",
                  list_counts(states), "updates", list_counts(update_states));
    free(rows.rows);
    return made;
}
