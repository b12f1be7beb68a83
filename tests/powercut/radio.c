/*
 * bench-powercut-radio: kill -9 of an emulated micro:bit that is updated over 6LoWPAN by a whole
 * edge: broker, bridge, update server, router.
 *
 *     bench-powercut-radio BIN_FOLDER SOURCE_FOLDER CUTS [SEED]
 *
 * The flash file is looked at all the time, so that a kill comes when it is wanted:
 *
 *     transfer    a page that is drawn is erased, or one of its words was programmed, or the
 *                 progress record behind it changes: three cuts in each update
 *     confirm     while the new image is on trial, and when the word CONFIRMED was just written
 *     key-change  the edge has another key; the device, which has the old one or none, is killed at
 *                 any moment from its start on, when its identity changes, and a little later
 *
 * After each cut the journal and the identity can be read, and an image that is not being swapped
 * is whole. The board is started again and nobody helps: the update of before goes on and ends
 * confirmed, with the new image, whole, and the floor raised; the key change ends with the new key
 * and nothing else changed, and a further update by that key is confirmed.
 *
 * Prints one row for each scenario: SCENARIO CUTS BRICKED WRONG_IMAGE INCONSISTENT STUCK SECONDS;
 * where the cuts struck goes to stderr. Exit code 0 when nothing went wrong, 1 when something did,
 * 2 for usage, 77 when QEMU or the firmware is not there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mup/flash_map.h"
#include "radio_lab.h"

#define SKIPPED        77
#define PAGE_SIZE      1024u
#define CUTS_AN_UPDATE 3u
#define UPDATE_EACH    16u /* key changes */
#define STRUCK_MAX     3u
#define STATE_AT       (MUP_FLASH_BOOT_SIZE + 2 * MUP_FLASH_SLOT_SIZE)
#define STAGED_AT      (MUP_FLASH_BOOT_SIZE + MUP_FLASH_SLOT_SIZE + PAGE_SIZE)
#define PROGRESS_AT    (STATE_AT + MUP_STATE_PAGE_PROGRESS * PAGE_SIZE)
#define IDENTITY_AT    (STATE_AT + MUP_STATE_PAGE_IDENTITY * PAGE_SIZE)

enum verdict { GOOD, BRICKED, WRONG_IMAGE, INCONSISTENT, STUCK, VERDICT_COUNT };

static const char *const verdict_names[VERDICT_COUNT] = {"good", "bricked", "wrong_image",
                                                         "inconsistent", "stuck"};

struct row {
    const char *name;
    uint32_t counts[VERDICT_COUNT];
    const char *struck_names[STRUCK_MAX];
    uint32_t struck[STRUCK_MAX];
    uint64_t begin_ms;
};

static uint32_t draw(uint32_t below)
{
    return (uint32_t)random() % below;
}

/* ---- judging --------------------------------------------------------------------------------- */

static bool is_whole(const struct board *board)
{
    struct mup_boot_state state;

    return board_state(board, &state) && board_runs_whole_image(board, &state);
}

/* As the cut left it. */
static enum verdict judge_cut(const struct lab *lab)
{
    struct mup_boot_state state;
    struct mup_identity identity;

    if (!board_state(&lab->board, &state) || !board_identity(&lab->board, &identity) ||
        memcmp(&identity.vendor, &lab->identity.vendor, sizeof identity.vendor) != 0 ||
        memcmp(identity.uuid, lab->identity.uuid, sizeof identity.uuid) != 0)
        return INCONSISTENT;
    if (state.phase == MUP_BOOT_SWAPPING || state.phase == MUP_BOOT_REVERTING)
        return GOOD; /* a mixture, and known to be one */
    return board_runs_whole_image(&lab->board, &state) ? GOOD : WRONG_IMAGE;
}

/* The update goes on, and what comes of it. */
static enum verdict judge_update(struct lab *lab)
{
    struct mup_boot_state state;
    uint64_t begin = lab_now_ms();

