/* What the bridge holds for each of 10,000 devices of 10 kinds. */
#include "figures.h"
#include "load.h"

#define DEVICES 10000u
#define KINDS   10u
#define WINDOW  256u /* announced and not answered yet: below the broker's queue limit */

bool mup_measure_memory(struct mup_load *load)
{
    size_t devices = mup_load_size(load, DEVICES, 100);
    double begun;
    double before_kb;
    double after_kb;

    load->fleet = mup_fleet_open(&load->bed, KINDS);
    if (load->fleet == NULL || !mup_fleet_join(load->fleet, 0, KINDS, WINDOW))
        return false;
    before_kb = mup_resident_kb(mup_load_bridge(load));
    begun = mup_now_us();
    if (!mup_fleet_join(load->fleet, KINDS, devices - KINDS, WINDOW))
        return false;
    json_object_set_new(load->result, "devices_10000_ms", json_real((mup_now_us() - begun) / 1e3));
    after_kb = mup_resident_kb(mup_load_bridge(load));
    json_object_set_new(load->result, "devices_10000", json_integer((json_int_t)devices));
    json_object_set_new(load->result, "device_kb",
                        json_real((after_kb - before_kb) / (double)(devices - KINDS)));
    return true;
}
