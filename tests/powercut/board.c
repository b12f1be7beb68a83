/* The emulated micro:bit of the power-cut tests: factory, releases, QEMU, flash. */
#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mup/identity.h"
#include "mup/port/posix.h"
#include "mup/sign/release.h"
#include "mup/slot.h"

#define PAGE_SIZE 1024u
#define UUID      "5f0c1d2e-3a4b-4c5d-8e9f-a0b1c2d3e4f5"

/* ---- programs -------------------------------------------------------------------------------- */

/* In a process of its own, which dies with this one. */
static pid_t spawn(const char *const argv[], const char *log)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    int out;

    if (pid != 0)
        return pid;
    out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (out >= 0) {
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        execv(argv[0], (char *const *)argv);
    _exit(127);
}

static bool run(const char *const argv[], const char *log)
{
    pid_t pid = spawn(argv, log);
    int status = -1;

    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status == 0;
}

static const char *path_in(char path[static 160], const char *folder, const char *name)
{
    snprintf(path, 160, "%s/%s", folder, name);
    return path;
}

/* ---- releases -------------------------------------------------------------------------------- */

static uint8_t *read_file(const char *path, uint32_t *size)
{
    FILE *file = fopen(path, "rbe");
    uint8_t *bytes = malloc(MUP_FLASH_SLOT_SIZE);

    *size = 0;
    if (file != NULL && bytes != NULL)
        *size = (uint32_t)fread(bytes, 1, MUP_FLASH_SLOT_SIZE, file);
    if (file != NULL)
        fclose(file);
    if (*size != 0)
        return bytes;
    fprintf(stderr, "powercut: %s cannot be read\n", path);
    free(bytes);
    return NULL;
}

static bool load_release(struct board *board, uint32_t version)
{
    struct mup_manifest fields = {.app_id = "powercut",
                                  .hardware_class = "microbit",
                                  .link_offset = MUP_FLASH_BOOT_SIZE,
                                  .new_version = version,
                                  .block_size = 1024};
    struct board_release *made = &board->releases[version];
    struct mup_error error = {""};
    struct mup_release release;
    char name[32];
    char path[160];

    snprintf(name, sizeof name, "microbit-app-%u.bin", (unsigned)version);
    made->image = read_file(path_in(path, board->images, name), &made->size);
    if (made->image == NULL)
        return false;
    if (mup_release_make(&release, &fields, made->image, made->size, &board->vendor, &error) !=
        MUP_OK) {
        fprintf(stderr, "powercut: %s\n", error.text);
        return false;
    }
    made->manifest_size = release.signed_manifest_size;
    memcpy(made->manifest, release.signed_manifest, made->manifest_size);
    mup_release_free(&release);
    made->entry = (struct mup_boot_image){.version = version, .size = made->size};
    mup_sha256_of(made->entry.digest, made->image, made->size);
    return true;
}

/* ---- flash ----------------------------------------------------------------------------------- */

static int read_mapped(void *context, uint32_t at, void *out, size_t size)
{
    if (at > BOARD_FLASH_SIZE || size > BOARD_FLASH_SIZE - at)
        return -1;
    memcpy(out, (const uint8_t *)context + at, size);
    return 0;
}

static int refuse_program(void *context, uint32_t at, const uint32_t *words, size_t word_count)
{
    (void)context;
    (void)at;
    (void)words;
    (void)word_count;
    return -1;
}

static int refuse_erase(void *context, uint32_t page_at)
{
    (void)context;
    (void)page_at;
    return -1;
}

static bool open_journal(const struct board *board, struct mup_boot *boot)
{
    struct mup_port_flash flash = {board->flash, BOARD_FLASH_SIZE, PAGE_SIZE,
                                   read_mapped,  refuse_program,   refuse_erase};
    struct mup_flash_map map;

    return mup_flash_map_default(&map, &flash) == MUP_OK && mup_boot_open(boot, &map) == MUP_OK;
}

bool board_state(const struct board *board, struct mup_boot_state *state)
{
    struct mup_boot boot;

    if (!open_journal(board, &boot))
        return false;
    mup_boot_state(&boot, state);
    return true;
}

static int program_copy(void *context, uint32_t at, const uint32_t *words, size_t word_count)
{
    uint8_t *flash = context;
    const uint8_t *bytes = (const uint8_t *)words;

    if (at > BOARD_FLASH_SIZE || 4 * word_count > BOARD_FLASH_SIZE - at)
        return -1;
    for (size_t i = 0; i < 4 * word_count; i++)
        flash[at + i] &= bytes[i];
    return 0;
}

