/*
 * Devices that stand in line with their descriptions.
 *
 * MUP_GATHERS_MAX descriptions are taken in at the same time. Who announces another one meanwhile
 * gets no answer until it is its turn, the first one first; without the line it would announce
 * itself again after a minute, and 1,000 kinds of devices would take a quarter of an hour.
 */
#include "bridge/devices/bridge.h"

bool mup_bridge_expect(struct mup_bridge *bridge, struct mup_device *device, uint32_t size)
{
    device->waiting_size = 0;
    if (mup_gather_begin(&bridge->gathers, device->stored.name, device->stored.digest, size,
                         mup_loop_now_ms(&bridge->loop)) == MUP_OK)
        return true;
    device->waiting_size = size;
    if (device->in_line)
        return false; /* it keeps its place */
    device->in_line = true;
    device->next_in_line = NULL;
    if (bridge->line_first == NULL)
        bridge->line_first = device;
    else
        bridge->line_last->next_in_line = device;
    bridge->line_last = device;
    return false;
}

/* False: it must wait on. Whose description has become known meanwhile needs no room. */
static bool admit(struct mup_bridge *bridge, struct mup_device *device)
{
    uint32_t size = device->waiting_size;

    if (size == 0 || device->unseated || !device->stored.present) {
        device->waiting_size = 0;
        return true;
    }
    if (device->description == NULL && !mup_bridge_expect(bridge, device, size))
        return false;
    device->waiting_size = 0;
    mup_bridge_keep_device(bridge, device); /* it is answered after COMMIT */
    return true;
}

void mup_bridge_admit(struct mup_bridge *bridge)
{
    struct mup_device *device;

    while ((device = bridge->line_first) != NULL && admit(bridge, device)) {
        bridge->line_first = device->next_in_line;
        device->in_line = false;
    }
}
