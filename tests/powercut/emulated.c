/*
 * bench-powercut-microbit: kill -9 of an emulated micro:bit at random instants of a swap.
 *
 *     bench-powercut-microbit BIN_FOLDER IMAGES_FOLDER CUTS [SEED]
 *
 * The flash holds an update that waits for its restart. QEMU is started and killed at an instant
 * that is drawn: while the bootloader checks the request, when a page that is drawn was copied, or
 * while the new image is on trial; then started again, on what is left or on the beginning. And the
 * same for the way back. The flash file is looked at all the time, so that each phase gets its
 * share; how many cuts each got goes to stderr. After each cut a copy of the flash is started and
 * left alone: the bootloader must come to its end, with a whole image, a consistent journal, and a
 * further update must succeed. (Cuts of a way back that had ended before are not counted.)
 *
 * Prints one row for each scenario: SCENARIO CUTS BRICKED WRONG_IMAGE INCONSISTENT STUCK SECONDS.
 * Exit code 0 when nothing went wrong, 1 when something did, 2 for usage, 77 when QEMU or the
 * firmware is not there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "board.h"

#define SKIPPED       77
#define BOOT_LIMIT_MS 20000u
#define VERSION_OLD   1u
#define VERSION_NEW   2u
#define VERSION_NEXT  6u

enum verdict { GOOD, BRICKED, WRONG_IMAGE, INCONSISTENT, STUCK, VERDICT_COUNT };

static const char *const verdict_names[VERDICT_COUNT] = {"good", "bricked", "wrong_image",
                                                         "inconsistent", "stuck"};

/* A swap in one direction, and how it must end. */
struct scenario {
    const char *name;
    uint8_t *begin; /* the flash before its first start */
    enum mup_boot_phase end;
    uint32_t version; /* that must run in the end */
    uint32_t floor;
    uint32_t begin_ms; /* without a cut, until the first page is copied ... */
    uint32_t whole_ms; /* ... and in all */
    uint32_t steps;    /* half steps of all pages */
};

/* What a cut is aimed at, and where it was found to have struck. */
enum phase { PHASE_REQUEST, PHASE_PAGES, PHASE_TRIAL, PHASE_COUNT };

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_ms(uint32_t ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&pause, NULL);
}

static bool has_ended(const struct board *board, enum mup_boot_phase end)
{
    struct mup_boot_state state;

    return board_state(board, &state) && state.phase == end &&
           (end != MUP_BOOT_TRIAL || state.trial > 0);
}

/* Whether pages are being copied, or were when power failed. */
static bool is_between(const struct board *board)
{
    struct mup_boot_state state;

    return board_state(board, &state) &&
           (state.phase == MUP_BOOT_SWAPPING || state.phase == MUP_BOOT_REVERTING);
}

/* Why the bootloader has not come to its end. */
static void tell_state(const struct board *board)
{
    struct mup_boot_state state;

    if (board_state(board, &state))
        fprintf(stderr, "powercut: still in phase %d, trial %u, running version %u\n",
                (int)state.phase, (unsigned)state.trial, (unsigned)state.running.version);
    else
        fprintf(stderr, "powercut: the journal cannot be read\n");
}

/* Let the board run until the journal says that the bootloader has finished, or for limit_ms. The
 * board is off afterwards. *begin_ms, if not NULL: until the first page was copied. */
static bool run_to(struct board *board, enum mup_boot_phase end, uint32_t limit_ms,
                   uint32_t *begin_ms)
{
    uint64_t begin = now_ms();
    bool between = false;
    bool ended = false;

    if (!board_start(board))
        return false;
    while (!ended && now_ms() < begin + limit_ms) {
        pause_ms(1);
        if (begin_ms != NULL && !between && is_between(board)) {
            between = true;
            *begin_ms = (uint32_t)(now_ms() - begin);
        }
        ended = has_ended(board, end);
        if (!board_is_on(board)) {
            fprintf(stderr, "powercut: QEMU ended by itself: %s\n", board->last_words);
            break;
        }
    }
    if (!ended && limit_ms == BOOT_LIMIT_MS)
        tell_state(board);
    board_kill(board);
    return ended;
}

/* ---- judging --------------------------------------------------------------------------------- */

static enum verdict judge_state(const struct board *board, const struct scenario *scenario)
{
    struct mup_boot_state state;

