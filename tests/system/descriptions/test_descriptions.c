/*
 * Descriptions that a stranger sends to the running bridge, byte for byte as docs/SPEC.md sections
 * 8 to 10 say: those of the prototype, damaged ones and hostile ones. Each gets an answer with a
 * reason, and the bridge lives to answer a good one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge.h"
#include "mup/bootstrap.h"
#include "mup/sign/sign1.h"
#include "mup/state.h"
#include "mup/topic.h"
#include "tap.h"

#define SHARED  MUP_SOURCE_DIR "/../shared/descriptions/"
#define VIRTUAL MUP_SOURCE_DIR "/firmware/description/virtual.jsonld"

static struct mup_tap *tap;

static int open_edge(void **state)
{
    (void)state;
    if (!system_open(NULL, NULL))
        return -1;
    tap = mup_tap_open(bed.broker_port, "eavesdropper", mup_testbed_password(&bed, "eavesdropper"),
                       "mup/bootstrap/+");
    return tap == NULL ? -1 : 0;
}

static int close_edge(void **state)
{
    mup_tap_close(tap);
    return system_close(state);
}

/* ---- a device that we play ---- */

struct peer {
    uint8_t uuid[MUP_UUID_SIZE];
    char name[MUP_UUID_TEXT_SIZE];
    uint8_t digest[MUP_DIGEST_SIZE];
    size_t mark; /* what of the bridge's answers was seen */
    struct mup_bootstrap_reply reply;
};

/* The next device, for a template of these bytes. */
static void introduce(struct peer *peer, const void *bytes, size_t size)
{
    static uint8_t number;

    memset(peer, 0, sizeof *peer);
    memcpy(peer->uuid, "\x10\x20\x30\x40\x50\x60\x40\x80\x90\xa0\xb0\xc0\xd0\xe0\xf0", 15);
    peer->uuid[MUP_UUID_SIZE - 1] = ++number;
    mup_uuid_format(peer->name, peer->uuid);
    mup_sha256_host(peer->digest, bytes, size);
    peer->mark = mup_tap_mark(tap);
}

static void publish(const struct peer *peer, const char *prefix, const uint8_t *bytes, size_t size)
{
    char topic[64];

    snprintf(topic, sizeof topic, "%s%s", prefix, peer->name);
    assert_true(mup_tap_publish(tap, topic, bytes, size, 1, NULL, NULL, 0));
}

static void announce(const struct peer *peer, size_t size)
{
    struct mup_announcement announcement = {.description_size = (uint32_t)size, .version = 1};
    uint8_t bytes[MUP_ANNOUNCEMENT_MAX];
    size_t used;

    memcpy(announcement.uuid, peer->uuid, sizeof peer->uuid);
    memcpy(announcement.description_digest, peer->digest, sizeof peer->digest);
    memset(announcement.boot_id, 7, sizeof announcement.boot_id);
    assert_int_equal(mup_announcement_encode(bytes, sizeof bytes, &used, &announcement), MUP_OK);
    publish(peer, MUP_TOPIC_ANNOUNCE, bytes, used);
}

static void send_piece(const struct peer *peer, uint32_t number, bool last, const uint8_t *bytes,
                       size_t size)
{
    struct mup_piece piece = {.number = number, .last = last, .data = {bytes, size}};
    uint8_t encoded[MUP_PIECE_DATA_MAX + MUP_PIECE_OVERHEAD_MAX];
    size_t used;

    memcpy(piece.digest_prefix, peer->digest, sizeof piece.digest_prefix);
    assert_int_equal(mup_piece_encode(encoded, sizeof encoded, &used, &piece), MUP_OK);
    publish(peer, MUP_TOPIC_DESCRIPTION, encoded, used);
}

static void send_pieces(const struct peer *peer, const uint8_t *bytes, size_t size)
{
    uint32_t number = 0;

    for (size_t at = 0; at < size; at += MUP_PIECE_DATA_MAX) {
        size_t left = size - at;
        size_t here = left < MUP_PIECE_DATA_MAX ? left : MUP_PIECE_DATA_MAX;
        send_piece(peer, number++, here == left, bytes + at, here);
    }
}

static uint32_t await_reply(struct peer *peer)
{
    char topic[64];
    struct mup_tap_message message;

    snprintf(topic, sizeof topic, "%s%s", MUP_TOPIC_BOOTSTRAP, peer->name);
    if (!mup_tap_wait(tap, &peer->mark, topic, NULL, 0, MUP_SYSTEM_DEADLINE_MS, &message)) {
        mup_process_pump(&bed.processes, 0);
        fail_msg("no bootstrap reply for %s", peer->name);
    }
    assert_int_equal(mup_bootstrap_reply_decode(&peer->reply, message.payload, message.size),
                     MUP_OK);
    assert_memory_equal(peer->reply.description_digest, peer->digest, sizeof peer->digest);
    mup_process_pump(&bed.processes, 0);
    return peer->reply.state;
}

