/*
 * The last values that a device published, asked of the bridge when somebody looks at the device:
 * ten thousand devices' values are not kept here for that.
 *
 *     reader = mup_point_reader_new(&loop, socket_path, user);
 *     mup_point_reader_ask(reader, uuid, on_points, arg);
 *     mup_point_reader_free(reader);            who waits is not called any more
 */
#ifndef MUP_SERVER_FLEET_POINTS_H
#define MUP_SERVER_FLEET_POINTS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "runtime/loop.h"

#define MUP_POINTS_TIMEOUT_MS 10000u
#define MUP_POINTS_MAX        256u /* of a device */

struct mup_point_reader;

/* Texts are copied. NULL: no memory. */
struct mup_point_reader *mup_point_reader_new(struct mup_loop *loop, const char *socket_path,
                                              const char *user);
void mup_point_reader_free(struct mup_point_reader *reader); /* NULL is allowed */

/* Once, never from inside mup_point_reader_ask(): an object {"NAME": {"value", "at"}}, valid during
 * the call; empty when the bridge cannot be asked. False: no memory; there will be no call. */
bool mup_point_reader_ask(struct mup_point_reader *reader, const char *uuid,
                          void (*on_points)(void *arg, const json_t *points), void *arg);

/* The values in the bridge's answer. New reference. */
json_t *mup_points_parse(const char *xml, size_t size);

#endif
