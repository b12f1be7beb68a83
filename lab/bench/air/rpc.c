/*
 * The image as hexadecimal text through RPCs of the bridge, one after the other (paper 5.4): what a
 * network manager can do with a device that only has commands. The device's SHOW-TEXT takes a text.
 */
#include <stdio.h>
#include <string.h>

#include "air.h"
#include "manager.h"

#define NAMESPACE      "urn:mup:capability:"
#define NAMESPACE_SIZE 96u
#define TEXT_MAX       440u /* characters of a text; half as many bytes of the image */
#define XML_SIZE       1024u

static const char get_devices[] =
    "<rpc xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\" message-id=\"1\"><get><filter "
    "type=\"subtree\"><devices xmlns=\"urn:mup:myno-devices\"/></filter></get></rpc>";

/* All devices of a lab are of one kind, so that its module is the only one. */
static bool find_namespace(const struct mup_manager *manager, char out[NAMESPACE_SIZE])
{
    const char *at = strstr(manager->text, NAMESPACE);
    const char *end = at == NULL ? NULL : strchr(at, '<');

    if (end == NULL)
        return false;
    snprintf(out, NAMESPACE_SIZE, "%.*s", (int)(end - at), at);
    return true;
}

/* Bytes in which no two in a row are equal stand for the image. */
static void write_hex(char *text, uint32_t from, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        snprintf(text + 2 * (size_t)i, 3, "%02x", (unsigned)((from + i) * 167u & 0xffu));
}

static bool send_piece(struct mup_air_lab *lab, struct mup_manager *manager, const char *space,
                       uint32_t from, uint32_t size)
{
    char text[TEXT_MAX + 1];
    char xml[XML_SIZE];

    write_hex(text, from, size);
    snprintf(xml, sizeof xml,
             "<rpc xmlns=\"urn:ietf:params:xml:ns:netconf:base:1.0\" message-id=\"%u\">"
             "<showText xmlns=\"%s\"><uuid>%s</uuid><text>%s</text></showText></rpc>",
             (unsigned)from, space, lab->devices[0].device.uuid, text);
    return (mup_manager_ask(manager, xml) && mup_manager_says(manager, "10_OK")) ||
           mup_air_fail(lab, "byte %u: %.200s", (unsigned)from,
                        manager->text == NULL ? "no reply" : manager->text);
}

static bool send_all(struct mup_air_lab *lab, const struct mup_air_row *row,
                     struct mup_manager *manager)
{
    struct mup_air_device *device = &lab->devices[0];
    char space[NAMESPACE_SIZE];
    uint32_t size;

    if (!mup_manager_ask(manager, get_devices) || !find_namespace(manager, space))
        return mup_air_fail(lab, "the bridge names no module of the device");
    if (!mup_air_count(lab, row))
        return false;
    device->token_us = device->slice_us = mup_air_now_us();
    for (uint32_t from = 0; from < row->image_size; from += size) {
        size = row->image_size - from < TEXT_MAX / 2 ? row->image_size - from : TEXT_MAX / 2;
        if (!send_piece(lab, manager, space, from, size))
            return false;
        device->slices++;
        mup_process_pump(&lab->bed.processes, 0);
    }
    device->accepted_us = device->verified_us = mup_air_now_us();
    return true;
}

bool mup_air_rpc(struct mup_air_lab *lab, const struct mup_air_row *row)
{
    struct mup_manager manager;
    bool good;

    if (!mup_manager_open(&manager, &lab->bed, false))
        return mup_air_fail(lab, "no NETCONF session");
    good = send_all(lab, row, &manager);
    mup_manager_close(&manager);
    return good;
}
