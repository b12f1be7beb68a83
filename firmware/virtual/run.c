/*
 * mup-device run: boot core, then what the image in the execution slot says, over TCP.
 *
 * A reset is a real one: the process executes itself anew, so nothing of RAM is left. kill -9 is a
 * power cut.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mup/boot.h"
#include "mup/identity.h"
#include "mup/slot.h"
#include "mup/trust.h"
#include "virtual.h"

#define OUT_SIZE           1024u
#define IN_SIZE            4096u
#define CONNECT_TIMEOUT_MS 10000u
#define CRASH_PAUSE_MS     50u
#define PASSWORD_MAX       256u

/* All that a device has. Static, as in a firmware. */
static struct device {
    struct virtual_options options;
    struct virtual_flash flash;
    struct mup_boot boot;
    struct mup_boot_state booted;
    struct mup_mqtt mqtt;
    struct mup_agent agent;
    struct mup_agent_config config;
    struct mup_port_random random;
    struct mup_port_clock clock;
    struct mup_port_transport transport;
    struct mup_posix_tcp tcp;
    struct mup_posix_reset reset;
    struct virtual_image image;
    struct virtual_application application;
    char name[MUP_NAME_MAX + 1];
    char password[PASSWORD_MAX];
    uint8_t description[MUP_DESCRIPTION_MAX + 1];
    uint8_t block[MUP_PIPELINE_BUFFER_SIZE(MUP_BLOCK_SIZE_MAX)];
    uint8_t request[MUP_REQUEST_MAX];
    uint8_t out[OUT_SIZE];
    uint8_t head[MUP_AGENT_HEAD_SIZE];
    uint8_t in[IN_SIZE];
    size_t in_size;
    bool is_open;      /* the transport is connected */
    bool is_opening;   /* it is being connected */
    uint32_t since_ms; /* of the opening, or of the loss */
    uint32_t retry_ms; /* how long to wait after the loss */
} device;

static volatile sig_atomic_t must_end;

static void on_signal(int signal)
{
    (void)signal;
    must_end = 1;
}

static uint32_t now_ms(void)
{
    return device.clock.now_ms(device.clock.context);
}

/* ---- Files ------------------------------------------------------------------------------- */

static bool read_file(void *bytes, size_t capacity, size_t *size, const char *path)
{
    FILE *file = fopen(path, "rb");

    errno = 0;
    *size = file != NULL ? fread(bytes, 1, capacity, file) : 0;
    if (file == NULL || ferror(file) || *size == 0 || *size == capacity) {
        fprintf(stderr, "mup-device: %s: %s\n", path,
                errno != 0     ? strerror(errno)
                : file == NULL ? "cannot be opened"
                : *size == 0   ? "is empty"
                               : "is too large");
        if (file != NULL)
            fclose(file);
        return false;
    }
    fclose(file);
    return true;
}

static bool read_password(const char *path)
{
    size_t size;

    if (!read_file(device.password, sizeof device.password, &size, path))
        return false;
    device.password[size] = '\0';
    device.password[strcspn(device.password, "\r\n")] = '\0';
    device.config.password = device.password;
    return true;
}

/* ---- What the agent tells ---------------------------------------------------------------- */

static void log_state(const char *event, uint32_t state, const char *name, uint32_t value)
{
    virtual_log(event, (struct virtual_field[]){{"state", NULL, state},
                                                {"name", mup_state_name(state), 0},
                                                {name, NULL, value},
                                                {0}});
}

static void log_number(const char *event, const char *name, uint32_t value)
{
    virtual_log(event, (struct virtual_field[]){{name, NULL, value}, {0}});
}

static void log_outcome(uint32_t outcome, uint32_t version)
{
    log_state("reported", outcome, "version", version);
}

