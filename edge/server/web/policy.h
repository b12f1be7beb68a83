/*
 * What a browser may do with our answers: headers that every one of them carries.
 *
 * Nothing but our own files is loaded, no script or style stands within a page, no text can become
 * markup by script, nobody shows us in a frame, and no address of ours is told to others.
 */
#ifndef MUP_SERVER_WEB_POLICY_H
#define MUP_SERVER_WEB_POLICY_H

struct mup_policy_header {
    const char *name;
    const char *value;
};

/* Ends with a NULL name. */
extern const struct mup_policy_header mup_policy_headers[];

#endif
