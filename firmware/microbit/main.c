/*
 * The application of the micro:bit: the update agent's main loop (agent.h) around the product's own
 * work. Everything is static; lwIP, the agent and the product are called from here only.
 */
#include "firmware.h"

#include <string.h>

#include "handover.h"
#include "lwip/init.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "mup/boot.h"
#include "mup/port/nrf51.h"
#include "services.h"
#include "startup.h"
#include "task.h"
#include "turns.h"

#define APP_ID             "mup-demo"
#define HARDWARE_CLASS     "microbit"
#define BLOCK_SIZE         1024u
#define WINDOW_SIZE        16384u /* TCP holds the sender back; so much may wait at the router */
#define SLICE_SIZE         4096u
#define TOKEN_LIFETIME_S   600u
#define KEEP_ALIVE_S       30u
#define IN_SIZE            128u
#define PARTS_MAX          16u /* of IN_SIZE: two blocks in a round of the main loop */
#define CONNECT_TIMEOUT_MS 20000u

#define PENDSV_VECTOR      14u
#define UART_VECTOR        (MICROBIT_EXCEPTIONS + MUP_NRF51_UART_IRQ)
#define CLOCK_VECTOR       (MICROBIT_EXCEPTIONS + MUP_NRF51_CLOCK_IRQ)

static struct {
    struct mup_nrf51_clock clock;
    struct mup_port_flash flash;
    struct mup_flash_map map;
    struct mup_port_random random;
    struct mup_port_transport transport;
    struct mup_boot boot;
    struct mup_mqtt mqtt;
    struct mup_agent agent;
    uint8_t block[MUP_PIPELINE_BUFFER_SIZE(BLOCK_SIZE)];
    uint8_t request[MUP_REQUEST_MAX];
    uint8_t out[MUP_AGENT_OUT_SIZE_MIN];
    uint8_t head[MUP_AGENT_HEAD_SIZE];
    uint8_t in[IN_SIZE];
    uint8_t in_size;
    bool is_open;      /* the transport is connected */
    bool is_opening;   /* it is being connected */
    bool has_more;     /* bytes wait in the transport */
    uint32_t since_ms; /* of the opening, or of the loss */
    uint32_t retry_ms; /* how long to wait after the loss */
} device;

/* ---- What hardware and libraries call -------------------------------------------------------- */

static void unexpected(void)
{
    microbit_panic();
}

static void on_alarm(void)
{
    mup_nrf51_clock_interrupt();
    microbit_task_alarm();
}

__attribute__((section(".vectors"),
               used)) static microbit_vector *const vectors[MICROBIT_VECTORS] = {
    (microbit_vector *)&microbit_stack_top,
    microbit_reset,
    [2 ... PENDSV_VECTOR - 1] = unexpected,
    [PENDSV_VECTOR] = microbit_task_switch,
    [PENDSV_VECTOR + 1 ... UART_VECTOR - 1] = unexpected,
    [UART_VECTOR] = mup_nrf51_uart_interrupt,
    [UART_VECTOR + 1 ... CLOCK_VECTOR - 1] = unexpected,
    [CLOCK_VECTOR] = on_alarm,
    [CLOCK_VECTOR + 1 ... MICROBIT_VECTORS - 1] = unexpected,
};

static const struct microbit_settings_record *const settings_record =
    (const struct microbit_settings_record *)MICROBIT_SETTINGS_AT;

static struct mup_port_clock clock_port;

uint32_t microbit_now_ms(void)
{
    return clock_port.now_ms(clock_port.context);
}

u32_t sys_now(void)
{
    return microbit_now_ms();
}

/* Initial sequence numbers and ports. Without randomness there is no device token either. */
uint32_t microbit_lwip_random(void)
{
    struct mup_port_random random = mup_nrf51_random_port();
    uint32_t value;

    if (random.fill(random.context, (uint8_t *)&value, sizeof value) != 0)
        microbit_panic();
    return value;
}

static void on_command(void *context, struct mup_agent_answer *answer,
                       const struct mup_agent_call *call)
{
    (void)context;
    microbit_application_command(answer, call);
}

