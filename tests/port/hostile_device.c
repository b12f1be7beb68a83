/* The hostile port, made into a device that the suite can run on. */
#include "hostile_device.h"

#include <string.h>

#define PATIENCE 1000u

/* The suite's callbacks without a context act on the device that runs. */
static struct hostile_device *running;

/* A clock that goes by a millisecond with every second look. */
static uint32_t now_ms(void *context)
{
    struct hostile_device *device = context;

    return (uint32_t)(device->looks++ / 2);
}

static void clock_near_wrap(void)
{
    running->looks = 2 * UINT64_C(0xffffff9b);
}

static int fill_nothing(void *context, uint8_t *out, size_t size)
{
    struct mup_hostile_random *random = context;
    struct mup_port_random port = mup_hostile_random_port(random);

    random->call_count = 0;
    random->fail_at = 1;
    return port.fill(port.context, out, size);
}

/* What is sent comes back: the bytes that go out are the bytes that come in. */
static int loop_send(void *context, const uint8_t *bytes, size_t size)
{
    struct hostile_device *device = context;
    struct mup_hostile_transport *stream = &device->stream;
    struct mup_port_transport port = mup_hostile_transport_port(stream);
    size_t before = stream->outgoing_size;
    int answer;

    if (stream->ends)
        return -1;
    answer = port.send(port.context, bytes, size);
    if (answer > 0) {
        stream->incoming_size += (size_t)answer;
        stream->ends =
            memchr(device->stream_bytes + before, PORT_SUITE_HANG_UP, (size_t)answer) != NULL;
    }
    return answer;
}

static int loop_receive(void *context, uint8_t *out, size_t size)
{
    struct hostile_device *device = context;
    struct mup_port_transport port = mup_hostile_transport_port(&device->stream);
    int answer = port.receive(port.context, out, size);

    if (device->stream.incoming_size == 0) {
        device->stream.incoming = device->stream_bytes;
        device->stream.outgoing_size = 0;
    }
    return answer;
}

static int loop_open(void *context)
{
    struct hostile_device *device = context;
    struct mup_port_transport port = mup_hostile_transport_port(&device->stream);

    return port.open(port.context);
}

static void loop_close(void *context)
{
    struct hostile_device *device = context;
    struct mup_hostile_transport *stream = &device->stream;
    struct mup_port_transport port = mup_hostile_transport_port(stream);

    port.close(port.context);
    stream->incoming = device->stream_bytes;
    stream->incoming_size = 0;
    stream->outgoing_size = 0;
    stream->ends = false;
}

static int open_nobody(void *context)
{
    struct mup_hostile_transport *nobody = context;
    struct mup_port_transport port = mup_hostile_transport_port(nobody);

    nobody->call_count = 0;
    nobody->fail_at = 1;
    return port.open(port.context);
}

static void reset(void *context)
{
    struct hostile_device *device = context;

    longjmp(device->power_on, 1);
}

void hostile_device_init(struct hostile_device *device, bool is_bad,
                         void (*print)(const char *text))
{
    memset(device, 0, sizeof *device);
    mup_hostile_flash_init(&device->flash, device->bytes, device->programmed,
                           HOSTILE_DEVICE_FLASH_SIZE, HOSTILE_DEVICE_PAGE_SIZE);
    device->stream.outgoing = device->stream_bytes;
    device->stream.outgoing_capacity = sizeof device->stream_bytes;
    device->stream.incoming = device->stream_bytes;
    device->stream.piece_size_max = is_bad ? 7 : 0;
    device->stream.stalls = is_bad;

    device->flash_port = mup_hostile_flash_port(&device->flash);
    device->clock_port = (struct mup_port_clock){.context = device, .now_ms = now_ms};
    device->random_port = mup_hostile_random_port(&device->random);
    device->random_broken_port =
        (struct mup_port_random){.context = &device->random_broken, .fill = fill_nothing};
    device->transport_port = (struct mup_port_transport){.context = device,
                                                         .open = loop_open,
                                                         .send = loop_send,
                                                         .receive = loop_receive,
                                                         .close = loop_close};
    device->transport_alone_port = mup_hostile_transport_port(&device->nobody);
    device->transport_alone_port.open = open_nobody;
    device->reset_port = (struct mup_port_reset){.context = device, .now = reset};
    device->suite = (struct port_suite){
        .flash = &device->flash_port,
        .clock = &device->clock_port,
        .random = &device->random_port,
        .random_broken = &device->random_broken_port,
        .transport = &device->transport_port,
        .transport_alone = &device->transport_alone_port,
        .reset = &device->reset_port,
        .flash_at = HOSTILE_DEVICE_FLASH_SIZE - PORT_SUITE_PAGES * HOSTILE_DEVICE_PAGE_SIZE,
        .clock_near_wrap = clock_near_wrap,
        .patience = PATIENCE,
        .flood_size_max = 2 * HOSTILE_DEVICE_STREAM_SIZE,
        .print = print,
    };
}

uint32_t hostile_device_run(struct hostile_device *device)
{
    volatile uint32_t boots = 0;

    running = device;
    (void)setjmp(device->power_on);
    if (++boots > HOSTILE_DEVICE_BOOTS_MAX)
        return UINT32_MAX;
    mup_hostile_flash_power_on(&device->flash);
    return port_suite_run(&device->suite);
}
