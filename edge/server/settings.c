/* One table of keys: where each goes, its default, its limits, what it is for. */
#include "server/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/edge.h"
#include "server/fetch.h"
#include "server/update.h"
#include "server/updates.h"

#define MS_MAX (7 * 24 * 3600 * 1000ll)

static const struct key {
    const char *name;
    size_t at;
    bool is_number;
    bool required;
    const char *text;
    int64_t number;
    int64_t min;
    int64_t max;
    const char *help;
} keys[] = {
#define TEXT(name, field, otherwise, help)                                                        \
    {                                                                                             \
        name, offsetof(struct mup_server_settings, field), false, false, otherwise, 0, 0, 0, help \
    }
#define MUST(name, field, help)                                                             \
    {                                                                                       \
        name, offsetof(struct mup_server_settings, field), false, true, NULL, 0, 0, 0, help \
    }
#define NUMBER(name, field, otherwise, min, max, help)                                            \
    {                                                                                             \
        name, offsetof(struct mup_server_settings, field), true, false, NULL, (int64_t)otherwise, \
            min, max, help                                                                        \
    }
    MUST("store", store, "the SQLite file of this server"),
    MUST("api-token-file", api_token_file, "the token of REST clients; mode 0600"),
    MUST("vendor-key-file", vendor_key_file, "PEM: the vendor's public key"),
    MUST("server-key-file", server_key_file, "PEM: this server's private key; mode 0600"),
    MUST("netconf-socket", netconf_socket, "the bridge's Unix socket"),
    TEXT("certificate-file", certificate_file, NULL, "this server's key, signed by the vendor"),
    TEXT("netconf-user", netconf_user, "mup-server", "the name that the bridge knows us by"),
    TEXT("listen-address", listen_address, "127.0.0.1", "numeric address of REST"),
    NUMBER("listen-port", listen_port, 8080, 0, 65535, "port of REST; 0: any free one"),
    TEXT("port-file", port_file, NULL, "written with the port when REST serves"),
    TEXT("users-file", users_file, NULL, "who may log in to the web page; mode 0600"),
    TEXT("tls-certificate", tls_certificate, NULL, "PEM: with it the page and REST speak TLS"),
    TEXT("tls-key", tls_key, NULL, "PEM: its private key; mode 0600"),
    TEXT("api-token-user", api_token_user, "operator",
         "in whose name the token's holder calls devices"),
    TEXT("mqtt-host", mqtt_host, "127.0.0.1", "the broker"),
    NUMBER("mqtt-port", mqtt_port, 1883, 1, 65535, "its port"),
    TEXT("mqtt-user", mqtt_user, "mup-server", "user name and client id"),
    TEXT("mqtt-password-file", mqtt_password_file, NULL, "the password, on the first line"),
    TEXT("mqtt-ca-file", mqtt_ca_file, NULL, "PEM: with it the broker is spoken to by TLS"),
    TEXT("https-ca-file", https_ca_file, NULL, "PEM: whom to believe when releases are fetched"),
    TEXT("https-proxy", https_proxy, NULL, "proxy for fetching releases"),
    TEXT("rpc-token", rpc_token, "getDeviceToken", "RPC that asks for a device token"),
    TEXT("rpc-manifest", rpc_manifest, "sendExtendedManifest", "RPC that takes the manifest"),
    TEXT("rpc-manifest-input", rpc_manifest_input, "manifest", "its input"),
    TEXT("rpc-verify", rpc_verify, "verifyFirmware", "RPC that ends a transfer"),
    TEXT("log-level", log_level, "info", "debug, info, warning or error"),
    NUMBER("slice-size", slice_size, MUP_UPDATES_SLICE_SIZE, MUP_SLICE_DATA_MIN, MUP_SLICE_DATA_MAX,
           "most data bytes of a slice; devices say theirs"),
    NUMBER("fetch-timeout-s", fetch_timeout_s, MUP_FETCH_TIMEOUT_S, 1, 86400, "for one file"),
    NUMBER("rpc-timeout-ms", rpc_timeout_ms, MUP_EDGE_TIMEOUT_MS, 100, MS_MAX, "for one RPC"),
    NUMBER("look-up-timeout-ms", look_up_timeout_ms, MUP_UPDATE_LOOK_UP_MS, 100, MS_MAX,
           "for the bridge to name a device"),
    NUMBER("token-timeout-ms", token_timeout_ms, MUP_UPDATE_TOKEN_MS, 100, MS_MAX,
           "for a token, retries included"),
    NUMBER("manifest-timeout-ms", manifest_timeout_ms, MUP_UPDATE_MANIFEST_MS, 100, MS_MAX,
           "for the answer to a manifest"),
    NUMBER("verify-timeout-ms", verify_timeout_ms, MUP_UPDATE_VERIFY_MS, 100, MS_MAX,
           "for the answer to verify"),
    NUMBER("quiet-timeout-ms", quiet_timeout_ms, MUP_UPDATE_QUIET_MS, 100, MS_MAX,
           "without acknowledgement; then a new token"),
    NUMBER("back-timeout-ms", back_timeout_ms, MUP_UPDATE_BACK_MS, 100, MS_MAX,
           "the same, after the device came back to the broker"),
    NUMBER("stall-timeout-ms", stall_timeout_ms, MUP_UPDATE_STALL_MS, 100, MS_MAX,
           "with acknowledgements, but no payload byte more"),
    NUMBER("trial-timeout-ms", trial_timeout_ms, MUP_UPDATE_TRIAL_MS, 100, MS_MAX,
           "for the final report"),
    NUMBER("poll-period-ms", poll_period_ms, MUP_UPDATE_POLL_MS, 100, MS_MAX,
           "between looks at a device on trial"),
    NUMBER("again-timeout-ms", again_timeout_ms, MUP_UPDATE_AGAIN_MS, 100, MS_MAX,
           "of beginning again without headway"),
};