static void on_notice(void *context, enum mup_agent_notice notice, uint32_t state, uint32_t value)
{
    (void)context;
    virtual_application_notice(&device.application, notice, state);
    switch (notice) {
    case MUP_AGENT_CONNECTED:
        log_number("connected", "session", value);
        break;
    case MUP_AGENT_ANNOUNCED:
        virtual_log("announced", NULL);
        break;
    case MUP_AGENT_BOOTSTRAP:
        log_state("bootstrap", state, NULL, 0);
        break;
    case MUP_AGENT_CERTIFICATE:
        log_state(state == MUP_STATE_OK || state == MUP_STATE_NOOP ? "certificate"
                                                                   : "certificate-refused",
                  state, "epoch", value);
        break;
    case MUP_AGENT_DESCRIBED:
        log_number("described", "pieces", value);
        break;
    case MUP_AGENT_TOKEN:
        log_state("token", state, NULL, 0);
        break;
    case MUP_AGENT_MANIFEST:
        log_state(state == MUP_STATE_OK ? "manifest" : "refused", state, "next", value);
        break;
    case MUP_AGENT_PROGRESS:
        virtual_log("progress",
                    (struct virtual_field[]){{"state", NULL, state},
                                             {"next", NULL, value},
                                             {"size", NULL, mup_agent_payload_size(&device.agent)},
                                             {0}});
        break;
    case MUP_AGENT_VERIFIED:
        log_state(state == MUP_STATE_OK ? "verified" : "refused", state, "version", value);
        break;
    case MUP_AGENT_COMMAND:
        log_state("command", state, NULL, 0);
        break;
    case MUP_AGENT_CONFIRMED:
        log_number("confirmed", "version", value);
        break;
    case MUP_AGENT_GIVEN_UP:
        log_number("given-up", "reason", state);
        break;
    case MUP_AGENT_REPORTED:
        log_outcome(state, value);
        break;
    case MUP_AGENT_CLOSED:
        virtual_log("closed",
                    (struct virtual_field[]){{"cause", NULL, state}, {"reason", NULL, value}, {0}});
        break;
    }
}

static void on_command(void *context, struct mup_agent_answer *answer,
                       const struct mup_agent_call *call)
{
    (void)context;
    virtual_application_command(&device.application, answer, call);
}

/* ---- Boot -------------------------------------------------------------------------------- */

static void log_boot(const struct mup_boot_state *state)
{
    const char *event = state->phase == MUP_BOOT_TRIAL      ? "trial"
                        : state->phase == MUP_BOOT_REVERTED ? "reverted"
                        : state->phase == MUP_BOOT_REJECTED ? "rejected"
                                                            : NULL;

    log_number("boot", "version", state->running.version);
    if (event != NULL)
        virtual_log(event, (struct virtual_field[]){{"version", NULL, state->running.version},
                                                    {"trial", NULL, state->trial},
                                                    {"reason", NULL, (uint32_t)state->reason},
                                                    {0}});
}

static void reset_after(uint32_t pause_ms)
{
    struct mup_port_reset reset = mup_posix_reset_port(&device.reset);

    for (uint32_t begin = now_ms(); now_ms() - begin < pause_ms && !must_end;)
        poll(NULL, 0, 10);
    if (must_end)
        return; /* who was told to end does not come back */
    mup_posix_flash_close(&device.flash.file);
    reset.now(reset.context);
}

/* The bootloader's part: whatever the journal asks for, then the header of what may run. */
static bool boot(void)
{
    static uint8_t manifest[MUP_BOOT_MANIFEST_SIZE_MAX];
    struct mup_boot_verifier verifier = {mup_trust_verify_image, &device.flash.map, manifest};
    struct mup_identity identity;
    char header[128];
    enum mup_status status = mup_boot_open(&device.boot, &device.flash.map);

    if (status == MUP_OK)
        status = mup_identity_load(&identity, &device.flash.map);
    if (status != MUP_OK) {
        fprintf(stderr,
                "mup-device: %s has no device in it (%s); make one with "
                "mup-device factory\n",
                device.options.flash_path, mup_status_name(status));
        return false;
    }
    memcpy(device.name, identity.name, MUP_DEVICE_NAME_MAX);
    virtual_log_open(device.options.json, device.name);
    status = mup_boot_start(&device.boot, &device.booted, &verifier);
    if (status == MUP_OK)
        status = mup_slot_read(&device.flash.map, MUP_SLOT_EXECUTION, 0, header, sizeof header);
    if (status != MUP_OK || !virtual_image_parse(&device.image, header, sizeof header)) {
        virtual_log("no-image",
                    (struct virtual_field[]){{"status", mup_status_name(status), 0}, {0}});
        /* A processor would fault and be reset, and that counts as a trial. */
        if (status == MUP_OK && device.booted.phase == MUP_BOOT_TRIAL)
            reset_after(CRASH_PAUSE_MS);
        return false;
    }
    log_boot(&device.booted);
    return true;
}

