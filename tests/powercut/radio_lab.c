/* The edge, the board and what is done with them: see radio_lab.h. */
#include "radio_lab.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mup/sign/key.h"

/* After the device is back; 4 s are for the field. */
#define SERVER_SETTINGS "back-timeout-ms 500\n"
#define BRIDGE_SETTINGS "rpc-timeout-s 5\n"

/* Each is an update to the next one; from the last one it is the factory's flash again. */
static const uint32_t versions[] = {1, 2, 6, 7};

uint32_t lab_version(const struct lab *lab)
{
    return versions[lab->at];
}

uint64_t lab_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void lab_pause(struct lab *lab, uint32_t ms)
{
    for (uint64_t end = lab_now_ms() + ms; lab_now_ms() < end;)
        mup_process_pump(&lab->bed.processes, 1);
}

bool lab_power_on(struct lab *lab)
{
    lab->power = mup_testbed_start_microbit(&lab->bed, &lab->device);
    return lab->power != NULL;
}

void lab_power_off(struct lab *lab)
{
    if (lab->power != NULL)
        mup_process_kill(lab->power);
}

bool lab_restart_with(struct lab *lab, const uint8_t *flash)
{
    lab_power_off(lab);
    memcpy(lab->board.flash, flash, BOARD_FLASH_SIZE);
    return lab_power_on(lab);
}

bool lab_await_key(struct lab *lab)
{
    for (uint64_t begin = lab_now_ms(); lab_now_ms() < begin + LAB_LIMIT_MS; lab_pause(lab, 2)) {
        struct mup_identity identity;

        if (board_identity(&lab->board, &identity) && identity.server_epoch == lab->epoch)
            return true;
    }
    fprintf(stderr, "powercut: the device did not get the update server's key\n");
    return false;
}

bool lab_update_has_ended(struct lab *lab)
{
    return !mup_process_is_running(lab->deploy);
}

bool lab_update_is_confirmed(const struct lab *lab)
{
    return WIFEXITED(lab->deploy->exit_status) && WEXITSTATUS(lab->deploy->exit_status) == 0;
}

bool lab_has_a_next_version(struct lab *lab)
{
    if (lab->at + 1 < sizeof versions / sizeof versions[0])
        return true;
    lab->at = 0;
    return lab_restart_with(lab, lab->factory) && lab_await_key(lab);
}

bool lab_begin_update(struct lab *lab)
{
    const char *words[] = {NULL, "deploy",         "--server", NULL, "--token-file",
                           NULL, lab->device.uuid, NULL,       NULL};
    char program[MUP_TESTBED_PATH_MAX + 8];
    char server[64];

    if (!lab_has_a_next_version(lab))
        return false;
    lab->at++;
    snprintf(program, sizeof program, "%s/mup", lab->bed.bin);
    snprintf(server, sizeof server, "http://127.0.0.1:%d", lab->bed.rest_port);
    words[0] = program;
    words[3] = server;
    words[5] = mup_testbed_path(&lab->bed, "token");
    words[7] = mup_testbed_microbit_url(&lab->bed, versions[lab->at]);
    lab->deploy = mup_process_start(&lab->bed.processes, "deploy", words);
    return lab->deploy != NULL;
}

bool lab_change_key(struct lab *lab, uint8_t public_key[MUP_P256_KEY_SIZE])
{
    struct mup_testbed *bed = &lab->bed;
    struct mup_error error = {""};
    char program[MUP_TESTBED_PATH_MAX + 8];
    const char *make[] = {program, "keygen", mup_testbed_path(bed, "server"), NULL};
    const char *certify[] = {program,    "certify",
                             "--key",    mup_testbed_path(bed, "vendor.key"),
                             "--server", mup_testbed_path(bed, "server.pub"),
                             "--out",    mup_testbed_path(bed, "server.cert"),
                             "--epoch",  "2",
                             NULL};

    snprintf(program, sizeof program, "%s/mup", bed->bin);
    unlink(mup_testbed_path(bed, "server.key"));
    unlink(mup_testbed_path(bed, "server.pub"));
    for (size_t i = 0; i < bed->processes.count; i++)
        if (strcmp(bed->processes.list[i].name, "mup-bridge") == 0 ||
            strcmp(bed->processes.list[i].name, "mup-server") == 0)
            mup_process_stop(&bed->processes, &bed->processes.list[i], 10000);
    unlink(mup_testbed_path(bed, "server.cert"));
    return mup_testbed_run(bed, "keygen", make) && mup_testbed_run(bed, "certify", certify) &&
           mup_public_key_read(public_key, mup_testbed_path(bed, "server.pub"), &error) == MUP_OK &&
           mup_testbed_start_bridge(bed) && mup_testbed_start_server(bed);
}

bool lab_open(struct lab *lab, const char *bin, const char *source)
{
    char images[MUP_TESTBED_PATH_MAX + 32];

    if (!mup_testbed_init(&lab->bed, bin, source, NULL))
        return false;
    lab->bed.server_settings = SERVER_SETTINGS;
    lab->bed.bridge_settings = BRIDGE_SETTINGS;
    if (!mup_testbed_start_edge(&lab->bed) || !mup_testbed_start_router(&lab->bed))
        return false;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        if (!mup_testbed_release_microbit(&lab->bed, versions[i], "ok"))
            return false;
    snprintf(images, sizeof images, "%s/build/microbit/bin", source);
    if (!mup_testbed_make_microbit(&lab->bed, &lab->device) ||
        !board_watch(&lab->board, images, mup_testbed_path(&lab->bed, "vendor.key"),
                     mup_testbed_path(&lab->bed, "board.flash")))
        return false;
    memcpy(lab->factory, lab->board.flash, BOARD_FLASH_SIZE);
    lab->epoch = 1;
    return board_identity(&lab->board, &lab->identity) && lab_power_on(lab) && lab_await_key(lab);
}
