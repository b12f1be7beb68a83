/* The device's surroundings, and what the other stations say. See world.h. */
#include "world.h"

#include <stdio.h>

#include <openssl/sha.h>

#include "mup/cbor.h"
#include "mup/certificate.h"
#include "mup/report.h"
#include "mup/slot.h"
#include "mup/trust.h"

struct signer vendor;
struct signer server;
struct signer stranger;

static const uint8_t uuid[MUP_UUID_SIZE] = {0x5f, 0x0c, 0x1d, 0x2e, 0x3a, 0x4b, 0x4c, 0x5d,
                                            0x8e, 0x9f, 0xa0, 0xb1, 0xc2, 0xd3, 0xe4, 0xf5};
static const char description[] =
    "a template of more than one piece: "
    "0123456789012345678901234567890123456789012345678901234567890123"
    "0123456789012345678901234567890123456789012345678901234567890123"
    "0123456789012345678901234567890123456789012345678901234567890123"
    "0123456789012345678901234567890123456789012345678901234567890123";
static const char *const topics[] = {"led/", "pump/"};

int world_keys(void **state)
{
    (void)state;
    signer_make(&vendor);
    signer_make(&server);
    signer_make(&stranger);
    return 0;
}

int world_keys_end(void **state)
{
    (void)state;
    signer_free(&vendor);
    signer_free(&server);
    signer_free(&stranger);
    return 0;
}

/* ---- The device ---------------------------------------------------------------------------- */

static void on_notice(void *context, enum mup_agent_notice notice, uint32_t state, uint32_t value)
{
    struct world *world = context;

    world->notice_count[notice]++;
    world->notice_state[notice] = state;
    world->notice_value[notice] = value;
}

static void on_command(void *context, struct mup_agent_answer *answer,
                       const struct mup_agent_call *call)
{
    static const uint8_t value[] = {0x18, 0x2a}; /* 42 */
    struct world *world = context;

    world->command_count++;
    memcpy(world->method, call->method.data, call->method.size);
    world->method[call->method.size] = '\0';
    if (world->long_value.size > 0) {
        answer->state = MUP_STATE_OK;
        answer->value = world->long_value;
    } else if (call->topic == 0) {
        answer->state = MUP_STATE_OK;
        answer->value.data = value;
        answer->value.size = sizeof value;
    } else {
        answer->state = 0;
        answer->state_text.data = (const uint8_t *)"dry";
        answer->state_text.size = 3;
    }
}

static bool may_confirm(void *context)
{
    return !((struct world *)context)->holds_confirmation;
}

static void configure(struct world *world)
{
    world->config = (struct mup_agent_config){
        .boot = &world->boot,
        .map = &world->map,
        .mqtt = &world->mqtt,
        .random = &world->random_port,
        .app_id = "app",
        .hardware_class = "board",
        .link_offset = 0x6000,
        .description = (const uint8_t *)description,
        .description_size = sizeof description - 1,
        .topics = topics,
        .topic_count = 2,
        .block = world->block,
        .block_size_max = WORLD_BLOCK_SIZE,
        .request = world->request,
        .window_size = WORLD_WINDOW,
        .slice_size_max = WORLD_SLICE,
        .token_lifetime_s = 600,
        .keep_alive_s = 60,
        .command = on_command,
        .notice = on_notice,
        .may_confirm = may_confirm,
        .context = world,
    };
}

static void provision(struct world *world)
{
    struct mup_identity identity = {.server_epoch = 1};
    struct mup_boot_image image = {.version = 1, .size = 0};

    memcpy(identity.uuid, uuid, sizeof uuid);
    memcpy(identity.name, WORLD_NAME, sizeof WORLD_NAME - 1);
    memcpy(identity.vendor.public_key, vendor.public_key, MUP_PUBLIC_KEY_SIZE);
    memcpy(identity.vendor.key_id, vendor.kid, MUP_KID_SIZE);
    memcpy(identity.server.public_key, server.public_key, MUP_PUBLIC_KEY_SIZE);
    memcpy(identity.server.key_id, server.kid, MUP_KID_SIZE);
    assert_int_equal(mup_identity_save(&world->map, &identity), MUP_OK);
    assert_int_equal(mup_boot_provision(&world->boot, &world->map, &image), MUP_OK);
}

