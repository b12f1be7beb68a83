/* Reading the command line: see options.h. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: mup-router --radio SOCKET --broker PORT [OPTION ...]\n"
    "\n"
    "A border router for emulated devices: IEEE 802.15.4 frames on a Unix socket,\n"
    "IPv6 over 6LoWPAN above them; what devices send to port 1883 of fe80::1 goes on\n"
    "to a broker on this machine.\n"
    "\n"
    "  --radio SOCKET     where emulated UARTs connect; one byte of length before\n"
    "                     each frame\n"
    "  --broker PORT      of 127.0.0.1\n"
    "  --capture FILE     everything that is on the air, for Wireshark (pcap)\n"
    "  --air              frames take the time that they take at 2.4 GHz: airtime,\n"
    "                     CSMA, acknowledgements and retries, collisions\n"
    "\n"
    "With --air:\n"
    "  --loss P%          frames that a receiver does not hear\n"
    "  --ack-loss P%      acknowledgements that are not heard\n"
    "  --burst B%,G%,P%   loss in bursts: from good to bad, from bad to good, lost\n"
    "                     while bad\n"
    "  --corrupt P%       frames that arrive with a wrong bit\n"
    "  --duplicate P%     frames that arrive twice\n"
    "  --sleep T,A,L      receivers of devices sleep: every T ms on for A ms, and for\n"
    "                     L ms after each frame\n"
    "  --offers N         how often a frame for which no channel was found is tried\n"
    "                     again; 3 unless told\n"
    "  --seed N           of all chance; 0 unless told\n"
    "  --control SOCKET   where to ask for a report and change all these\n"
    "\n"
    "example: mup-router --radio /tmp/radio --broker 1883 --capture radio.pcap --air\n";

enum { OPTION_FAULT = 'f' };

static const struct option known[] = {{"radio", required_argument, NULL, 'r'},
                                      {"broker", required_argument, NULL, 'b'},
                                      {"capture", required_argument, NULL, 'c'},
                                      {"air", no_argument, NULL, 'a'},
                                      {"control", required_argument, NULL, 'o'},
                                      {"loss", required_argument, NULL, OPTION_FAULT},
                                      {"ack-loss", required_argument, NULL, OPTION_FAULT},
                                      {"burst", required_argument, NULL, OPTION_FAULT},
                                      {"corrupt", required_argument, NULL, OPTION_FAULT},
                                      {"duplicate", required_argument, NULL, OPTION_FAULT},
                                      {"sleep", required_argument, NULL, OPTION_FAULT},
                                      {"offers", required_argument, NULL, OPTION_FAULT},
                                      {"seed", required_argument, NULL, OPTION_FAULT},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

/* 0 after a message. */
static uint16_t port_of(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    if (end != text && *end == '\0' && port >= 1 && port <= 65535)
        return (uint16_t)port;
    fprintf(stderr, "mup-router: --broker wants a port from 1 to 65535, not '%s'\n", text);
    return 0;
}

static bool set_fault(struct mup_faults *faults, const char *name, const char *value)
{
    const char *why;

    if (mup_faults_set(faults, name, value, &why))
        return true;
    fprintf(stderr, "mup-router: --%s %s, not '%s'\n", name, why, value);
    return false;
}

static bool is_complete(const struct mup_options *options, const char *of_air)
{
    if (options->radio_path == NULL || options->broker_port == 0) {
        fprintf(stderr,
                "mup-router: --radio and --broker are wanted, and nothing else but options; "
                "see mup-router --help\n");
        return false;
    }
    if (of_air != NULL && !options->has_air) {
        fprintf(stderr, "mup-router: --%s wants --air\n", of_air);
        return false;
    }
    return true;
}

int mup_options_read(struct mup_options *options, int argc, char **argv)
{
    const char *of_air = NULL; /* an option that makes no sense without */
    int index;
    int option;

    memset(options, 0, sizeof *options);
    mup_faults_init(&options->faults);
    while ((option = getopt_long(argc, argv, "h", known, &index)) != -1) {
        bool good = true;

        if (option == 'r')
            options->radio_path = optarg;
        else if (option == 'b')
            good = (options->broker_port = port_of(optarg)) != 0;
        else if (option == 'c')
            options->capture_path = optarg;
        else if (option == 'a')
            options->has_air = true;
        else if (option == 'o')
            options->control_path = optarg, of_air = known[index].name;
        else if (option == OPTION_FAULT)
            good = set_fault(&options->faults, of_air = known[index].name, optarg);
        else if (option == 'h') {
            fputs(help, stdout);
            return 0;
        } else
            good = false;
        if (!good)
            return 2;
    }
    if (optind != argc)
        options->radio_path = NULL;
    return is_complete(options, of_air) ? MUP_OPTIONS_GO_ON : 2;
}