static void on_notice(void *context, enum mup_agent_notice notice, uint32_t state, uint32_t value)
{
    (void)context;
    (void)value;
    microbit_application_notice(notice, state);
}

/* ---- The link to the broker ------------------------------------------------------------------ */

static void send_output(void)
{
    const uint8_t *bytes;
    size_t size;

    while (device.is_open && (size = mup_mqtt_output(&device.mqtt, &bytes)) > 0) {
        int sent = device.transport.send(device.transport.context, bytes, size);

        if (sent <= 0)
            break;
        mup_mqtt_sent(&device.mqtt, microbit_now_ms(), (size_t)sent);
    }
    microbit_tcp_flush();
}

static void close_link(void)
{
    microbit_tcp_hurry();
    send_output();
    device.transport.close(device.transport.context);
    device.is_open = false;
    device.is_opening = false;
    device.has_more = false;
    device.in_size = 0;
    device.since_ms = microbit_now_ms();
    device.retry_ms = mup_agent_lost(&device.agent, device.since_ms);
}

static void open_link(void)
{
    uint32_t passed_ms = microbit_now_ms() - device.since_ms;
    int opened;

    if (!device.is_opening) {
        if (passed_ms < device.retry_ms)
            return;
        device.is_opening = true;
        device.since_ms += passed_ms;
        passed_ms = 0;
    }
    opened = device.transport.open(device.transport.context);
    if (opened > 0 && mup_agent_connect(&device.agent, microbit_now_ms()) == MUP_OK) {
        device.is_opening = false;
        device.is_open = true;
    } else if (opened != 0 || passed_ms >= CONNECT_TIMEOUT_MS) {
        close_link();
    }
}

/* Takes what has come, a part of it if it is much; returns the agent's actions. */
static unsigned receive(void)
{
    unsigned actions = 0;

    device.has_more = false;
    for (unsigned part = 0; part < PARTS_MAX; part++) {
        size_t used = 0;
        size_t room = sizeof device.in - device.in_size;
        int got = room == 0 ? 0
                            : device.transport.receive(device.transport.context,
                                                       device.in + device.in_size, room);

        if (got > 0)
            device.in_size = (uint8_t)(device.in_size + got);
        actions |=
            mup_agent_input(&device.agent, microbit_now_ms(), device.in, device.in_size, &used);
        device.in_size = (uint8_t)(device.in_size - used);
        memmove(device.in, device.in + used, device.in_size);
        send_output();
        if (got < 0)
            return actions | MUP_AGENT_CLOSE;
        if (got == 0 || actions != 0)
            return actions;
    }
    device.has_more = true;
    return actions;
}

/* One round; true when the device must be reset. */
static bool turn(void)
{
    unsigned actions = 0;

    if (!device.is_open && microbit_image_info.fault != MICROBIT_FAULT_NO_CONNECT)
        open_link();
    if (device.is_open && microbit_image_info.fault == MICROBIT_FAULT_RESET_LOOP)
        return true;
    if (device.is_open)
        actions = receive();
    actions |= mup_agent_tick(&device.agent, microbit_now_ms());
    send_output();
    if ((actions & MUP_AGENT_CLOSE) != 0 && device.is_open)
        close_link();
    return (actions & MUP_AGENT_RESTART) != 0;
}

/* ---- The main loop --------------------------------------------------------------------------- */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t link_wait_ms(void)
{
    uint32_t passed_ms = microbit_now_ms() - device.since_ms;

    if (device.is_open || microbit_image_info.fault == MICROBIT_FAULT_NO_CONNECT)
        return UINT32_MAX;
    if (device.is_opening)
        return CONNECT_TIMEOUT_MS;
    return passed_ms < device.retry_ms ? device.retry_ms - passed_ms : 0;
}

static void serve_network(void)
{
    mup_nrf51_watchdog_feed(&microbit_handover.unfed_s);
    microbit_radio_poll();
    sys_check_timeouts();
}

void microbit_meanwhile(void)
{
    serve_network();
    (void)microbit_application_tick(NULL);
    microbit_turn_ended();
}

