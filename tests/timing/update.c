/* The update, and what is read from the events of it. See update.h. */
#include "update.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "network.h"
#include "program.h"

#define UUID               "5f0c1d2e-3a4b-4c5d-8e9f-a0b1c2d3e4f5"
#define NAME               "timing"
#define VERSION_NEW        2u
#define RUN_LIMIT_S        120u
#define STOPS_MAX          200000u

#define MHZ                16u
#define NS_PER_INSTRUCTION 64u  /* of the emulated clock: machine.h */
#define WORD_US            46.3 /* nRF51822 Product Specification: t_WRITE, the longest */
#define ERASURE_MS         22.3 /* the same: t_PAGEERASE */

#define SERVICES_AT        192u /* firmware/microbit/services.h: of the bootloader */
#define SERVICE_SHA256     12u
#define SERVICE_P256       20u
#define VECTORS            48u
#define CLOCK_MS_AT        8u /* struct mup_nrf51_clock, first in main.c's `device` */
#define RING_BEGIN_AT      0u /* uart.c's ring */
#define RING_END_AT        1u
#define RING_BYTES_AT      3u
#define SHA256_PIECE       64u

enum place {
    AT_BOOT,
    AT_APPLICATION,
    AT_TURN,
    IN_MANIFEST,
    IN_SIGNATURE,
    IN_SHA256,
    IN_MEANWHILE,
    IN_RANDOM,
};

struct update {
    char folder[64];
    char flash[MACHINE_PATH_MAX];
    struct machine machine;
    struct edge edge;
    uint32_t clock_at;
    uint32_t ring_at;
    uint32_t last_ms;               /* of the device's clock */
    uint32_t base_ms;               /* of clocks before the newest reset */
    uint32_t begins[UPDATE_STAGES]; /* the first event in which the edge waits for this */
    uint32_t last_slice;            /* the first after the device had it; 0: not yet */
};

static struct broker broker;

/* ---- arithmetic -------------------------------------------------------------------------------
 */

static struct mup_count minus(const struct mup_count *a, const struct mup_count *b)
{
    return (struct mup_count){a->instructions - b->instructions, a->cycles - b->cycles,
                              a->multiplications - b->multiplications, a->words - b->words,
                              a->erasures - b->erasures};
}

static struct update_work without(const struct update_work *a, const struct update_work *b)
{
    return (struct update_work){a->instructions - b->instructions,
                                a->cycles - b->cycles,
                                a->multiplications - b->multiplications,
                                a->words - b->words,
                                a->erasures - b->erasures,
                                a->random_us - b->random_us};
}

double update_words_ms(const struct update_work *work)
{
    return (double)work->words * WORD_US / 1000.0;
}

double update_erasures_ms(const struct update_work *work)
{
    return (double)work->erasures * ERASURE_MS;
}

double update_ms(const struct update_work *work)
{
    return (double)work->cycles / (MHZ * 1000.0) + (double)work->random_us / 1000.0 +
           update_words_ms(work);
}

/* ---- the device -------------------------------------------------------------------------------
 */

static bool make_factory_flash(const struct update *update, const char *bin, const char *images)
{
    char program[MACHINE_PATH_MAX];
    char boot[MACHINE_PATH_MAX];
    char image[MACHINE_PATH_MAX];
    char key[MACHINE_PATH_MAX];
    const char *argv[] = {program,  "factory", "--flash", update->flash,  "--boot",
                          boot,     "--image", image,     "--vendor-key", key,
                          "--uuid", UUID,      "--name",  NAME,           NULL};
    int status = -1;
    pid_t pid;

    snprintf(program, sizeof program, "%s/mup-microbit", bin);
    snprintf(boot, sizeof boot, "%s/microbit-boot.bin", images);
    snprintf(image, sizeof image, "%s/microbit-app-1.bin", images);
    snprintf(key, sizeof key, "%s/vendor.pub", update->folder);
    pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY);

        if (nowhere >= 0)
            dup2(nowhere, STDOUT_FILENO);
        execv(program, (char *const *)argv);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status == 0;
}

static size_t add_place(struct machine_place *places, size_t count, enum machine_place_kind kind,
                        enum place number, uint32_t address)
{
    places[count] = (struct machine_place){kind, (uint32_t)number, address};
    return address == 0 ? count : count + 1;
}