    if (!board_state(board, &state))
        return INCONSISTENT;
    if (!board_runs_whole_image(board, &state))
        return WRONG_IMAGE;
    return state.running.version == scenario->version && state.version_floor == scenario->floor
               ? GOOD
               : INCONSISTENT;
}

static enum verdict update_further(struct board *board, const struct scenario *scenario)
{
    struct mup_boot_state state;

    if (scenario->end == MUP_BOOT_TRIAL && !board_confirm(board))
        return STUCK;
    if (!board_request(board, VERSION_NEXT) || !run_to(board, MUP_BOOT_TRIAL, BOOT_LIMIT_MS, NULL))
        return STUCK;
    return board_state(board, &state) && state.running.version == VERSION_NEXT &&
                   board_runs_whole_image(board, &state) && board_confirm(board)
               ? GOOD
               : STUCK;
}

/* Off in its n-th trial, it must count the next one. */
static bool counts_the_next_trial(struct board *board)
{
    struct mup_boot_state state;
    uint64_t begin = now_ms();
    uint32_t trial;

    if (!board_state(board, &state) || !board_start(board))
        return false;
    trial = state.trial;
    while (state.trial != trial + 1 && now_ms() < begin + BOOT_LIMIT_MS) {
        pause_ms(1);
        if (!board_state(board, &state))
            state.trial = 0;
    }
    board_kill(board);
    return state.phase == MUP_BOOT_TRIAL && state.trial == trial + 1;
}

/* What becomes of the flash when there is no other cut; the flash is as before afterwards. */
static enum verdict judge(struct board *board, const struct scenario *scenario)
{
    static uint8_t kept[BOARD_FLASH_SIZE];
    enum verdict verdict = BRICKED;

    memcpy(kept, board->flash, sizeof kept);
    if (has_ended(board, scenario->end) ? counts_the_next_trial(board)
                                        : run_to(board, scenario->end, BOOT_LIMIT_MS, NULL))
        verdict = judge_state(board, scenario);
    if (verdict == GOOD)
        verdict = update_further(board, scenario);
    memcpy(board->flash, kept, sizeof kept);
    return verdict;
}

/* ---- cutting --------------------------------------------------------------------------------- */

/* Of eight cuts five are aimed at the pages; a way back has no trial. */
static enum phase draw_aim(const struct scenario *scenario)
{
    long drawn = random() % 8;

    if (drawn == 0)
        return PHASE_REQUEST;
    return drawn < 6 || scenario->end != MUP_BOOT_TRIAL ? PHASE_PAGES : PHASE_TRIAL;
}

static void await_half_step(struct board *board, const struct scenario *scenario)
{
    uint32_t aim = (uint32_t)random() % scenario->steps;
    uint64_t begin = now_ms();

    while (!(is_between(board) && board_half_steps(board) >= aim) &&
           !has_ended(board, scenario->end) && now_ms() < begin + BOOT_LIMIT_MS)
        ; /* the instant matters */
}

/* Start the board, and cut its power. */
static bool cut_once(struct board *board, const struct scenario *scenario, enum phase aim)
{
    if (!board_start(board))
        return false;
    switch (aim) {
    case PHASE_REQUEST:
        pause_ms((uint32_t)random() % (scenario->begin_ms + 1));
        break;
    case PHASE_PAGES:
        await_half_step(board, scenario);
        break;
    case PHASE_TRIAL:
        for (uint32_t ms = 0; !has_ended(board, scenario->end) && ms < BOOT_LIMIT_MS; ms++)
            pause_ms(1);
        pause_ms((uint32_t)random() % 100);
        break;
    case PHASE_COUNT:
        break;
    }
    board_kill(board);
    return true;
}

static enum phase phase_of(const struct board *board, const struct scenario *scenario)
{
    if (has_ended(board, scenario->end))
        return PHASE_TRIAL;
    return is_between(board) ? PHASE_PAGES : PHASE_REQUEST;
}

/* For whoever looks into it. */
static void keep(const char *name, const uint8_t *flash, uint32_t cut)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "/tmp/mup-powercut-%s-%u.flash", name, (unsigned)cut);
    file = fopen(path, "wbe");
    if (file == NULL)
        return;
    fwrite(flash, 1, BOARD_FLASH_SIZE, file);
    fclose(file);
    fprintf(stderr, "powercut: the flash after the cut is in %s\n", path);
}

