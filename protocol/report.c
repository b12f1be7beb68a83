/* The final report (docs/SPEC.md section 17). */
#include <stdbool.h>

#include "fields.h"
#include "mup/report.h"
#include "mup/rpc.h"
#include "mup/state.h"

#define KEY_AUTHENTICATION 15
#define AT(member)         offsetof(struct mup_report, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_FIXED, AT(uuid), 0, MUP_UUID_SIZE},
    {2, MUP_FIELD_UINT, AT(version), 0, UINT32_MAX},
    {3, MUP_FIELD_UINT, AT(outcome), MUP_STATE_CONFIRMED, MUP_STATE_REVERTED},
    {4, MUP_FIELD_FIXED, AT(manifest), 0, MUP_DIGEST_SIZE},
    {5, MUP_FIELD_UINT, AT(reason), 0, MUP_REVERT_REASON_MAX},
    {6, MUP_FIELD_UINT, AT(trial_boots), 0, MUP_TRIAL_BOOTS_MAX},
    {KEY_AUTHENTICATION, MUP_FIELD_IGNORED | MUP_FIELD_OPTIONAL, 0, 0, MUP_AUTHENTICATION_MAX},
};

/* A reason stands beside a revert and nowhere else. */
static bool fits(const struct mup_report *report)
{
    return (report->outcome == MUP_STATE_CONFIRMED) == (report->reason == MUP_REVERT_NONE);
}

enum mup_status mup_report_decode(struct mup_report *out, const uint8_t *bytes, size_t size)
{
    struct mup_report scratch = {0};
    uint32_t seen;
    enum mup_status status = mup_fields_decode(MUP_FIELDS(rows), &scratch, &seen, bytes, size);

    if (status != MUP_OK)
        return status;
    if (!fits(&scratch))
        return MUP_ERR_RANGE;
    *out = scratch;
    return MUP_OK;
}

enum mup_status mup_report_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                  const struct mup_report *report)
{
    if (!fits(report))
        return MUP_ERR_RANGE;
    return mup_fields_encode(MUP_FIELDS(rows), report, MUP_KEYS_ALL, bytes, capacity, size);
}