static int erase_copy(void *context, uint32_t page_at)
{
    if (page_at > BOARD_FLASH_SIZE - PAGE_SIZE)
        return -1;
    memset((uint8_t *)context + page_at, 0xff, PAGE_SIZE);
    return 0;
}

/* Reading it may write, so it is read from a copy. */
bool board_identity(const struct board *board, struct mup_identity *identity)
{
    static uint8_t copy[BOARD_FLASH_SIZE];
    struct mup_port_flash flash = {copy,        BOARD_FLASH_SIZE, PAGE_SIZE,
                                   read_mapped, program_copy,     erase_copy};
    struct mup_flash_map map;

    memcpy(copy, board->flash, sizeof copy);
    return mup_flash_map_default(&map, &flash) == MUP_OK &&
           mup_identity_load(identity, &map) == MUP_OK;
}

/* The lower 12 bits of the journal's word (boot_internal.h). */
uint32_t board_half_steps(const struct board *board)
{
    struct mup_boot boot;

    if (!open_journal(board, &boot) ||
        (mup_boot_phase(&boot) != MUP_BOOT_SWAPPING && mup_boot_phase(&boot) != MUP_BOOT_REVERTING))
        return 0;
    return boot.journal.used.value & 0x0fffu;
}

bool board_runs_whole_image(const struct board *board, const struct mup_boot_state *state)
{
    const struct board_release *release;

    if (state->running.version > BOARD_VERSIONS)
        return false;
    release = &board->releases[state->running.version];
    return release->image != NULL && state->running.size == release->size &&
           memcmp(state->running.digest, release->entry.digest, MUP_SHA256_SIZE) == 0 &&
           memcmp(board->flash + MUP_FLASH_BOOT_SIZE, release->image, release->size) == 0;
}

static bool stage(const struct mup_flash_map *map, const struct board_release *release)
{
    struct mup_slot_writer writer;

    return mup_slot_begin(&writer, map, release->size) == MUP_OK &&
           mup_slot_write(&writer, release->image, release->size) == MUP_OK;
}

enum act { ACT_REQUEST, ACT_CONFIRM, ACT_GIVE_UP };

/* As the application: open the journal, do one thing. */
static bool act(struct board *board, enum act what, uint32_t version)
{
    const struct board_release *release = &board->releases[version];
    struct mup_posix_flash file;
    struct mup_port_flash flash;
    struct mup_flash_map map;
    struct mup_boot boot;
    bool good = false;

    if (mup_posix_flash_open(&file, board->flash_path, BOARD_FLASH_SIZE, PAGE_SIZE) != 0)
        return false;
    flash = mup_posix_flash_port(&file);
    if (mup_flash_map_default(&map, &flash) == MUP_OK && mup_boot_open(&boot, &map) == MUP_OK) {
        switch (what) {
        case ACT_REQUEST:
            good =
                stage(&map, release) && mup_boot_request(&boot, &release->entry, release->manifest,
                                                         release->manifest_size) == MUP_OK;
            break;
        case ACT_CONFIRM:
            good = mup_boot_confirm(&boot) == MUP_OK;
            break;
        case ACT_GIVE_UP:
            good = mup_boot_revert(&boot, MUP_BOOT_REASON_DEADLINE) == MUP_OK;
            break;
        }
    }
    mup_posix_flash_close(&file);
    return good;
}

bool board_request(struct board *board, uint32_t version)
{
    return act(board, ACT_REQUEST, version);
}

bool board_confirm(struct board *board)
{
    return act(board, ACT_CONFIRM, 0);
}

bool board_give_up(struct board *board)
{
    return act(board, ACT_GIVE_UP, 0);
}

/* ---- power ----------------------------------------------------------------------------------- */

/* Connections of boards that are gone. */
static void hang_up(const struct board *board)
{
    int fd;

    while ((fd = accept(board->radio, NULL, NULL)) >= 0)
        close(fd);
}

bool board_start(struct board *board)
{
    char program[160];
    char log[160];
    const char *argv[] = {path_in(program, board->bin, "mup-microbit"),
                          "run",
                          "--flash",
                          board->flash_path,
                          "--radio",
                          board->radio_path,
                          NULL};

    hang_up(board);
    board->qemu = spawn(argv, path_in(log, board->folder, "qemu.log"));
    return board->qemu > 0;
}

