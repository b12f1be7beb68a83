/* mup-server: open everything in order, serve until a signal, close everything in reverse. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mup/sign/certify.h"
#include "mup/sign/key.h"
#include "mup/sign/repository.h"
#include "runtime/log.h"
#include "runtime/loop.h"
#include "runtime/mqtt_session.h"
#include "server/api.h"
#include "server/settings.h"
#include "server/web/set_up.h"

#define SESSION_EXPIRY_S  86400u /* reports wait this long at the broker while we are away */
#define KEEP_ALIVE_S      30u
#define SECRET_SIZE_MAX   256u
#define TLS_FILE_SIZE_MAX 65536u

struct server {
    struct mup_server_settings settings;
    struct mup_loop loop;
    struct mup_signer signer;
    uint8_t vendor_key[MUP_PUBLIC_KEY_SIZE];
    char token[SECRET_SIZE_MAX + 1];
    char password[SECRET_SIZE_MAX + 1];
    char *tls_certificate; /* PEM; NULL: no TLS */
    char *tls_key;
    struct mup_server_store *store;
    struct mup_fetcher *fetcher;
    struct mup_edge *edge;
    struct mup_mirror *mirror;
    struct mup_point_reader *points;
    struct mup_schemas *schemas;
    struct mup_caller *caller;
    const char *reserved[MUP_EDGE_COMMAND_COUNT + 1]; /* RPCs of an update */
    struct mup_mqtt_session *mqtt;
    struct mup_releases *releases;
    struct mup_updates *updates;
    struct mup_api *api;
};

static const char usage[] =
    "usage: mup-server --config FILE [COMMAND]\n"
    "\n"
    "The update server of MUP: fetches releases, updates devices, answers REST, and\n"
    "has a web page. Commands end at once; a running server takes up what they\n"
    "change:\n"
    "\n"
    "  --set-up [NAME]         make what is missing before the first start: token,\n"
    "                          certificate, and the first administrator (operator),\n"
    "                          whose password is printed once\n"
    "  --add-user NAME ROLE    ROLE is read-only, operator or administrator; also\n"
    "                          gives a user another role, and a new password\n"
    "  --new-password NAME     for a user who is there\n"
    "  --remove-user NAME      his sessions end\n"
    "  --users                 list them\n"
    "\n"
    "FILE has lines of `key value`; the keys, with their defaults:\n"
    "\n";

static int fail(const char *what)
{
    fprintf(stderr, "mup-server: %s\n", what);
    return 1;
}

/* The first line of a file that only its owner may read. */
static int read_secret(char secret[SECRET_SIZE_MAX + 1], const char *path)
{
    struct mup_error error;
    struct stat about;
    uint8_t *bytes;
    size_t size;

    if (mup_file_read(&bytes, &size, path, SECRET_SIZE_MAX, &error) != MUP_OK) {
        return fail(error.text);
    }
    memcpy(secret, bytes, size);
    secret[size] = '\0';
    free(bytes);
    secret[strcspn(secret, "\r\n")] = '\0';
    if (stat(path, &about) == 0 && (about.st_mode & 077) != 0) {
        fprintf(stderr, "mup-server: others may read %s: chmod 600 %s\n", path, path);
        return 1;
    }
    return 0;
}

/* A text file as a whole; NULL: said why not. */
static char *read_text(const char *path)
{
    struct mup_error error;
    uint8_t *bytes;
    size_t size;

    if (mup_file_read(&bytes, &size, path, TLS_FILE_SIZE_MAX, &error) != MUP_OK) {
        fail(error.text);
        return NULL;
    }
    char *text = calloc(1, size + 1);
    if (text) {
        memcpy(text, bytes, size);
    }
    free(bytes);
    return text;
}

static int read_tls(struct server *server)
{
    const struct mup_server_settings *s = &server->settings;
    struct stat about;

    if (!s->tls_certificate && !s->tls_key) {
        return 0;
    }
    if (!s->tls_certificate || !s->tls_key) {
        return fail("tls-certificate and tls-key go together: set both or none");
    }
    if (stat(s->tls_key, &about) == 0 && (about.st_mode & 077) != 0) {
        fprintf(stderr, "mup-server: others may read %s: chmod 600 %s\n", s->tls_key, s->tls_key);
        return 1;
    }
    server->tls_certificate = read_text(s->tls_certificate);
    server->tls_key = server->tls_certificate ? read_text(s->tls_key) : NULL;
    return server->tls_key ? 0 : 1;
}

