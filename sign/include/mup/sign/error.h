/*
 * What went wrong, in words for the person who typed the command: what, where, and what to do.
 */
#ifndef MUP_SIGN_ERROR_H
#define MUP_SIGN_ERROR_H

#define MUP_ERROR_TEXT_MAX 512u

struct mup_error {
    char text[MUP_ERROR_TEXT_MAX]; /* one line, no final newline; empty when nothing is wrong */
};

/* Put a text together as printf does; too long a text is cut. Does nothing for error == NULL. */
__attribute__((format(printf, 2, 3))) void mup_error_set(struct mup_error *error,
                                                         const char *format, ...);

#endif
