/*
 * The update server's configuration file: lines of `key value` (runtime/config.h).
 *
 * `mup-server --help` prints every key with its default and what it is for.
 */
#ifndef MUP_SERVER_SETTINGS_H
#define MUP_SERVER_SETTINGS_H

#include <stdint.h>

#include "mup/status.h"
#include "runtime/config.h"

struct mup_server_settings {
    char *listen_address;
    int64_t listen_port;
    char *port_file;
    char *api_token_file;
    char *api_token_user;
    char *users_file;
    char *tls_certificate;
    char *tls_key;
    char *store;
    char *mqtt_host;
    int64_t mqtt_port;
    char *mqtt_user;
    char *mqtt_password_file;
    char *mqtt_ca_file;
    char *netconf_socket;
    char *netconf_user;
    char *vendor_key_file;
    char *server_key_file;
    char *certificate_file;
    char *https_ca_file;
    char *https_proxy;
    char *rpc_token;
    char *rpc_manifest;
    char *rpc_manifest_input;
    char *rpc_verify;
    char *log_level;
    int64_t slice_size;
    int64_t fetch_timeout_s;
    int64_t rpc_timeout_ms;
    int64_t look_up_timeout_ms;
    int64_t token_timeout_ms;
    int64_t manifest_timeout_ms;
    int64_t verify_timeout_ms;
    int64_t quiet_timeout_ms;
    int64_t back_timeout_ms;
    int64_t stall_timeout_ms;
    int64_t trial_timeout_ms;
    int64_t poll_period_ms;
    int64_t again_timeout_ms;
};

/* Read the file; what it does not name gets its default. `error` is ready to be printed. */
MUP_MUST_CHECK
enum mup_status mup_server_settings_read(struct mup_server_settings *settings, const char *path,
                                         char error[MUP_CONFIG_ERROR_SIZE]);
void mup_server_settings_free(struct mup_server_settings *settings);

/* Every key with its default and what it is for, to stdout. */
void mup_server_settings_print_keys(void);

#endif
