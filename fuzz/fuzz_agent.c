/*
 * Everything that a hostile network can do to a device that runs, in any order: messages of any
 * content on its topics, slices good and bad, tokens and manifests, time, lost links, resets. The
 * flash must never be misused, and what boots is always a whole image that the vendor signed.
 *
 * The input is a list of deeds, each a byte that chooses it, a byte that says how much, and bytes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

#include "mup/slot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

#define DEED_COUNT_MAX 64u
#define IMAGE_SIZE     3000u

static const char *const topics[] = {"mup/bootstrap/dev-1", "mup/token/dev-1", "mup/manifest/dev-1",
                                     "mup/verify/dev-1",    "led/dev-1",       "pump/dev-1",
                                     "mup/firmware/dev-1",  "mup/token/dev-2"};

enum deed {
    DEED_MESSAGE, /* ... 7: the topic */
    DEED_SLICE = 8,
    DEED_GOOD_SLICE,
    DEED_TOKEN,
    DEED_MANIFEST,
    DEED_VERIFY,
    DEED_TIME,
    DEED_LINK,
    DEED_RESET,
};

static void message(struct world *world, unsigned topic, const uint8_t *bytes, size_t size)
{
    uint16_t correlation = ++world->next_correlation;

    broker_publish(&world->broker, topics[topic], bytes, size, topic != 6, false,
                   "mup/response/dev-1", &correlation, sizeof correlation);
    world_pump(world);
}

/* At most what is right: the payload's next bytes. */
static void good_slice(struct world *world, uint32_t size)
{
    uint32_t at = mup_pipeline_next(&world->agent.pipeline);
    uint32_t left = world->manifest.payload_size - at;

    if (mup_agent_phase(&world->agent) == MUP_AGENT_RECEIVING && size > 0)
        world_slice(world, world->agent.transfer, world->agent.attempt, at, world->payload + at,
                    size < left ? size : left);
}

static void manifest(struct world *world)
{
    static const struct forgery nothing;

    if (world->token.version == 0)
        return;
    world_extend(world, &nothing);
    (void)world_send_manifest(world);
}

/* Another flow and a broker that uses aliases, or not. */
static void change(struct world *world, uint8_t amount)
{
    world->config.flow = amount % 3;
    world->config.pause_ms = world->config.flow == MUP_FLOW_PACED ? 20 : 0;
    world->config.receive_maximum = amount / 3 % 4;
    world->config.no_alias = (amount & 0x20) != 0;
    world->broker.gives_aliases = (amount & 0x40) != 0;
    world->broker.takes_aliases = (amount & 0x80) != 0 ? 10 : 0;
}

static void do_one(struct world *world, uint8_t deed, uint8_t amount, const uint8_t *bytes,
                   size_t size)
{
    switch (deed) {
    case DEED_SLICE:
        if (size > 0)
            world_slice(world, world->agent.transfer, world->agent.attempt,
                        mup_pipeline_next(&world->agent.pipeline) + amount % 4 - 1, bytes,
                        (uint32_t)size);
        break;
    case DEED_GOOD_SLICE:
        good_slice(world, 4u * amount);
        break;
    case DEED_TOKEN:
        (void)world_token(world);
        break;
    case DEED_MANIFEST:
        manifest(world);
        break;
    case DEED_VERIFY:
        (void)world_verify(world);
        break;
    case DEED_TIME:
        world_pass(world, amount * 300u);
        break;
    case DEED_LINK:
        world_disconnect(world);
        world->broker.session_present = amount % 2;
        world_connect(world);
        break;
    case DEED_RESET:
        change(world, amount);
        CHECK(world_boot(world));
        world_connect(world);
        break;
    default:
        message(world, deed % 8, bytes, size);
    }
}

/* Whatever happened: the device boots, and runs nothing but its first or the signed image. */
static void judge(struct world *world)
{
    uint8_t digest[MUP_DIGEST_SIZE];

    CHECK(world->flash.violation_count == 0);
    CHECK(world_boot(world));
    if (world->booted.running.version == 1)
        return;
    CHECK(world->booted.running.version == 2);
    CHECK(mup_slot_digest(&world->map, MUP_SLOT_EXECUTION, IMAGE_SIZE, digest) == MUP_OK);
    CHECK(memcmp(digest, world->manifest.digest, sizeof digest) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool has_keys;
    struct world *world;

    if (!has_keys)
        world_keys(NULL);
    has_keys = true;
    world = world_make();
    world_connect(world);
    world_release(world, 2, IMAGE_SIZE, WORLD_BLOCK_SIZE);
    for (unsigned i = 0; i < DEED_COUNT_MAX && size >= 2; i++) {
        uint8_t deed = data[0] % 16;
        uint8_t amount = data[1];
        bool has_bytes = deed <= DEED_SLICE;

        data += 2;
        size -= 2;
        if (has_bytes && amount > size)
            amount = (uint8_t)size;
        if (!world->is_connected)
            world_connect(world);
        do_one(world, deed, amount, data, has_bytes ? amount : 0);
        if (has_bytes) {
            data += amount;
            size -= amount;
        }
        if ((world->actions & MUP_AGENT_RESTART) != 0) {
            CHECK(world_boot(world));
            world_connect(world);
        }
        world->broker.message_count = 0;
    }
    judge(world);
    world_free(world);
    return 0;
}
