/*
 * The options of mup-device run.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "virtual.h"

static const char usage[] =
    "mup-device run: run a virtual device\n"
    "\n"
    "  --flash FILE            its flash (mup-device factory)\n"
    "  --broker HOST:PORT      where the MQTT broker is\n"
    "  --description FILE      the template of its description\n"
    "  --user NAME             must be the name in the flash, which is its user name\n"
    "  --password-file FILE    first line: its password at the broker\n"
    "  --app-id ID             default virtual-app\n"
    "  --hardware-class CLASS  default virtual-1\n"
    "  --window BYTES          most bytes in flight (default 8192; 65536 with --flow\n"
    "                          qos1 and paced)\n"
    "  --slice BYTES           largest slice (default 4096)\n"
    "  --block BYTES           largest block: a power of two, 256 to 4096 (4096)\n"
    "  --flow credit|qos1|paced  how slices shall come: as credit allows (default),\n"
    "                          with QoS 1, or one each --pause\n"
    "  --pause MS              with --flow paced: between two slices (default 20)\n"
    "  --receive-maximum N     messages of QoS 1 under way (default 1; 8 with qos1)\n"
    "  --no-alias              write topics out, without topic aliases\n"
    "  --interval SECONDS      between two temperatures (default 10)\n"
    "  --keep-alive SECONDS    default 30\n"
    "  --token-lifetime S      default 600\n"
    "  --trial SECONDS         to confirm a trial in (default 3600)\n"
    "  --watchdog MS           until the watchdog resets a hung image (default 1000)\n"
    "  --log text|json         default text\n"
    "  --seed N                of the thermometer's wandering; never of a nonce\n"
    "\n"
    "Its command topics are led/NAME and interval/NAME: a description that declares\n"
    "others gets no answer there. It publishes sensor/temperature/NAME, and on\n"
    "event/NAME what became of a certificate.\n"
    "\n"
    "Example: mup-device run --flash d.flash --broker 127.0.0.1:1883 \\\n"
    "             --description firmware/description/virtual.jsonld \\\n"
    "             --password-file d.password\n";

static bool parse_broker(struct virtual_options *options, const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t size;

    if (colon == NULL || colon == text || colon[1] == '\0' || strlen(text) >= VIRTUAL_BROKER_MAX) {
        fprintf(stderr, "mup-device: --broker wants HOST:PORT, not '%s'\n", text);
        return false;
    }
    size = (size_t)(colon - text);
    if (text[0] == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    }
    memcpy(options->broker, text, size);
    options->broker[size] = '\0';
    options->broker_port = colon + 1;
    return true;
}

static bool parse_flow(struct virtual_options *options, const char *text)
{
    static const char *const names[] = {
        [MUP_FLOW_CREDIT] = "credit", [MUP_FLOW_QOS1] = "qos1", [MUP_FLOW_PACED] = "paced"};

    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            options->flow = i;
            return true;
        }
    fprintf(stderr, "mup-device: --flow is credit, qos1 or paced, not '%s'\n", text);
    return false;
}

static bool number_option(struct virtual_options *options, int option, const char *text)
{
    switch (option) {
    case 'w':
        return virtual_number(&options->window_size, "--window", text, MUP_WINDOW_MIN,
                              MUP_WINDOW_MAX);
    case 's':
        return virtual_number(&options->slice_size, "--slice", text, MUP_SLICE_DATA_MIN,
                              MUP_SLICE_DATA_MAX);
    case 'B':
        return virtual_number(&options->block_size, "--block", text, MUP_BLOCK_SIZE_MIN,
                              MUP_BLOCK_SIZE_MAX);
    case 'P':
        return virtual_number(&options->pause_ms, "--pause", text, 1, MUP_PAUSE_MAX_MS);
    case 'R':
        return virtual_number(&options->receive_maximum, "--receive-maximum", text, 1, UINT16_MAX);
    case 'i':
        return virtual_number(&options->interval_s, "--interval", text, 1, 3600);
    case 'k':
        return virtual_number(&options->keep_alive_s, "--keep-alive", text, 1, 65535);
    case 'l':
        return virtual_number(&options->token_lifetime_s, "--token-lifetime", text, 1,
                              MUP_TOKEN_LIFETIME_MAX_S);
    case 't':
        return virtual_number(&options->trial_s, "--trial", text, 1, 86400);
    case 'W':
        return virtual_number(&options->watchdog_ms, "--watchdog", text, 1, 3600000);
    case 'S':
        return virtual_number(&options->seed, "--seed", text, 0, UINT32_MAX);
    default:
        return false;
    }
}

static bool text_option(struct virtual_options *options, int option, const char *text)
{
    switch (option) {
    case 'f':
        options->flash_path = text;
        return true;
    case 'b':
        return parse_broker(options, text);
    case 'd':
        options->description_path = text;
        return true;
    case 'u':
        options->user = text;
        return true;
    case 'p':
        options->password_path = text;
        return true;
    case 'a':
        options->app_id = text;
        return true;
    case 'c':
        options->hardware_class = text;
        return true;
    case 'F':
        return parse_flow(options, text);
    case 'A':
        options->no_alias = true;
        return true;
    case 'L':
        options->json = strcmp(text, "json") == 0;
        if (!options->json && strcmp(text, "text") != 0)
            fprintf(stderr, "mup-device: --log is text or json, not '%s'\n", text);
        return options->json || strcmp(text, "text") == 0;
    default:
        return number_option(options, option, text);
    }
}

/* What was not told and depends on the flow. */
static bool settle(struct virtual_options *options)
{
    if (options->pause_ms != 0 && options->flow != MUP_FLOW_PACED) {
        fprintf(stderr, "mup-device: --pause needs --flow paced\n");
        return false;
    }
    if (options->pause_ms == 0 && options->flow == MUP_FLOW_PACED)
        options->pause_ms = 20;
    if (options->window_size == 0)
        options->window_size = options->flow == MUP_FLOW_CREDIT ? 8192 : MUP_WINDOW_MAX;
    if (options->receive_maximum == 0)
        options->receive_maximum = options->flow == MUP_FLOW_QOS1 ? 8 : 1;
    return true;
}

