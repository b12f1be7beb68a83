/* mup devices quarantine|release|retire|replace: an RPC of myno-devices at the bridge's socket. */
#include "standing.h"

#include "command.h"

#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/log.h"
#include "runtime/loop.h"
#include "runtime/netconf_client.h"

#define TIMEOUT_MS     30000u
#define DEFAULT_SOCKET "/run/mup/netconf.sock"
#define XML_SIZE       1024u

static const char help[] =
    "usage: mup devices quarantine DEVICE [--socket PATH] [--as NAME]\n"
    "       mup devices release DEVICE [--socket PATH] [--as NAME]\n"
    "       mup devices retire DEVICE [--socket PATH] [--as NAME]\n"
    "       mup devices replace DEVICE BY [--socket PATH] [--as NAME]\n"
    "\n"
    "Say what becomes of a device, by its UUID or name. In quarantine, and retired, it gets no\n"
    "requests, what it says is not believed, and it is refused when it announces itself; release\n"
    "takes it back. replace retires it and notes which device took its place.\n"
    "\n"
    "  --socket PATH       the bridge's netconf-socket (" DEFAULT_SOCKET ")\n"
    "  --as NAME           the NETCONF user (the login name); the bridge's rules say who may\n"
    "\n"
    "example: mup devices replace old-lamp new-lamp --socket netconf.sock --as operator\n";

struct errand {
    struct mup_loop loop;
    const char *socket;
    const char *user;
    const char *rpc_xml;
    struct mup_netconf_client *client;
    bool open;
    int code;
};

bool mup_standing_is_verb(const char *word)
{
    return strcmp(word, "quarantine") == 0 || strcmp(word, "release") == 0 ||
           strcmp(word, "retire") == 0 || strcmp(word, "replace") == 0;
}

static void on_reply(void *arg, const struct mup_netconf_reply *reply)
{
    struct errand *errand = arg;

    if (reply->outcome == MUP_NETCONF_OK)
        errand->code = MUP_EXIT_DONE;
    else if (reply->outcome == MUP_NETCONF_ERROR)
        errand->code =
            mup_fail("the bridge refuses: %s (%s)",
                     reply->error_message[0] != '\0' ? reply->error_message : "it does not say why",
                     reply->error_tag);
    else
        errand->code = mup_fail("the bridge did not answer; it may have done it all the same");
    mup_loop_stop(&errand->loop);
}

static void on_session(void *arg, bool open)
{
    struct errand *errand = arg;

    if (open) {
        errand->open = true;
        if (mup_netconf_client_call(errand->client, errand->rpc_xml, TIMEOUT_MS, on_reply,
                                    errand) == MUP_OK)
            return;
    }
    if (!errand->open)
        errand->code = mup_fail("no bridge at %s takes a session of user %s; is it running, is "
                                "--socket its netconf-socket, and are you the account that it "
                                "believes?",
                                errand->socket, errand->user);
    mup_loop_stop(&errand->loop);
}

static int run(const char *socket, const char *user, const char *xml)
{
    const struct mup_netconf_client_settings settings = {.socket_path = socket, .user = user};
    struct errand errand = {
        .socket = socket, .user = user, .rpc_xml = xml, .code = MUP_EXIT_FAILED};

    mup_log_set_level(MUP_LOG_ERROR);
    if (mup_loop_init(&errand.loop, NULL, NULL) != MUP_OK)
        return mup_fail("no event loop: out of memory or files");
    errand.client = mup_netconf_client_new(&errand.loop, &settings, on_session, &errand);
    if (errand.client == NULL)
        errand.code = mup_fail("'%s' cannot be the path of a socket", socket);
    else {
        mup_loop_run(&errand.loop);
        mup_netconf_client_free(errand.client);
    }
    mup_loop_close(&errand.loop);
    return errand.code;
}

static bool add_leaf(char xml[XML_SIZE], const char *name, const char *text)
{
    size_t at = strlen(xml);

    (void)snprintf(xml + at, XML_SIZE - at, "<%s>", name);
    if (mup_netconf_append_escaped(xml, XML_SIZE - 64, text) != MUP_OK)
        return false;
    at = strlen(xml);
    (void)snprintf(xml + at, XML_SIZE - at, "</%s>", name);
    return true;
}

static const char *login_name(void)
{
    const struct passwd *entry = getpwuid(getuid());

    return entry == NULL ? "operator" : entry->pw_name;
}

int mup_standing_main(int argc, char **argv)
{
    static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                            {"as", required_argument, NULL, 'a'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *socket = DEFAULT_SOCKET;
    const char *user = login_name();
    const char *verb = argv[0];
    bool replaces = strcmp(verb, "replace") == 0;
    char xml[XML_SIZE];
    int option;

    optind = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return MUP_EXIT_DONE;
        }
        if (option == 's')
            socket = optarg;
        else if (option == 'a')
            user = optarg;
        else
            return MUP_EXIT_USAGE;
    }
    if (argc - optind != (replaces ? 2 : 1))
        return mup_usage("devices", "%s",
                         replaces ? "replace wants two devices, the old and the new"
                                  : "this wants one device");
    (void)snprintf(xml, sizeof xml, "<%s xmlns=\"urn:mup:myno-devices\">", verb);
    if (!add_leaf(xml, "uuid", argv[optind]) ||
        (replaces && !add_leaf(xml, "by", argv[optind + 1])))
        return mup_usage("devices", "this cannot be the name of a device");
    (void)snprintf(xml + strlen(xml), sizeof xml - strlen(xml), "</%s>", verb);
    return run(socket, user, xml);
}