/* ---- The application's main loop --------------------------------------------------------- */

static void send_output(void)
{
    const uint8_t *bytes;
    size_t size;

    while (device.is_open && (size = mup_mqtt_output(&device.mqtt, &bytes)) > 0) {
        int sent = device.transport.send(device.transport.context, bytes, size);

        if (sent <= 0)
            return;
        mup_mqtt_sent(&device.mqtt, now_ms(), (size_t)sent);
    }
}

static void close_link(const char *why)
{
    send_output();
    device.transport.close(device.transport.context);
    device.is_open = false;
    device.is_opening = false;
    device.in_size = 0;
    device.since_ms = now_ms();
    device.retry_ms = mup_agent_lost(&device.agent, now_ms());
    virtual_log("disconnected", (struct virtual_field[]){
                                    {"why", why, 0}, {"retry_ms", NULL, device.retry_ms}, {0}});
}

static void open_link(void)
{
    int opened;

    if (!device.is_opening) {
        if (now_ms() - device.since_ms < device.retry_ms)
            return;
        device.is_opening = true;
        device.since_ms = now_ms();
    }
    opened = device.transport.open(device.transport.context);
    if (opened > 0 && mup_agent_connect(&device.agent, now_ms()) == MUP_OK) {
        device.is_opening = false;
        device.is_open = true;
    } else if (opened != 0) {
        close_link("refused");
    } else if (now_ms() - device.since_ms >= CONNECT_TIMEOUT_MS) {
        close_link("timeout");
    }
}

/* Takes what has come; returns the agent's actions. */
static unsigned receive(void)
{
    unsigned actions = 0;

    for (;;) {
        size_t used = 0;
        int got =
            device.in_size == sizeof device.in
                ? 0
                : device.transport.receive(device.transport.context, device.in + device.in_size,
                                           sizeof device.in - device.in_size);

        if (got > 0)
            device.in_size += (size_t)got;
        actions |= mup_agent_input(&device.agent, now_ms(), device.in, device.in_size, &used);
        device.in_size -= used;
        memmove(device.in, device.in + used, device.in_size);
        send_output();
        if (got < 0)
            return actions | MUP_AGENT_CLOSE;
        if (got == 0 || actions != 0)
            return actions;
    }
}

static void wait_for_something(uint32_t wait_ms)
{
    struct pollfd descriptor = {.fd = mup_posix_tcp_fd(&device.tcp), .events = POLLIN};
    const uint8_t *bytes;
    uint32_t agent_ms = mup_agent_wait_ms(&device.agent, now_ms());

    if (agent_ms < wait_ms)
        wait_ms = agent_ms;
    if (!device.is_open && !device.is_opening) {
        uint32_t passed_ms = now_ms() - device.since_ms;
        uint32_t retry_ms = passed_ms < device.retry_ms ? device.retry_ms - passed_ms : 0;

        if (device.image.fault != FAULT_NO_CONNECT && retry_ms < wait_ms)
            wait_ms = retry_ms;
    }
    if (device.is_opening && wait_ms > 100)
        wait_ms = 100; /* the port may go on to another address */
    if (mup_posix_tcp_is_connecting(&device.tcp) || mup_mqtt_output(&device.mqtt, &bytes) > 0)
        descriptor.events |= POLLOUT;
    poll(&descriptor, 1, wait_ms > 60000 ? 60000 : (int)wait_ms);
}

/* One round; true when the device must be reset. */
static bool turn(void)
{
    unsigned actions = 0;

    if (!device.is_open && device.image.fault != FAULT_NO_CONNECT)
        open_link();
    if (device.is_open && device.image.fault == FAULT_RESET_LOOP)
        return true;
    if (device.is_open)
        actions = receive();
    actions |= mup_agent_tick(&device.agent, now_ms());
    send_output();
    if ((actions & MUP_AGENT_CLOSE) != 0 && device.is_open)
        close_link("closed");
    return (actions & MUP_AGENT_RESTART) != 0;
}

