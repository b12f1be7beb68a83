/* What became of an attack: noted as the device said it, told to people and to programs. */
#include <stdio.h>
#include <string.h>

#include "attack_internal.h"

#include "mup/state.h"

#define ROW "%-18s %-24s %-8s %-12s %s\n"

/* Where each state comes from: docs/SPEC.md sections 16 and 19. */
static const struct {
    uint32_t state;
    const char *where;
} places[] = {
    {MUP_STATE_IN_TRIAL, "manifest, check 2: a trial is undecided"},
    {MUP_STATE_SLOT_IN_USE, "manifest, check 2: an image waits to boot"},
    {MUP_STATE_MANIFEST_NOT_VALID, "manifest, checks 3, 6 and 8: structure"},
    {MUP_STATE_NO_SERVER_KEY, "manifest, check 4: update server's key"},
    {MUP_STATE_UNKNOWN_KEY, "key id, before any signature is checked"},
    {MUP_STATE_INVALID_NONCE, "manifest, check 5: nonce"},
    {MUP_STATE_WRONG_DEVICE, "manifest, check 5: UUID"},
    {MUP_STATE_WRONG_OLD_VERSION, "manifest, checks 5 and 9: old version"},
    {MUP_STATE_BUDGET_EXHAUSTED, "manifest, check 7: budget of signature checks"},
    {MUP_STATE_OUTER_SIGNATURE_INVALID, "manifest, check 7: outer signature"},
    {MUP_STATE_INNER_SIGNATURE_INVALID, "manifest, check 8: inner signature"},
    {MUP_STATE_WRONG_APP_ID, "manifest, check 9: application id"},
    {MUP_STATE_WRONG_HARDWARE_CLASS, "manifest, check 9: hardware class"},
    {MUP_STATE_INVALID_VERSION, "manifest, check 9: version"},
    {MUP_STATE_ENCODING_UNSUPPORTED, "manifest, check 9: encoding"},
    {MUP_STATE_WRONG_LINK_OFFSET, "manifest, check 9: link offset"},
    {MUP_STATE_IMAGE_TOO_BIG, "manifest, check 9: image size"},
    {MUP_STATE_BLOCK_SIZE_UNSUPPORTED, "manifest, check 9: block size"},
    {MUP_STATE_BLOCK_INVALID, "transfer: hash of the block, before flash"},
    {MUP_STATE_IMAGE_INVALID, "verify: digest of the image"},
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
    printf(ROW, "NAME", "STATE", "STOPPED", "STILL WORKS", "WHERE");
    fflush(stdout);
}

void mup_attack_print_row(const struct mup_attack_result *result)
{
    printf(ROW, result->name, mup_attack_state_name(result),
           yes_or_no(mup_attack_is_stopped(result)), yes_or_no(result->still_works),
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