int virtual_parse_options(struct virtual_options *options, int argc, char **argv)
{
    static const struct option names[] = {{"flash", required_argument, NULL, 'f'},
                                          {"broker", required_argument, NULL, 'b'},
                                          {"description", required_argument, NULL, 'd'},
                                          {"user", required_argument, NULL, 'u'},
                                          {"password-file", required_argument, NULL, 'p'},
                                          {"app-id", required_argument, NULL, 'a'},
                                          {"hardware-class", required_argument, NULL, 'c'},
                                          {"window", required_argument, NULL, 'w'},
                                          {"slice", required_argument, NULL, 's'},
                                          {"block", required_argument, NULL, 'B'},
                                          {"flow", required_argument, NULL, 'F'},
                                          {"pause", required_argument, NULL, 'P'},
                                          {"receive-maximum", required_argument, NULL, 'R'},
                                          {"no-alias", no_argument, NULL, 'A'},
                                          {"interval", required_argument, NULL, 'i'},
                                          {"keep-alive", required_argument, NULL, 'k'},
                                          {"token-lifetime", required_argument, NULL, 'l'},
                                          {"trial", required_argument, NULL, 't'},
                                          {"watchdog", required_argument, NULL, 'W'},
                                          {"log", required_argument, NULL, 'L'},
                                          {"seed", required_argument, NULL, 'S'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option;

    *options = (struct virtual_options){.app_id = "virtual-app",
                                        .hardware_class = "virtual-1",
                                        .slice_size = 4096,
                                        .block_size = 4096,
                                        .interval_s = 10,
                                        .keep_alive_s = 30,
                                        .token_lifetime_s = 600,
                                        .trial_s = MUP_AGENT_TRIAL_MS / 1000,
                                        .watchdog_ms = 1000,
                                        .seed = 1};
    optind = 2;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 1;
        }
        if (option == '?' || !text_option(options, option, optarg))
            return EXIT_USAGE + 1;
    }
    if (options->flash_path == NULL || options->broker_port == NULL ||
        options->description_path == NULL || optind != argc) {
        fputs(usage, stderr);
        return EXIT_USAGE + 1;
    }
    return settle(options) ? 0 : EXIT_USAGE + 1;
}
