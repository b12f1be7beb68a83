/*
 * What the bridge says about its devices: the answer to <get> as a table.
 *
 * The answer is of another process and is read without trust: texts that are too long, or that are
 * no names, are left out; a device without uuid or name is skipped.
 */
#ifndef MUP_SERVER_DIRECTORY_H
#define MUP_SERVER_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"
#include "mup/topic.h"

#define MUP_DIRECTORY_DEVICES_MAX 100000u
#define MUP_DIRECTORY_MODULES_MAX 8192u
#define MUP_DIRECTORY_TEXT_SIZE   128u
#define MUP_DIRECTORY_LABEL_SIZE  257u /* 64 characters */
#define MUP_DIRECTORY_WORD_SIZE   16u
#define MUP_DIRECTORY_TIME_SIZE   40u

struct mup_directory_device {
    char uuid[MUP_UUID_TEXT_SIZE]; /* how RPCs call it */
    char name[MUP_NAME_MAX + 1];   /* its MQTT name, the last level of its topics */
    char category[MUP_DIRECTORY_TEXT_SIZE];
    char module[MUP_DIRECTORY_TEXT_SIZE];    /* "" while its description is not known */
    char xml_space[MUP_DIRECTORY_TEXT_SIZE]; /* namespace of that module, "" when not known */
    char state[MUP_DIRECTORY_WORD_SIZE];     /* announced, ready, refused, offline, ... */
    char reason[MUP_DIRECTORY_TEXT_SIZE];
    char first_seen[MUP_DIRECTORY_TIME_SIZE];
    char last_seen[MUP_DIRECTORY_TIME_SIZE];
    char label[MUP_DIRECTORY_LABEL_SIZE];       /* an operator's word for it */
    char update_state[MUP_DIRECTORY_WORD_SIZE]; /* token-given, transferring, ...; "": none */
    bool has_reachable;
    bool reachable; /* connected to the broker */
    bool has_version;
    uint32_t version;
    bool has_on_trial; /* the bridge says whether that version is on trial */
    bool on_trial;
};

struct mup_directory {
    struct mup_directory_device *devices;
    size_t count;
};

/* The RPC whose answer is read here. */
extern const char mup_directory_rpc[];

/* Read the whole <rpc-reply>. MUP_ERR_FORMAT: not one. MUP_ERR_RANGE: more devices or modules than
 * above. MUP_ERR_SPACE: no memory. *out is written only on success. */
MUP_MUST_CHECK
enum mup_status mup_directory_parse(struct mup_directory *out, const char *xml, size_t size);

/* Take over one leaf of a device, as <device> and notifications name it; others are left out. */
void mup_directory_take_leaf(struct mup_directory_device *device, const char *leaf,
                             const char *text);

/* Whether it is there to be talked to. */
bool mup_directory_is_online(const struct mup_directory_device *device);

void mup_directory_free(struct mup_directory *directory);

/* The device with this UUID or name; NULL: none. */
const struct mup_directory_device *mup_directory_find(const struct mup_directory *directory,
                                                      const char *text);

#endif
