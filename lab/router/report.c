/* Counters as JSON: see report.h. */
#include "report.h"

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *tally(const struct mup_medium_tally *counted)
{
    return json_pack("{s:o, s:o}", "frames", number(counted->frames), "bytes",
                     number(counted->bytes));
}

static json_t *eui64_of(const struct mup_air *air, unsigned node)
{
    uint8_t bytes[MUP_MEDIUM_EUI64_SIZE];

    if (!mup_air_eui64(air, node, bytes))
        return json_null();
    return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x:%02x:%02x", bytes[7], bytes[6], bytes[5],
                        bytes[4], bytes[3], bytes[2], bytes[1], bytes[0]);
}

static json_t *short_address_of(const struct mup_air *air, unsigned node)
{
    uint16_t address;

    return mup_air_short_address(air, node, &address) ? json_sprintf("0x%04x", (unsigned)address)
                                                      : json_null();
}

static json_t *report_node(const struct mup_air *air, unsigned node,
                           const struct mup_medium_counters *of)
{
    bool is_router = node == MUP_MEDIUM_ROUTER;

    return json_pack(
        "{s:i, s:o?, s:o, s:o, s:{s:o, s:o, s:o, s:o}, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:o, s:o, "
        "s:o, s:o}",
        "node", (int)node, "name", is_router ? json_string("router") : json_null(), "eui64",
        eui64_of(air, node), "short", short_address_of(air, node), "tx", "frames",
        number(of->data.frames), "bytes", number(of->data.bytes), "retries",
        number(of->retries.frames), "retry_bytes", number(of->retries.bytes), "broadcast",
        tally(&of->broadcast), "acks", tally(&of->acks), "delivered", tally(&of->delivered),
        "drops", "queue", number(of->dropped_queue), "channel", number(of->dropped_channel),
        "no_ack", number(of->dropped_no_ack), "lost", number(of->lost), "repeated",
        number(of->repeated), "tx_us", number(of->tx_us), "rx_us", number(of->rx_us));
}

static json_t *report_nodes(struct mup_air *air)
{
    json_t *nodes = json_array();
    struct mup_medium_counters counters;

    for (unsigned node = 0; node < MUP_MEDIUM_NODES_MAX; node++)
        if (mup_air_count_node(air, node, &counters))
            json_array_append_new(nodes, report_node(air, node, &counters));
    return nodes;
}

static json_t *report_lateness(const struct mup_lateness *lateness)
{
    return json_pack("{s:f, s:o, s:o, s:o}", "mean", mup_lateness_mean_us(lateness), "p99",
                     number(mup_lateness_percentile_us(lateness, 99)), "max",
                     number(lateness->max_us), "frames", number(lateness->count));
}

json_t *mup_report(struct mup_air *air, const struct mup_realtime *realtime)
{
    struct mup_air_report now;

    mup_air_count(air, &now);
    return json_pack("{s:o, s:o, s:b, s:b, s:{s:o, s:o}, s:o, s:o, s:o}", "now_us",
                     number(now.now_us), "span_us", number(now.span_us), "fifo", realtime->is_fifo,
                     "locked", realtime->is_locked, "channel", "busy_us",
                     number(now.channel.busy_us), "collisions", number(now.channel.collisions),
                     "lateness_us", report_lateness(mup_air_lateness(air)), "faults",
                     mup_report_faults(mup_air_faults(air)), "nodes", report_nodes(air));
}

json_t *mup_report_faults(const struct mup_faults *faults)
{
    const struct mup_medium_config *medium = &faults->medium;

    return json_pack(
        "{s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:{s:o, s:o, s:o}, s:b, s:o, s:o}", "loss_ppm",
        number(medium->frame_loss_ppm), "ack_loss_ppm", number(medium->ack_loss_ppm), "corrupt_ppm",
        number(medium->corrupt_ppm), "duplicate_ppm", number(medium->duplicate_ppm), "burst",
        "to_bad_ppm", number(medium->burst.to_bad_ppm), "to_good_ppm",
        number(medium->burst.to_good_ppm), "loss_ppm", number(medium->burst.loss_ppm), "sleep",
        "period_us", number(faults->sleep.period_us), "awake_us", number(faults->sleep.awake_us),
        "linger_us", number(faults->sleep.linger_us), "link", !medium->is_cut, "offers",
        number(medium->offers_max), "seed", number(medium->seed));
}
