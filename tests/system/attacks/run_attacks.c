/* Mount attacks of the demo from a build folder: run_attacks NAME|all BIN SOURCE [text]. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "attack.h"

static volatile int must_end;

static void on_signal(int number)
{
    (void)number;
    must_end = 1;
}

int main(int argc, char **argv)
{
    bool json = argc == 4;

    if (!json && !(argc == 5 && strcmp(argv[4], "text") == 0)) {
        fprintf(stderr, "usage: run_attacks NAME|all BIN SOURCE [text]\n");
        return 2;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    return mup_demo_attack(argv[1], json, argv[2], argv[3], &must_end);
}