struct world *world_make(void)
{
    struct world *world = test_calloc(1, sizeof *world);

    /* On the heap in their exact sizes, so that a sanitizer sees one byte too many. */
    world->block = test_malloc(MUP_PIPELINE_BUFFER_SIZE(WORLD_BLOCK_SIZE));
    world->request = test_malloc(MUP_REQUEST_MAX);
    world->out_size = sizeof world->out;
    world->now_ms = 1000;
    mup_hostile_flash_init(&world->flash, world->bytes, world->programmed, WORLD_FLASH_SIZE,
                           WORLD_PAGE_SIZE);
    world->flash_port = mup_hostile_flash_port(&world->flash);
    world->map = (struct mup_flash_map){
        .flash = &world->flash_port,
        .execution_at = 0,
        .staging_at = WORLD_SLOT_PAGES * WORLD_PAGE_SIZE,
        .slot_size = WORLD_SLOT_PAGES * WORLD_PAGE_SIZE,
        .state_at = 2 * WORLD_SLOT_PAGES * WORLD_PAGE_SIZE,
    };
    world->random_port = mup_hostile_random_port(&world->random);
    configure(world);
    provision(world);
    assert_true(world_boot(world));
    return world;
}

void world_free(struct world *world)
{
    assert_int_equal(world->flash.violation_count, 0);
    test_free(world->block);
    test_free(world->request);
    test_free(world);
}

bool world_boot(struct world *world)
{
    static uint8_t manifest[MUP_BOOT_MANIFEST_SIZE_MAX];
    struct mup_boot_verifier verifier = {mup_trust_verify_image, &world->map, manifest};

    world->is_connected = false;
    world->actions = 0;
    world->broker.out_size = 0;
    if (mup_boot_open(&world->boot, &world->map) != MUP_OK ||
        mup_boot_start(&world->boot, &world->booted, &verifier) != MUP_OK)
        return false;
    assert_int_equal(
        mup_mqtt_init(&world->mqtt, world->out, world->out_size, world->head, sizeof world->head),
        MUP_OK);
    return mup_agent_init(&world->agent, &world->config, world->now_ms) == MUP_OK;
}

/* ---- The wire ------------------------------------------------------------------------------ */

static bool deliver_out(struct world *world)
{
    const uint8_t *bytes;
    size_t size = mup_mqtt_output(&world->mqtt, &bytes);
    size_t used = broker_take(&world->broker, bytes, size);

    if (used > 0)
        mup_mqtt_sent(&world->mqtt, world->now_ms, used);
    return used > 0;
}

static bool deliver_in(struct world *world)
{
    size_t size = world->broker.out_size;
    size_t used = 0;
    uint8_t *exact;

    if (world->piece_size != 0 && size > world->piece_size)
        size = world->piece_size;
    if (size == 0)
        return false;
    exact = test_malloc(size);
    memcpy(exact, world->broker.out, size);
    world->actions |= mup_agent_input(&world->agent, world->now_ms, exact, size, &used);
    test_free(exact);
    world->broker.out_size -= used;
    memmove(world->broker.out, world->broker.out + used, world->broker.out_size);
    return used > 0;
}

void world_pump(struct world *world)
{
    bool busy = true;

    while (busy && world->is_connected) {
        busy = deliver_out(world);
        busy = deliver_in(world) || busy;
        world->actions |= mup_agent_tick(&world->agent, world->now_ms);
        if ((world->actions & MUP_AGENT_CLOSE) != 0) {
            deliver_out(world);
            world_disconnect(world);
        }
    }
}

void world_connect(struct world *world)
{
    world->broker.disconnected = false;
    assert_int_equal(mup_agent_connect(&world->agent, world->now_ms), MUP_OK);
    world->is_connected = true;
    world_pump(world);
}