    while (!lab_update_has_ended(lab) && lab_now_ms() < begin + LAB_LIMIT_MS)
        mup_process_pump(&lab->bed.processes, 10);
    if (!board_state(&lab->board, &state))
        return INCONSISTENT;
    if (lab_update_has_ended(lab) && lab_update_is_confirmed(lab)) {
        if (!board_runs_whole_image(&lab->board, &state))
            return WRONG_IMAGE;
        return state.running.version == lab_version(lab) &&
                       state.version_floor == lab_version(lab) &&
                       (state.phase == MUP_BOOT_CONFIRMED || state.phase == MUP_BOOT_IDLE)
                   ? GOOD
                   : INCONSISTENT;
    }
    fprintf(stderr, "powercut: the update %s; phase %d, version %u\n",
            lab_update_has_ended(lab) ? "failed" : "does not end", (int)state.phase,
            (unsigned)state.running.version);
    return is_whole(&lab->board) ? STUCK : BRICKED;
}

static void count(struct row *row, enum verdict verdict, uint32_t cuts)
{
    row->counts[verdict] += cuts;
    if (verdict != GOOD)
        fprintf(stderr, "powercut: %s: %s\n", row->name, verdict_names[verdict]);
}

static bool print_row(const struct row *row)
{
    uint32_t cuts = 0;

    for (int i = 0; i < VERDICT_COUNT; i++)
        cuts += row->counts[i];
    printf("%s %u %u %u %u %u %.1f\n", row->name, (unsigned)cuts, (unsigned)row->counts[BRICKED],
           (unsigned)row->counts[WRONG_IMAGE], (unsigned)row->counts[INCONSISTENT],
           (unsigned)row->counts[STUCK], (double)(lab_now_ms() - row->begin_ms) / 1000.0);
    fflush(stdout);
    fprintf(stderr, "powercut: %s: %u cuts", row->name, (unsigned)cuts);
    for (size_t i = 0; i < STRUCK_MAX; i++)
        fprintf(stderr, ", %u %s", (unsigned)row->struck[i], row->struck_names[i]);
    fprintf(stderr, "\n");
    return row->counts[GOOD] == cuts;
}

/* ---- transfer -------------------------------------------------------------------------------- */

/* What a cut of the transfer waits for. */
struct aim {
    const uint8_t *page;     /* of the staging slot */
    const uint8_t *image;    /* what will be there */
    uint8_t kept[PAGE_SIZE]; /* what was there */
    uint8_t record[2 * PAGE_SIZE];
    uint32_t word;
    enum { AIM_ERASE, AIM_WORD, AIM_RECORD, AIM_COUNT } kind;
};

/* In the `part`-th third of the image. */
static void draw_aim(struct aim *aim, const struct lab *lab, uint32_t part)
{
    const struct board_release *release = &lab->board.releases[lab_version(lab)];
    uint32_t pages = release->size / PAGE_SIZE; /* whole ones */
    uint32_t page = (part * pages + draw(pages)) / CUTS_AN_UPDATE;

    aim->page = lab->board.flash + STAGED_AT + page * PAGE_SIZE;
    aim->image = release->image + page * PAGE_SIZE;
    aim->word = draw(PAGE_SIZE / 4);
    aim->kind = draw(AIM_COUNT);
    memcpy(aim->kept, aim->page, sizeof aim->kept);
    memcpy(aim->record, lab->board.flash + PROGRESS_AT, sizeof aim->record);
}

static bool page_changed(const struct aim *aim)
{
    return memcmp(aim->page, aim->kept, PAGE_SIZE) != 0;
}

/* Whether it is the moment; record and page are looked at in the order in which they change. */
static bool is_reached(struct aim *aim, const struct lab *lab)
{
    if (!page_changed(aim)) {
        memcpy(aim->record, lab->board.flash + PROGRESS_AT, sizeof aim->record);
        return false;
    }
    if (aim->kind == AIM_WORD)
        return memcmp(aim->page + 4 * aim->word, aim->image + 4 * aim->word, 4) == 0;
    return aim->kind == AIM_ERASE ||
           memcmp(lab->board.flash + PROGRESS_AT, aim->record, sizeof aim->record) != 0;
}

