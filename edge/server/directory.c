/* <devices> and <yang-library> of a <get> reply, element by element. */
#include "server/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/xml.h"

const char mup_directory_rpc[] =
    "<get xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\"><filter type=\"subtree\">"
    "<devices xmlns=\"urn:mup:myno-devices\"/>"
    "<yang-library xmlns=\"urn:ietf:params:xml:ns:yang:ietf-yang-library\"><module-set><module>"
    "<name/><namespace/></module></module-set></yang-library></filter></get>";

struct module {
    char name[MUP_DIRECTORY_TEXT_SIZE];
    char xml_space[MUP_DIRECTORY_TEXT_SIZE];
};

struct reading {
    struct mup_directory directory;
    size_t capacity;
    struct module *modules;
    size_t module_count;
    size_t module_capacity;
    struct mup_directory_device device; /* the one that is open */
    struct module module;
    unsigned device_depth; /* 0: none is open */
    bool has_state;        /* it has more than a uuid and a label */
    unsigned module_depth;
    unsigned leaf_depth;
    char leaf[MUP_DIRECTORY_TEXT_SIZE];
    char text[MUP_DIRECTORY_LABEL_SIZE];
};

/* Room for one more in an array that doubles. */
static bool grow(void **items, size_t *capacity, size_t count, size_t item_size)
{
    if (count < *capacity) {
        return true;
    }
    size_t more = *capacity ? 2 * *capacity : 64;
    void *larger = realloc(*items, more * item_size);
    if (!larger) {
        return false;
    }
    *items = larger;
    *capacity = more;
    return true;
}

static void set(char *out, size_t size, const char *text)
{
    if (strlen(text) < size) {
        memcpy(out, text, strlen(text) + 1);
    }
}

void mup_directory_take_leaf(struct mup_directory_device *device, const char *leaf,
                             const char *text)
{
    const struct {
        const char *leaf;
        char *out;
        size_t size;
    } texts[] = {
        {"uuid", device->uuid, sizeof device->uuid},
        {"name", device->name, sizeof device->name},
        {"category", device->category, sizeof device->category},
        {"module", device->module, sizeof device->module},
        {"namespace", device->xml_space, sizeof device->xml_space},
        {"state", device->state, sizeof device->state},
        {"reason", device->reason, sizeof device->reason},
        {"first-seen", device->first_seen, sizeof device->first_seen},
        {"last-seen", device->last_seen, sizeof device->last_seen},
        {"label", device->label, sizeof device->label},
        {"update-state", device->update_state, sizeof device->update_state},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(leaf, texts[i].leaf) == 0) {
            set(texts[i].out, texts[i].size, text);
        }
    }
    if (strcmp(leaf, "firmware-version") == 0) {
        device->has_version = true;
        device->version = (uint32_t)strtoul(text, NULL, 10);
    } else if (strcmp(leaf, "on-trial") == 0) {
        device->has_on_trial = true;
        device->on_trial = strcmp(text, "false") != 0;
    } else if (strcmp(leaf, "reachable") == 0) {
        device->has_reachable = true;
        device->reachable = strcmp(text, "true") == 0;
    }
}

/* A bridge that does not say what is reachable calls it ready or announced. */
bool mup_directory_is_online(const struct mup_directory_device *device)
{
    return device->has_reachable
               ? device->reachable
               : strcmp(device->state, "ready") == 0 || strcmp(device->state, "announced") == 0;
}

static void take_leaf(struct reading *reading)
{
    if (reading->device_depth != 0 && reading->leaf_depth == reading->device_depth + 1) {
        mup_directory_take_leaf(&reading->device, reading->leaf, reading->text);
        reading->has_state |=
            strcmp(reading->leaf, "uuid") != 0 && strcmp(reading->leaf, "label") != 0;
    } else if (reading->module_depth != 0 && reading->leaf_depth == reading->module_depth + 1) {
        if (strcmp(reading->leaf, "name") == 0) {
            set(reading->module.name, sizeof reading->module.name, reading->text);
        } else if (strcmp(reading->leaf, "namespace") == 0) {
            set(reading->module.xml_space, sizeof reading->module.xml_space, reading->text);
        }
    }
}

static enum mup_status close_device(struct reading *reading)
{
    struct mup_directory *d = &reading->directory;
    struct mup_directory_device *device = &reading->device;

    reading->device_depth = 0;
    /* An operator may label a device before it comes: then there is configuration, and no state. */
    if (!reading->has_state) {
        return MUP_OK;
    }
    /* A bridge that calls devices by their names gives only one of the two. */
    if (device->name[0] == '\0') {
        set(device->name, sizeof device->name, device->uuid);
    }
    if (device->uuid[0] == '\0' || !mup_name_is_valid(device->name, strlen(device->name))) {
        return MUP_OK;
    }
    if (d->count == MUP_DIRECTORY_DEVICES_MAX) {
        return MUP_ERR_RANGE;
    }
    if (!grow((void **)&d->devices, &reading->capacity, d->count, sizeof *d->devices)) {
        return MUP_ERR_SPACE;
    }
    d->devices[d->count++] = *device;
    return MUP_OK;
}

