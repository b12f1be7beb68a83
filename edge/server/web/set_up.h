/*
 * What an administrator does on the command line: make what is missing before the first start, and
 * say who may log in.
 *
 *     mup-server --config FILE --set-up [NAME]
 *     mup-server --config FILE --add-user NAME ROLE | --new-password NAME | --remove-user NAME
 *     mup-server --config FILE --users
 *
 * Each prints what it did, a new password once. A running server takes up what changed.
 */
#ifndef MUP_SERVER_WEB_SET_UP_H
#define MUP_SERVER_WEB_SET_UP_H

#include "server/settings.h"

/* The command of argv[0..argc); returns the exit code. */
int mup_set_up(const struct mup_server_settings *settings, int argc, char **argv);

#endif
