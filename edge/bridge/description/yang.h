/*
 * The YANG module of a capability: valid YANG 1.0 (RFC 6020) whatever the description says.
 *
 * One module per template digest, with a name, namespace and prefix of its own and no augment, so
 * that modules can be added to and hidden from a live context independently. Name and namespace are
 * made of the digest, so they are the same after every restart and at every bridge. Each RPC takes
 * the leaf `uuid` (the device) and its inputs (a structure is a container), and returns the leaf
 * `state` (an enumeration of the declared states, or a string where none is declared) and the
 * optional leaf `value` (bytes). Topics, methods and units stand in extension statements of the
 * module `myno`, which must be in the search path.
 */
#ifndef MUP_BRIDGE_YANG_H
#define MUP_BRIDGE_YANG_H

#include "bridge/description/capability.h"

/* The revision of every module: when what is made of one and the same description last changed. */
#define MUP_YANG_REVISION "2026-11-22"

/*
 * Write the module of `capability`; the same digest gives the same bytes. *out is NUL terminated
 * and freed by the caller with free(). MUP_ERR_SPACE when out of memory.
 */
MUP_MUST_CHECK
enum mup_status mup_yang_module(char **out, const struct mup_capability *capability);

/* The folder that holds myno.yang: MUP_YANG from the environment, or what the build knows. */
const char *mup_yang_folder(void);

#endif