_Noreturn static void run(void)
{
    microbit_turns_begin();
    for (;;) {
        uint32_t wait_ms;

        serve_network();
        if (turn()) {
            microbit_tcp_hurry();
            send_output();
            device.transport.close(device.transport.context);
            microbit_handover.stack_unused = microbit_stack_unused();
            microbit_handover.task_stack_unused = microbit_task_stack_unused();
            microbit_panic(); /* the reset that was asked for */
        }
        wait_ms = microbit_application_tick(&device.agent);
        microbit_turn_ended();
        wait_ms = least(wait_ms, mup_agent_wait_ms(&device.agent, microbit_now_ms()));
        wait_ms = device.has_more ? 0 : least(wait_ms, link_wait_ms());
        mup_nrf51_sleep(least(wait_ms, sys_timeouts_sleeptime()), mup_nrf51_uart_is_idle);
    }
}

static struct mup_agent_config config = {
    .boot = &device.boot,
    .map = &device.map,
    .mqtt = &device.mqtt,
    .random = &device.random,
    .app_id = APP_ID,
    .hardware_class = HARDWARE_CLASS,
    .link_offset = MUP_FLASH_BOOT_SIZE,
    .description = microbit_description,
    .topics = microbit_topics,
    .topic_count = MICROBIT_TOPIC_COUNT,
    .block = device.block,
    .block_size_max = BLOCK_SIZE,
    .request = device.request,
    .window_size = WINDOW_SIZE,
    .slice_size_max = SLICE_SIZE,
    .token_lifetime_s = TOKEN_LIFETIME_S,
    .keep_alive_s = KEEP_ALIVE_S,
    .command = on_command,
    .notice = on_notice,
};

static void take_settings(const struct microbit_settings *settings)
{
    config.password = settings->password;
    config.trial_ms = settings->trial_s * 1000;
    config.flow = settings->flow;
    config.pause_ms = settings->pause_ms;
    config.receive_maximum = settings->receive_maximum;
    config.no_alias = settings->no_alias;
    if (settings->window_size != 0)
        config.window_size = settings->window_size;
    if (settings->slice_size_max != 0)
        config.slice_size_max = settings->slice_size_max;
    config.slice_size_max = least(config.slice_size_max, config.window_size);
    if (settings->flash_times)
        microbit_turns_take_flash_times();
}

/* Not a part of main(), which would keep the copy of the settings on its stack for good. */
__attribute__((noinline)) static enum mup_status init(void)
{
    struct microbit_settings settings;
    enum mup_status status = mup_flash_map_default(&device.map, &device.flash);

    if (status == MUP_OK)
        status = microbit_settings_load(&settings, &device.map);
    if (status == MUP_OK)
        status = mup_boot_open(&device.boot, &device.map);
    if (status == MUP_OK)
        status = mup_mqtt_init(&device.mqtt, device.out, sizeof device.out, device.head,
                               sizeof device.head);
    take_settings(&settings_record->settings);
    config.description_size = (uint32_t)(microbit_description_end - microbit_description);
    if (status == MUP_OK)
        status = mup_agent_init(&device.agent, &config, microbit_now_ms());
    return status;
}

/* What an image with a fault does instead of running. */
static void misbehave(void)
{
    if (microbit_image_info.fault == MICROBIT_FAULT_MASKED)
        __asm volatile("cpsid i");
    while (microbit_image_info.fault == MICROBIT_FAULT_HANG ||
           microbit_image_info.fault == MICROBIT_FAULT_MASKED) {
    }
    if (microbit_image_info.fault == MICROBIT_FAULT_CRASH)
        __asm volatile("udf #0");
}

int main(void)
{
    misbehave();
    clock_port = mup_nrf51_clock_port(&device.clock);
    device.flash = microbit_flash_port();
    device.random = microbit_random_port();
    if (!microbit_services_are_there() || init() != MUP_OK) {
        for (;;) /* not provisioned, or broken: the watchdog tries again */
            __asm volatile("wfi");
    }
    lwip_init();
    microbit_radio_init(&settings_record->settings);
    device.transport = microbit_tcp_port(&settings_record->settings);
    device.since_ms = microbit_now_ms();
    microbit_application_init(microbit_lwip_random());
    run();
}
