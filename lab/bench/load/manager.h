/*
 * NETCONF sessions of a network manager who is as fast as can be: RFC 6242 chunks, one request
 * outstanding in each session, nothing parsed but the end of a message.
 */
#ifndef MUP_BENCH_MANAGER_H
#define MUP_BENCH_MANAGER_H

#include <stdbool.h>
#include <stddef.h>

#include "figures.h"
#include "testbed.h"

struct mup_manager {
    int fd; /* -1: closed */
    char *text;
    size_t size;
    size_t capacity;
    size_t hello_size; /* bytes of the bridge's hello */
};

/* Open a session at the bridge's socket, or with `ssh -s` in between, and read the bridge's hello,
 * which is in `text` until the next request. False after a message on stderr. */
bool mup_manager_open(struct mup_manager *manager, const struct mup_testbed *bed, bool over_ssh);
void mup_manager_close(struct mup_manager *manager);

/* Send one request, whole. */
bool mup_manager_send(struct mup_manager *manager, const char *xml);

/* Read what is there: 1 when the reply is whole, 0 when more must come, -1 when it ended. */
int mup_manager_take(struct mup_manager *manager);

/* Send a request and wait for its reply, which is in `text`; false when the session ended. */
bool mup_manager_ask(struct mup_manager *manager, const char *xml);

/* Whether the reply in `text` has this word in it. */
bool mup_manager_says(const struct mup_manager *manager, const char *word);

/* How often `word` stands in the reply. */
size_t mup_manager_count(const struct mup_manager *manager, const char *word);

/*
 * Each session sends its request and, when the reply is there, sends it again, for `seconds`, or
 * until *stop when `stop` is not NULL. The time from each request to its reply goes to `samples`,
 * in microseconds. False when a session ended or a reply does not contain "10_OK".
 */
bool mup_manager_load(struct mup_manager *managers, char *const *requests, size_t count,
                      double seconds, volatile const int *stop, struct mup_samples *samples);

#endif
