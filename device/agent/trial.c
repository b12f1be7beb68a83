/*
 * Trial, confirmation, revert, restart, and the final report (docs/SPEC.md section 17, DESIGN D10).
 *
 * Confirmed is what has proved that the next update can reach it: every subscription granted, the
 * announcement acknowledged by the broker, and the application's own word if it wants one.
 */
#include "agent_internal.h"

#include <string.h>

static uint32_t trial_ms(const struct mup_agent *agent)
{
    return agent->config->trial_ms != 0 ? agent->config->trial_ms : MUP_AGENT_TRIAL_MS;
}

/* What has become of the last update; 0 as long as there is no outcome, or it was reported. */
static uint32_t outcome(const struct mup_agent *agent)
{
    enum mup_boot_phase phase = mup_boot_phase(agent->config->boot);

    if (phase == MUP_BOOT_CONFIRMED)
        return MUP_STATE_CONFIRMED;
    return phase == MUP_BOOT_REVERTED || phase == MUP_BOOT_REJECTED ? MUP_STATE_REVERTED : 0;
}

static uint32_t reason_of(enum mup_boot_reason reason)
{
    switch (reason) {
    case MUP_BOOT_REASON_TRIALS:
        return MUP_REVERT_TRIALS_USED_UP;
    case MUP_BOOT_REASON_DEADLINE:
        return MUP_REVERT_DEADLINE;
    case MUP_BOOT_REASON_SELF_TEST:
        return MUP_REVERT_REQUESTED;
    case MUP_BOOT_REASON_DIGEST:
        return MUP_REVERT_IMAGE_INVALID;
    case MUP_BOOT_REASON_SIGNATURE:
        return MUP_REVERT_SIGNATURE_INVALID;
    case MUP_BOOT_REASON_NONE:
        break;
    }
    return MUP_REVERT_NONE;
}

void mup_agent_trial_init(struct mup_agent *agent)
{
    const struct mup_boot *boot = agent->config->boot;

    agent->phase_ms = agent->now_ms;
    agent->phase = mup_boot_phase(boot) == MUP_BOOT_TRIAL ? MUP_AGENT_TRIAL : MUP_AGENT_IDLE;
}

/* ---- Report ------------------------------------------------------------------------------ */

void mup_agent_report_if_owed(struct mup_agent *agent)
{
    if (outcome(agent) != 0) {
        if (agent->out_state[OUT_REPORT] == OUT_NONE)
            mup_agent_due(agent, OUT_REPORT);
    } else if (agent->out_state[OUT_REPORT] != OUT_NONE) {
        mup_agent_due(agent, OUT_REPORT); /* frees its packet id */
        agent->out_state[OUT_REPORT] = OUT_NONE;
    }
}

size_t mup_agent_encode_report(const struct mup_agent *agent, uint8_t *bytes, size_t capacity)
{
    const struct mup_boot *boot = agent->config->boot;
    struct mup_report report;
    size_t size = 0;

    memcpy(report.uuid, agent->bootstrap.self.uuid, MUP_UUID_SIZE);
    memcpy(report.manifest, mup_boot_manifest_digest(boot), MUP_DIGEST_SIZE);
    report.version = mup_agent_version(agent);
    report.outcome = outcome(agent);
    report.reason = reason_of(mup_boot_reason(boot));
    report.trial_boots = mup_boot_trials(boot);
    return written(mup_report_encode(bytes, capacity, &size, &report), &size);
}

void mup_agent_report_sent(struct mup_agent *agent)
{
    enum mup_status status;

    mup_agent_notify(agent, MUP_AGENT_REPORTED, outcome(agent), mup_agent_version(agent));
    /* If this is not recorded, the report is sent once more on the next connection. */
    status = mup_boot_reported(agent->config->boot);
    (void)status;
}

/* ---- Confirm or give up ------------------------------------------------------------------ */

static bool may_confirm(const struct mup_agent *agent)
{
    return agent->link == LINK_UP && agent->announced && !agent->refused &&
           (agent->config->may_confirm == NULL ||
            agent->config->may_confirm(agent->config->context));
}

