/* How every subcommand words its errors and reads its numbers. */
#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mup_fail(const char *format, ...)
{
    va_list list;

    fputs("mup: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    return MUP_EXIT_FAILED;
}

int mup_usage(const char *subcommand, const char *format, ...)
{
    va_list list;

    fprintf(stderr, "mup %s: ", subcommand);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, "; see 'mup %s --help'\n", subcommand);
    return MUP_EXIT_USAGE;
}

int mup_parse_number(uint32_t *out, const char *text, uint32_t least, uint32_t most)
{
    char *end;
    unsigned long long value;
    int base = strncmp(text, "0x", 2) == 0 ? 16 : 10;

    if (text[0] < '0' || text[0] > '9')
        return -1;
    errno = 0;
    value = strtoull(text, &end, base);
    if (errno != 0 || *end != '\0' || value < least || value > most)
        return -1;
    *out = (uint32_t)value;
    return 0;
}

void mup_hex(char *text, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
    }
    *text = '\0';
}