static bool run_scenario(struct board *board, const struct scenario *scenario, uint32_t cuts)
{
    uint32_t counts[VERDICT_COUNT] = {0};
    uint32_t struck[PHASE_COUNT] = {0};
    uint64_t begin = now_ms();
    uint32_t idle = 0; /* starts in a row that had ended before the cut */

    for (uint32_t cut = 0; cut < cuts;) {
        enum verdict verdict;

        if (idle > 0 || random() % 2 == 0 || has_ended(board, scenario->end) || cut == 0)
            memcpy(board->flash, scenario->begin, BOARD_FLASH_SIZE);
        if (!cut_once(board, scenario, draw_aim(scenario)) || idle > 1000)
            return false;
        if (scenario->end != MUP_BOOT_TRIAL && has_ended(board, scenario->end)) {
            idle++;
            continue;
        }
        idle = 0;
        cut++;
        struck[phase_of(board, scenario)]++;
        verdict = judge(board, scenario);
        counts[verdict]++;
        if (verdict != GOOD) {
            fprintf(stderr, "powercut: %s, cut %u: %s\n", scenario->name, (unsigned)cut,
                    verdict_names[verdict]);
            keep(scenario->name, board->flash, cut);
        }
    }
    printf("%s %u %u %u %u %u %.1f\n", scenario->name, (unsigned)cuts, (unsigned)counts[BRICKED],
           (unsigned)counts[WRONG_IMAGE], (unsigned)counts[INCONSISTENT], (unsigned)counts[STUCK],
           (double)(now_ms() - begin) / 1000.0);
    fflush(stdout);
    fprintf(stderr, "powercut: %s: %u cuts before the first page, %u between pages, %u on trial\n",
            scenario->name, (unsigned)struck[PHASE_REQUEST], (unsigned)struck[PHASE_PAGES],
            (unsigned)struck[PHASE_TRIAL]);
    return counts[GOOD] == cuts;
}

/* Run a scenario without a cut, and note how long it takes. */
static bool measure(struct board *board, struct scenario *scenario)
{
    uint64_t begin = now_ms();

    scenario->begin = malloc(BOARD_FLASH_SIZE);
    if (scenario->begin == NULL)
        return false;
    memcpy(scenario->begin, board->flash, BOARD_FLASH_SIZE);
    scenario->steps = 2 * ((board->releases[VERSION_NEW].size + 1023) / 1024);
    if (!run_to(board, scenario->end, BOOT_LIMIT_MS, &scenario->begin_ms) ||
        judge_state(board, scenario) != GOOD) {
        fprintf(stderr, "powercut: the %s failed without any cut\n", scenario->name);
        return false;
    }
    scenario->whole_ms = (uint32_t)(now_ms() - begin);
    return true;
}

static int run(struct board *board, uint32_t cuts, uint32_t seed)
{
    struct scenario update = {"update", NULL, MUP_BOOT_TRIAL, VERSION_NEW, VERSION_OLD, 0, 0, 0};
    struct scenario revert = {"revert", NULL, MUP_BOOT_REVERTED, VERSION_OLD, VERSION_OLD, 0, 0, 0};
    bool good;

    srandom(seed);
    good = board_request(board, VERSION_NEW) && measure(board, &update) && board_give_up(board) &&
           measure(board, &revert);
    if (good)
        fprintf(stderr, "powercut: seed %u; a swap takes %u ms, the way back %u ms\n",
                (unsigned)seed, (unsigned)update.whole_ms, (unsigned)revert.whole_ms);
    good = good && run_scenario(board, &update, cuts - cuts / 4);
    good = good && (cuts < 4 || run_scenario(board, &revert, cuts / 4));
    free(update.begin);
    free(revert.begin);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct board board;
    char boot[512];
    uint32_t cuts = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
    uint32_t seed = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 1;
    int status = 1;

    if (argc < 4 || argc > 5 || cuts == 0) {
        fprintf(stderr, "usage: bench-powercut-microbit BIN_FOLDER IMAGES_FOLDER CUTS [SEED]\n");
        return 2;
    }
    snprintf(boot, sizeof boot, "%s/microbit-boot.bin", argv[2]);
    if (access(boot, R_OK) != 0 || access("/usr/bin/qemu-system-arm", X_OK) != 0) {
        fprintf(stderr, "powercut: no firmware in %s, or no qemu-system-arm: nothing is cut\n",
                argv[2]);
        return SKIPPED;
    }
    if (board_make(&board, argv[1], argv[2]))
        status = run(&board, cuts, seed);
    board_free(&board);
    return status;
}