/* The handlers of the bootloader's table, through which all interrupts go. */
static size_t add_exceptions(struct machine_place *places, size_t count, const char *boot)
{
    uint32_t seen[4] = {0};
    size_t seen_count = 0;

    for (uint32_t vector = 2; vector < VECTORS && seen_count < 4; vector++) {
        uint32_t address = 0;
        bool known = false;

        if (!program_word(boot, 4 * vector, &address))
            return count;
        for (size_t i = 0; i < seen_count; i++)
            known = known || seen[i] == address;
        if (known)
            continue;
        seen[seen_count++] = address;
        places[count++] = (struct machine_place){PLACE_EXCEPTION, 0, address};
    }
    return count;
}

static bool start_machine(struct update *update, const char *bin, const char *images)
{
    struct machine_place places[MACHINE_PLACES_MAX];
    char boot[MACHINE_PATH_MAX];
    char boot_elf[MACHINE_PATH_MAX];
    char application[MACHINE_PATH_MAX];
    uint32_t sleep_at;
    uint32_t sha256 = 0;
    uint32_t p256 = 0;
    size_t count = 0;

    snprintf(boot, sizeof boot, "%s/microbit-boot.bin", images);
    snprintf(boot_elf, sizeof boot_elf, "%s/microbit-boot.elf", images);
    snprintf(application, sizeof application, "%s/microbit-app-1.elf", images);
    if (!program_word(boot, SERVICES_AT + SERVICE_SHA256, &sha256) ||
        !program_word(boot, SERVICES_AT + SERVICE_P256, &p256))
        return false;
    count =
        add_place(places, count, PLACE_MARK, AT_BOOT, program_symbol(boot_elf, "microbit_reset"));
    count = add_place(places, count, PLACE_MARK, AT_APPLICATION,
                      program_symbol(application, "microbit_reset"));
    count = add_place(places, count, PLACE_MARK, AT_TURN,
                      program_symbol(application, "microbit_application_tick"));
    count = add_place(places, count, PLACE_SPAN, IN_MANIFEST,
                      program_symbol(application, "mup_agent_take_manifest"));
    count = add_place(places, count, PLACE_SPAN, IN_MEANWHILE,
                      program_symbol(application, "microbit_meanwhile"));
    count =
        add_place(places, count, PLACE_SPAN, IN_RANDOM, program_symbol(application, "nrf51_fill"));
    count = add_place(places, count, PLACE_SPAN, IN_SHA256, sha256);
    count = add_place(places, count, PLACE_SPAN, IN_SIGNATURE, p256);
    if (count != IN_RANDOM + 1)
        return false;
    count = add_exceptions(places, count, boot);
    update->clock_at = program_symbol(application, "device") + CLOCK_MS_AT;
    update->ring_at = program_symbol(application, "uart");
    sleep_at = program_symbol(application, "mup_nrf51_sleep");
    if (update->clock_at == CLOCK_MS_AT || update->ring_at == 0 || sleep_at == 0)
        return false;
    return machine_start(&update->machine, update->folder, bin, update->flash, places, count,
                         sleep_at);
}

/* ---- one stop ---------------------------------------------------------------------------------
 */

static void tell_time(struct update *update)
{
    uint32_t ms;

    memcpy(&ms, machine_ram(&update->machine, update->clock_at), sizeof ms);
    if (ms < update->last_ms)
        update->base_ms += update->last_ms;
    update->last_ms = ms;
    network_time(update->base_ms + ms);
}

static void take_output(const struct update *update)
{
    uint8_t bytes[4096];
    ssize_t got;

    while ((got = read(update->machine.radio, bytes, sizeof bytes)) > 0)
        network_take(bytes, (size_t)got);
}

/* As many bytes as the ring has room for. */
static void give_input(struct update *update)
{
    uint8_t *ring = machine_ram(&update->machine, update->ring_at);
    const uint8_t *bytes;
    size_t left = network_output(&bytes);
    size_t given = 0;

    for (; given < left && (uint8_t)(ring[RING_END_AT] + 1) != ring[RING_BEGIN_AT]; given++) {
        ring[RING_BYTES_AT + ring[RING_END_AT]] = bytes[given];
        ring[RING_END_AT]++;
    }
    network_sent(given);
}

static void stop(struct update *update)
{
    const uint8_t *bytes;
    enum edge_stage before = update->edge.stage;

    tell_time(update);
    take_output(update);
    edge_step(&update->edge);
    network_send();
    for (unsigned stage = before + 1; stage <= (unsigned)update->edge.stage; stage++)
        update->begins[stage] = update->machine.count->event_count;
    give_input(update);
    if (update->last_slice == 0 && update->edge.stage == EDGE_LAST && broker.out_size == 0 &&
        network_output(&bytes) == 0)
        update->last_slice = update->machine.count->event_count;
}