void board_kill(struct board *board)
{
    if (board->qemu <= 0)
        return;
    kill(board->qemu, SIGKILL);
    while (waitpid(board->qemu, NULL, 0) < 0 && errno == EINTR)
        ;
    board->qemu = 0;
}

/* The last line of QEMU's log. */
static void note_last_words(struct board *board)
{
    char path[160];
    FILE *log = fopen(path_in(path, board->folder, "qemu.log"), "re");

    while (log != NULL && fgets(board->last_words, sizeof board->last_words, log) != NULL)
        ;
    if (log != NULL)
        fclose(log);
    board->last_words[strcspn(board->last_words, "\n")] = '\0';
}

bool board_is_on(struct board *board)
{
    if (board->qemu <= 0 || waitpid(board->qemu, NULL, WNOHANG) == 0)
        return board->qemu > 0;
    board->qemu = 0;
    note_last_words(board);
    return false;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool listen_for_radio(struct board *board)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    path_in(board->radio_path, board->folder, "radio");
    if (strlen(board->radio_path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, board->radio_path, strlen(board->radio_path) + 1);
    board->radio = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return board->radio >= 0 &&
           bind(board->radio, (const struct sockaddr *)&address, sizeof address) == 0 &&
           listen(board->radio, 64) == 0;
}

static bool map_flash(struct board *board)
{
    int fd = open(board->flash_path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return false;
    board->flash = mmap(NULL, BOARD_FLASH_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return board->flash != MAP_FAILED;
}

static bool make_device(struct board *board)
{
    char program[160];
    char boot[160];
    char image[160];
    char key[160];
    char log[160];
    const char *argv[] = {path_in(program, board->bin, "mup-microbit"),
                          "factory",
                          "--flash",
                          path_in(board->flash_path, board->folder, "flash"),
                          "--boot",
                          path_in(boot, board->images, "microbit-boot.bin"),
                          "--image",
                          path_in(image, board->images, "microbit-app-1.bin"),
                          "--vendor-key",
                          path_in(key, board->folder, "vendor.pub"),
                          "--uuid",
                          UUID,
                          NULL};

    if (!run(argv, path_in(log, board->folder, "factory.log"))) {
        fprintf(stderr, "powercut: mup-microbit factory failed, see %s\n", log);
        return false;
    }
    return map_flash(board);
}

bool board_make(struct board *board, const char *bin, const char *images)
{
    struct mup_error error = {""};
    char key[160];

    *board = (struct board){.bin = bin,
                            .images = images,
                            .folder = "/tmp/mup-powercut-XXXXXX",
                            .radio = -1,
                            .flash = MAP_FAILED};
    if (mkdtemp(board->folder) == NULL)
        return false;
    if (mup_key_generate(path_in(key, board->folder, "vendor"), &error) != MUP_OK ||
        mup_signer_open_file(&board->vendor, path_in(key, board->folder, "vendor.key"), &error) !=
            MUP_OK) {
        fprintf(stderr, "powercut: %s\n", error.text);
        return false;
    }
    return listen_for_radio(board) && load_release(board, 1) && load_release(board, 2) &&
           load_release(board, 6) && make_device(board);
}

bool board_watch(struct board *board, const char *images, const char *vendor_key,
                 const char *flash_path)
{
    struct mup_error error = {""};

    *board = (struct board){.images = images, .radio = -1, .flash = MAP_FAILED};
    snprintf(board->flash_path, sizeof board->flash_path, "%s", flash_path);
    if (mup_signer_open_file(&board->vendor, vendor_key, &error) != MUP_OK) {
        fprintf(stderr, "powercut: %s\n", error.text);
        return false;
    }
    return load_release(board, 1) && load_release(board, 2) && load_release(board, 6) &&
           load_release(board, 7) && map_flash(board);
}

void board_free(struct board *board)
{
    static const char *const files[] = {"vendor.key", "vendor.pub", "radio",
                                        "flash",      "qemu.log",   "factory.log"};
    char path[160];

    board_kill(board);
    if (board->flash != MAP_FAILED)
        munmap(board->flash, BOARD_FLASH_SIZE);
    if (board->radio >= 0)
        close(board->radio);
    for (uint32_t version = 0; version <= BOARD_VERSIONS; version++)
        free(board->releases[version].image);
    mup_signer_close(&board->vendor);
    if (board->folder[0] == '\0')
        return;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(path_in(path, board->folder, files[i]));
    rmdir(board->folder);
}