#define KEY_COUNT (sizeof keys / sizeof keys[0])

static void *field(struct mup_server_settings *settings, const struct key *key)
{
    return (char *)settings + key->at;
}

static void make_table(struct mup_config_key table[KEY_COUNT], struct mup_server_settings *settings)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        table[i] = (struct mup_config_key){
            .name = keys[i].name,
            .kind = keys[i].is_number ? MUP_CONFIG_NUMBER : MUP_CONFIG_TEXT,
            .out = field(settings, &keys[i]),
            .required = keys[i].required,
            .min = keys[i].min,
            .max = keys[i].max,
        };
    }
}

static void set_defaults(struct mup_server_settings *settings)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].is_number) {
            *(int64_t *)field(settings, &keys[i]) = keys[i].number;
        } else {
            *(char **)field(settings, &keys[i]) = keys[i].text ? strdup(keys[i].text) : NULL;
        }
    }
}

enum mup_status mup_server_settings_read(struct mup_server_settings *settings, const char *path,
                                         char error[MUP_CONFIG_ERROR_SIZE])
{
    struct mup_config_key table[KEY_COUNT];
    struct mup_server_settings read;

    set_defaults(&read);
    make_table(table, &read);
    enum mup_status status = mup_config_read(path, table, KEY_COUNT, error);
    if (status == MUP_OK) {
        *settings = read;
    } else {
        mup_config_free(table, KEY_COUNT);
    }
    return status;
}

void mup_server_settings_free(struct mup_server_settings *settings)
{
    struct mup_config_key table[KEY_COUNT];

    make_table(table, settings);
    mup_config_free(table, KEY_COUNT);
}

void mup_server_settings_print_keys(void)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct key *key = &keys[i];
        printf("  %-20s %s", key->name, key->help);
        if (key->is_number) {
            printf(" (%lld)\n", (long long)key->number);
        } else {
            printf(key->required ? " (must be given)\n" : " (%s)\n", key->text ? key->text : "-");
        }
    }
}