static bool run(struct update *update)
{
    for (unsigned stops = 0; stops < STOPS_MAX && update->edge.stage < EDGE_CONFIRMED; stops++) {
        if (!machine_wait(&update->machine, RUN_LIMIT_S)) {
            fprintf(stderr, "timing: the machine does not answer (stage %d, stop %u)\n",
                    (int)update->edge.stage, stops);
            return false;
        }
        stop(update);
        if (update->edge.stage < EDGE_CONFIRMED && !machine_go(&update->machine))
            return false;
    }
    if (update->edge.stage == EDGE_CONFIRMED && update->machine.count->lost == 0)
        return true;
    fprintf(stderr, "timing: the update came to stage %d\n", (int)update->edge.stage);
    return false;
}

/* ---- what it took -----------------------------------------------------------------------------
 */

struct span {
    uint32_t begin; /* its events */
    uint32_t end;
};

/* Between two events. */
static struct update_work between(const struct mup_count_file *file, uint32_t begin, uint32_t end)
{
    struct mup_count sum = minus(&file->events[end].at, &file->events[begin].at);
    struct update_work work = {sum.instructions, sum.cycles,   sum.multiplications,
                               sum.words,        sum.erasures, 0};
    const struct mup_count *waits = NULL;

    for (uint32_t i = begin; i <= end; i++) {
        if (file->events[i].place != IN_RANDOM)
            continue;
        if (file->events[i].is_end != 0 && waits != NULL) {
            struct mup_count wait = minus(&file->events[i].at, waits);
            uint64_t waited_us = wait.instructions * NS_PER_INSTRUCTION / 1000;

            work.instructions -= wait.instructions;
            work.cycles -= wait.cycles;
            work.random_us += (waited_us + 50) / 100 * 100;
        }
        waits = file->events[i].is_end != 0 ? NULL : &file->events[i].at;
    }
    return work;
}

/* The next span of a place from an event on; false when there is none that ends. */
static bool find_span(const struct mup_count_file *file, struct span *span, uint32_t place,
                      uint32_t from)
{
    for (span->begin = from; span->begin < file->event_count; span->begin++) {
        if (file->events[span->begin].place != place || file->events[span->begin].is_end != 0)
            continue;
        for (span->end = span->begin + 1; span->end < file->event_count; span->end++)
            if (file->events[span->end].place == place && file->events[span->end].is_end != 0)
                return true;
        return false;
    }
    return false;
}

static struct update_work elapsed(const struct mup_count_file *file, const struct span *span)
{
    return between(file, span->begin, span->end);
}

/* Without the turns that others had in between. */
static struct update_work own(const struct mup_count_file *file, const struct span *span)
{
    struct update_work sum = elapsed(file, span);
    struct span other;

    for (uint32_t at = span->begin;
         find_span(file, &other, IN_MEANWHILE, at) && other.end < span->end; at = other.end) {
        struct update_work part = elapsed(file, &other);

        sum = without(&sum, &part);
    }
    return sum;
}

static bool find_mark(const struct mup_count_file *file, uint32_t *event, uint32_t place,
                      uint32_t from)
{
    for (*event = from; *event < file->event_count; ++*event)
        if (file->events[*event].place == place)
            return true;
    return false;
}

static bool read_boots(struct update_result *out, const struct mup_count_file *file)
{
    uint32_t boot;
    uint32_t application;
    uint32_t turn;

    if (!find_mark(file, &boot, AT_BOOT, 0) ||
        !find_mark(file, &application, AT_APPLICATION, boot) ||
        !find_mark(file, &turn, AT_TURN, application))
        return false;
    out->boot_plain = between(file, boot, application);
    out->application_start = between(file, application, turn);
    if (!find_mark(file, &boot, AT_BOOT, application) ||
        !find_mark(file, &application, AT_APPLICATION, boot))
        return false;
    out->boot_swap = between(file, boot, application);
    return true;
}