/* Announce and send; the bridge's last word. */
static uint32_t offer(struct peer *peer, const void *bytes, size_t size)
{
    introduce(peer, bytes, size);
    announce(peer, size);
    assert_int_equal(await_reply(peer), MUP_STATE_SEND_DESCRIPTION);
    send_pieces(peer, bytes, size);
    return await_reply(peer);
}

static bool says(const struct peer *peer, const char *word)
{
    return memmem(peer->reply.detail.data, peer->reply.detail.size, word, strlen(word)) != NULL;
}

static uint8_t *load(const char *path, size_t *size)
{
    uint8_t *bytes = malloc(MUP_DESCRIPTION_MAX + 1);
    FILE *file = fopen(path, "rbe");

    assert_non_null(bytes);
    if (file == NULL) {
        free(bytes);
        return NULL;
    }
    *size = fread(bytes, 1, MUP_DESCRIPTION_MAX + 1, file);
    fclose(file);
    assert_in_range(*size, 1, MUP_DESCRIPTION_MAX);
    return bytes;
}

static void assert_bridge_lives(void)
{
    assert_true(mup_process_is_running(system_process("mup-bridge")));
}

/* ---- the tests ---- */

static void the_descriptions_of_the_prototype_load(void **state)
{
    static const struct {
        const char *file;
        uint32_t answer;
        const char *reason;
    } files[] = {{"MYNO-Update-v2.jsonld", MUP_STATE_OK, NULL},
                 {"brightness_led_smoke.owl", MUP_STATE_OK, NULL},
                 {"nrf52840dk-co2.owl", MUP_STATE_OK, NULL},
                 {"ontology_led+sensor.jsonld", MUP_STATE_OK, NULL},
                 {"prototype_units-events.owl", MUP_STATE_OK, NULL}};
    size_t size = 0;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[512];
        struct peer peer;
        uint8_t *bytes;

        snprintf(path, sizeof path, "%s%s", SHARED, files[i].file);
        bytes = load(path, &size);
        if (bytes == NULL) {
            print_message("%s is not there: skipped\n", path);
            skip();
        }
        if (offer(&peer, bytes, size) != files[i].answer ||
            (files[i].reason != NULL && !says(&peer, files[i].reason)))
            fail_msg("%s: %u %.*s", files[i].file, (unsigned)peer.reply.state,
                     (int)peer.reply.detail.size, (const char *)peer.reply.detail.data);
        free(bytes);
    }
    assert_bridge_lives();
}

#define TTL(text)                                                                  \
    "@prefix b: <http://www.onem2m.org/ontology/Base_Ontology/base_ontology#> .\n" \
    "@prefix owl: <http://www.w3.org/2002/07/owl#> .\n"                            \
    "@prefix m: <https://www.cs.uni-potsdam.de/bs/research/myno#> .\n" text

static void a_damaged_or_hostile_description_is_refused_with_a_reason(void **state)
{
    static const char *const texts[] = {
        "x",
        "\xff\xfe\xfd\xfc",
        "{",
        "{}",
        "[]",
        "null",
        "{\"@context\":\"http://127.0.0.1:1/context.jsonld\",\"@id\":\"#a\"}",
        "{\"@context\":{\"@import\":\"file:///etc/passwd\"}}",
        "{\"@id\":\"#a\",\"@id\":\"#b\"}",
        TTL(""),
        TTL("m:device a b:Device .\n"),
        TTL("m:a m:b \"unfinished"),
        "<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>"
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">&a;</rdf:RDF>",
        "<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
        "\"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY "
        "d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\">"
        "<!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\">]><rdf:RDF "
        "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description "
        "rdf:about=\"urn:x\"><rdf:value>&f;&f;&f;&f;&f;&f;</rdf:value></rdf:Description></rdf:RDF>",
    };
    struct peer peer;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (offer(&peer, texts[i], strlen(texts[i])) != MUP_STATE_DESCRIPTION_INVALID ||
            peer.reply.detail.size < 8)
            fail_msg("%s: %u %.*s", texts[i], (unsigned)peer.reply.state,
                     (int)peer.reply.detail.size, (const char *)peer.reply.detail.data);
    }
    assert_bridge_lives();
}

