/* What the demo tells beside its steps, in 80 columns: see account.h. */
#include "account.h"

#include <stdarg.h>

#define DIGITS            "%.16s..." /* of a digest: enough to compare by eye */
#define RAM_SIZE          16384u

#define PAPER_BYTES_PER_S (87800 / 81.54) /* Table 7, MUP 600 + RTA */

static const char posix_picture[] =
    "  vendor            edge                                   device\n"
    "  release --HTTP--> update server --NETCONF--> bridge      a process\n"
    "                          |                      |             |\n"
    "                          +------- MQTT ----- mosquitto -------+\n"
    "\n";

static const char microbit_picture[] =
    "  vendor            edge                                   device\n"
    "  release --HTTP--> update server --NETCONF--> bridge      micro:bit in QEMU:\n"
    "                          |                      |         Cortex-M0, 16 kB RAM\n"
    "                          |                      |               | 6LoWPAN\n"
    "                          +------- MQTT ----- mosquitto --- border router\n"
    "\n";

static const char posix_device[] =
    "        a process: the update agent of a microcontroller's firmware, over a file\n"
    "        with the rules of flash\n";

static const char microbit_device[] =
    "        a BBC micro:bit (nRF51), emulated instruction by instruction: 16 kB of\n"
    "        RAM for IPv6 over 6LoWPAN, MQTT, update agent and signature checks.\n";

static const char paced_radio[] =
    "        It runs at 16 MHz. Its IEEE 802.15.4 frames take their time on the air:\n"
    "        250 kbit/s, CSMA-CA, acknowledgements (--fast does without both).\n";

static const char fast_radio[] =
    "        Neither its clock nor its radio is slowed down to what they really are.\n";

static bool is_microbit(const struct mup_demo *demo)
{
    return demo->options->board == &mup_board_microbit;
}

void mup_account_say(const struct mup_demo *demo, const char *format, ...)
{
    va_list list;

    if (demo->out == NULL)
        return;
    va_start(list, format);
    vfprintf(demo->out, format, list);
    va_end(list);
    fflush(demo->out);
}

void mup_account_begin(const struct mup_demo *demo)
{
    mup_account_say(demo, "One update, from the vendor to a confirmed device.\n\n%s",
                    is_microbit(demo) ? microbit_picture : posix_picture);
}

static void tell_release(const struct mup_demo *demo, const struct mup_evidence_release *release)
{
    mup_account_say(demo, "        version %u, %u bytes, SHA-256 " DIGITS "\n",
                    (unsigned)release->version, (unsigned)release->size, release->digest);
}

void mup_account_vendor(const struct mup_demo *demo)
{
    mup_account_say(demo,
                    "vendor  makes a key pair, certifies the update server's key, and signs\n");
    tell_release(demo, &demo->releases[0]);
    tell_release(demo, &demo->releases[1]);
    if (demo->options->keep)
        mup_account_say(demo, "        version %u, for you to deploy\n",
                        (unsigned)mup_demo_next(demo));
}

void mup_account_edge(const struct mup_demo *demo)
{
    const struct mup_testbed *bed = &demo->bed;

    mup_account_say(
        demo, "edge    mosquitto on port %d, sshd on %d, update server on %d, bridge%s\n",
        bed->broker_port, bed->ssh_port, bed->rest_port,
        is_microbit(demo) ? ",\n        border router: 6LoWPAN here, the broker's TCP there" : "");
}

static void tell_slot(const struct mup_demo *demo, const char *name,
                      const struct mup_evidence_slot *slot, const char *note)
{
    if (slot->version != 0)
        mup_account_say(demo, "%s version %u, SHA-256 " DIGITS "%s\n", name,
                        (unsigned)slot->version, slot->digest, note);
    else
        mup_account_say(demo, "%s %s\n", name,
                        slot->is_erased ? "erased" : "neither of the two versions");
}

void mup_account_device(const struct mup_demo *demo)
{
    mup_account_say(demo, "device  UUID %s\n%s", demo->device.uuid,
                    is_microbit(demo) ? microbit_device : posix_device);
    if (is_microbit(demo))
        mup_account_say(demo, "%s", mup_demo_is_paced(demo) ? paced_radio : fast_radio);
    tell_slot(demo, "flash   execution slot:", &demo->before.execution, "");
    tell_slot(demo, "        staging slot:  ", &demo->before.staging, "");
}

static void tell_radio(const struct mup_demo *demo)
{
    const struct mup_evidence_radio *radio = &demo->radio;
    const struct mup_story_step *slices = &demo->story.steps[5];
    double seconds = (double)(slices->done_us - slices->begun_us) / 1e6;
    bool is_paced = mup_demo_is_paced(demo);

    mup_account_say(demo, "radio   %llu frames of at most %u bytes, %.1f kB%s\n",
                    (unsigned long long)radio->frames, (unsigned)radio->largest,
                    (double)radio->size / 1000.0,
                    is_paced ? ", acknowledgements included" : "; not slowed down");
    if (is_paced && seconds > 0)
        mup_account_say(demo,
                        "        %.1f kB/s of firmware; the paper's device took in %.1f kB/s\n",
                        demo->story.payload_size / seconds / 1000.0, PAPER_BYTES_PER_S / 1000.0);
}

void mup_account_end(const struct mup_demo *demo)
{
    mup_account_say(demo, "\nNot the device's word, but looked up in its %s:\n",
                    is_microbit(demo) ? "flash, its memory and on the air" : "flash file");
    tell_slot(demo, "flash   execution slot:", &demo->after.execution, ", as signed");
    tell_slot(demo, "        staging slot:  ", &demo->after.staging, ", to go back to");
    if (demo->stack_unused != 0)
        mup_account_say(demo, "RAM     %u of %u bytes in use at most, signature checks included\n",
                        (unsigned)(RAM_SIZE - demo->stack_unused), RAM_SIZE);
    if (demo->radio.frames != 0)
        tell_radio(demo);
}
