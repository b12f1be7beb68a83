/* The command line of mup-microbit factory. */
#ifndef MUP_MICROBIT_FACTORY_OPTIONS_H
#define MUP_MICROBIT_FACTORY_OPTIONS_H

#include <stdbool.h>

/* Texts are those of argv, and NULL when they were not told; numbers are within their limits, and 0
 * when they were not told. */
struct microbit_factory_options {
    const char *flash_path; /* this and the next four are always there */
    const char *boot_path;
    const char *image_path;
    const char *key_path;
    const char *uuid;
    const char *password_path;
    const char *name;
    const char *eui64;
    const char *broker; /* always there */
    unsigned long broker_port;
    unsigned long pan_id;
    unsigned long short_address;
    unsigned long trial_s;
    unsigned long window_size;
    unsigned long slice_size;
    unsigned long flow; /* enum mup_flow */
    unsigned long pause_ms;
    unsigned long receive_maximum;
    unsigned long send_segment;
    bool no_alias;
    bool ack_each_segment;
    bool flash_times;
    bool force;
};

/* False: the program ends with *code, after the help or a message. */
bool microbit_factory_options_take(struct microbit_factory_options *out, int argc, char **argv,
                                   int *code);

#endif