/* A certificate that does not fit would be found out by each device instead of by us. */
static int check_certificate(struct server *server)
{
    const char *path = server->settings.certificate_file;
    struct mup_certificate certificate;
    struct mup_error error;
    uint8_t *bytes;
    size_t size;

    if (!path) {
        return 0;
    }
    if (mup_file_read(&bytes, &size, path, MUP_CERTIFICATE_SIGNED_MAX, &error) != MUP_OK) {
        return fail(error.text);
    }
    enum mup_status status = mup_certificate_open(&certificate, (struct mup_bytes){bytes, size},
                                                  server->vendor_key, &error);
    free(bytes);
    if (status != MUP_OK) {
        fprintf(stderr, "mup-server: %s: %s; it was checked against %s\n", path, error.text,
                server->settings.vendor_key_file);
        return 1;
    }
    if (memcmp(certificate.public_key, server->signer.public_key, MUP_PUBLIC_KEY_SIZE) != 0) {
        fprintf(stderr, "mup-server: %s is for another key than %s: certify this one\n", path,
                server->settings.server_key_file);
        return 1;
    }
    return 0;
}

static int read_keys(struct server *server)
{
    const struct mup_server_settings *s = &server->settings;
    struct mup_error error;

    if (mup_public_key_read(server->vendor_key, s->vendor_key_file, &error) != MUP_OK ||
        mup_signer_open_file(&server->signer, s->server_key_file, &error) != MUP_OK) {
        return fail(error.text);
    }
    if (read_secret(server->token, s->api_token_file) != 0 ||
        (s->mqtt_password_file && read_secret(server->password, s->mqtt_password_file) != 0)) {
        return 1;
    }
    if (strlen(server->token) < MUP_API_TOKEN_SIZE_MIN) {
        fprintf(stderr, "mup-server: the token in %s has less than %u characters: make a new one\n",
                s->api_token_file, MUP_API_TOKEN_SIZE_MIN);
        return 1;
    }
    return check_certificate(server) || read_tls(server);
}

/* ---- MQTT ---- */

static void on_message(void *arg, const struct mup_mqtt_message *message)
{
    struct server *server = arg;

    mup_updates_on_message(server->updates, message);
}

static void on_mqtt_state(void *arg, bool connected)
{
    struct server *server = arg;

    if (connected && server->updates) {
        mup_updates_go_on(server->updates);
    }
}

static void on_mqtt_published(void *arg, int id, int reason)
{
    struct server *server = arg;

    (void)id;
    (void)reason; /* what the broker has not taken is missed by the device, which says so */
    if (server->updates) {
        mup_updates_go_on(server->updates);
    }
}

static int open_mqtt(struct server *server)
{
    static const struct mup_mqtt_callbacks callbacks = {
        .on_message = on_message, .on_state = on_mqtt_state, .on_published = on_mqtt_published};
    const struct mup_server_settings *s = &server->settings;
    struct mup_mqtt_settings settings = {
        .host = s->mqtt_host,
        .port = (uint16_t)s->mqtt_port,
        .client_id = s->mqtt_user,
        .user = s->mqtt_user,
        .password = s->mqtt_password_file ? server->password : NULL,
        .ca_file = s->mqtt_ca_file,
        .session_expiry_s = SESSION_EXPIRY_S,
        .keep_alive_s = KEEP_ALIVE_S,
    };

    server->mqtt = mup_mqtt_session_new(&server->loop, &settings, &callbacks, server);
    if (!server->mqtt || mup_mqtt_session_subscribe(server->mqtt, MUP_TOPIC_ACK "+", 0) != MUP_OK ||
        mup_mqtt_session_subscribe(server->mqtt, MUP_TOPIC_REPORT "+", 1) != MUP_OK ||
        mup_mqtt_session_subscribe(server->mqtt, MUP_TOPIC_PRESENCE "+", 1) != MUP_OK) {
        return fail("cannot make the MQTT session: check mqtt-host, mqtt-user and mqtt-ca-file");
    }
    return 0;
}

