/* mup devices quarantine|release|retire|replace: what becomes of a device at the bridge. */
#ifndef MUP_CLI_STANDING_H
#define MUP_CLI_STANDING_H

#include <stdbool.h>

bool mup_standing_is_verb(const char *word);

/* argv[0] is the verb. */
int mup_standing_main(int argc, char **argv);

#endif
