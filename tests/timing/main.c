/*
 * bench-device: how long the firmware of the micro:bit takes, in instructions, cycles and seconds.
 *
 *     bench-device BIN_FOLDER IMAGES_FOLDER [--json]
 *
 * The figures are the same in each run of the same firmware. Exit code 0, also 1 when the measuring
 * failed, 2 for usage, 3 when the application was held up for longer than it may be, 77 when QEMU
 * or the firmware is not there.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "update.h"

#define SKIPPED  77
#define HELD_UP  3
#define LIMIT_MS 20.0
#define EMULATOR "/usr/bin/qemu-system-arm"

static const char *const assumptions[] = {
    "Cycles: each executed instruction by the table of the Cortex-M0 TRM (zero wait",
    "states, multiplication in 1 cycle, taken branches 3, exceptions 32). Time: cycles",
    "at 16 MHz, 46.3 us a flash word and 22.3 ms a page erasure (nRF51822 PS, longest;",
    "both together in the column flash), and the random number generator's own",
};

static const char *const stages[UPDATE_STAGES] = {
    [EDGE_WAITS] = "announcement", [EDGE_TOKEN] = "token",      [EDGE_MANIFEST] = "manifest",
    [EDGE_SLICES] = "slices",      [EDGE_LAST] = "last slices", [EDGE_VERIFY] = "verify",
    [EDGE_RESTART] = "restart",    [EDGE_ANNOUNCED] = "report", [EDGE_CONFIRMED] = "confirmed",
    [EDGE_FAILED] = "failed"};

struct row {
    const char *key;
    const char *text;
    const struct update_work *work;
};

static double seconds(const struct update_work *work)
{
    return (update_ms(work) + update_erasures_ms(work)) / 1000.0;
}

static void print_json_work(const struct update_work *work)
{
    printf("\"instructions\": %llu, \"cycles\": %llu, \"multiplications\": %llu, "
           "\"flash_words\": %llu, \"flash_erasures\": %llu, \"random_ms\": %.1f",
           (unsigned long long)work->instructions, (unsigned long long)work->cycles,
           (unsigned long long)work->multiplications, (unsigned long long)work->words,
           (unsigned long long)work->erasures, (double)work->random_us / 1000.0);
}

static void print_json_hold(const char *key, const struct update_hold *hold)
{
    printf(", \"%s\": {", key);
    print_json_work(&hold->work);
    printf(", \"ms\": %.2f, \"erasing_ms\": %.1f, \"during\": \"%s\"}", update_ms(&hold->work),
           update_erasures_ms(&hold->work), stages[hold->stage]);
}

static void print_assumptions(const char *between)
{
    const char *separator = "";

    for (size_t i = 0; i < sizeof assumptions / sizeof assumptions[0]; i++) {
        printf("%s%s", separator, assumptions[i]);
        separator = between;
    }
}

static void print_json(const struct update_result *result, const struct row *rows, size_t count)
{
    printf("{\"board\": \"microbit\", \"clock_hz\": 16000000, \"image_size\": %u, "
           "\"assumption\": \"",
           (unsigned)result->image_size);
    print_assumptions(" ");
    printf("\"");
    for (size_t i = 0; i < count; i++) {
        printf(", \"%s\": {", rows[i].key);
        print_json_work(rows[i].work);
        printf(", \"seconds\": %.6f}", seconds(rows[i].work));
    }
    print_json_hold("longest_hold", &result->hold);
    print_json_hold("longest_hold_erasing", &result->hold_erasing);
    printf(", \"hold_limit_ms\": %.0f, \"turns\": %u}\n", LIMIT_MS, (unsigned)result->turns);
}

static void print_work(const char *text, const struct update_work *work)
{
    printf("%-28s %9llu %9llu %5llu %6llu", text, (unsigned long long)work->instructions,
           (unsigned long long)work->cycles, (unsigned long long)work->words,
           (unsigned long long)work->erasures);
}

static void print_hold(const char *text, const struct update_hold *hold)
{
    char label[64];

    snprintf(label, sizeof label, "%s: %s", text, stages[hold->stage]);
    print_work(label, &hold->work);
    printf(" %6.2f %7.2f ms\n", update_words_ms(&hold->work), update_ms(&hold->work));
}

static void print_table(const struct update_result *result, const struct row *rows, size_t count)
{
    printf("micro:bit (nRF51, Cortex-M0) at 16 MHz, an update to an image of %u bytes\n\n",
           (unsigned)result->image_size);
    printf("%-28s %9s %9s %5s %6s %6s %8s\n", "", "instr.", "cycles", "words", "pages", "flash",
           "time");
    for (size_t i = 0; i < count; i++) {
        double flash_ms = update_words_ms(rows[i].work) + update_erasures_ms(rows[i].work);

        print_work(rows[i].text, rows[i].work);
        printf(" %6.3f %8.4f s\n", flash_ms / 1000.0, seconds(rows[i].work));
    }
    printf("\nlongest hold of the main loop, without the time of a page's erasure\n");
    print_hold("none erased", &result->hold);
    print_hold("a page erased", &result->hold_erasing);
    printf("\n");
    print_assumptions("\n");
    printf("\n");
}

static bool is_held_up(const struct update_result *result)
{
    return update_ms(&result->hold.work) > LIMIT_MS ||
           update_ms(&result->hold_erasing.work) > LIMIT_MS;
}

int main(int argc, char **argv)
{
    struct update_result result;
    const struct row rows[] = {
        {"signature_check", "check of a signature", &result.signature},
        {"outer_signature", "outer signature, pre-empted", &result.outer_signature},
        {"inner_signature", "inner signature, pre-empted", &result.inner_signature},
        {"extended_manifest", "extended manifest, checked", &result.manifest},
        {"extended_manifest_elapsed", "... with other work", &result.manifest_elapsed},
        {"sha256_kb", "SHA-256 of 1,024 bytes", &result.sha256_kb},
        {"last_slice_to_state", "last slice to VERIFY's state", &result.last_slice_to_state},
        {"boot_without_swap", "bootloader, nothing to do", &result.boot_plain},
        {"boot_with_swap", "bootloader, check and swap", &result.boot_swap},
        {"application_start", "application, to main loop", &result.application_start},
        {"whole_update", "token to report, with boot", &result.whole},
    };
    bool json = argc == 4 && strcmp(argv[3], "--json") == 0;
    char boot[512];

    if (argc != 3 && !json) {
        fprintf(stderr, "usage: bench-device BIN_FOLDER IMAGES_FOLDER [--json]\n");
        return 2;
    }
    snprintf(boot, sizeof boot, "%s/microbit-boot.bin", argv[2]);
    if (access(boot, R_OK) != 0 || access(EMULATOR, X_OK) != 0) {
        fprintf(stderr, "timing: no firmware in %s, or no %s: nothing is measured\n", argv[2],
                EMULATOR);
        return SKIPPED;
    }
    if (!update_measure(&result, argv[1], argv[2]))
        return 1;
    if (json)
        print_json(&result, rows, sizeof rows / sizeof rows[0]);
    else
        print_table(&result, rows, sizeof rows / sizeof rows[0]);
    if (!is_held_up(&result))
        return 0;
    fprintf(stderr, "timing: the main loop was held up for more than %.0f ms\n", LIMIT_MS);
    return HELD_UP;
}
