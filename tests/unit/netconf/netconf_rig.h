/*
 * A server with a backend that the test steers, and raw peers on its socket, all on one loop that
 * only runs while a test waits for something.
 *
 * The module toy has getDeviceToken(uuid): it is answered at once if the uuid is "fast", else it
 * is kept in rig_requests until the test answers it.
 */
#ifndef MUP_TEST_NETCONF_RIG_H
#define MUP_TEST_NETCONF_RIG_H

#include "support/cmocka_all.h"

#include "bridge/netconf/netconf.h"
#include "runtime/loop.h"

#define RIG_WAIT_MS      30000
#define RIG_REQUESTS_MAX 16u

#define BASE_NS          "urn:ietf:params:xml:ns:netconf:base:1.0"
#define HELLO(capabilities, more)                                                     \
    "<hello xmlns=\"" BASE_NS "\"><capabilities>" capabilities "</capabilities>" more \
    "</hello>]]>]]>"
#define BASE_1_0         "<capability>urn:ietf:params:netconf:base:1.0</capability>"
#define BASE_1_1         "<capability>urn:ietf:params:netconf:base:1.1</capability>"
#define RPC(body)        "<rpc xmlns=\"" BASE_NS "\" message-id=\"1\">" body "</rpc>]]>]]>"
#define RPC_ID(id, body) "<rpc xmlns=\"" BASE_NS "\" message-id=\"" id "\">" body "</rpc>]]>]]>"
#define TOKEN(uuid)      "<getDeviceToken xmlns=\"urn:toy\"><uuid>" uuid "</uuid></getDeviceToken>"

extern struct mup_loop rig_loop;
extern struct mup_netconf *rig_server;
extern struct mup_netconf_settings rig_settings;
extern char rig_socket[];
extern char rig_error[MUP_NETCONF_ERROR_SIZE];
extern struct mup_netconf_request *rig_requests[RIG_REQUESTS_MAX];
extern size_t rig_request_count;
extern size_t rig_begun;
extern size_t rig_cancelled;
extern const char *rig_forbidden; /* an RPC that may_call refuses; NULL: none */
extern const char *rig_made;      /* what module_text gives of its module; NULL: nothing */
extern unsigned rig_made_count;   /* how often it was asked */
extern const char rig_toy[];

int rig_start(void **state);
int rig_stop(void **state);

/* One turn of the loop. */
void rig_turn(void);
/* Turn until *count reaches `wanted`. */
void rig_wait_count(const size_t *count, size_t wanted);

struct peer {
    int fd;
    char *bytes; /* all that came, NUL-terminated */
    size_t size;
    size_t seen; /* up to here peer_expect() has read */
    bool closed;
};

struct peer peer_connect(void);
void peer_send(struct peer *peer, const char *text);
void peer_send_bytes(struct peer *peer, const char *bytes, size_t size);
/* Turn until `text` has come, and read up to behind it. */
void peer_expect(struct peer *peer, const char *text);
/* Turn until the server has closed. */
void peer_expect_close(struct peer *peer);
void peer_free(struct peer *peer);

/* Connected as alice, who is administrator, hellos exchanged, base:1.0. */
struct peer peer_open(void);
struct peer peer_open_as(const char *user);

/* The whole answer to one request; valid until the next. */
const char *peer_ask(struct peer *peer, const char *rpc);
void assert_has(const char *answer, const char *part);
void assert_has_not(const char *answer, const char *part);

/* What the store was asked to keep, and whether it answers at once. */
extern char *rig_kept;
extern size_t rig_kept_count;
extern enum mup_status rig_keeps_with; /* what becomes of a change */
extern bool rig_keeps_later;           /* rig_keep_now answers */
void rig_keep_now(void);
extern size_t rig_weight; /* of the backend's get */

#endif