static bool read_signatures(struct update_result *out, const struct mup_count_file *file)
{
    struct span manifest;
    struct span outer;
    struct span inner;
    struct span boot;

    if (!find_span(file, &manifest, IN_MANIFEST, 0) ||
        !find_span(file, &outer, IN_SIGNATURE, manifest.begin) ||
        !find_span(file, &inner, IN_SIGNATURE, outer.end) || inner.end > manifest.end ||
        !find_span(file, &boot, IN_SIGNATURE, manifest.end))
        return false;
    out->manifest_elapsed = elapsed(file, &manifest);
    out->manifest = own(file, &manifest);
    out->outer_signature = own(file, &outer);
    out->inner_signature = own(file, &inner);
    out->signature = elapsed(file, &boot);
    return true;
}

/* One of many equal calls, from the middle of the whole image's digest. */
static bool read_sha256(struct update_result *out, const struct update *update)
{
    const struct mup_count_file *file = update->machine.count;
    uint32_t from = update->begins[EDGE_VERIFY];
    uint32_t to = update->begins[EDGE_RESTART];
    struct span piece;
    struct update_work one;

    if (!find_span(file, &piece, IN_SHA256, from + (to - from) / 2))
        return false;
    one = elapsed(file, &piece);
    out->sha256_kb = (struct update_work){.instructions = one.instructions * 1024 / SHA256_PIECE,
                                          .cycles = one.cycles * 1024 / SHA256_PIECE};
    return true;
}

static enum edge_stage stage_of(const struct update *update, uint32_t event)
{
    enum edge_stage stage = EDGE_WAITS;

    for (unsigned i = 1; i < UPDATE_STAGES; i++)
        if (update->begins[i] != 0 && update->begins[i] <= event)
            stage = (enum edge_stage)i;
    return stage;
}

static void keep_longest(struct update_hold *longest, const struct update *update,
                         const struct update_work *hold, uint32_t event)
{
    if (update_ms(hold) <= update_ms(&longest->work))
        return;
    longest->work = *hold;
    longest->stage = stage_of(update, event);
}

/* From one of the application's turns to the next, without resets in between. */
static bool read_holds(struct update_result *out, const struct update *update)
{
    const struct mup_count_file *file = update->machine.count;
    uint32_t last = 0;

    for (uint32_t i = 0; i < file->event_count; i++) {
        struct update_work hold;

        if (file->events[i].place == AT_BOOT)
            last = 0;
        if (file->events[i].place != AT_TURN)
            continue;
        out->turns++;
        if (last != 0) {
            hold = between(file, last, i);
            keep_longest(hold.erasures > 0 ? &out->hold_erasing : &out->hold, update, &hold, i);
        }
        last = i;
    }
    return out->turns > 0;
}

static bool read_result(struct update_result *out, const struct update *update)
{
    const struct mup_count_file *file = update->machine.count;

    *out = (struct update_result){.image_size = update->edge.release.manifest.image_size};
    out->last_slice_to_state = between(file, update->last_slice, update->begins[EDGE_RESTART]);
    out->whole = between(file, update->begins[EDGE_TOKEN], file->event_count - 1);
    return read_boots(out, file) && read_signatures(out, file) && read_sha256(out, update) &&
           read_holds(out, update);
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static void remove_files(const struct update *update)
{
    static const char *const names[] = {"vendor.pub", "flash", "radio.out",
                                        "count",      "ram",   "qemu.log"};
    char path[MACHINE_PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", update->folder, names[i]);
        unlink(path);
    }
    rmdir(update->folder);
}

static bool prepare(struct update *update, const char *bin, const char *images)
{
    char image[MACHINE_PATH_MAX];
    char key[MACHINE_PATH_MAX];

    snprintf(image, sizeof image, "%s/microbit-app-%u.bin", images, VERSION_NEW);
    snprintf(key, sizeof key, "%s/vendor.pub", update->folder);
    snprintf(update->flash, sizeof update->flash, "%s/flash", update->folder);
    return edge_open(&update->edge, &broker, image, VERSION_NEW, key) &&
           make_factory_flash(update, bin, images) && network_open(&broker);
}

bool update_measure(struct update_result *out, const char *bin, const char *images)
{
    static struct update update;
    bool good;

    update = (struct update){.folder = "/tmp/mup-timing-XXXXXX"};
    if (mkdtemp(update.folder) == NULL)
        return false;
    good = prepare(&update, bin, images) && start_machine(&update, bin, images) && run(&update) &&
           read_result(out, &update);
    if (update.machine.folder != NULL)
        machine_end(&update.machine);
    edge_close(&update.edge);
    remove_files(&update);
    return good;
}