void world_disconnect(struct world *world)
{
    world->is_connected = false;
    world->broker.out_size = 0;
    (void)mup_agent_lost(&world->agent, world->now_ms);
}

void world_pass(struct world *world, uint32_t ms)
{
    while (ms > 0) {
        uint32_t step = mup_agent_wait_ms(&world->agent, world->now_ms);

        if (step == 0)
            step = 1;
        if (step > ms)
            step = ms;
        world->now_ms += step;
        ms -= step;
        world->actions |= mup_agent_tick(&world->agent, world->now_ms);
        world_pump(world);
    }
}

/* ---- The bridge ---------------------------------------------------------------------------- */

struct answer world_decode_answer(const struct broker_message *message)
{
    struct answer answer = {.came = true};
    struct mup_response response;
    struct mup_cbor_reader reader;
    struct mup_bytes value;

    assert_int_equal(mup_response_decode(&response, message->payload, message->size), MUP_OK);
    answer.state = response.state;
    if (response.state_text.size > 0)
        memcpy(answer.text, response.state_text.data, response.state_text.size);
    if (response.value.size == 0)
        return answer;
    mup_cbor_reader_init(&reader, response.value.data, response.value.size);
    value = mup_cbor_read_bytes(&reader, 0, sizeof answer.value);
    if (mup_cbor_reader_finish(&reader) == MUP_OK) {
        memcpy(answer.value, value.data, value.size);
        answer.value_size = value.size;
    }
    return answer;
}

struct answer world_request(struct world *world, const char *topic, const char *method,
                            const void *item, size_t item_size)
{
    struct mup_request request = {.method = {(const uint8_t *)method, strlen(method)},
                                  .argument_count = item != NULL,
                                  .arguments = {item, item_size}};
    uint8_t bytes[MUP_REQUEST_MAX + 64];
    uint8_t correlation[2];
    size_t size;
    char full[96];
    size_t before = broker_count(&world->broker, "mup/response/");

    world->next_correlation++;
    correlation[0] = (uint8_t)(world->next_correlation >> 8);
    correlation[1] = (uint8_t)world->next_correlation;
    assert_int_equal(mup_request_encode(bytes, sizeof bytes, &size, &request), MUP_OK);
    snprintf(full, sizeof full, "%s" WORLD_NAME, topic);
    broker_publish(&world->broker, full, bytes, size, 1, false, "mup/response/" WORLD_NAME,
                   correlation, sizeof correlation);
    world_pump(world);
    if (broker_count(&world->broker, "mup/response/") == before)
        return (struct answer){0};
    assert_memory_equal(broker_last(&world->broker, "mup/response/")->correlation, correlation, 2);
    return world_decode_answer(broker_last(&world->broker, "mup/response/"));
}

void world_bootstrap(struct world *world, uint32_t state, const uint8_t *certificate, size_t size)
{
    struct mup_bootstrap_reply reply = {.state = state, .certificate = {certificate, size}};
    uint8_t bytes[MUP_BOOTSTRAP_REPLY_MAX];
    size_t reply_size;

    SHA256((const uint8_t *)description, sizeof description - 1, reply.description_digest);
    assert_int_equal(mup_bootstrap_reply_encode(bytes, sizeof bytes, &reply_size, &reply), MUP_OK);
    broker_publish(&world->broker, "mup/bootstrap/" WORLD_NAME, bytes, reply_size, 1, false, NULL,
                   NULL, 0);
    world_pump(world);
}

size_t world_certificate(uint8_t *out, size_t capacity, const struct signer *by,
                         const struct signer *of, uint32_t epoch)
{
    struct mup_certificate certificate = {.epoch = epoch, .label = "the update server"};
    uint8_t payload[MUP_CERTIFICATE_MAX];
    size_t size;

    memcpy(certificate.public_key, of->public_key, MUP_PUBLIC_KEY_SIZE);
    assert_int_equal(mup_certificate_encode(payload, sizeof payload, &size, &certificate), MUP_OK);
    return signer_sign(by, out, capacity, payload, size, NULL);
}

