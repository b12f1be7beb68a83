/*
 * A bridge of two devices that exist only here, for tests of NETCONF over ssh.
 *
 *     netconf-daemon SOCKET
 *
 * Writes "ready" and a newline to stdout when it listens. What getDeviceToken does depends on the
 * uuid: "fast" answers at once, "slow" after 200 ms, "never" not at all, "refusing" with an error,
 * "lying" with an answer that does not fit the schema, and any other is an unknown device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/netconf/netconf.h"
#include "runtime/log.h"

#define SLOW_MS 200u

struct waiting {
    struct waiting *next;
    struct mup_netconf_request *request;
    struct mup_timer *timer;
};

static struct mup_loop loop;
static struct mup_netconf *server;
static struct waiting *waiting;

static void forget(struct mup_netconf_request *request)
{
    struct waiting **at = &waiting;

    while (*at && (*at)->request != request) {
        at = &(*at)->next;
    }
    if (*at) {
        struct waiting *gone = *at;
        *at = gone->next;
        mup_timer_free(gone->timer);
        free(gone);
    }
}

static void answer_late(void *arg)
{
    struct waiting *item = arg;
    struct mup_netconf_request *request = item->request;

    forget(request);
    mup_netconf_reply_xml(request, "<token xmlns=\"urn:mup:test:toy\">late</token>");
}

static void keep(struct mup_netconf_request *request, bool answer)
{
    struct waiting *item = calloc(1, sizeof *item);

    item->request = request;
    item->timer = mup_timer_new(&loop, answer_late, item);
    item->next = waiting;
    waiting = item;
    if (answer) {
        mup_timer_start(item->timer, SLOW_MS);
    }
}

static void answer_tree(struct mup_netconf_request *request)
{
    struct lyd_node *tree = NULL;

    if (lyd_new_path(NULL, mup_netconf_schemas(server), "/toy:getDeviceToken/token", "a<b&c",
                     LYD_NEW_PATH_OUTPUT, &tree) != LY_SUCCESS) {
        abort();
    }
    mup_netconf_reply_tree(request, tree);
}

static void begin_rpc(void *context, struct mup_netconf_request *request, const char *user,
                      const char *module, const char *rpc, const struct lyd_node *input)
{
    (void)context;
    (void)user;
    (void)module;
    if (strcmp(rpc, "getDeviceToken") != 0) {
        mup_netconf_reply_ok(request);
        return;
    }
    const char *uuid = lyd_get_value(lyd_child(input));
    if (strcmp(uuid, "fast") == 0) {
        answer_tree(request);
    } else if (strcmp(uuid, "slow") == 0 || strcmp(uuid, "never") == 0) {
        keep(request, strcmp(uuid, "slow") == 0);
    } else if (strcmp(uuid, "refusing") == 0) {
        mup_netconf_reply_error(request, MUP_NETCONF_TAG_OPERATION_FAILED, "device-refused",
                                "the device said <no>", NULL);
    } else if (strcmp(uuid, "lying") == 0) {
        mup_netconf_reply_xml(request, "<count xmlns=\"urn:mup:test:toy\">1000</count>");
    } else {
        mup_netconf_reply_error(request, MUP_NETCONF_TAG_INVALID_VALUE, "unknown-device",
                                "there is no such device", "uuid");
    }
}

static void cancel(void *context, struct mup_netconf_request *request)
{
    (void)context;
    mup_log(MUP_LOG_INFO, "toy", mup_log_event("cancelled"));
    forget(request);
}

static enum mup_status get(void *context, const char *user, const struct ly_ctx *schemas,
                           struct lyd_node **tree)
{
    static const char devices[] =
        "<devices xmlns=\"urn:mup:myno-devices\">"
        "<device><uuid>fast</uuid><name>Lamp</name><category>light</category>"
        "<module>toy</module><firmware-version>1</firmware-version><state>ready</state>"
        "<last-seen>2026-11-21T12:00:00Z</last-seen></device>"
        "<device><uuid>slow</uuid><name>Valve</name><category>water</category>"
        "<firmware-version>2</firmware-version><state>offline</state></device></devices>";
    (void)context;
    (void)user;

    return lyd_parse_data_mem(schemas, devices, LYD_XML, LYD_PARSE_ONLY | LYD_PARSE_STRICT, 0,
                              tree) == LY_SUCCESS
               ? MUP_OK
               : MUP_ERR_FORMAT;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 65536);

    if (!file || !text || fread(text, 1, 65535, file) == 0) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return text;
}

static bool add(const char *yang)
{
    char error[MUP_NETCONF_ERROR_SIZE];

    if (mup_netconf_add_module(server, yang, error)) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static const struct mup_netconf_backend backend = {
        .get = get, .begin_rpc = begin_rpc, .cancel = cancel};
    static const char *const administrators[] = {"alice"};
    char error[MUP_NETCONF_ERROR_SIZE];
    uid_t self = getuid();

    if (argc != 2 || mup_loop_init(&loop, NULL, NULL)) {
        return 2;
    }
    struct mup_netconf_settings settings = {.socket_path = argv[1],
                                            .uids = &self,
                                            .uid_count = 1,
                                            .update_uids = &self,
                                            .update_uid_count = 1,
                                            .administrators = administrators,
                                            .administrator_count = 1};
    server = mup_netconf_new(&loop, &settings, &backend, error);
    if (!server) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    char *toy = read_file(MUP_SOURCE_DIR "/tests/system/netconf/toy.yang");
    if (!add(mup_netconf_devices_yang) || !add(toy)) {
        return 1;
    }
    free(toy);
    puts("ready");
    fflush(stdout);
    mup_loop_run(&loop);
    mup_netconf_free(server);
    mup_loop_close(&loop);
    return 0;
}
