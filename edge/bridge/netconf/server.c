/* The server's socket, its rules about who may do what, and the calls of netconf.h that are not
 * answers. */
#include "bridge/netconf/netconf_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/log.h"

#define LISTEN_BACKLOG 128

static const char *const default_restricted[] = {"sendExtendedManifest", "verifyFirmware"};

static void say(char *error, const char *what, const char *path, int number)
{
    snprintf(error, MUP_NETCONF_ERROR_SIZE, "%.200s: %s: %s", path, what, strerror(number));
}

static bool copy_uids(uid_t **to, size_t *to_count, const uid_t *from, size_t count)
{
    *to = calloc(count ? count : 1, sizeof **to);
    if (!*to) {
        return false;
    }
    if (count > 0) {
        memcpy(*to, from, count * sizeof **to);
    }
    *to_count = count;
    return true;
}

static bool copy_names(char ***to, size_t *to_count, const char *const *names, size_t count)
{
    *to = calloc(count ? count : 1, sizeof **to);
    if (!*to) {
        return false;
    }
    for (; *to_count < count; (*to_count)++) {
        char *copy = strdup(names[*to_count]);
        if (!copy) {
            return false;
        }
        (*to)[*to_count] = copy;
    }
    return true;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
}

static bool copy_settings(struct mup_netconf *server, const struct mup_netconf_settings *settings)
{
    const char *const *names = settings->restricted_rpcs;
    size_t count = settings->restricted_rpc_count;

    if (!names) {
        names = default_restricted;
        count = sizeof default_restricted / sizeof default_restricted[0];
    }
    server->socket_path = strdup(settings->socket_path);
    server->get_cpu_s = settings->get_cpu_s ? settings->get_cpu_s : MUP_NETCONF_GET_CPU_S;
    server->sessions_max =
        settings->sessions_max ? settings->sessions_max : MUP_NETCONF_SESSIONS_MAX;
    return server->socket_path &&
           copy_uids(&server->uids, &server->uid_count, settings->uids, settings->uid_count) &&
           copy_uids(&server->update_uids, &server->update_uid_count, settings->update_uids,
                     settings->update_uid_count) &&
           copy_names(&server->restricted, &server->restricted_count, names, count) &&
           copy_names(&server->administrators, &server->administrator_count,
                      settings->administrators, settings->administrator_count);
}

static void free_server(struct mup_netconf *server)
{
    running_free(server);
    schemas_free(&server->schemas);
    free_names(server->restricted, server->restricted_count);
    free_names(server->administrators, server->administrator_count);
    free(server->uids);
    free(server->update_uids);
    free(server->socket_path);
    free(server);
}

static void listener_closed(uv_handle_t *handle)
{
    free_server(handle->data);
}

/* Whether somebody answers at the socket: then it is not ours to replace. */
static bool is_alive(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int result = connect(fd, (const struct sockaddr *)&address, sizeof address);
    close(fd);
    return result == 0;
}

static enum mup_status make_way(const char *path, char *error)
{
    struct stat file;

    if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
        snprintf(error, MUP_NETCONF_ERROR_SIZE, "%.200s: longer than a Unix socket's path may be",
                 path);
        return MUP_ERR_RANGE;
    }
    if (lstat(path, &file) != 0) {
        return MUP_OK;
    }
    if (!S_ISSOCK(file.st_mode)) {
        snprintf(error, MUP_NETCONF_ERROR_SIZE, "%.200s: exists and is not a socket", path);
        return MUP_ERR_STATE;
    }
    if (is_alive(path)) {
        snprintf(error, MUP_NETCONF_ERROR_SIZE, "%.200s: another bridge is listening here", path);
        return MUP_ERR_STATE;
    }
    unlink(path);
    return MUP_OK;
}

static void on_connection(uv_stream_t *listener, int status)
{
    if (status < 0) {
        mup_log(MUP_LOG_WARNING, "netconf", mup_log_event("a connection failed"),
                mup_log_text("reason", uv_strerror(status)));
        return;
    }
    session_accept(listener->data, listener);
}

/* The socket is open to every account; the kernel says who comes, and uids decide. */
static int open_socket(struct mup_netconf *server)
{
    int result = uv_pipe_bind(&server->listener, server->socket_path);

    if (result == 0) {
        result = uv_pipe_chmod(&server->listener, UV_READABLE | UV_WRITABLE);
    }
    if (result == 0) {
        result = uv_listen((uv_stream_t *)&server->listener, LISTEN_BACKLOG, on_connection);
    }
    return result;
}

