/* Each vector of docs/SPEC.md has the fields that stand beside it, and is written back equal. */
#include "mup/state.h"
#include "support/cmocka_all.h"
#include "unit/protocol/messages.h"

/* Fails unless data[0..size) counts up from `first`, as the vectors' digests and names do. */
static void assert_counts_up(const uint8_t *data, size_t size, uint8_t first)
{
    for (size_t i = 0; i < size; i++)
        assert_int_equal(data[i], first + i);
}

static void assert_piece(struct mup_bytes piece, const char *hex)
{
    struct message expected = from_hex(hex);

    assert_int_equal(piece.size, expected.size);
    assert_memory_equal(piece.data, expected.bytes, expected.size);
}

/* Decode the vector; the block that pieces point into lives until the next call. */
static void decode(union any_message *out, int codec, const char *name)
{
    static uint8_t *kept;
    struct message message = from_spec(name);

    free(kept);
    assert_int_equal(decode_exactly(&codecs[codec], out, &message, &kept), MUP_OK);
}

static void every_vector_is_written_back_byte_for_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < KNOWN_VECTORS; i++) {
        const struct codec *codec = &codecs[known_vectors[i].codec];
        struct message message = from_spec(known_vectors[i].name);
        struct message again = {.size = 0};
        union any_message out;
        uint8_t *kept;

        assert_int_equal(decode_exactly(codec, &out, &message, &kept), MUP_OK);
        assert_int_equal(codec->encode(again.bytes, sizeof again.bytes, &again.size, &out), MUP_OK);
        if (known_vectors[i].has_authentication) {
            /* One pair less, otherwise the same. */
            assert_int_equal(again.bytes[0], message.bytes[0] - 1);
            assert_memory_equal(again.bytes + 1, message.bytes + 1, again.size - 1);
        } else {
            assert_int_equal(again.size, message.size);
            assert_memory_equal(again.bytes, message.bytes, message.size);
        }
        free(kept);
    }
}

static void the_vendor_manifest_has_its_fields(void **state)
{
    union any_message out;

    (void)state;
    decode(&out, CODEC_MANIFEST, "Vendor manifest");
    assert_string_equal(out.manifest.app_id, "lamp.example");
    assert_string_equal(out.manifest.hardware_class, "nrf51-m0");
    assert_int_equal(out.manifest.link_offset, 0x20035c47);
    assert_counts_up(out.manifest.digest, MUP_DIGEST_SIZE, 0x80);
    assert_int_equal(out.manifest.image_size, 87815);
    assert_int_equal(out.manifest.new_version, 0x1234);
    assert_int_equal(out.manifest.old_version, 0);
    assert_int_equal(out.manifest.block_size, 1024);
    assert_counts_up(out.manifest.first_block_hash, MUP_DIGEST_SIZE, 0xa0);
    assert_int_equal(out.manifest.payload_size, 90535);
    assert_int_equal(out.manifest.encoding, MUP_ENCODING_PLAIN);
}

static void the_extended_manifest_has_its_fields(void **state)
{
    union any_message out;
    struct message inner = from_spec("Vendor manifest, signed");

    (void)state;
    decode(&out, CODEC_EXTENDED, "Extended manifest");
    assert_int_equal(out.extended.inner.size, inner.size);
    assert_memory_equal(out.extended.inner.data, inner.bytes, inner.size);
    assert_counts_up(out.extended.uuid, MUP_UUID_SIZE, 0xc0);
    assert_counts_up(out.extended.nonce, MUP_NONCE_SIZE, 0xd0);
    assert_int_equal(out.extended.version, 0x1233);
}

static void the_certificate_has_its_fields(void **state)
{
    union any_message out;
    struct message key = from_spec("Public key");

    (void)state;
    decode(&out, CODEC_CERTIFICATE, "Certificate");
    assert_int_equal(out.certificate.epoch, 0x5678);
    assert_int_equal(key.size, MUP_PUBLIC_KEY_SIZE);
    assert_memory_equal(out.certificate.public_key, key.bytes, key.size);
    assert_string_equal(out.certificate.label, "update.example");
}

