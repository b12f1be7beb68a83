/*
 * One line for each event, on standard output: for people, or one JSON object for programs that
 * wait for an event.
 */
#include <stdio.h>
#include <time.h>

#include "virtual.h"

static struct {
    bool json;
    const char *device;
} log_style;

void virtual_log_open(bool json, const char *device)
{
    log_style.json = json;
    log_style.device = device;
    setvbuf(stdout, NULL, _IOLBF, 0);
}

static void put_json_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void put_field(const struct virtual_field *field)
{
    if (log_style.json) {
        putchar(',');
        put_json_text(field->name);
        putchar(':');
        if (field->text != NULL)
            put_json_text(field->text);
        else
            printf("%lu", (unsigned long)field->number);
    } else if (field->text != NULL) {
        printf(" %s=%s", field->name, field->text);
    } else {
        printf(" %s=%lu", field->name, (unsigned long)field->number);
    }
}

void virtual_log(const char *event, const struct virtual_field *fields)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (log_style.json) {
        printf("{\"time\":%lld.%03ld,\"device\":", (long long)now.tv_sec, now.tv_nsec / 1000000);
        put_json_text(log_style.device);
        printf(",\"event\":");
        put_json_text(event);
    } else {
        struct tm local;

        localtime_r(&now.tv_sec, &local);
        printf("%02d:%02d:%02d.%03ld %s %s", local.tm_hour, local.tm_min, local.tm_sec,
               now.tv_nsec / 1000000, log_style.device, event);
    }
    for (; fields != NULL && fields->name != NULL; fields++)
        put_field(fields);
    puts(log_style.json ? "}" : "");
    fflush(stdout);
}
