/*
 * What becomes of devices, told to NETCONF's subscribers by notifications of myno-devices.
 *
 * Each function may be called whenever something may have changed: it tells only what has. It
 * costs next to nothing while nobody has subscribed.
 */
#ifndef MUP_BRIDGE_TELL_H
#define MUP_BRIDGE_TELL_H

#include "bridge/devices/bridge.h"

/* The words of myno-devices. NULL: no update was seen. */
const char *mup_device_state_name(const struct mup_device *device);
const char *mup_update_state_name(enum mup_update_state state);

/* Its state, version or trial may be another than before: device-change. */
void mup_bridge_tell_device(struct mup_bridge *bridge, struct mup_device *device);

/* Another client, or one of the same name (`other_name` NULL), says that it is this device:
 * identity-conflict, and a line in the log. */
void mup_bridge_tell_conflict(struct mup_bridge *bridge, const struct mup_device *device,
                              const char *other_name, const char *reason);

/* It published a value or an event: telemetry, event. `value` is text that XML may not carry. */
void mup_bridge_tell_point(struct mup_bridge *bridge, const struct mup_device *device,
                           const struct mup_telemetry *point, bool is_event, const char *value);

/* Its update is this far now: update-progress. `reason` NULL: none. */
void mup_bridge_tell_update(struct mup_bridge *bridge, struct mup_device *device,
                            enum mup_update_state state, const char *reason);

/* It answered an RPC; if that was one of an update, the update got on. */
void mup_bridge_update_answer(struct mup_bridge *bridge, struct mup_device *device,
                              const struct mup_rpc *rpc, const struct mup_declared_state *state);

/* It announced itself; `before` is what was known of it until then. */
void mup_bridge_update_announced(struct mup_bridge *bridge, struct mup_device *device,
                                 const struct mup_stored_device *before);

#endif