static void the_reason_names_the_rule(void **state)
{
    static const char remote[] =
        "{\"@context\":\"http://example.org/context.jsonld\",\"@id\":\"#a\",\"@type\":\"#b\"}";
    struct peer peer;

    (void)state;
    assert_int_equal(offer(&peer, remote, sizeof remote - 1), MUP_STATE_DESCRIPTION_INVALID);
    assert_true(says(&peer, "context"));
    assert_int_equal(offer(&peer, "{\"a\":", 5), MUP_STATE_DESCRIPTION_INVALID);
    assert_true(says(&peer, "JSON"));
}

static void a_description_that_would_take_for_ever_is_given_up(void **state)
{
    static char deep[60000];
    static char wide[MUP_DESCRIPTION_MAX];
    size_t size;
    struct peer peer;

    (void)state;
    memset(deep, '[', sizeof deep);
    assert_int_equal(offer(&peer, deep, sizeof deep), MUP_STATE_DESCRIPTION_INVALID);
    assert_true(peer.reply.detail.size > 8);

    /* A thousand things that are each the same as two others. */
    size = (size_t)snprintf(wide, sizeof wide, TTL(""));
    for (unsigned i = 0; size < sizeof wide - 64; i++)
        size += (size_t)snprintf(wide + size, sizeof wide - size,
                                 "m:n%u owl:sameAs m:n%u, m:n%u .\n", i, i / 2, i + 7);
    assert_int_equal(offer(&peer, wide, size), MUP_STATE_DESCRIPTION_INVALID);
    assert_true(peer.reply.detail.size > 8);
    assert_bridge_lives();
}

static void pieces_that_are_not_what_was_announced_are_not_used(void **state)
{
    struct peer peer;
    size_t size = 0;
    uint8_t *bytes = load(VIRTUAL, &size);

    (void)state;
    assert_non_null(bytes);
    introduce(&peer, bytes, size);
    announce(&peer, size);
    assert_int_equal(await_reply(&peer), MUP_STATE_SEND_DESCRIPTION);
    /* A gap, a piece of nobody's, garbage: dropped. */
    send_piece(&peer, 0, false, bytes, MUP_PIECE_DATA_MAX);
    send_piece(&peer, 2, false, bytes + MUP_PIECE_DATA_MAX, MUP_PIECE_DATA_MAX);
    publish(&peer, MUP_TOPIC_DESCRIPTION, bytes, 40);
    publish(&peer, MUP_TOPIC_ANNOUNCE, bytes, 40);
    publish(&peer, MUP_TOPIC_PRESENCE, bytes, 40);
    publish(&peer, MUP_TOPIC_RESPONSE, bytes, 40);
    /* All of them, but one byte is another: SPEC section 9 wants a 61 for it. */
    announce(&peer, size);
    assert_int_equal(await_reply(&peer), MUP_STATE_SEND_DESCRIPTION);
    bytes[size / 2] ^= 1;
    send_pieces(&peer, bytes, size);
    assert_int_equal(await_reply(&peer), MUP_STATE_DESCRIPTION_INVALID);
    assert_true(says(&peer, "digest"));
    /* The digest is not burnt by it: the true bytes are taken. */
    bytes[size / 2] ^= 1;
    announce(&peer, size);
    assert_int_equal(await_reply(&peer), MUP_STATE_SEND_DESCRIPTION);
    send_pieces(&peer, bytes, size);
    assert_int_equal(await_reply(&peer), MUP_STATE_OK);
    assert_true(peer.reply.certificate.size > 0);
    free(bytes);
}

static void a_refused_description_is_not_asked_for_again(void **state)
{
    struct peer peer;

    (void)state;
    assert_int_equal(offer(&peer, "[ ]", 3), MUP_STATE_DESCRIPTION_INVALID);
    announce(&peer, 3);
    assert_int_equal(await_reply(&peer), MUP_STATE_DESCRIPTION_INVALID);
    assert_true(peer.reply.detail.size > 8);
}

/* The configuration is written at each start here, so the rules are others afterwards. */
static void a_refusal_by_other_rules_is_judged_anew_when_it_is_announced(void **state)
{
    struct peer peer;

    (void)state;
    assert_int_equal(offer(&peer, "[  ]", 4), MUP_STATE_DESCRIPTION_INVALID);
    mup_process_kill(system_process("mup-bridge"));
    assert_true(mup_testbed_start_bridge(&bed));
    announce(&peer, 4);
    assert_int_equal(await_reply(&peer), MUP_STATE_SEND_DESCRIPTION);
    send_pieces(&peer, (const uint8_t *)"[  ]", 4);
    assert_int_equal(await_reply(&peer), MUP_STATE_DESCRIPTION_INVALID);
    announce(&peer, 4); /* and now by these rules, so that it is not asked for again */
    assert_int_equal(await_reply(&peer), MUP_STATE_DESCRIPTION_INVALID);
}

