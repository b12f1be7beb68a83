/* Unix sockets that the router serves. */
#ifndef MUP_LAB_LISTEN_H
#define MUP_LAB_LISTEN_H

/*
 * A non-blocking socket that listens on `path`. What a router that was killed left there is
 * replaced; a socket that is served, or a file of another kind, is left alone. -1 after a message
 * that begins with the name of the option.
 */
int mup_listen(const char *option, const char *path, unsigned backlog);

#endif