static void the_announcement_has_its_fields(void **state)
{
    union any_message out;

    (void)state;
    decode(&out, CODEC_ANNOUNCEMENT, "Announcement");
    assert_counts_up(out.announcement.uuid, MUP_UUID_SIZE, 0xc0);
    assert_counts_up(out.announcement.description_digest, MUP_DIGEST_SIZE, 0x20);
    assert_int_equal(out.announcement.description_size, 0x9abc);
    assert_int_equal(out.announcement.version, 0x1234);
    assert_true(out.announcement.in_trial);
    assert_int_equal(out.announcement.server_epoch, 0x5678);
    assert_counts_up(out.announcement.server_kid, MUP_KID_SIZE, 0xe8);
    assert_memory_equal(out.announcement.boot_id, "\x70\x71\x72\x73\x74\x76\x77\x78", 8);

    decode(&out, CODEC_ANNOUNCEMENT, "Announcement without a key");
    assert_false(out.announcement.in_trial);
    assert_int_equal(out.announcement.server_epoch, 0);
    assert_memory_equal(out.announcement.boot_id, "\x70\x71\x72\x73\x74\x76\x77\x78", 8);
}

static void the_piece_has_its_fields(void **state)
{
    union any_message out;

    (void)state;
    decode(&out, CODEC_PIECE, "Description piece");
    assert_counts_up(out.piece.digest_prefix, MUP_DIGEST_PREFIX_SIZE, 0x20);
    assert_int_equal(out.piece.number, 357);
    assert_true(out.piece.last);
    assert_piece(out.piece.data, "7b227d0ac3bc");
}

static void the_bootstrap_replies_have_their_fields(void **state)
{
    union any_message out;
    struct message certificate = from_spec("Certificate, signed");

    (void)state;
    decode(&out, CODEC_REPLY, "Bootstrap reply");
    assert_int_equal(out.reply.state, MUP_STATE_OK);
    assert_counts_up(out.reply.description_digest, MUP_DIGEST_SIZE, 0x20);
    assert_int_equal(out.reply.certificate.size, certificate.size);
    assert_memory_equal(out.reply.certificate.data, certificate.bytes, certificate.size);
    assert_piece(out.reply.detail, "4bc3bc63686521");

    decode(&out, CODEC_REPLY, "Bootstrap reply that asks for the description");
    assert_int_equal(out.reply.state, MUP_STATE_SEND_DESCRIPTION);
    assert_int_equal(out.reply.certificate.size, 0);
    assert_int_equal(out.reply.detail.size, 0);
}

static void presence_is_three_bytes(void **state)
{
    union any_message out;

    (void)state;
    decode(&out, CODEC_PRESENCE, "Presence, online");
    assert_true(out.presence);
    decode(&out, CODEC_PRESENCE, "Presence, offline");
    assert_false(out.presence);
}

static void the_requests_have_their_fields(void **state)
{
    union any_message out;

    (void)state;
    decode(&out, CODEC_REQUEST, "Request without arguments");
    assert_int_equal(out.request.method.size, strlen(MUP_METHOD_GET_TOKEN));
    assert_memory_equal(out.request.method.data, MUP_METHOD_GET_TOKEN, out.request.method.size);
    assert_int_equal(out.request.argument_count, 0);
    assert_int_equal(out.request.arguments.size, 0);

    decode(&out, CODEC_REQUEST, "Request with arguments of every kind");
    assert_piece(out.request.method, "5345542d4c414d50");
    assert_int_equal(out.request.argument_count, 8);

    struct mup_cbor_reader reader;
    mup_cbor_reader_init(&reader, out.request.arguments.data, out.request.arguments.size);
    assert_int_equal(mup_cbor_read_uint(&reader, UINT32_MAX), 500);
    assert_int_equal(mup_cbor_read_int(&reader), -100);
    assert_int_equal(mup_cbor_read_uint(&reader, UINT32_MAX), 4294901244u);
    assert_int_equal(mup_cbor_read_int(&reader), INT32_MIN);
    assert_true(mup_cbor_read_bool(&reader));
    assert_piece(mup_cbor_read_bytes(&reader, 0, 9), "a7b8c9");
    assert_piece(mup_cbor_read_utf8(&reader, 0, 9), "e282ac");
    assert_piece(mup_cbor_read_item(&reader), "f6");
    assert_int_equal(mup_cbor_reader_finish(&reader), MUP_OK);
}

