/* The final report (docs/SPEC.md section 17). */
#include <stdbool.h>

#include "layout.h"
#include "mup/report.h"
#include "mup/rpc.h"
#include "mup/state.h"

#define ROW_AUTHENTICATION 6
#define AT(member)         offsetof(struct mup_report, member)

static const struct mup_field rows[] = {
    {1, MUP_FIELD_FIXED, MUP_REQUIRED, AT(uuid), 0, MUP_UUID_SIZE},
    {2, MUP_FIELD_UINT, MUP_REQUIRED, AT(version), 0, UINT32_MAX},
    {3, MUP_FIELD_UINT, MUP_REQUIRED, AT(outcome), MUP_STATE_CONFIRMED, MUP_STATE_REVERTED},
    {4, MUP_FIELD_FIXED, MUP_REQUIRED, AT(manifest), 0, MUP_DIGEST_SIZE},
    {5, MUP_FIELD_UINT, MUP_REQUIRED, AT(reason), 0, MUP_REVERT_REASON_MAX},
    {6, MUP_FIELD_UINT, MUP_REQUIRED, AT(trial_boots), 0, MUP_TRIAL_BOOTS_MAX},
    {15, MUP_FIELD_IGNORED, MUP_OPTIONAL, 0, 0, MUP_AUTHENTICATION_MAX},
};

/* A reason stands beside a revert and nowhere else. */
static enum mup_status settle(void *message, uint32_t seen)
{
    const struct mup_report *report = message;
    bool is_confirmed = report->outcome == MUP_STATE_CONFIRMED;

    (void)seen;
    return is_confirmed == (report->reason == MUP_REVERT_NONE) ? MUP_OK : MUP_ERR_RANGE;
}

MUP_LAYOUT(layout, rows, struct mup_report, MUP_REPORT_MAX, settle);

enum mup_status mup_report_decode(struct mup_report *out, const uint8_t *bytes, size_t size)
{
    return mup_layout_decode(out, bytes, size, &layout);
}

enum mup_status mup_report_encode(uint8_t *bytes, size_t capacity, size_t *size,
                                  const struct mup_report *report)
{
    return mup_layout_encode(bytes, capacity, size, report, &layout, ~MUP_ROW(ROW_AUTHENTICATION));
}
