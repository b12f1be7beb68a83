/* A device's name and its UUID in text form (docs/SPEC.md section 7). */
#include <string.h>

#include "mup/topic.h"

#define UUID_TEXT_LENGTH (MUP_UUID_TEXT_SIZE - 1u)
#define NOT_A_DIGIT      16u

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool mup_name_is_valid(const char *name, size_t size)
{
    if (size == 0 || size > MUP_NAME_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!is_letter_or_digit(name[i]) && name[i] != '.' && name[i] != '_' && name[i] != '-')
            return false;
    }
    return true;
}

/* Groups of 8-4-4-4-12 digits: a hyphen stands before these bytes. */
static bool is_hyphen_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void mup_uuid_format(char text[MUP_UUID_TEXT_SIZE], const uint8_t uuid[MUP_UUID_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < MUP_UUID_SIZE; i++) {
        if (is_hyphen_before(i))
            *text++ = '-';
        *text++ = digits[uuid[i] >> 4];
        *text++ = digits[uuid[i] & 15u];
    }
    *text = '\0';
}

static uint32_t digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (uint32_t)(c - 'a') + 10u;
    if (c >= 'A' && c <= 'F')
        return (uint32_t)(c - 'A') + 10u;
    return NOT_A_DIGIT;
}

enum mup_status mup_uuid_parse(uint8_t uuid[MUP_UUID_SIZE], const char *text, size_t size)
{
    uint8_t scratch[MUP_UUID_SIZE];

    if (size != UUID_TEXT_LENGTH)
        return MUP_ERR_FORMAT;
    for (size_t i = 0; i < MUP_UUID_SIZE; i++) {
        if (is_hyphen_before(i) && *text++ != '-')
            return MUP_ERR_FORMAT;
        uint32_t high = digit_value(*text++);
        uint32_t low = digit_value(*text++);
        if (high == NOT_A_DIGIT || low == NOT_A_DIGIT)
            return MUP_ERR_FORMAT;
        scratch[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(uuid, scratch, sizeof scratch);
    return MUP_OK;
}