/* Things that are each the same as two others: reading this takes a while. */
static size_t make_slow(char text[MUP_DESCRIPTION_MAX], unsigned number)
{
    size_t size = (size_t)snprintf(text, MUP_DESCRIPTION_MAX, TTL("# %u\n"), number);

    for (unsigned i = 0; size < MUP_DESCRIPTION_MAX - 64; i++)
        size += (size_t)snprintf(text + size, MUP_DESCRIPTION_MAX - size,
                                 "m:n%u owl:sameAs m:n%u, m:n%u .\n", i, i / 2, i + 7);
    return size;
}

/* More than there are judges: each is answered without announcing itself again. */
static void descriptions_that_come_together_wait_for_a_judge(void **state)
{
    static struct peer peers[8];
    static char texts[8][MUP_DESCRIPTION_MAX];
    size_t sizes[8];

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        sizes[i] = i < 4 ? make_slow(texts[i], i)
                         : (size_t)snprintf(texts[i], sizeof texts[i], "together %u", i);
        introduce(&peers[i], texts[i], sizes[i]);
        announce(&peers[i], sizes[i]);
        assert_int_equal(await_reply(&peers[i]), MUP_STATE_SEND_DESCRIPTION);
    }
    for (size_t i = 0; i < 8; i++)
        send_pieces(&peers[i], (const uint8_t *)texts[i], sizes[i]);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(await_reply(&peers[i]), MUP_STATE_DESCRIPTION_INVALID);
}

/* ---- what devices do to each other ---- */

/* A device that announces the UUID of another, under a handle of its own. */
static void impersonate(struct peer *squatter, const struct peer *owner)
{
    *squatter = *owner;
    (void)snprintf(squatter->name, sizeof squatter->name, "squatter");
    squatter->mark = mup_tap_mark(tap);
}

static void the_owner_of_a_uuid_takes_it_from_a_squatter(void **state)
{
    struct peer owner;
    struct peer squatter;

    (void)state;
    introduce(&owner, "mine", 4);
    impersonate(&squatter, &owner);
    announce(&squatter, 4);
    assert_int_equal(await_reply(&squatter), MUP_STATE_SEND_DESCRIPTION);
    announce(&owner, 4);
    assert_int_equal(await_reply(&owner), MUP_STATE_SEND_DESCRIPTION);
    assert_int_equal(await_reply(&squatter), MUP_STATE_DEVICE_REFUSED);
    assert_true(says(&squatter, "has come"));
    announce(&squatter, 4);
    assert_int_equal(await_reply(&squatter), MUP_STATE_DEVICE_REFUSED);
    /* Nor is the squatter what the store brings back. */
    mup_process_kill(system_process("mup-bridge"));
    assert_true(mup_testbed_start_bridge(&bed));
    announce(&squatter, 4);
    assert_int_equal(await_reply(&squatter), MUP_STATE_DEVICE_REFUSED);
    announce(&owner, 4);
    assert_int_equal(await_reply(&owner), MUP_STATE_SEND_DESCRIPTION);
}

static void a_device_gives_eight_descriptions_an_hour_to_judge(void **state)
{
    struct peer peer;
    struct peer other;
    char text[16];
    size_t size;

    (void)state;
    introduce(&peer, "", 0);
    for (unsigned i = 0; i < 9; i++) {
        size = (size_t)snprintf(text, sizeof text, "endless %u", i);
        mup_sha256_host(peer.digest, text, size);
        announce(&peer, size);
        if (i == 8)
            break;
        assert_int_equal(await_reply(&peer), MUP_STATE_SEND_DESCRIPTION);
        send_pieces(&peer, (const uint8_t *)text, size);
        assert_int_equal(await_reply(&peer), MUP_STATE_DESCRIPTION_INVALID);
    }
    assert_int_equal(await_reply(&peer), MUP_STATE_DEVICE_REFUSED);
    assert_true(says(&peer, "hour"));
    /* What is known costs nothing, and another device may still give this one. */
    mup_sha256_host(peer.digest, "endless 3", 9);
    announce(&peer, 9);
    assert_int_equal(await_reply(&peer), MUP_STATE_DESCRIPTION_INVALID);
    assert_int_equal(offer(&other, text, size), MUP_STATE_DESCRIPTION_INVALID);
}