/* False when the transfer was over before. */
static bool await_aim(struct lab *lab, struct aim *aim)
{
    uint64_t begin = lab_now_ms();

    while (lab_now_ms() < begin + LAB_LIMIT_MS) {
        struct mup_boot_state state;

        for (uint32_t i = 0; i < 64; i++) /* the instant matters */
            if (is_reached(aim, lab))
                return true;
        mup_process_pump(&lab->bed.processes, 0);
        if (lab_update_has_ended(lab) ||
            (board_state(&lab->board, &state) && state.phase != MUP_BOOT_IDLE &&
             state.phase != MUP_BOOT_CONFIRMED))
            return false;
    }
    return false;
}

/* Where it struck: 0 page, 1 record, 2 between. */
static size_t struck_by(const struct aim *aim, const struct lab *lab)
{
    uint8_t erased[PAGE_SIZE];

    memset(erased, 0xff, sizeof erased);
    if (aim->kind == AIM_RECORD &&
        memcmp(lab->board.flash + PROGRESS_AT, aim->record, sizeof aim->record) != 0)
        return 1;
    return page_changed(aim) && memcmp(aim->page, aim->image, PAGE_SIZE) != 0 ? 0 : 2;
}

static bool cut_transfers(struct lab *lab, uint32_t cuts)
{
    struct row row = {.name = "transfer",
                      .struck_names = {"with a page erased or half written", "at a progress record",
                                       "between pages"},
                      .begin_ms = lab_now_ms()};
    uint32_t done = 0;

    for (uint32_t missed = 0; done < cuts && missed < 100;) {
        enum verdict verdict = GOOD;
        uint32_t here = 0;

        if (!lab_begin_update(lab))
            return false;
        for (uint32_t part = 0; part < CUTS_AN_UPDATE && done + here < cuts; part++) {
            static struct aim aim;

            draw_aim(&aim, lab, part);
            if (!await_aim(lab, &aim)) {
                missed++;
                break;
            }
            lab_power_off(lab);
            here++;
            row.struck[struck_by(&aim, lab)]++;
            verdict = verdict == GOOD ? judge_cut(lab) : verdict;
            if (!lab_power_on(lab))
                return false;
        }
        done += here;
        count(&row, verdict == GOOD ? judge_update(lab) : verdict, here);
        if (row.counts[GOOD] != done)
            break; /* what comes after it would say nothing */
    }
    return print_row(&row) && done == cuts;
}

/* ---- confirm --------------------------------------------------------------------------------- */

/* Until the journal has one of these phases, with the new version. */
static bool await_phase(struct lab *lab, enum mup_boot_phase one, enum mup_boot_phase other)
{
    struct mup_boot_state state;
    uint64_t begin = lab_now_ms();

    while (lab_now_ms() < begin + LAB_LIMIT_MS) {
        for (uint32_t i = 0; i < 64; i++)
            if (board_state(&lab->board, &state) && state.running.version == lab_version(lab) &&
                (state.phase == one || state.phase == other))
                return true;
        mup_process_pump(&lab->bed.processes, 0);
        if (lab_update_has_ended(lab))
            return false;
    }
    return false;
}

/* Where it struck: 0 on trial, 1 confirmed and not told yet, 2 told. */
static bool strike_confirm(struct lab *lab, struct row *row, enum verdict *verdict)
{
    struct mup_boot_state state;

    lab_power_off(lab);
    if (!board_state(&lab->board, &state)) {
        *verdict = INCONSISTENT;
        return lab_power_on(lab);
    }
    row->struck[state.phase == MUP_BOOT_TRIAL ? 0 : state.phase == MUP_BOOT_CONFIRMED ? 1 : 2]++;
    *verdict = *verdict == GOOD ? judge_cut(lab) : *verdict;
    return lab_power_on(lab);
}

