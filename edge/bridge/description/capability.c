/* What can be done with a capability once it is built (capability.h): look up, fill, check, free.
 */
#include "bridge/description/capability.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/description/arena.h"

void mup_capability_free(struct mup_capability *capability)
{
    if (!capability)
        return;
    struct mup_arena arena = {capability->memory};
    mup_arena_free(&arena);
    free(capability);
}

enum mup_status mup_description_digest(uint8_t out[MUP_DESCRIPTION_DIGEST_SIZE], const void *bytes,
                                       size_t size)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_size = 0;
    if (!EVP_Digest(bytes, size, digest, &digest_size, EVP_sha256(), NULL) ||
        digest_size != MUP_DESCRIPTION_DIGEST_SIZE)
        return MUP_ERR_SPACE;
    memcpy(out, digest, MUP_DESCRIPTION_DIGEST_SIZE);
    return MUP_OK;
}

bool mup_capability_admits(const struct mup_capability *capability, const char *uuid)
{
    return strcmp(capability->uuid, "%s") == 0 || strcmp(capability->uuid, uuid) == 0;
}

const struct mup_rpc *mup_capability_rpc(const struct mup_capability *capability,
                                         const char *yang_name)
{
    for (size_t i = 0; i < capability->rpc_count; i++) {
        if (strcmp(capability->rpcs[i].yang_name, yang_name) == 0)
            return &capability->rpcs[i];
    }
    return NULL;
}

const struct mup_declared_state *mup_rpc_state_by_code(const struct mup_rpc *rpc, int64_t code)
{
    for (size_t i = 0; i < rpc->state_count; i++) {
        if (rpc->states[i].code != MUP_NO_STATE_CODE && rpc->states[i].code == code)
            return &rpc->states[i];
    }
    return NULL;
}

const struct mup_declared_state *mup_rpc_state_by_text(const struct mup_rpc *rpc, const char *text)
{
    for (size_t i = 0; i < rpc->state_count; i++) {
        if (strcmp(rpc->states[i].name, text) == 0)
            return &rpc->states[i];
    }
    return NULL;
}

enum mup_status mup_topic_fill(char *out, size_t out_size, const char *topic_template,
                               const char *name)
{
    size_t name_size = strlen(name);
    for (int writing = 0; writing < 2; writing++) {
        size_t at = 0;
        for (const char *from = topic_template; *from; from++) {
            bool is_name = from[0] == '%' && from[1] == 's';
            size_t size = is_name ? name_size : 1;
            if (!writing && size >= out_size - at)
                return MUP_ERR_SPACE;
            if (writing)
                memcpy(out + at, is_name ? name : from, size);
            at += size;
            if (is_name || (from[0] == '%' && from[1] == '%'))
                from++;
        }
        if (writing)
            out[at] = '\0';
        else if (out_size == 0)
            return MUP_ERR_SPACE;
    }
    return MUP_OK;
}

static bool has_level(const char *topic, const char *level, size_t size)
{
    for (const char *at = topic; at; at = strchr(at, '/')) {
        if (*at == '/')
            at++;
        if (strncmp(at, level, size) == 0 && (at[size] == '/' || at[size] == '\0'))
            return true;
    }
    return false;
}

enum mup_topic_fault mup_topic_check(const char *topic, const char *name)
{
    size_t size = strlen(topic);
    if (size == 0 || size > MUP_TOPIC_SIZE_MAX)
        return MUP_TOPIC_TEXT;
    for (const char *c = topic; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return MUP_TOPIC_TEXT;
    }
    if (strpbrk(topic, "+#"))
        return MUP_TOPIC_WILDCARD;
    if (topic[0] == '$' || strstr(topic, "/$"))
        return MUP_TOPIC_DOLLAR;
    if (name[0] == '\0' || strchr(name, '/') || !has_level(topic, name, strlen(name)))
        return MUP_TOPIC_NOT_OWN;
    return MUP_TOPIC_OK;
}

const char *mup_topic_fault_text(enum mup_topic_fault fault)
{
    switch (fault) {
    case MUP_TOPIC_OK:
        return "the topic can be used";
    case MUP_TOPIC_NOT_OWN:
        return "no level of the topic is the device's name (use %s)";
    case MUP_TOPIC_DOLLAR:
        return "a level of the topic begins with $, which is the broker's";
    case MUP_TOPIC_WILDCARD:
        return "the topic contains the wildcard + or #";
    case MUP_TOPIC_TEXT:
        return "the topic is empty, too long or has a control character";
    }
    return "unknown fault";
}
