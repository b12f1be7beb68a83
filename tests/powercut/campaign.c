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
    uint32_t data_count; /* words of image data seen so far, for the stride */
    uint32_t shown;
};

/* Words of image data are alike: the page they are in is erased again whatever happens to one. */
static bool is_due(struct campaign *campaign, const struct world *world)
{
    bool data = !world->flash.next_erases && world->flash.next_at < world->map.state_at;

    return !data || campaign->data_count++ % campaign->plan->stride == 0;
}

/* Clean cuts only, or all kinds. */
static int kind_count(const struct plan *plan)
{
    return plan->torn ? MUP_HOSTILE_CUT_COUNT : MUP_HOSTILE_AFTER;
}

static void note(struct campaign *campaign, enum verdict verdict, uint32_t second_at)
{
    campaign->result->verdict_count[verdict]++;
    if (verdict == VERDICT_GOOD || campaign->shown++ >= FAILURES_SHOWN)
        return;
    fprintf(stderr, "scenario %d: cut %u of kind %d, second cut %u: %s\n", (int)campaign->scenario,
            (unsigned)campaign->first_at, (int)campaign->first_cut, (unsigned)second_at,
            verdict_name(verdict));
}

/* Before each operation of a recovery: judge a copy that is cut there. */
static void watch_recovery(void *context)
{
    struct campaign *campaign = context;

    if (!is_due(campaign, &campaign->first))
        return;
    for (int kind = 0; kind < kind_count(campaign->plan); kind++) {
        world_copy_cut(&campaign->second, &campaign->first, (enum mup_hostile_cut)kind);
        campaign->result->pair_count++;
        note(campaign, world_judge(&campaign->second, campaign->plan->deep),
             campaign->first.flash.operation_count + 1);
    }
}

static void judge_pairs(struct campaign *campaign)
{
    campaign->first.flash.watch = watch_recovery;
    campaign->first.flash.watch_context = campaign;
    if (world_reset(&campaign->first) != MUP_OK)
        note(campaign, VERDICT_BRICKED, 0);
    campaign->first.flash.watch = NULL;
}

/* Before each operation of the scenario: judge copies that are cut there. */
static void watch_scenario(void *context)
{
    struct campaign *campaign = context;
    campaign->first_at = campaign->main.flash.operation_count + 1;
    if (!is_due(campaign, &campaign->main))
        return;
    for (int kind = 0; kind < kind_count(campaign->plan); kind++) {
        campaign->first_cut = (enum mup_hostile_cut)kind;
        world_copy_cut(&campaign->first, &campaign->main, campaign->first_cut);
        campaign->result->cut_count++;
        if (campaign->plan->pairs)
            judge_pairs(campaign);
        else
            note(campaign, world_judge(&campaign->first, campaign->plan->deep), 0);
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
    case SCENARIO_COUNT:
        break;
    }
    return false;
}

bool campaign_run(struct result *result, const struct plan *plan, enum scenario scenario)
{
    struct world_images images;
    struct campaign campaign = {.plan = plan, .result = result, .scenario = scenario};
    bool played;

    world_images_make(&images, plan->slot_pages, plan->old_size, plan->new_size);
    world_make(&campaign.main, &images);
    world_make(&campaign.first, &images);
    world_make(&campaign.second, &images);
    campaign.main.flash.watch = watch_scenario;
    campaign.main.flash.watch_context = &campaign;

    played = play(&campaign.main, scenario) && campaign.main.flash.violation_count == 0;
    result->operation_count += campaign.main.flash.operation_count;

    world_free(&campaign.main);
    world_free(&campaign.first);
    world_free(&campaign.second);
    world_images_free(&images);
    return played;
}