static enum mup_status close_module(struct reading *reading)
{
    reading->module_depth = 0;
    if (reading->module_count == MUP_DIRECTORY_MODULES_MAX) {
        return MUP_ERR_RANGE;
    }
    if (!grow((void **)&reading->modules, &reading->module_capacity, reading->module_count,
              sizeof *reading->modules)) {
        return MUP_ERR_SPACE;
    }
    reading->modules[reading->module_count++] = reading->module;
    return MUP_OK;
}

static void open_element(struct reading *reading, const struct mup_xml *xml)
{
    if (reading->device_depth == 0 && mup_xml_is(xml->local, "device")) {
        reading->device_depth = xml->depth;
        memset(&reading->device, 0, sizeof reading->device);
        reading->has_state = false;
    } else if (reading->device_depth == 0 && reading->module_depth == 0 &&
               mup_xml_is(xml->local, "module")) {
        reading->module_depth = xml->depth;
        memset(&reading->module, 0, sizeof reading->module);
    }
    reading->leaf_depth = xml->depth;
    reading->text[0] = '\0';
    snprintf(reading->leaf, sizeof reading->leaf, "%.*s", (int)xml->local.size, xml->local.bytes);
}

static enum mup_status close_element(struct reading *reading, const struct mup_xml *xml)
{
    if (xml->depth == reading->leaf_depth) {
        take_leaf(reading);
    }
    reading->leaf_depth = 0;
    if (xml->depth == reading->device_depth) {
        return close_device(reading);
    }
    return xml->depth == reading->module_depth ? close_module(reading) : MUP_OK;
}

/* A text that does not fit is left out, not cut: half a name is another name. */
static void take_text(struct reading *reading, const struct mup_xml *xml)
{
    size_t have = strlen(reading->text);
    size_t room = sizeof reading->text - have;

    if (xml->cdata) {
        if (xml->text.size < room) {
            memcpy(reading->text + have, xml->text.bytes, xml->text.size);
            reading->text[have + xml->text.size] = '\0';
        }
    } else if (mup_xml_decode(reading->text + have, room, xml->text) != MUP_OK) {
        reading->text[have] = '\0';
    }
}

static enum mup_status read_all(struct reading *reading, const char *bytes, size_t size)
{
    struct mup_xml xml;
    enum mup_status status;

    mup_xml_init(&xml, bytes, size);
    while ((status = mup_xml_next(&xml)) == MUP_OK && xml.event != MUP_XML_DONE) {
        if (xml.event == MUP_XML_START) {
            open_element(reading, &xml);
        } else if (xml.event == MUP_XML_TEXT) {
            take_text(reading, &xml);
        } else if ((status = close_element(reading, &xml)) != MUP_OK) {
            break;
        }
    }
    return status;
}

/* Devices name their module; the library says its namespace. */
static void fill_spaces(struct reading *reading)
{
    for (size_t i = 0; i < reading->directory.count; i++) {
        struct mup_directory_device *device = &reading->directory.devices[i];
        for (size_t m = 0; m < reading->module_count && device->xml_space[0] == '\0'; m++) {
            if (device->module[0] != '\0' &&
                strcmp(device->module, reading->modules[m].name) == 0) {
                set(device->xml_space, sizeof device->xml_space, reading->modules[m].xml_space);
            }
        }
    }
}

enum mup_status mup_directory_parse(struct mup_directory *out, const char *xml, size_t size)
{
    struct reading *reading = calloc(1, sizeof *reading);

    if (!reading) {
        return MUP_ERR_SPACE;
    }
    enum mup_status status = read_all(reading, xml, size);
    if (status == MUP_OK) {
        fill_spaces(reading);
        *out = reading->directory;
    } else {
        mup_directory_free(&reading->directory);
    }
    free(reading->modules);
    free(reading);
    return status;
}

void mup_directory_free(struct mup_directory *directory)
{
    free(directory->devices);
    *directory = (struct mup_directory){NULL, 0};
}

const struct mup_directory_device *mup_directory_find(const struct mup_directory *directory,
                                                      const char *text)
{
    for (size_t i = 0; i < directory->count; i++) {
        const struct mup_directory_device *device = &directory->devices[i];
        if (strcmp(device->uuid, text) == 0 || strcmp(device->name, text) == 0) {
            return device;
        }
    }
    return NULL;
}
