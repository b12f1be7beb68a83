/* The command line of mup-microbit factory: a table of what there is, and what is always checked.
 */
#include "factory_options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mup/token.h"
#include "settings.h"
#include "tool.h"

#define PAN_ID           0xabcdu
#define SHORT_MAX        0xfffdu /* above is who has none, and all */
#define BROKER           "fe80::1"
#define BROKER_SHORT     "fe80::ff:fe00:1" /* of the same router, by its 16-bit address */
#define BROKER_PORT      1883u

#define RECEIVE_MAXIMUM  8u
#define PAUSE_MS         20u

#define SEND_SEGMENT_MIN 32u /* as Contiki-NG's MQTT client has it, unless told */

static const char usage[] =
    PROGRAM " factory: make the flash image of a new device\n"
            "\n"
            "  --flash FILE           to be made\n"
            "  --boot FILE            the bootloader (microbit-boot.bin)\n"
            "  --image FILE           the application it is born with (microbit-app-1.bin)\n"
            "  --vendor-key FILE      the vendor's public key, PEM (P-256)\n"
            "  --uuid UUID            who it is\n"
            "  --name NAME            its user name at the broker (default: the UUID)\n"
            "  --password-file FILE   first line: its password at the broker\n"
            "  --broker ADDRESS       IPv6 address of the broker (default " BROKER ")\n"
            "  --broker-port PORT     default 1883\n"
            "  --eui64 ADDRESS        of its radio, 16 hex digits (default: made of the UUID)\n"
            "  --short-address ID     of its radio, from 1 to 0xfffd; then --broker is\n"
            "                         " BROKER_SHORT " unless told\n"
            "  --pan ID               of its radio network (default 0xabcd)\n"
            "  --trial SECONDS        to confirm a trial in (default: an hour)\n"
            "  --force                replace FILE if it exists\n"
            "\n"
            "How it is to take updates in, for comparisons:\n"
            "\n"
            "  --window BYTES         most that may be under way to it (with --flow qos1 and\n"
            "                         paced: 65536)\n"
            "  --slice BYTES          most in a slice\n"
            "  --flow credit|qos1|paced  how slices shall come: as its credit allows\n"
            "                         (default), with QoS 1, or one each --pause\n"
            "  --pause MS             with --flow paced: between two slices (default 20)\n"
            "  --receive-maximum N    messages of QoS 1 under way (default 1; 8 with qos1)\n"
            "  --no-alias             topics are written out, without topic aliases\n"
            "  --ack-each-segment     TCP acknowledges each segment, as small stacks do\n"
            "  --send-segment BYTES   most in a segment of TCP that it sends\n"
            "  --flash-times          its flash takes its time, also in QEMU\n"
            "\n"
            "Example: " PROGRAM " factory --flash d.flash --boot microbit-boot.bin \\\n"
            "             --image microbit-app-1.bin --vendor-key vendor.pub \\\n"
            "             --uuid 5f0c1d2e-3a4b-4c5d-8e9f-a0b1c2d3e4f5 \\\n"
            "             --password-file d.password\n";

/* ---- the table ------------------------------------------------------------------------------- */

#define AT(field) offsetof(struct microbit_factory_options, field)

enum kind { TEXT, NEEDED, NUMBER, FLOW, SWITCH };

static const struct entry {
    const char *name;
    size_t at;
    enum kind kind;
    unsigned long least;
    unsigned long most;
} table[] = {
    {"flash", AT(flash_path), NEEDED, 0, 0},
    {"boot", AT(boot_path), NEEDED, 0, 0},
    {"image", AT(image_path), NEEDED, 0, 0},
    {"vendor-key", AT(key_path), NEEDED, 0, 0},
    {"uuid", AT(uuid), NEEDED, 0, 0},
    {"password-file", AT(password_path), TEXT, 0, 0},
    {"name", AT(name), TEXT, 0, 0},
    {"eui64", AT(eui64), TEXT, 0, 0},
    {"broker", AT(broker), TEXT, 0, 0},
    {"broker-port", AT(broker_port), NUMBER, 1, 0xffff},
    {"pan", AT(pan_id), NUMBER, 1, 0xffff},
    {"short-address", AT(short_address), NUMBER, 1, SHORT_MAX},
    {"trial", AT(trial_s), NUMBER, 1, 0xffff},
    {"window", AT(window_size), NUMBER, MUP_WINDOW_MIN, MUP_WINDOW_MAX},
    {"slice", AT(slice_size), NUMBER, MUP_SLICE_DATA_MIN, MUP_SLICE_DATA_MAX},
    {"flow", AT(flow), FLOW, 0, 0},
    {"pause", AT(pause_ms), NUMBER, 1, MUP_PAUSE_MAX_MS},
    {"receive-maximum", AT(receive_maximum), NUMBER, 1, 0xffff},
    {"no-alias", AT(no_alias), SWITCH, 0, 0},
    {"ack-each-segment", AT(ack_each_segment), SWITCH, 0, 0},
    {"send-segment", AT(send_segment), NUMBER, SEND_SEGMENT_MIN, UINT8_MAX},
    {"flash-times", AT(flash_times), SWITCH, 0, 0},
    {"force", AT(force), SWITCH, 0, 0},
};