/* SIGTERM: the broker publishes the will, so that nobody takes us for present. */
static void leave(void)
{
    if (device.is_open &&
        mup_mqtt_disconnect(&device.mqtt, MUP_MQTT_REASON_DISCONNECT_WITH_WILL) == MUP_OK)
        send_output();
    device.transport.close(device.transport.context);
    virtual_log("ended", NULL);
    mup_posix_flash_close(&device.flash.file);
}

static bool start_agent(void)
{
    const struct virtual_options *options = &device.options;
    struct mup_agent_config *config = &device.config;
    size_t size;
    enum mup_status status;

    if (!read_file(device.description, sizeof device.description, &size,
                   options->description_path) ||
        (options->password_path != NULL && !read_password(options->password_path)))
        return false;
    config->boot = &device.boot;
    config->map = &device.flash.map;
    config->mqtt = &device.mqtt;
    config->random = &device.random;
    config->app_id = options->app_id;
    config->hardware_class = options->hardware_class;
    config->link_offset = device.flash.map.execution_at;
    config->description = device.description;
    config->description_size = (uint32_t)size;
    config->topics = virtual_topics;
    config->topic_count = VIRTUAL_TOPIC_COUNT;
    config->block = device.block;
    config->block_size_max = options->block_size;
    config->request = device.request;
    config->window_size = options->window_size;
    config->slice_size_max = options->slice_size;
    config->flow = (uint8_t)options->flow;
    config->pause_ms = (uint16_t)options->pause_ms;
    config->receive_maximum = (uint16_t)options->receive_maximum;
    config->no_alias = options->no_alias;
    config->token_lifetime_s = options->token_lifetime_s;
    config->trial_ms = options->trial_s * 1000;
    config->keep_alive_s = (uint16_t)options->keep_alive_s;
    config->command = on_command;
    config->notice = on_notice;
    status =
        mup_mqtt_init(&device.mqtt, device.out, sizeof device.out, device.head, sizeof device.head);
    if (status == MUP_OK)
        status = mup_agent_init(&device.agent, config, now_ms());
    if (status != MUP_OK)
        fprintf(stderr, "mup-device: the agent cannot begin: %s%s\n", mup_status_name(status),
                status == MUP_ERR_RANGE ? "; --slice may not be above --window, names have 1 to 32 "
                                          "characters"
                                        : "");
    virtual_application_init(&device.application, options->interval_s, options->seed, now_ms());
    return status == MUP_OK;
}

/* What an image with a fault does instead of running. */
static bool misbehave(void)
{
    if (device.image.fault != FAULT_HANG && device.image.fault != FAULT_CRASH)
        return false;
    virtual_log(device.image.fault == FAULT_HANG ? "hangs" : "crashes", NULL);
    reset_after(device.image.fault == FAULT_HANG ? device.options.watchdog_ms : CRASH_PAUSE_MS);
    return true;
}

int virtual_run(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal};
    int code = virtual_parse_options(&device.options, argc, argv);

    if (code != 0)
        return code - 1;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    device.reset.arguments = argv;
    device.clock = mup_posix_clock_port();
    device.random = mup_posix_random_port();
    mup_posix_tcp_init(&device.tcp, device.options.broker, device.options.broker_port);
    device.transport = mup_posix_tcp_port(&device.tcp);
    if (!virtual_flash_open(&device.flash, device.options.flash_path, 0) || !boot())
        return EXIT_FAILED;
    if (device.options.user != NULL && strcmp(device.options.user, device.name) != 0) {
        fprintf(stderr, "mup-device: the device in %s is named %s, not %s\n",
                device.options.flash_path, device.name, device.options.user);
        return EXIT_FAILED;
    }
    if (misbehave())
        return 0;
    if (!start_agent())
        return EXIT_FAILED;
    device.since_ms = now_ms();
    while (!must_end) {
        if (turn()) {
            send_output();
            virtual_log("reboot", NULL);
            device.transport.close(device.transport.context);
            reset_after(0);
            break;
        }
        wait_for_something(virtual_application_tick(&device.application, &device.agent, now_ms()));
    }
    leave();
    return 0;
}