/* ---- Vendor and update server -------------------------------------------------------------- */

struct answer world_token(struct world *world)
{
    struct answer answer = world_request(world, MUP_TOPIC_TOKEN, MUP_METHOD_GET_TOKEN, NULL, 0);

    if (answer.state == MUP_STATE_OK)
        assert_int_equal(mup_token_decode(&world->token, answer.value, answer.value_size), MUP_OK);
    return answer;
}

/* The chain of blocks, from the last to the first. */
static void make_payload(struct world *world)
{
    struct mup_manifest *manifest = &world->manifest;
    uint32_t count = mup_block_count(manifest->image_size, manifest->block_size);
    uint32_t stride = manifest->block_size + MUP_DIGEST_SIZE;
    uint8_t hash[MUP_DIGEST_SIZE] = {0};

    for (uint32_t i = count; i > 0; i--) {
        uint32_t at = (i - 1) * manifest->block_size;
        uint32_t left = manifest->image_size - at;
        uint32_t data = left < manifest->block_size ? left : manifest->block_size;
        uint8_t *block = world->payload + (i - 1) * stride;

        memcpy(block, world->image + at, data);
        if (i < count)
            memcpy(block + data, hash, sizeof hash);
        SHA256(block, data + (i < count ? MUP_DIGEST_SIZE : 0), hash);
    }
    memcpy(manifest->first_block_hash, hash, sizeof hash);
}

void world_release_image(struct world *world, uint32_t version, uint32_t image_size,
                         uint32_t block_size)
{
    world->manifest = (struct mup_manifest){
        .app_id = "app",
        .hardware_class = "board",
        .link_offset = 0x6000,
        .image_size = image_size,
        .payload_size = mup_plain_payload_size(image_size, block_size),
        .new_version = version,
        .block_size = block_size,
    };
    if (image_size > sizeof world->image)
        return; /* never to be sent */
    SHA256(world->image, image_size, world->manifest.digest);
    make_payload(world);
}

void world_release(struct world *world, uint32_t version, uint32_t image_size, uint32_t block_size)
{
    for (uint32_t i = 0; i < image_size && i < sizeof world->image; i++)
        world->image[i] = (uint8_t)(i * 7 + (i >> 8) * 31 + version * 13);
    world_release_image(world, version, image_size, block_size);
}

/* A release has one vendor manifest, signed once; a forgery has its own. */
static size_t sign_inner(struct world *world, uint8_t *out, size_t capacity,
                         const struct forgery *forgery)
{
    bool forged = forgery->inner != NULL || forgery->inner_kid != NULL || forgery->inner_spoiled ||
                  forgery->inner_garbage;
    uint8_t payload[MUP_VENDOR_MANIFEST_MAX];
    size_t size;

    if (forgery->inner_is_certificate)
        return world_certificate(out, capacity, &vendor, &stranger, 9);
    assert_int_equal(mup_manifest_encode(payload, sizeof payload, &size, &world->manifest), MUP_OK);
    if (world->inner_payload_size != size || memcmp(world->inner_payload, payload, size) != 0) {
        world->inner_size =
            signer_sign(&vendor, world->inner, sizeof world->inner, payload, size, NULL);
        memcpy(world->inner_payload, payload, size);
        world->inner_payload_size = size;
    }
    memcpy(out, world->inner, world->inner_size);
    if (!forged)
        return world->inner_size;
    size = signer_sign(forgery->inner != NULL ? forgery->inner : &vendor, out, capacity, payload,
                       size, forgery->inner_kid);
    if (forgery->inner_spoiled)
        out[size - 1] ^= 1;
    if (forgery->inner_garbage)
        memset(out, 0x55, size);
    return size;
}

