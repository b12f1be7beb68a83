/* Power cuts at every operation: one run of a scenario, and a copy to judge for each cut. */
#include "campaign.h"

#include <stdio.h>
#include <string.h>

#define FAILURES_SHOWN 20u

struct campaign {
    const struct plan *plan;
    struct result *result;
    enum scenario scenario;
    struct world main;   /* runs the scenario */
    struct world first;  /* had one cut */
    struct world second; /* had two */
    uint32_t first_at;   /* operation of the first cut */
    enum mup_hostile_cut first_cut;
    uint32_t shown;
};

/* A number drawn for a cut, the same for the same seed. */
static uint32_t draw(const struct campaign *campaign, uint32_t at, uint32_t what)
{
    uint32_t drawn = campaign->plan->seed * 2654435761u + (uint32_t)campaign->scenario;

    drawn = (drawn ^ campaign->first_at) * 0x85ebca6bu;
    drawn = (drawn ^ drawn >> 13 ^ at) * 0xc2b2ae35u;
    drawn = (drawn ^ drawn >> 16 ^ what) * 0x27d4eb2fu;
    return drawn ^ drawn >> 15;
}

static bool is_data(const struct world *world)
{
    return !world->flash.next_erases && world->flash.next_at < world->map.state_at;
}

/* Whether the word is the first, middle or last one of its page of data, or of its call. */
static bool is_page_end(const struct mup_hostile_flash *flash, bool data)
{
    size_t index =
        data ? flash->next_at % flash->page_size / MUP_PORT_FLASH_WORD_SIZE : flash->next_index;
    size_t count = data ? flash->page_size / MUP_PORT_FLASH_WORD_SIZE : flash->next_count;

    return index == 0 || index == count / 2 || index == count - 1;
}

static bool is_due(const struct campaign *campaign, const struct world *world, uint32_t stride)
{
    const struct plan *plan = campaign->plan;
    uint32_t at = world->flash.operation_count + 1;
    bool data = is_data(world);

    if (plan->page_ends && !world->flash.next_erases && !is_page_end(&world->flash, data))
        return false;
    if (data && draw(campaign, at, 1) % plan->data_stride != 0)
        return false;
    return draw(campaign, at, 2) % stride == 0;
}

static bool is_kind_due(const struct campaign *campaign, const struct world *world, bool one_kind,
                        int kind)
{
    uint32_t at = world->flash.operation_count + 1;

    if (campaign->plan->clean)
        return kind == MUP_HOSTILE_BEFORE;
    return !one_kind || (uint32_t)kind == draw(campaign, at, 3) % MUP_HOSTILE_CUT_COUNT;
}

static bool tears(enum mup_hostile_cut cut)
{
    return cut != MUP_HOSTILE_BEFORE && cut != MUP_HOSTILE_AFTER;
}

static void note(struct campaign *campaign, enum verdict verdict, uint32_t second_at,
                 enum mup_hostile_cut second_cut)
{
    campaign->result->verdict_count[verdict]++;
    if (verdict == VERDICT_GOOD || campaign->shown++ >= FAILURES_SHOWN)
        return;
    fprintf(stderr, "%s, seed %u: cut %u of kind %d, second cut %u of kind %d: %s\n",
            scenario_name(campaign->scenario), (unsigned)campaign->plan->seed,
            (unsigned)campaign->first_at, (int)campaign->first_cut, (unsigned)second_at,
            (int)second_cut, verdict_name(verdict));
}

static enum verdict judge(struct campaign *campaign, struct world *world)
{
    bool recalled;
    enum verdict verdict = campaign->scenario == SCENARIO_KEY_CHANGE
                               ? world_judge_key(world, &recalled, campaign->plan->pairs)
                               : world_judge(world, &recalled);

    campaign->result->recalled_count += recalled ? 1 : 0;
    return verdict;
}

/* Before each operation after a first cut: judge copies that are cut there, too. */
static void watch_recovery(void *context)
{
    struct campaign *campaign = context;
    uint32_t at = campaign->first.flash.operation_count + 1;

    if (!is_due(campaign, &campaign->first, campaign->plan->second_stride))
        return;
    for (int kind = 0; kind < MUP_HOSTILE_CUT_COUNT; kind++) {
        enum mup_hostile_cut cut = (enum mup_hostile_cut)kind;

        if (!is_kind_due(campaign, &campaign->first, campaign->plan->second_one_kind, kind))
            continue;
        world_copy_cut(&campaign->second, &campaign->first, cut,
                       draw(campaign, at, (uint32_t)kind + 100));
        campaign->result->pair_count++;
        campaign->result->torn_count += tears(cut) || tears(campaign->first_cut) ? 1 : 0;
        note(campaign, judge(campaign, &campaign->second), at, cut);
    }
}

