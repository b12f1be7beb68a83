/*
 * The MQTT topics of a device (paper Table 3; docs/SPEC.md, Topics) and the rules for its name.
 *
 * A device's name is its MQTT user name and client id: its UUID in text form, or a short handle
 * that provisioning gave it. Every topic of a device has the name as its last level, so that one
 * access-control pattern with %u fits all devices.
 */
#ifndef MUP_TOPIC_H
#define MUP_TOPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/manifest.h"
#include "mup/status.h"

#define MUP_NAME_MAX          48u /* bytes of [A-Za-z0-9._-]; a UUID in text form has 36 */
#define MUP_TOPIC_MAX         80u /* longest topic that a device subscribes to or publishes on */
#define MUP_UUID_TEXT_SIZE    37u /* with the final NUL */

#define MUP_TOPIC_ANNOUNCE    "mup/announce/"    /* device -> bridge, QoS 1 */
#define MUP_TOPIC_DESCRIPTION "mup/description/" /* device -> bridge, QoS 1 */
#define MUP_TOPIC_BOOTSTRAP   "mup/bootstrap/"   /* bridge -> device, QoS 1 */
#define MUP_TOPIC_PRESENCE    "mup/presence/"    /* device -> bridge, QoS 1, retained, will */
#define MUP_TOPIC_TOKEN       "mup/token/"       /* bridge -> device, QoS 1 */
#define MUP_TOPIC_MANIFEST    "mup/manifest/"    /* bridge -> device, QoS 1 */
#define MUP_TOPIC_VERIFY      "mup/verify/"      /* bridge -> device, QoS 1 */
#define MUP_TOPIC_RESPONSE    "mup/response/"    /* device -> bridge, QoS 1 */
#define MUP_TOPIC_FIRMWARE    "mup/firmware/"    /* update server -> device, QoS 0 */
#define MUP_TOPIC_ACK         "mup/ack/"         /* device -> update server, QoS 0 */
#define MUP_TOPIC_REPORT      "mup/report/"      /* device -> update server, QoS 1 */

/* 1 to MUP_NAME_MAX bytes of letters, digits, dot, underscore, hyphen. */
bool mup_name_is_valid(const char *name, size_t size);

/* Write a UUID as 36 lower-case characters and a NUL (RFC 9562 section 4). */
void mup_uuid_format(char text[MUP_UUID_TEXT_SIZE], const uint8_t uuid[MUP_UUID_SIZE]);

/* Read a UUID from exactly 36 characters, either case. MUP_ERR_FORMAT for anything else. */
MUP_MUST_CHECK
enum mup_status mup_uuid_parse(uint8_t uuid[MUP_UUID_SIZE], const char *text, size_t size);

#endif