void world_extend(struct world *world, const struct forgery *forgery)
{
    uint8_t inner[MUP_VENDOR_SIGNED_MAX];
    uint8_t payload[MUP_EXTENDED_PAYLOAD_MAX];
    struct mup_extended_manifest extended = {.version = world->token.version};
    size_t size;

    extended.inner.data = inner;
    extended.inner.size = sign_inner(world, inner, sizeof inner, forgery);
    SHA256(inner, extended.inner.size, world->manifest_digest);
    memcpy(extended.uuid, world->token.uuid, MUP_UUID_SIZE);
    memcpy(extended.nonce, world->token.nonce, MUP_NONCE_SIZE);
    extended.uuid[15] ^= forgery->other_uuid;
    extended.nonce[0] ^= forgery->other_nonce;
    extended.version += forgery->other_version;
    assert_int_equal(mup_extended_manifest_encode(payload, sizeof payload, &size, &extended),
                     MUP_OK);
    world->extended_size =
        signer_sign(forgery->outer != NULL ? forgery->outer : &server, world->extended,
                    sizeof world->extended, payload, size, forgery->outer_kid);
    if (forgery->outer_spoiled)
        world->extended[world->extended_size - 1] ^= 1;
}

struct answer world_send_manifest(struct world *world)
{
    struct mup_cbor_writer writer;
    uint8_t item[MUP_REQUEST_MAX];
    size_t size;

    mup_cbor_writer_init(&writer, item, sizeof item);
    mup_cbor_write_bytes(&writer, world->extended, world->extended_size);
    assert_int_equal(mup_cbor_writer_finish(&writer, &size), MUP_OK);
    return world_request(world, MUP_TOPIC_MANIFEST, MUP_METHOD_MANIFEST, item, size);
}

struct answer world_offer(struct world *world, const struct forgery *forgery)
{
    static const struct forgery nothing;

    assert_int_equal(world_token(world).state, MUP_STATE_OK);
    world_extend(world, forgery != NULL ? forgery : &nothing);
    return world_send_manifest(world);
}

struct answer world_verify(struct world *world)
{
    return world_request(world, MUP_TOPIC_VERIFY, MUP_METHOD_VERIFY, NULL, 0);
}

void world_slice(struct world *world, uint32_t transfer, uint32_t attempt, uint32_t offset,
                 const uint8_t *data, uint32_t size)
{
    struct mup_slice_header header = {transfer, attempt, offset, size};
    uint8_t bytes[MUP_SLICE_HEADER_MAX + 4096];
    size_t header_size = mup_slice_header_encode(bytes, &header);

    assert_true(header_size > 0 && size <= 4096);
    memcpy(bytes + header_size, data, size);
    broker_publish(&world->broker, "mup/firmware/" WORLD_NAME, bytes, header_size + size, 0, false,
                   NULL, NULL, 0);
    world_pump(world);
}

bool world_ack(const struct world *world, struct mup_ack *ack)
{
    const struct broker_message *message = broker_last(&world->broker, "mup/ack/");

    return message != NULL && mup_ack_decode(ack, message->payload, message->size) == MUP_OK;
}

struct mup_ack world_last_ack(const struct world *world)
{
    struct mup_ack ack = {0};

    assert_true(world_ack(world, &ack));
    return ack;
}

uint32_t world_transfer(struct world *world)
{
    struct mup_ack ack = {.transfer = world->agent.transfer,
                          .next = mup_pipeline_next(&world->agent.pipeline),
                          .limit = 0,
                          .state = MUP_STATE_OK};
    uint32_t at = ack.next;

    for (int rounds = 0; rounds < 1000 && mup_agent_phase(&world->agent) == MUP_AGENT_RECEIVING;
         rounds++) {
        uint32_t left = world->manifest.payload_size - at;
        uint32_t size = left < WORLD_SLICE ? left : WORLD_SLICE;

        world_slice(world, world->agent.transfer, world->agent.attempt, at, world->payload + at,
                    size);
        at = mup_pipeline_next(&world->agent.pipeline);
    }
    return world_ack(world, &ack) ? ack.state : 0;
}