/* As a disk that takes no more descriptions. */
static void run_sql(const char *sql)
{
    char command[512];

    (void)snprintf(command, sizeof command,
                   "/usr/bin/python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1], "
                   "timeout=30); c.executescript(sys.argv[2])' '%s' \"%s\"",
                   mup_testbed_path(&bed, "bridge.db"), sql);
    assert_int_equal(system(command), 0);
}

static void await_log(const char *text)
{
    struct mup_process *bridge = system_process("mup-bridge");
    char line[MUP_PROCESS_LINE_MAX];

    for (unsigned i = 0; i < MUP_SYSTEM_DEADLINE_MS / 5; i++) {
        while (mup_process_next_line(bridge, line, sizeof line))
            if (strstr(line, text) != NULL)
                return;
        mup_process_pump(&bed.processes, 5);
    }
    fail_msg("the bridge never says: %s", text);
}

static void a_description_that_the_store_does_not_take_is_asked_for_again(void **state)
{
    struct peer peer;
    size_t size = 0;
    uint8_t *bytes = load(VIRTUAL, &size);

    (void)state;
    assert_non_null(bytes);
    bytes[size++] = ' '; /* a digest of its own */
    run_sql(
        "CREATE TRIGGER full BEFORE INSERT ON description BEGIN SELECT RAISE(ABORT, 'full'); END;");
    introduce(&peer, bytes, size);
    announce(&peer, size);
    assert_int_equal(await_reply(&peer), MUP_STATE_SEND_DESCRIPTION);
    send_pieces(&peer, bytes, size);
    await_log("description not kept");
    announce(&peer, size);
    assert_int_equal(await_reply(&peer), MUP_STATE_SEND_DESCRIPTION);
    run_sql("DROP TRIGGER full;");
    send_pieces(&peer, bytes, size);
    assert_int_equal(await_reply(&peer), MUP_STATE_OK);
    free(bytes);
}

/* 600 refused descriptions of devices that are gone: room is made for one more, in the store too.
 */
static void refused_descriptions_of_nobody_make_room_in_the_store(void **state)
{
    struct peer peer;

    (void)state;
    mup_process_kill(system_process("mup-bridge"));
    run_sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) "
            "INSERT INTO description SELECT randomblob(32), x'20', 0, 'old', i FROM n;");
    assert_true(mup_testbed_start_bridge(&bed));
    assert_int_equal(offer(&peer, "one more", 8), MUP_STATE_DESCRIPTION_INVALID);
    run_sql("CREATE TEMP TABLE refused (count INTEGER CHECK (count = 512)); "
            "INSERT INTO refused SELECT count(*) FROM description WHERE accepted = 0; "
            "CREATE TEMP TABLE oldest (at_ms INTEGER CHECK (at_ms > 88)); "
            "INSERT INTO oldest SELECT min(at_ms) FROM description;");
}

static void a_good_device_is_served_after_all_that(void **state)
{
    static struct mup_testbed_device device = {.process = "device", .version = 1};

    (void)state;
    system_make_device(&device);
    system_join(&device);
    system_assert_rpc(device.uuid, "ledOn", NULL, NULL, "10_OK");
    assert_bridge_lives();
    /* And a bridge that reads all of it from its store. */
    mup_process_kill(system_process("mup-bridge"));
    assert_true(mup_testbed_start_bridge(&bed));
    system_assert_rpc(device.uuid, "ledOff", NULL, NULL, "10_OK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_descriptions_of_the_prototype_load),
        cmocka_unit_test(a_damaged_or_hostile_description_is_refused_with_a_reason),
        cmocka_unit_test(the_reason_names_the_rule),
        cmocka_unit_test(a_description_that_would_take_for_ever_is_given_up),
        cmocka_unit_test(pieces_that_are_not_what_was_announced_are_not_used),
        cmocka_unit_test(a_refused_description_is_not_asked_for_again),
        cmocka_unit_test(a_refusal_by_other_rules_is_judged_anew_when_it_is_announced),
        cmocka_unit_test(descriptions_that_come_together_wait_for_a_judge),
        cmocka_unit_test(the_owner_of_a_uuid_takes_it_from_a_squatter),
        cmocka_unit_test(a_device_gives_eight_descriptions_an_hour_to_judge),
        cmocka_unit_test(a_description_that_the_store_does_not_take_is_asked_for_again),
        cmocka_unit_test(refused_descriptions_of_nobody_make_room_in_the_store),
        cmocka_unit_test(a_good_device_is_served_after_all_that),
    };

    return cmocka_run_group_tests(tests, open_edge, close_edge);
}