/* ---- begin and end ---- */

/* What the web page asks of the bridge beside updates. */
static bool open_forms(struct server *server)
{
    const struct mup_server_settings *s = &server->settings;
    const struct mup_schemas_settings schemas = {s->netconf_socket, s->netconf_user,
                                                 server->reserved};
    const struct mup_caller_settings caller = {s->netconf_socket, (uint32_t)s->rpc_timeout_ms};

    server->reserved[MUP_EDGE_TOKEN] = s->rpc_token;
    server->reserved[MUP_EDGE_MANIFEST] = s->rpc_manifest;
    server->reserved[MUP_EDGE_VERIFY] = s->rpc_verify;
    server->points = mup_point_reader_new(&server->loop, s->netconf_socket, s->netconf_user);
    server->schemas = mup_schemas_new(&server->loop, &schemas);
    server->caller = mup_caller_new(&server->loop, &caller);
    return server->points && server->schemas && server->caller;
}

static int open_edge(struct server *server)
{
    const struct mup_server_settings *s = &server->settings;
    const struct mup_fetch_settings fetch = {s->https_ca_file, s->https_proxy,
                                             (uint32_t)s->fetch_timeout_s};
    const struct mup_edge_settings edge = {
        .socket_path = s->netconf_socket,
        .user = s->netconf_user,
        .timeout_ms = (uint32_t)s->rpc_timeout_ms,
        .rpc_names = {[MUP_EDGE_TOKEN] = s->rpc_token,
                      [MUP_EDGE_MANIFEST] = s->rpc_manifest,
                      [MUP_EDGE_VERIFY] = s->rpc_verify},
        .manifest_input = s->rpc_manifest_input,
    };

    const struct mup_mirror_settings mirror = {s->netconf_socket, s->netconf_user};

    server->fetcher = mup_fetcher_new(&server->loop, &fetch);
    server->edge = mup_edge_new(&server->loop, &edge);
    server->mirror = mup_mirror_new(&server->loop, &mirror, &mup_api_mirror_callbacks, server->api);
    return server->fetcher && server->edge && server->mirror && open_forms(server)
               ? open_mqtt(server)
               : fail("no memory");
}

static int open_updates(struct server *server)
{
    const struct mup_server_settings *s = &server->settings;
    struct mup_updates_parts parts = {server->store, NULL, server->edge, server->mqtt,
                                      &server->signer};
    const struct mup_updates_callbacks callbacks = {.on_event = mup_api_tell};
    const struct mup_updates_settings settings = {
        .limits =
            {
                .look_up_ms = (uint32_t)s->look_up_timeout_ms,
                .token_ms = (uint32_t)s->token_timeout_ms,
                .manifest_ms = (uint32_t)s->manifest_timeout_ms,
                .verify_ms = (uint32_t)s->verify_timeout_ms,
                .quiet_ms = (uint32_t)s->quiet_timeout_ms,
                .back_ms = (uint32_t)s->back_timeout_ms,
                .stall_ms = (uint32_t)s->stall_timeout_ms,
                .trial_ms = (uint32_t)s->trial_timeout_ms,
                .poll_ms = (uint32_t)s->poll_period_ms,
                .again_ms = (uint32_t)s->again_timeout_ms,
            },
        .slice_size = (uint32_t)s->slice_size,
    };
    struct mup_fault fault = {MUP_FAULT_NONE, ""};

    server->releases =
        mup_releases_new(&server->loop, server->store, server->fetcher, server->vendor_key, &fault);
    if (server->releases) {
        parts.releases = server->releases;
        server->updates =
            mup_updates_new(&server->loop, &parts, &settings, &callbacks, server->api, &fault);
    }
    return server->updates ? 0 : fail(fault.message);
}