struct mup_netconf *mup_netconf_new(struct mup_loop *loop,
                                    const struct mup_netconf_settings *settings,
                                    const struct mup_netconf_backend *backend,
                                    char error[MUP_NETCONF_ERROR_SIZE])
{
    struct mup_netconf *server = calloc(1, sizeof *server);

    if (!server || !copy_settings(server, settings)) {
        snprintf(error, MUP_NETCONF_ERROR_SIZE, "no memory");
        if (server) {
            free_server(server);
        }
        return NULL;
    }
    server->loop = loop;
    server->backend = backend;
    server->started_ms = mup_loop_wall_ms();
    if (schemas_init(&server->schemas, settings->schema_folders, settings->schema_folder_count,
                     error) ||
        running_init(server, error) || make_way(server->socket_path, error)) {
        free_server(server);
        return NULL;
    }
    server->schemas.make = backend->module_text;
    server->schemas.make_context = backend->context;
    if (!subscribe_init(server) || !rebuild_init(server)) {
        subscribe_free(server);
        snprintf(error, MUP_NETCONF_ERROR_SIZE, "no memory");
        free_server(server);
        return NULL;
    }
    uv_pipe_init(&loop->uv, &server->listener, 0);
    server->listener.data = server;
    int result = open_socket(server);
    if (result != 0) {
        say(error, "cannot listen", server->socket_path, -result);
        subscribe_free(server);
        rebuild_free(server);
        uv_close((uv_handle_t *)&server->listener, listener_closed);
        return NULL;
    }
    return server;
}

void mup_netconf_free(struct mup_netconf *server)
{
    while (server->sessions) {
        session_close(server->sessions, false, "the bridge stops");
    }
    subscribe_free(server);
    rebuild_free(server);
    /* libuv unlinks the socket with the handle. */
    uv_close((uv_handle_t *)&server->listener, listener_closed);
}

static enum mup_status add_module(struct mup_netconf *server, const char *yang_text, bool keep,
                                  char *error)
{
    unsigned before = server->schemas.generation;
    char *name = NULL;
    enum mup_status status = schemas_add(&server->schemas, yang_text, keep, &name, error);

    if (status == MUP_OK && server->schemas.generation != before) {
        notify_module(server, ly_ctx_get_module_implemented(server->schemas.context, name), true);
    }
    free(name);
    return status;
}

enum mup_status mup_netconf_add_module(struct mup_netconf *server, const char *yang_text,
                                       char error[MUP_NETCONF_ERROR_SIZE])
{
    return add_module(server, yang_text, true, error);
}

enum mup_status mup_netconf_add_made_module(struct mup_netconf *server, const char *yang_text,
                                            char error[MUP_NETCONF_ERROR_SIZE])
{
    return add_module(server, yang_text, server->backend->module_text == NULL, error);
}

void mup_netconf_hide_module(struct mup_netconf *server, const char *name)
{
    unsigned before = server->schemas.generation;

    schemas_hide(&server->schemas, name);
    if (server->schemas.generation != before) {
        notify_module(server, ly_ctx_get_module_implemented(server->schemas.context, name), false);
        rebuild_consider(server);
    }
}

const struct ly_ctx *mup_netconf_schemas(const struct mup_netconf *server)
{
    return server->schemas.context;
}

size_t mup_netconf_session_count(const struct mup_netconf *server)
{
    return server->session_count;
}

static bool has_uid(const uid_t *uids, size_t count, uid_t uid)
{
    for (size_t i = 0; i < count; i++) {
        if (uids[i] == uid) {
            return true;
        }
    }
    return false;
}

bool server_knows(const struct mup_netconf *server, uid_t uid)
{
    return has_uid(server->uids, server->uid_count, uid) ||
           has_uid(server->update_uids, server->update_uid_count, uid);
}

bool server_may_be(const struct mup_netconf *server, uid_t uid, const char *user)
{
    if (strcmp(user, MUP_NETCONF_UPDATE_USER) == 0) {
        return has_uid(server->update_uids, server->update_uid_count, uid);
    }
    return has_uid(server->uids, server->uid_count, uid);
}

static bool is_update_server(const char *user)
{
    return strcmp(user, MUP_NETCONF_UPDATE_USER) == 0;
}

static bool is_restricted(const struct mup_netconf *server, const char *rpc)
{
    for (size_t i = 0; i < server->restricted_count; i++) {
        if (strcmp(server->restricted[i], rpc) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_administrator(const struct mup_netconf *server, const char *user)
{
    for (size_t i = 0; i < server->administrator_count; i++) {
        if (strcmp(server->administrators[i], user) == 0) {
            return true;
        }
    }
    return false;
}

void server_access(const struct mup_netconf *server, struct access *access, const char *user)
{
    access_open(access, &server->running.policy, user, is_administrator(server, user),
                is_update_server(user));
}

bool server_may_call(const struct mup_netconf *server, const char *user,
                     const struct lysc_node *rpc)
{
    struct access access;

    if (is_restricted(server, rpc->name) && !is_update_server(user)) {
        return false;
    }
    server_access(server, &access, user);
    return access_may_call(&access, rpc) &&
           (!server->backend->may_call || server->backend->may_call(server->backend->context, user,
                                                                    rpc->module->name, rpc->name));
}

bool mup_netconf_may_call(const struct mup_netconf *server, const char *user,
                          const struct lysc_node *rpc)
{
    return server_may_call(server, user, rpc);
}

struct session *server_find(const struct mup_netconf *server, uint32_t id)
{
    struct session *session = server->sessions;

    while (session && session->id != id) {
        session = session->next;
    }
    return session;
}
