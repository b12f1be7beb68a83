/*
 * What the bridge adds to a request to a device: a NETCONF RPC over the socket against the same
 * request published by a plain MQTT client, one outstanding, each in turn so that both see the same
 * machine. The difference of the medians is rpc_overhead_us.
 */
#include <stdio.h>
#include <stdlib.h>

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include "figures.h"
#include "load.h"
#include "manager.h"
#include "mup/rpc.h"

#define ROUNDS  4000u
#define WARM_UP 50u
#define TOPIC   "bare/response/requester"
#define TURN_MS 1000
#define TURNS   60 /* until an answer or the subscription is given up */

struct requester {
    struct mosquitto *client;
    bool ready;
    bool answered;
};

static void on_connect(struct mosquitto *client, void *arg, int reason)
{
    (void)arg;
    if (reason == 0)
        mosquitto_subscribe(client, NULL, TOPIC, 1);
}

static void on_subscribe(struct mosquitto *client, void *arg, int id, int count, const int *qos)
{
    struct requester *requester = arg;

    (void)client;
    (void)id;
    requester->ready = count > 0 && qos[0] == 1;
}

static void on_message(struct mosquitto *client, void *arg, const struct mosquitto_message *message)
{
    struct requester *requester = arg;

    (void)client;
    (void)message;
    requester->answered = true;
}

/* libmosquitto's own loop in this thread, until the flag is set. */
static bool run_until(struct requester *requester, const bool *flag)
{
    for (int i = 0; i < TURNS && !*flag;) {
        double begun = mup_now_us();
        if (mosquitto_loop(requester->client, TURN_MS, 1) != MOSQ_ERR_SUCCESS)
            return false;
        i += mup_now_us() - begun > TURN_MS * 1e3 / 2;
    }
    return *flag;
}

static bool open_requester(struct requester *requester, const struct mup_testbed *bed)
{
    *requester = (struct requester){.client = mosquitto_new(NULL, true, requester)};
    if (requester->client == NULL)
        return false;
    mosquitto_int_option(requester->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(requester->client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_username_pw_set(requester->client, "requester",
                              mup_testbed_password(bed, "requester"));
    mosquitto_connect_callback_set(requester->client, on_connect);
    mosquitto_subscribe_callback_set(requester->client, on_subscribe);
    mosquitto_message_callback_set(requester->client, on_message);
    return mosquitto_connect(requester->client, "127.0.0.1", bed->broker_port, 60) ==
               MOSQ_ERR_SUCCESS &&
           run_until(requester, &requester->ready);
}

/* The bytes that the bridge sends for MUP_FLEET_RPC, with the same properties. */
static bool ask_bare(struct requester *requester, const char *topic)
{
    static const uint8_t correlation[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    const struct mup_request request = {.method = {(const uint8_t *)"LED-ON", 6}};
    uint8_t bytes[64];
    size_t size = 0;
    mosquitto_property *properties = NULL;
    bool good;

    good = mup_request_encode(bytes, sizeof bytes, &size, &request) == MUP_OK &&
           mosquitto_property_add_string(&properties, MQTT_PROP_RESPONSE_TOPIC, TOPIC) ==
               MOSQ_ERR_SUCCESS &&
           mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA, correlation,
                                         sizeof correlation) == MOSQ_ERR_SUCCESS;
    requester->answered = false;
    good = good && mosquitto_publish_v5(requester->client, NULL, topic, (int)size, bytes, 1, false,
                                        properties) == MOSQ_ERR_SUCCESS;
    mosquitto_property_free_all(&properties);
    return good && run_until(requester, &requester->answered);
}

static bool measure(struct mup_load *load, struct mup_manager *session, struct requester *requester,
                    struct mup_samples *bare, struct mup_samples *rpc)
{
    size_t rounds = mup_load_size(load, ROUNDS, 100);
    char *xml = mup_load_rpc(load, 0);
    char topic[128];
    bool good = true;

    mup_fleet_topic(load->fleet, 0, topic, sizeof topic);
    for (size_t i = 0; i < rounds + WARM_UP && good; i++) {
        double begun = mup_now_us();
        good = ask_bare(requester, topic);
        double between = mup_now_us();
        good = good && mup_manager_ask(session, xml) && mup_manager_says(session, "10_OK");
        if (i >= WARM_UP) {
            mup_samples_add(bare, between - begun);
            mup_samples_add(rpc, mup_now_us() - between);
        }
    }
    free(xml);
    return good;
}

bool mup_measure_overhead(struct mup_load *load)
{
    struct mup_samples bare = {0};
    struct mup_samples rpc = {0};
    struct mup_manager session;
    struct requester requester;
    bool good = open_requester(&requester, &load->bed);

    if (good && (good = mup_manager_open(&session, &load->bed, false))) {
        good = measure(load, &session, &requester, &bare, &rpc);
        mup_manager_close(&session);
    }
    if (good) {
        double bare_us = mup_samples_percentile(&bare, 0.5);
        double rpc_us = mup_samples_percentile(&rpc, 0.5);
        json_object_set_new(load->result, "bare_us", json_real(bare_us));
        json_object_set_new(load->result, "rpc_us", json_real(rpc_us));
        json_object_set_new(load->result, "rpc_overhead_us", json_real(rpc_us - bare_us));
    } else
        fprintf(stderr, "bench-load: requests over MQTT or NETCONF are not answered\n");
    mosquitto_destroy(requester.client);
    mup_samples_free(&bare);
    mup_samples_free(&rpc);
    return good;
}