/* One cut on trial and one at the word; a third start on trial is left for the way out. */
static bool cut_confirms(struct lab *lab, uint32_t cuts)
{
    struct row row = {.name = "confirm",
                      .struck_names = {"on trial", "at the word confirmed", "behind the report"},
                      .begin_ms = lab_now_ms()};
    uint32_t trial_ms = 200;
    uint32_t done = 0;

    while (done < cuts) {
        enum verdict verdict = GOOD;
        uint32_t here = 0;
        uint64_t begin;

        if (!lab_begin_update(lab) || !await_phase(lab, MUP_BOOT_TRIAL, MUP_BOOT_CONFIRMED))
            return false;
        begin = lab_now_ms();
        if (draw(2) == 0 && done + 1 < cuts) {
            lab_pause(lab, draw(trial_ms));
            here++;
            if (!strike_confirm(lab, &row, &verdict))
                return false;
        } else if (await_phase(lab, MUP_BOOT_CONFIRMED, MUP_BOOT_IDLE)) {
            trial_ms = (uint32_t)(lab_now_ms() - begin) + 1;
        }
        if (await_phase(lab, MUP_BOOT_CONFIRMED, MUP_BOOT_IDLE)) {
            here++;
            if (!strike_confirm(lab, &row, &verdict))
                return false;
        }
        done += here;
        count(&row, verdict == GOOD ? judge_update(lab) : verdict, here);
        if (row.counts[GOOD] != done || here == 0)
            break;
    }
    return print_row(&row) && done >= cuts;
}

/* ---- key change ------------------------------------------------------------------------------ */

/* Exactly one valid anchor for the update server: `key` of epoch 2, or what it had. */
static bool has_key(const struct lab *lab, const uint8_t key[MUP_P256_KEY_SIZE])
{
    struct mup_identity identity;

    return board_identity(&lab->board, &identity) && identity.server_epoch == 2 &&
           memcmp(identity.server.public_key, key, MUP_P256_KEY_SIZE) == 0;
}

static bool has_what_it_had(const struct lab *lab, const struct mup_identity *had)
{
    struct mup_identity identity;

    return board_identity(&lab->board, &identity) && memcmp(&identity, had, sizeof identity) == 0;
}

static bool identity_changes(struct lab *lab, uint32_t limit_ms)
{
    static uint8_t kept[2 * PAGE_SIZE];
    uint64_t begin = lab_now_ms();

    memcpy(kept, lab->board.flash + IDENTITY_AT, sizeof kept);
    while (lab_now_ms() < begin + limit_ms) {
        for (uint32_t i = 0; i < 256; i++)
            if (memcmp(kept, lab->board.flash + IDENTITY_AT, sizeof kept) != 0)
                return true;
        mup_process_pump(&lab->bed.processes, 0);
    }
    return false;
}

static bool await_key(struct lab *lab, const uint8_t key[MUP_P256_KEY_SIZE])
{
    uint64_t begin = lab_now_ms();

    while (!has_key(lab, key) && lab_now_ms() < begin + LAB_LIMIT_MS)
        lab_pause(lab, 2);
    return has_key(lab, key);
}

/* The instant of a cut: at any moment, at the first word that changes, or a little later. */
static void await_key_instant(struct lab *lab, uint32_t whole_ms)
{
    uint32_t kind = draw(4);

    if (kind == 0) {
        lab_pause(lab, draw(whole_ms + 1));
        return;
    }
    identity_changes(lab, LAB_LIMIT_MS);
    if (kind == 3)
        lab_pause(lab, draw(50));
}

/* With no further cut. */
static enum verdict judge_key(struct lab *lab, const uint8_t key[MUP_P256_KEY_SIZE], uint32_t cut)
{
    struct mup_identity identity;

    if (!lab_power_on(lab))
        return BRICKED;
    if (!await_key(lab, key))
        return is_whole(&lab->board) ? STUCK : BRICKED;
    if (!board_identity(&lab->board, &identity) ||
        memcmp(&identity.vendor, &lab->identity.vendor, sizeof identity.vendor) != 0)
        return INCONSISTENT;
    if (!is_whole(&lab->board))
        return WRONG_IMAGE;
    if (cut % UPDATE_EACH != 0)
        return GOOD;
    return lab_begin_update(lab) ? judge_update(lab) : STUCK;
}

