/* The suite on the hostile port: host-hostile [stalls]. */
#include <stdio.h>

#include "hostile_device.h"

static struct hostile_device device;

static void print(const char *text)
{
    fputs(text, stdout);
}

int main(int argc, char **argv)
{
    (void)argv;
    hostile_device_init(&device, argc > 1, print);
    device.suite.clock = NULL; /* the hostile port has none */
    return hostile_device_run(&device) == 0 ? 0 : 1;
}
