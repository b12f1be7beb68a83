/* What became of an attack: noted as the device said it, told to people and to programs. */
#include <stdio.h>
#include <string.h>

#include "attack_internal.h"

#include "mup/state.h"

#define ROW "%-17s %-23s %-7s %-5s %.*s\n"

/* Where each state comes from: docs/SPEC.md sections 16 and 19, whose checks of a manifest have
 * numbers. At most WHERE_WIDTH characters, so that a row has 80. */
#define WHERE_WIDTH 24

static const struct {
    uint32_t state;
    const char *where;
} places[] = {
    {MUP_STATE_IN_TRIAL, "check 2: no trial"},
    {MUP_STATE_SLOT_IN_USE, "check 2: slot is free"},
    {MUP_STATE_MANIFEST_NOT_VALID, "checks 3, 6, 8: form"},
    {MUP_STATE_NO_SERVER_KEY, "check 4: server's key"},
    {MUP_STATE_UNKNOWN_KEY, "key id, before signature"},
    {MUP_STATE_INVALID_NONCE, "check 5: nonce"},
    {MUP_STATE_WRONG_DEVICE, "check 5: UUID"},
    {MUP_STATE_WRONG_OLD_VERSION, "checks 5, 9: old version"},
    {MUP_STATE_BUDGET_EXHAUSTED, "check 7: budget"},
    {MUP_STATE_OUTER_SIGNATURE_INVALID, "check 7: outer signature"},
    {MUP_STATE_INNER_SIGNATURE_INVALID, "check 8: inner signature"},
    {MUP_STATE_WRONG_APP_ID, "check 9: application id"},
    {MUP_STATE_WRONG_HARDWARE_CLASS, "check 9: hardware class"},
    {MUP_STATE_INVALID_VERSION, "check 9: version"},
    {MUP_STATE_ENCODING_UNSUPPORTED, "check 9: encoding"},
    {MUP_STATE_WRONG_LINK_OFFSET, "check 9: link offset"},
    {MUP_STATE_IMAGE_TOO_BIG, "check 9: image size"},
    {MUP_STATE_BLOCK_SIZE_UNSUPPORTED, "check 9: block size"},
    {MUP_STATE_BLOCK_INVALID, "block hash, before flash"},
    {MUP_STATE_IMAGE_INVALID, "verify: image digest"},
};

const char *mup_attack_where(uint32_t state)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (places[i].state == state)
            return places[i].where;
    return "-";
}

static const char *name_of(uint32_t state)
{
    return state == MUP_ATTACK_NO_ANSWER ? "no-answer" : mup_state_name(state);
}

void mup_attack_note(const struct mup_attack_scene *scene, struct mup_attack_result *result,
                     uint32_t state, bool stopped, const char *what)
{
    struct mup_attack_attempt *attempt = &result->attempts[result->attempt_count];

    if (result->attempt_count == MUP_ATTACK_ATTEMPTS_MAX)
        return;
    result->attempt_count++;
    snprintf(attempt->what, sizeof attempt->what, "%s", what);
    attempt->state = state;
    attempt->stopped = stopped;
    mup_attack_tell(scene, "  Attempt: %s\n    -> the device says %s (%u): %s", what,
                    name_of(state), (unsigned)state, stopped ? "stopped" : "NOT STOPPED");
}

/* The attempt that says most: the first that got through, or else the first; NULL without any. */
static const struct mup_attack_attempt *telling_attempt(const struct mup_attack_result *result)
{
    for (size_t i = 0; i < result->attempt_count; i++)
        if (!result->attempts[i].stopped)
            return &result->attempts[i];
    return result->attempt_count == 0 ? NULL : &result->attempts[0];
}

bool mup_attack_is_stopped(const struct mup_attack_result *result)
{
    const struct mup_attack_attempt *attempt = telling_attempt(result);

    return result->mounted && attempt != NULL && attempt->stopped;
}

const char *mup_attack_state_name(const struct mup_attack_result *result)
{
    const struct mup_attack_attempt *attempt = telling_attempt(result);

    return name_of(attempt == NULL ? MUP_ATTACK_NO_ANSWER : attempt->state);
}

static const char *where_of(const struct mup_attack_result *result)
{
    const struct mup_attack_attempt *attempt = telling_attempt(result);

    if (attempt != NULL && !attempt->stopped)
        return result->where[0] != '\0' ? result->where : attempt->what;
    if (attempt == NULL || !result->mounted)
        return "could not be mounted";
    return result->where[0] != '\0' ? result->where : mup_attack_where(attempt->state);
}

/* ---- For programs -------------------------------------------------------------------------- */

static json_t *attempts_json(const struct mup_attack_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; i < result->attempt_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "what", result->attempts[i].what,
                                              "state", name_of(result->attempts[i].state),
                                              "stopped", result->attempts[i].stopped ? 1 : 0));
    return list;
}

json_t *mup_attack_json(const struct mup_attack_result *result)
{
    return json_pack("{s:s, s:s, s:b, s:b, s:s, s:s, s:I, s:o}", "name", result->name, "state",
                     mup_attack_state_name(result), "stopped",
                     mup_attack_is_stopped(result) ? 1 : 0, "still_works",
                     result->still_works ? 1 : 0, "where", where_of(result), "detail",
                     result->detail, "milliseconds", (json_int_t)result->milliseconds, "attempts",
                     attempts_json(result));
}

/* ---- For people ---------------------------------------------------------------------------- */

static const char *yes_or_no(bool yes)
{
    return yes ? "yes" : "NO";
}

void mup_attack_print_header(void)
{
    printf(ROW, "ATTACK", "THE DEVICE SAYS", "STOPPED", "WORKS", WHERE_WIDTH, "STOPPED BY");
    fflush(stdout);
}

void mup_attack_print_footer(void)
{
    printf("\nSTOPPED BY: \"check N\" of a manifest is one of docs/SPEC.md section 19.\n"
           "WORKS: afterwards a genuine update was confirmed.\n"
           "./dev demo --attack NAME tells one at length.\n");
    fflush(stdout);
}

void mup_attack_print_row(const struct mup_attack_result *result)
{
    printf(ROW, result->name, mup_attack_state_name(result),
           yes_or_no(mup_attack_is_stopped(result)), yes_or_no(result->still_works), WHERE_WIDTH,
           where_of(result));
    fflush(stdout);
}

void mup_attack_print_account(const struct mup_attack_result *result)
{
    printf("\n%s: %s (%s)\n", result->name,
           mup_attack_is_stopped(result) ? "stopped" : "NOT STOPPED",
           mup_attack_state_name(result));
    printf("  where:       %s\n", where_of(result));
    if (result->detail[0] != '\0')
        printf("  measured:    %s\n", result->detail);
    printf("  still works: %s\n", result->still_works
                                      ? "yes, a genuine update was confirmed afterwards"
                                      : "NO, no genuine update was confirmed afterwards");
    fflush(stdout);
}