static void confirm(struct mup_agent *agent)
{
    if (mup_boot_confirm(agent->config->boot) != MUP_OK)
        return; /* again at the next turn */
    mup_agent_enter(agent, MUP_AGENT_IDLE);
    mup_agent_notify(agent, MUP_AGENT_CONFIRMED, MUP_STATE_CONFIRMED, mup_agent_version(agent));
    mup_agent_due(agent, OUT_REPORT);
    mup_agent_due(agent, OUT_ANNOUNCE); /* "on trial" is no longer true */
}

static void restart(struct mup_agent *agent, enum mup_boot_reason reason)
{
    mup_agent_notify(agent, MUP_AGENT_GIVEN_UP, reason, 0);
    mup_agent_enter(agent, MUP_AGENT_RESTARTING);
}

enum mup_status mup_agent_give_up(struct mup_agent *agent, uint32_t now_ms)
{
    enum mup_status status;

    agent->now_ms = now_ms;
    if (agent->phase != MUP_AGENT_TRIAL)
        return MUP_ERR_STATE;
    status = mup_boot_revert(agent->config->boot, MUP_BOOT_REASON_SELF_TEST);
    if (status == MUP_OK)
        restart(agent, MUP_BOOT_REASON_SELF_TEST);
    return status;
}

static void trial_turn(struct mup_agent *agent)
{
    if (may_confirm(agent)) {
        confirm(agent);
    } else if (mup_agent_elapsed(agent, agent->phase_ms, trial_ms(agent))) {
        enum mup_status status = mup_boot_revert(agent->config->boot, MUP_BOOT_REASON_DEADLINE);

        (void)status; /* restart all the same: the bootloader counts the trial boots as well */
        restart(agent, MUP_BOOT_REASON_DEADLINE);
    }
}

/* Reverted, and this image reaches no broker either: the new one was not to blame (boot.h). */
static void reverted_turn(struct mup_agent *agent)
{
    struct mup_boot *boot = agent->config->boot;

    if (agent->announced) {
        agent->phase_ms = agent->now_ms;
        return;
    }
    if (!mup_agent_elapsed(agent, agent->phase_ms, trial_ms(agent)))
        return;
    agent->phase_ms = agent->now_ms;
    if (mup_boot_phase(boot) == MUP_BOOT_REVERTED && mup_boot_retry_trial(boot) == MUP_OK)
        restart(agent, mup_boot_reason(boot));
}

/* The answer to VERIFY-UPDATE and the PUBACK of its request leave before the restart. */
static void restart_turn(struct mup_agent *agent)
{
    bool over = mup_agent_elapsed(agent, agent->phase_ms, MUP_AGENT_RESTART_MS);

    if ((agent->restart_wait || agent->release_due) && !over)
        return;
    if (agent->link != LINK_DOWN &&
        mup_mqtt_disconnect(agent->config->mqtt, MUP_MQTT_REASON_DISCONNECT_WITH_WILL) ==
            MUP_ERR_BUSY &&
        !over)
        return; /* once there is room */
    agent->actions |= MUP_AGENT_RESTART;
}

void mup_agent_trial_tick(struct mup_agent *agent)
{
    if (agent->phase == MUP_AGENT_TRIAL)
        trial_turn(agent);
    else if (agent->phase == MUP_AGENT_IDLE)
        reverted_turn(agent);
    if (agent->phase == MUP_AGENT_RESTARTING)
        restart_turn(agent);
}

void mup_agent_trial_wait(const struct mup_agent *agent, struct agent_wait *wait)
{
    if (agent->phase == MUP_AGENT_RESTARTING)
        mup_agent_sooner(wait, agent->phase_ms, agent->restart_wait ? MUP_AGENT_RESTART_MS : 0);
    else if (agent->phase == MUP_AGENT_TRIAL)
        /* Announced: a confirmation that was held back or failed. */
        mup_agent_sooner(wait, agent->phase_ms, agent->announced ? 0 : trial_ms(agent));
    else if (mup_boot_phase(agent->config->boot) == MUP_BOOT_REVERTED)
        mup_agent_sooner(wait, agent->phase_ms, trial_ms(agent));
}
