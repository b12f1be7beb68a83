/*
 * A notification of the bridge (module myno-devices), read without trust: texts that are too long
 * are left out.
 */
#ifndef MUP_SERVER_FLEET_NOTICE_H
#define MUP_SERVER_FLEET_NOTICE_H

#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"
#include "server/directory.h"

#define MUP_NOTICE_VALUE_SIZE 4096u

enum mup_notice_kind {
    MUP_NOTICE_OTHER,     /* not for us */
    MUP_NOTICE_CHANGE,    /* device-change: `device` has what is told of it */
    MUP_NOTICE_PROGRESS,  /* update-progress: likewise */
    MUP_NOTICE_TELEMETRY, /* point, value, unit, symbol */
    MUP_NOTICE_EVENT,     /* point, value */
    MUP_NOTICE_CONFIG,    /* somebody edited labels or access rules */
};

struct mup_notice {
    enum mup_notice_kind kind;
    struct mup_directory_device device; /* uuid and name always; the rest where it was told */
    bool has_reason;
    char time[MUP_DIRECTORY_TIME_SIZE];
    char point[MUP_DIRECTORY_TEXT_SIZE];
    char value[MUP_NOTICE_VALUE_SIZE];
    char unit[MUP_DIRECTORY_TEXT_SIZE];
    char symbol[MUP_DIRECTORY_TEXT_SIZE];
};

/* MUP_ERR_FORMAT: not a notification. *out is written only on success. */
MUP_MUST_CHECK
enum mup_status mup_notice_parse(struct mup_notice *out, const char *xml, size_t size);

#endif