#define TABLE_SIZE (sizeof table / sizeof table[0])
#define HELP       TABLE_SIZE

/* ---- reading it ------------------------------------------------------------------------------ */

static bool take_number(unsigned long *out, const struct entry *entry, const char *text)
{
    unsigned long value;
    char *end;

    errno = 0;
    value = strtoul(text, &end, 0);
    if (errno == 0 && end != text && *end == '\0' && value >= entry->least &&
        value <= entry->most) {
        *out = value;
        return true;
    }
    fprintf(stderr, PROGRAM ": --%s wants a number from %lu to %lu, not '%s'\n", entry->name,
            entry->least, entry->most, text);
    return false;
}

static bool take_flow(unsigned long *out, const char *text)
{
    static const char *const names[] = {
        [MUP_FLOW_CREDIT] = "credit", [MUP_FLOW_QOS1] = "qos1", [MUP_FLOW_PACED] = "paced"};

    for (unsigned long i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return true;
        }
    fprintf(stderr, PROGRAM ": --flow is credit, qos1 or paced, not '%s'\n", text);
    return false;
}

static bool take(struct microbit_factory_options *options, const struct entry *entry,
                 const char *text)
{
    char *field = (char *)options + entry->at;

    if (entry->kind == NUMBER)
        return take_number((unsigned long *)(void *)field, entry, text);
    if (entry->kind == FLOW)
        return take_flow((unsigned long *)(void *)field, text);
    if (entry->kind == SWITCH)
        *(bool *)(void *)field = true;
    else
        *(const char **)(void *)field = text;
    return true;
}

static bool misunderstood(const char *what, const char *word)
{
    fprintf(stderr, PROGRAM " factory: %s: %s; see " PROGRAM " factory --help\n", what, word);
    return false;
}

static bool has_all(const struct microbit_factory_options *options)
{
    char name[32];

    for (size_t i = 0; i < TABLE_SIZE; i++) {
        const char *field = (const char *)options + table[i].at;

        if (table[i].kind != NEEDED || *(const char *const *)(const void *)field != NULL)
            continue;
        snprintf(name, sizeof name, "--%s", table[i].name);
        return misunderstood("an option is missing", name);
    }
    return true;
}

/* What no entry can say of itself. */
static bool is_consistent(const struct microbit_factory_options *options)
{
    if (options->pause_ms != 0 && options->flow != MUP_FLOW_PACED) {
        fprintf(stderr, PROGRAM ": --pause needs --flow paced\n");
        return false;
    }
    if (options->window_size == 0 || options->slice_size <= options->window_size)
        return true;
    fprintf(stderr, PROGRAM ": --slice %lu is more than --window %lu\n", options->slice_size,
            options->window_size);
    return false;
}

static void fill_in(struct microbit_factory_options *options)
{
    if (options->broker == NULL)
        options->broker = options->short_address == MICROBIT_SHORT_NONE ? BROKER : BROKER_SHORT;
    if (options->broker_port == 0)
        options->broker_port = BROKER_PORT;
    if (options->pan_id == 0)
        options->pan_id = PAN_ID;
    if (options->window_size == 0 && options->flow != MUP_FLOW_CREDIT)
        options->window_size = MUP_WINDOW_MAX;
    if (options->receive_maximum == 0 && options->flow == MUP_FLOW_QOS1)
        options->receive_maximum = RECEIVE_MAXIMUM;
    if (options->pause_ms == 0 && options->flow == MUP_FLOW_PACED)
        options->pause_ms = PAUSE_MS;
}

bool microbit_factory_options_take(struct microbit_factory_options *out, int argc, char **argv,
                                   int *code)
{
    struct option options[TABLE_SIZE + 2] = {[TABLE_SIZE] = {"help", no_argument, NULL, HELP}};
    struct microbit_factory_options taken = {.flash_path = NULL};
    int option;

    for (size_t i = 0; i < TABLE_SIZE; i++)
        options[i] = (struct option){
            table[i].name, table[i].kind == SWITCH ? no_argument : required_argument, NULL, (int)i};
    *code = EXIT_USAGE;
    optind = 2;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == HELP) {
            fputs(usage, stdout);
            *code = 0;
            return false;
        }
        if (option == '?' || !take(&taken, &table[option], optarg))
            return false;
    }
    if (optind != argc)
        return misunderstood("there is more on the command line than options", argv[optind]);
    if (!has_all(&taken) || !is_consistent(&taken))
        return false;
    fill_in(&taken);
    *out = taken;
    return true;
}
