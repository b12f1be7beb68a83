/*
 * Many devices at the broker, played by a few MQTT connections.
 *
 * A device here is what the bridge sees of one: it announces itself, sends its description when it
 * is asked for it, and answers every request with "10_OK". One connection takes the bootstrap
 * replies of all; requests come on one connection for each tenth kind, so that no broker's limit
 * for one client is what is measured. The connections are users whom the testbed's broker lets do
 * everything (mup_fleet_rules).
 *
 *     bed.broker_rules = mup_fleet_rules;  mup_fleet_users(&bed);   before the broker starts
 *     fleet = mup_fleet_open(&bed, kinds);
 *     mup_fleet_join(fleet, 0, 1000, 256);
 *     mup_fleet_close(fleet);
 */
#ifndef MUP_BENCH_FLEET_H
#define MUP_BENCH_FLEET_H

#include <stdbool.h>
#include <stddef.h>

#include "mup/topic.h"
#include "testbed.h"

#define MUP_FLEET_DEVICES_MAX 20000u
#define MUP_FLEET_RPC         "ledOn" /* the RPC of every kind that takes no input but the uuid */

/* Lines of the broker's access list for the users of the fleet. */
extern const char mup_fleet_rules[];
bool mup_fleet_users(struct mup_testbed *bed);

struct mup_fleet;

/* Connect; device number i is of kind i % kinds. NULL after a message on stderr. */
struct mup_fleet *mup_fleet_open(struct mup_testbed *bed, size_t kinds);
void mup_fleet_close(struct mup_fleet *fleet);

/*
 * Let the devices first .. first + count announce themselves, `window` at a time, until the bridge
 * has accepted each. False at the deadline or when one is refused.
 */
bool mup_fleet_join(struct mup_fleet *fleet, size_t first, size_t count, size_t window);

/* The UUID of a device, and the namespace of its kind's YANG module. */
const char *mup_fleet_uuid(const struct mup_fleet *fleet, size_t device);
const char *mup_fleet_namespace(const struct mup_fleet *fleet, size_t device);

/* Where a request to a device is published when the bridge does it. */
void mup_fleet_topic(const struct mup_fleet *fleet, size_t device, char *topic, size_t size);

#endif
