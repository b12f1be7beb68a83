/*
 * The outcome of every call of this project that can fail.
 *
 * A code belongs to one of three kinds, and its number shows which, so that a caller can decide
 * by range what to do with a code that it does not know:
 *
 *   -1 .. -19   call again: nothing is wrong yet, more bytes or more time are needed.
 *   -20 .. -59  the peer is wrong: abandon this input, report it, never retry the same bytes.
 *   -60 .. -79  we are in trouble: our own hardware or memory failed; report and stop.
 *
 * These codes never cross the wire; what a device answers is a state (docs/SPEC.md, States).
 */
#ifndef MUP_STATUS_H
#define MUP_STATUS_H

#define MUP_MUST_CHECK __attribute__((warn_unused_result))

enum mup_status {
    MUP_OK = 0,

    MUP_ERR_SHORT = -1, /* the input ends too early: call again with more */
    MUP_ERR_BUSY = -2,  /* not now: call again later */

    MUP_ERR_FORMAT = -20,    /* not the bytes that the specification describes */
    MUP_ERR_RANGE = -21,     /* well formed, but a value is outside its limits */
    MUP_ERR_SIGNATURE = -22, /* the signature does not verify */
    MUP_ERR_KEY = -23,       /* signed by a key that is not trusted for this */
    MUP_ERR_STALE = -24,     /* authentic, but old: a nonce, an epoch or a version went by */
    MUP_ERR_DIGEST = -25,    /* the bytes do not have the digest that was promised */
    MUP_ERR_STATE = -26,     /* the right message at the wrong time */

    MUP_ERR_FLASH = -60,  /* the flash did not do what it was told */
    MUP_ERR_RANDOM = -61, /* no randomness to be had */
    MUP_ERR_SPACE = -62,  /* a buffer or slot of ours is too small */
};

/* True for the codes after which the same call may be made again. */
static inline int mup_status_is_again(enum mup_status status)
{
    return status < 0 && status > -20;
}

/* True for the codes that say that the peer's bytes are at fault. */
static inline int mup_status_is_peer(enum mup_status status)
{
    return status <= -20 && status > -60;
}

/* True for the codes that say that we ourselves are in trouble. */
static inline int mup_status_is_trouble(enum mup_status status)
{
    return status <= -60;
}

/* A short English name for logs, such as "signature"; never NULL, static storage. */
const char *mup_status_name(enum mup_status status);

#endif