static int open_all(struct server *server)
{
    const struct mup_server_settings *s = &server->settings;
    const struct mup_http_settings http = {s->listen_address, (uint16_t)s->listen_port,
                                           server->tls_certificate, server->tls_key};
    const struct mup_door_settings door = {
        .token = server->token,
        .token_user = s->api_token_user,
        .users_file = s->users_file,
        .is_secure = server->tls_certificate != NULL,
    };
    char error[MUP_STORE_ERROR_SIZE];

    if (mup_server_store_open(&server->store, &server->loop, s->store, error) != MUP_OK ||
        !(server->api = mup_api_new(&server->loop, &http, &door, error))) {
        return fail(error);
    }
    return open_edge(server) != 0 || open_updates(server) != 0;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/* Requests are served, and whoever waits for the port file may come. */
static int serve(struct server *server)
{
    const struct mup_api_parts parts = {server->releases, server->updates, server->edge,
                                        server->mqtt,     server->mirror,  server->points,
                                        server->schemas,  server->caller};
    char port[8];
    struct mup_error error;

    if (mup_updates_resume(server->updates) != MUP_OK) {
        return fail("cannot take up the updates that were under way");
    }
    mup_mqtt_session_start(server->mqtt);
    mup_api_serve(server->api, &parts);
    int size = snprintf(port, sizeof port, "%u\n", mup_api_port(server->api));
    if (server->settings.port_file &&
        mup_file_write(server->settings.port_file, port, (size_t)size, 0644, &error) != MUP_OK) {
        return fail(error.text);
    }
    if (!server->tls_certificate && !is_loopback(server->settings.listen_address)) {
        mup_log(MUP_LOG_WARNING, "server",
                mup_log_event("passwords and the token cross the network in clear"),
                mup_log_text("advice", "set tls-certificate and tls-key"));
    }
    mup_log(MUP_LOG_INFO, "server", mup_log_event("serving"),
            mup_log_text("address", server->settings.listen_address),
            mup_log_number("port", mup_api_port(server->api)),
            mup_log_number("releases", (int64_t)mup_releases_count(server->releases)),
            mup_log_number("updates", (int64_t)mup_updates_running_count(server->updates)));
    mup_loop_run(&server->loop);
    return 0;
}

/* First everything that calls back, then what is called. */
static void close_all(struct server *server)
{
    mup_fetcher_free(server->fetcher);
    mup_edge_free(server->edge);
    mup_mirror_free(server->mirror);
    mup_point_reader_free(server->points);
    mup_schemas_free(server->schemas);
    mup_caller_free(server->caller);
    if (server->mqtt) {
        mup_mqtt_session_free(server->mqtt);
    }
    mup_server_store_close(server->store);
    mup_updates_free(server->updates);
    mup_releases_free(server->releases);
    mup_api_free(server->api);
    mup_loop_close(&server->loop);
}

static int run(struct server *server)
{
    enum mup_log_level level;

    if (mup_log_level_from_name(&level, server->settings.log_level) != 0) {
        return fail("log-level is debug, info, warning or error");
    }
    mup_log_set_level(level);
    if (read_keys(server) != 0) {
        return 1;
    }
    if (mup_loop_init(&server->loop, NULL, NULL) != MUP_OK) {
        return fail("cannot make the event loop: too many open files?");
    }
    int code = open_all(server) || serve(server);
    close_all(server);
    return code;
}

int main(int argc, char **argv)
{
    struct server server = {.store = NULL};
    char error[MUP_CONFIG_ERROR_SIZE];

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        mup_server_settings_print_keys();
        return 0;
    }
    if (argc < 3 || strcmp(argv[1], "--config") != 0) {
        fputs("mup-server: --config FILE is wanted; see mup-server --help\n", stderr);
        return 2;
    }
    umask(077); /* the store is nobody else's */
    if (mup_server_settings_read(&server.settings, argv[2], error) != MUP_OK) {
        fail(error);
        return 2;
    }
    int code = argc > 3 ? mup_set_up(&server.settings, argc - 3, argv + 3) : run(&server);
    mup_signer_close(&server.signer);
    free(server.tls_certificate);
    free(server.tls_key);
    mup_server_settings_free(&server.settings);
    return code;
}