static bool cut_key_changes(struct lab *lab, uint32_t cuts)
{
    struct row row = {.name = "key-change",
                      .struck_names = {"before", "in the record", "behind it"},
                      .begin_ms = lab_now_ms()};
    struct mup_identity had[2];
    uint8_t key[MUP_P256_KEY_SIZE];
    uint32_t whole_ms = 1000;
    uint32_t cut = 0;

    if (!lab_has_a_next_version(lab))
        return false;
    lab_power_off(lab);
    memcpy(lab->before, lab->board.flash, BOARD_FLASH_SIZE);
    had[0] = lab->identity;
    if (!board_identity(&lab->board, &had[1]) || had[1].server_epoch != 1 ||
        !lab_change_key(lab, key))
        return false;
    lab->epoch = 2;
    while (cut < cuts) {
        size_t which = cut == 0 ? 1 : draw(2); /* none before, or the old one */
        size_t version = lab->at;
        uint64_t begin = lab_now_ms();
        bool changed;
        enum verdict verdict;

        if (!lab_restart_with(lab, which == 0 ? lab->factory : lab->before))
            return false;
        if (cut == 0) { /* how long it takes */
            identity_changes(lab, LAB_LIMIT_MS);
            whole_ms = (uint32_t)(lab_now_ms() - begin);
        } else {
            await_key_instant(lab, whole_ms);
        }
        lab_power_off(lab);
        cut++;
        changed = memcmp((which == 0 ? lab->factory : lab->before) + IDENTITY_AT,
                         lab->board.flash + IDENTITY_AT, 2 * PAGE_SIZE) != 0;
        verdict = judge_cut(lab);
        row.struck[has_key(lab, key) ? 2 : changed ? 1 : 0]++;
        if (verdict == GOOD && !has_key(lab, key) && !has_what_it_had(lab, &had[which]))
            verdict = INCONSISTENT;
        lab->at = which == 0 ? 0 : version;
        count(&row,
              verdict == GOOD ? judge_key(lab, key, cut == cuts ? UPDATE_EACH : cut) : verdict, 1);
        lab->at = version;
        if (row.counts[GOOD] != cut)
            break;
    }
    return print_row(&row) && cut == cuts;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int run(struct lab *lab, uint32_t cuts)
{
    uint32_t quarter = cuts / 4;
    bool good = cut_transfers(lab, cuts - 2 * quarter);

    good = good && (quarter == 0 || cut_confirms(lab, quarter));
    good = good && (quarter == 0 || cut_key_changes(lab, quarter));
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct lab lab = {.device = {.process = "board", .version = 1},
                             .board = {.radio = -1, .flash = MAP_FAILED}};
    char boot[512];
    uint32_t cuts = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
    uint32_t seed = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 1;
    int status = 1;

    if (argc < 4 || argc > 5 || cuts == 0) {
        fprintf(stderr, "usage: bench-powercut-radio BIN_FOLDER SOURCE_FOLDER CUTS [SEED]\n");
        return 2;
    }
    snprintf(boot, sizeof boot, "%s/build/microbit/bin/microbit-boot.bin", argv[2]);
    if (access(boot, R_OK) != 0 || access("/usr/bin/qemu-system-arm", X_OK) != 0) {
        fprintf(stderr, "powercut: no %s, or no qemu-system-arm: nothing is cut\n", boot);
        return SKIPPED;
    }
    lab.factory = malloc(BOARD_FLASH_SIZE);
    lab.before = malloc(BOARD_FLASH_SIZE);
    srandom(seed);
    if (lab.factory != NULL && lab.before != NULL) {
        if (lab_open(&lab, argv[1], argv[2]))
            status = run(&lab, cuts);
        lab.bed.keep_folder = status != 0;
        if (status != 0)
            fprintf(stderr, "powercut: logs and flash are in %s\n", lab.bed.folder);
        mup_testbed_end(&lab.bed);
        board_free(&lab.board);
    }
    free(lab.factory);
    free(lab.before);
    return status;
}