static void judge_pairs(struct campaign *campaign)
{
    enum verdict verdict;

    campaign->first.flash.watch = watch_recovery;
    campaign->first.flash.watch_context = campaign;
    verdict = world_go_on(&campaign->first, campaign->scenario == SCENARIO_KEY_CHANGE);
    campaign->first.flash.watch = NULL;
    if (verdict != VERDICT_GOOD)
        note(campaign, verdict, 0, MUP_HOSTILE_BEFORE);
}

/* Before each operation of the scenario: judge copies that are cut there. */
static void watch_scenario(void *context)
{
    struct campaign *campaign = context;
    const struct plan *plan = campaign->plan;
    bool one_kind = plan->one_kind && is_data(&campaign->main);

    campaign->first_at = campaign->main.flash.operation_count + 1;
    if (campaign->first_at % plan->shard_count != plan->shard ||
        !is_due(campaign, &campaign->main, plan->first_stride))
        return;
    for (int kind = 0; kind < MUP_HOSTILE_CUT_COUNT; kind++) {
        if (!is_kind_due(campaign, &campaign->main, one_kind, kind))
            continue;
        campaign->first_cut = (enum mup_hostile_cut)kind;
        world_copy_cut(&campaign->first, &campaign->main, campaign->first_cut,
                       draw(campaign, campaign->first_at, (uint32_t)kind + 100));
        campaign->result->cut_count++;
        campaign->result->torn_count += tears(campaign->first_cut) ? 1 : 0;
        if (plan->pairs)
            judge_pairs(campaign);
        else
            note(campaign, judge(campaign, &campaign->first), 0, MUP_HOSTILE_BEFORE);
    }
}

static bool revert_by_trials(struct world *world)
{
    for (uint32_t trial = 2; trial <= MUP_BOOT_TRIALS_MAX; trial++) {
        if (world_reset(world) != MUP_OK || world->state.trial != trial)
            return false;
    }
    return world_reset(world) == MUP_OK && world->state.phase == MUP_BOOT_REVERTED &&
           world->state.reason == MUP_BOOT_REASON_TRIALS;
}

static bool revert_and_retry(struct world *world)
{
    return world_give_up(world) == MUP_OK && world_reset(world) == MUP_OK &&
           world->state.phase == MUP_BOOT_REVERTED && world_retry(world) == MUP_OK &&
           world_reset(world) == MUP_OK && world->state.phase == MUP_BOOT_TRIAL &&
           world->state.round == 1 && world_confirm(world) == MUP_OK;
}

static bool play(struct world *world, enum scenario scenario)
{
    if (scenario == SCENARIO_KEY_CHANGE)
        return world_take_key(world, EPOCH_NEW) == MUP_OK;
    if (world_update(world, VERSION_NEW) != MUP_OK || world_reset(world) != MUP_OK ||
        world->state.phase != MUP_BOOT_TRIAL || world->state.trial != 1)
        return false;
    switch (scenario) {
    case SCENARIO_UPDATE:
        return world_confirm(world) == MUP_OK && world_report(world) == MUP_OK;
    case SCENARIO_REVERT:
        return revert_by_trials(world) && world_report(world) == MUP_OK;
    case SCENARIO_RETRY:
        return revert_and_retry(world);
    case SCENARIO_KEY_CHANGE:
    case SCENARIO_COUNT:
        break;
    }
    return false;
}

const char *scenario_name(enum scenario scenario)
{
    static const char *const names[SCENARIO_COUNT] = {"update", "revert", "retry", "key change"};

    return names[scenario];
}

bool campaign_run(struct result *result, const struct plan *plan, enum scenario scenario,
                  const struct world_images *images, struct recall *recall)
{
    struct campaign campaign = {.plan = plan, .result = result, .scenario = scenario};
    bool played;

    world_make(&campaign.main, images);
    world_make(&campaign.first, images);
    world_make(&campaign.second, images);
    campaign.first.recall = recall;
    campaign.second.recall = recall;
    campaign.main.flash.watch = watch_scenario;
    campaign.main.flash.watch_context = &campaign;

    played = play(&campaign.main, scenario) && campaign.main.flash.violation_count == 0;
    result->operation_count += campaign.main.flash.operation_count;

    world_free(&campaign.main);
    world_free(&campaign.first);
    world_free(&campaign.second);
    return played;
}
