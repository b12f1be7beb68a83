/* Mount one attack or all of them in one testbed, and see whether the device still works. */
#include "attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attack_internal.h"

#define EDGE_BROKEN_INTO                                                             \
    "The attacker owns the broker and has broken into the edge: he has the update\n" \
    "server's private key, not the vendor's."

static const struct attack {
    const char *name;
    const char *holds; /* what the attacker has */
    const char *story;
    mup_attack_mount *mount;
} attacks[] = {
    {"replayed-manifest", "The attacker owns the broker; he has no private key.",
     "He records the manifest of a genuine update and publishes it again.",
     mup_attack_replayed_manifest},
    {"rogue-bootstrap", "The attacker owns the broker; he has no private key but one of his own.",
     "He answers a new device before the bridge does: a certificate for his own key.",
     mup_attack_rogue_bootstrap},
    {"forged-outer", "The attacker owns the broker; he has no private key but one of his own.",
     "He takes a genuine vendor manifest and signs the extended manifest himself.",
     mup_attack_forged_outer},
    {"forged-inner", EDGE_BROKEN_INTO, "He makes an image of his own and plays the vendor.",
     mup_attack_forged_inner},
    {"downgrade", EDGE_BROKEN_INTO, "He offers an old version that the vendor once signed.",
     mup_attack_downgrade},
    {"wrong-device", EDGE_BROKEN_INTO,
     "He gives this device an update that is addressed to another one.", mup_attack_wrong_device},
    {"wrong-app", EDGE_BROKEN_INTO,
     "He gives this device what the vendor signed for another product.", mup_attack_wrong_app},
    {"forged-slice", "The attacker owns the broker; he has no private key.",
     "He puts forged slices into a genuine transfer.", mup_attack_forged_slice},
    {"power-cut", "There is no attacker: this is a fault.",
     "The power fails in the middle of a transfer.", mup_attack_power_cut},
};

#define ATTACKS (sizeof attacks / sizeof attacks[0])

const char *const *mup_attack_names(size_t *count)
{
    static const char *names[ATTACKS];

    for (size_t i = 0; i < ATTACKS; i++)
        names[i] = attacks[i].name;
    *count = ATTACKS;
    return names;
}

static bool is_named(const char *name)
{
    for (size_t i = 0; i < ATTACKS; i++)
        if (strcmp(attacks[i].name, name) == 0)
            return true;
    return strcmp(name, "all") == 0;
}

static int say_names(const char *name)
{
    fprintf(stderr, "demo: there is no attack '%s'; choose one of\n  all\n", name);
    for (size_t i = 0; i < ATTACKS; i++)
        fprintf(stderr, "  %s\n", attacks[i].name);
    return 2;
}

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool must_stop(const struct mup_attack_scene *scene)
{
    return scene->bed.processes.stop != NULL && *scene->bed.processes.stop;
}

/* The attack, and then the proof that the device goes on as before. Without a scene the result says
 * that neither was found out. */
static void run(struct mup_attack_scene *scene, bool is_open, const struct attack *attack,
                struct mup_attack_result *result)
{
    long begin = now_ms();

    *result = (struct mup_attack_result){.name = attack->name};
    if (!is_open || must_stop(scene))
        return;
    mup_attack_tell(scene, "%s\n%s\n%s\n", attack->name, attack->holds, attack->story);
    result->mounted = attack->mount(scene, result);
    if (must_stop(scene))
        return;
    mup_attack_tell(scene, "Does the device still work? The vendor publishes its next version.");
    result->still_works =
        mup_attack_update(scene, &scene->victim, MUP_ATTACK_IMAGE_SIZE) && !result->was_harmed;
    mup_attack_tell(scene, "Version %u is %s.", (unsigned)scene->released,
                    result->still_works ? "confirmed" : "NOT confirmed");
    result->milliseconds = now_ms() - begin;
}

static void print_scene(const struct mup_attack_scene *scene)
{
    printf("A whole edge, and %s.\n\n",
           scene->board == &mup_board_microbit
               ? "an emulated micro:bit: Cortex-M0, 16 kB of RAM, 6LoWPAN"
               : "a virtual device, which is a process");
    fflush(stdout);
}

/* Takes the reference. */
static void print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2));
    putchar('\n');
    fflush(stdout);
    json_decref(value);
}

/* Those that `name` means; true when each was stopped and the device works. */
static bool run_named(struct mup_attack_scene *scene, bool is_open, const char *name, bool json)
{
    bool all = strcmp(name, "all") == 0;
    bool good = true;
    json_t *list = json_array();

    if (!json)
        print_scene(scene);
    if (all && !json)
        mup_attack_print_header();
    for (size_t i = 0; i < ATTACKS; i++) {
        struct mup_attack_result result;

        if (!all && strcmp(attacks[i].name, name) != 0)
            continue;
        run(scene, is_open, &attacks[i], &result);
        if (must_stop(scene)) {
            fprintf(stderr, "demo: stopped; nothing is said of %s%s\n", attacks[i].name,
                    all && i + 1 < ATTACKS ? " and those after it" : "");
            good = false;
            break;
        }
        good = good && mup_attack_is_stopped(&result) && result.still_works;
        json_array_append_new(list, mup_attack_json(&result));
        if (!json)
            (all ? mup_attack_print_row : mup_attack_print_account)(&result);
    }
    if (all && !json && !must_stop(scene))
        mup_attack_print_footer();
    if (json)
        print_json(all || json_array_size(list) == 0 ? json_incref(list)
                                                     : json_incref(json_array_get(list, 0)));
    json_decref(list);
    return good;
}

int mup_demo_attack(const char *name, const struct mup_board *board, bool json,
                    const char *bin_folder, const char *source_folder, volatile const int *stop)
{
    struct mup_attack_scene *scene;
    bool is_open;
    bool good;

    if (!is_named(name))
        return say_names(name);
    scene = calloc(1, sizeof *scene);
    if (scene == NULL)
        return 1;
    scene->narrates = !json && strcmp(name, "all") != 0;
    is_open = mup_attack_scene_open(scene, board, bin_folder, source_folder, stop);
    good = run_named(scene, is_open, name, json);
    mup_attack_scene_close(scene);
    free(scene);
    return good ? 0 : 1;
}