static void the_tokens_have_their_fields(void **state)
{
    union any_message out;

    (void)state;
    decode(&out, CODEC_TOKEN, "Device token");
    assert_counts_up(out.token.uuid, MUP_UUID_SIZE, 0xc0);
    assert_int_equal(out.token.version, 0x1233);
    assert_counts_up(out.token.nonce, MUP_NONCE_SIZE, 0xd0);
    assert_string_equal(out.token.app_id, "lamp.example");
    assert_string_equal(out.token.hardware_class, "nrf51-m0");
    assert_int_equal(out.token.link_offset, 0x20035c47);
    assert_int_equal(out.token.slot_size, 115332);
    assert_int_equal(out.token.block_size_max, 2048);
    assert_int_equal(out.token.window_size, 6699);
    assert_int_equal(out.token.slice_size_max, 1462);
    assert_int_equal(out.token.lifetime_s, 601);
    assert_counts_up(out.token.vendor_kid, MUP_KID_SIZE, 0xe0);
    assert_true(out.token.has_server_kid);
    assert_counts_up(out.token.server_kid, MUP_KID_SIZE, 0xe8);
    assert_true(out.token.has_resume);
    assert_counts_up(out.token.resume_manifest, MUP_DIGEST_SIZE, 0x80);
    assert_int_equal(out.token.resume_offset, 63737);
    assert_int_equal(out.token.flow, MUP_FLOW_CREDIT);
    assert_int_equal(out.token.pause_ms, 0);

    decode(&out, CODEC_TOKEN, "Device token without a server and without a kept part");
    assert_int_equal(out.token.version, 0);
    assert_false(out.token.has_server_kid);
    assert_false(out.token.has_resume);
    assert_int_equal(out.token.resume_offset, 0);
    assert_counts_up(out.token.vendor_kid, MUP_KID_SIZE, 0xe0);

    decode(&out, CODEC_TOKEN, "Device token of a device that wants its slices by QoS 1");
    assert_int_equal(out.token.window_size, 65536);
    assert_int_equal(out.token.flow, MUP_FLOW_QOS1);
    assert_int_equal(out.token.pause_ms, 0);

    decode(&out, CODEC_TOKEN, "Device token of a device that wants one slice each 273 ms");
    assert_int_equal(out.token.flow, MUP_FLOW_PACED);
    assert_int_equal(out.token.pause_ms, 273);
}

static void the_responses_have_their_fields(void **state)
{
    union any_message out;

    (void)state;
    decode(&out, CODEC_RESPONSE, "Response with a value");
    assert_int_equal(out.response.state, MUP_STATE_OK);
    assert_int_equal(out.response.state_text.size, 0);
    assert_piece(out.response.value, "468519fedc17f1");

    decode(&out, CODEC_RESPONSE, "Response of a state alone");
    assert_int_equal(out.response.state, MUP_STATE_INVALID_NONCE);
    assert_int_equal(out.response.value.size, 0);

    decode(&out, CODEC_RESPONSE, "Response with a text, a nested value and authentication");
    assert_int_equal(out.response.state, 0);
    assert_piece(out.response.state_text, "77c3a4726d65");
    assert_piece(out.response.value, "8220a203f4058118c8");
}

static void the_acknowledgement_has_its_fields(void **state)
{
    union any_message out;

    (void)state;
    decode(&out, CODEC_ACK, "Acknowledgement");
    assert_int_equal(out.ack.transfer, 0xfedc);
    assert_int_equal(out.ack.attempt, 0xba98);
    assert_int_equal(out.ack.next, 0x76543210);
    assert_int_equal(out.ack.limit, 0x76544c3b);
    assert_int_equal(out.ack.state, MUP_STATE_BLOCK_INVALID);
}

static void the_reports_have_their_fields(void **state)
{
    union any_message out;

    (void)state;
    decode(&out, CODEC_REPORT, "Final report");
    assert_counts_up(out.report.uuid, MUP_UUID_SIZE, 0xc0);
    assert_int_equal(out.report.version, 0x1234);
    assert_int_equal(out.report.outcome, MUP_STATE_CONFIRMED);
    assert_counts_up(out.report.manifest, MUP_DIGEST_SIZE, 0x80);
    assert_int_equal(out.report.reason, MUP_REVERT_NONE);
    assert_int_equal(out.report.trial_boots, 2);

    decode(&out, CODEC_REPORT, "Final report of a revert, with authentication");
    assert_int_equal(out.report.outcome, MUP_STATE_REVERTED);
    assert_int_equal(out.report.reason, MUP_REVERT_TRIALS_USED_UP);
    assert_int_equal(out.report.trial_boots, 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_is_written_back_byte_for_byte),
        cmocka_unit_test(the_vendor_manifest_has_its_fields),
        cmocka_unit_test(the_extended_manifest_has_its_fields),
        cmocka_unit_test(the_certificate_has_its_fields),
        cmocka_unit_test(the_announcement_has_its_fields),
        cmocka_unit_test(the_piece_has_its_fields),
        cmocka_unit_test(the_bootstrap_replies_have_their_fields),
        cmocka_unit_test(presence_is_three_bytes),
        cmocka_unit_test(the_requests_have_their_fields),
        cmocka_unit_test(the_tokens_have_their_fields),
        cmocka_unit_test(the_responses_have_their_fields),
        cmocka_unit_test(the_acknowledgement_has_its_fields),
        cmocka_unit_test(the_reports_have_their_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
