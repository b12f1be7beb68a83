/* Looking at a device from outside: see evidence.h. */
#include "evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handover.h"
#include "mup/cose.h"
#include "mup/flash_map.h"
#include "mup/manifest.h"
#include "mup/sign/repository.h"
#include "mup/sign/sign1.h"

#define FLASH_SIZE_MAX   (64u << 20)
#define PAGE_SIZE        1024u
#define PAGE_SIZE_LARGE  4096u
#define SIZE_LARGE       (4u << 20) /* from here on the virtual device has large pages */
#define HANDOVER_AT      0x20000000u
#define PCAP_HEADER_SIZE 24u
#define PCAP_RECORD_SIZE 16u
#define FRAME_SIZE_MAX   4096u /* of what a capture may say */

/* ---- Releases ------------------------------------------------------------------------------ */

static void write_hex(char text[MUP_EVIDENCE_DIGEST_TEXT], const uint8_t digest[MUP_DIGEST_SIZE])
{
    for (size_t i = 0; i < MUP_DIGEST_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

bool mup_evidence_release(struct mup_evidence_release *out, const struct mup_testbed *bed,
                          const struct mup_board *board, uint32_t version)
{
    struct mup_cose_sign1 envelope;
    struct mup_manifest manifest;
    struct mup_error error;
    char name[128];
    uint8_t *bytes;
    size_t size;
    bool good;

    snprintf(name, sizeof name, "releases/%s/%u/%s/manifest.cose", MUP_TESTBED_APP,
             (unsigned)version, board->hardware);
    if (mup_file_read(&bytes, &size, mup_testbed_path(bed, name), MUP_VENDOR_SIGNED_MAX, &error) !=
        MUP_OK) {
        fprintf(stderr, "demo: %s\n", error.text);
        return false;
    }
    good = mup_cose_sign1_decode(&envelope, bytes, size) == MUP_OK &&
           mup_manifest_decode(&manifest, envelope.payload.data, envelope.payload.size) == MUP_OK;
    if (good) {
        out->version = version;
        out->size = manifest.image_size;
        write_hex(out->digest, manifest.digest);
    }
    free(bytes);
    return good;
}

/* ---- Flash --------------------------------------------------------------------------------- */

static bool is_erased(const uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        if (bytes[i] != 0xff)
            return false;
    return true;
}

/* An image begins at a slot's first byte; one that waits for the swap, a page later. */
static void look_into(struct mup_evidence_slot *slot, const uint8_t *bytes, uint32_t slot_size,
                      uint32_t page_size, const struct mup_evidence_release releases[2])
{
    uint8_t digest[MUP_DIGEST_SIZE];

    *slot = (struct mup_evidence_slot){.is_erased = is_erased(bytes, slot_size)};
    for (uint32_t i = 0; i < 4 && slot->version == 0; i++) {
        const struct mup_evidence_release *release = &releases[i % 2];
        uint32_t at = i / 2 * page_size;

        if (release->size > slot_size - at)
            continue;
        mup_sha256_host(digest, bytes + at, release->size);
        write_hex(slot->digest, digest);
        if (strcmp(slot->digest, release->digest) == 0)
            slot->version = release->version;
    }
}

bool mup_evidence_flash(struct mup_evidence_flash *out, const struct mup_testbed *bed,
                        const struct mup_testbed_device *device,
                        const struct mup_evidence_release releases[2])
{
    struct mup_error error;
    char name[48];
    uint8_t *bytes;
    size_t size;
    uint32_t page_size;
    uint32_t slot_size;

    snprintf(name, sizeof name, "%s.flash", device->process);
    if (mup_file_read(&bytes, &size, mup_testbed_path(bed, name), FLASH_SIZE_MAX, &error) !=
        MUP_OK) {
        fprintf(stderr, "demo: %s\n", error.text);
        return false;
    }
    page_size = size >= SIZE_LARGE ? PAGE_SIZE_LARGE : PAGE_SIZE;
    if (size < MUP_FLASH_BOOT_SIZE + 4 * page_size + MUP_STATE_PAGES * page_size) {
        fprintf(stderr, "demo: %s is no flash of a device\n", name);
        free(bytes);
        return false;
    }
    slot_size = (uint32_t)(size - MUP_FLASH_BOOT_SIZE - MUP_STATE_PAGES * page_size) / 2 /
                page_size * page_size;
    look_into(&out->execution, bytes + MUP_FLASH_BOOT_SIZE, slot_size, page_size, releases);
    look_into(&out->staging, bytes + MUP_FLASH_BOOT_SIZE + slot_size, slot_size, page_size,
              releases);
    free(bytes);
    return true;
}

/* ---- RAM ----------------------------------------------------------------------------------- */

bool mup_evidence_stack(uint32_t *unused_size, const struct mup_testbed *bed,
                        const struct mup_testbed_device *device)
{
    struct microbit_handover handover;

    if (!mup_testbed_read_microbit(bed, device, HANDOVER_AT, &handover, sizeof handover))
        return false;
    *unused_size = handover.stack_unused + handover.task_stack_unused;
    return true;
}

/* ---- Radio --------------------------------------------------------------------------------- */

bool mup_evidence_radio(struct mup_evidence_radio *out, const struct mup_testbed *bed)
{
    FILE *file = fopen(mup_testbed_path(bed, "radio.pcap"), "rbe");
    uint8_t bytes[FRAME_SIZE_MAX];
    uint32_t size;

    *out = (struct mup_evidence_radio){.frames = 0};
    if (file == NULL)
        return false;
    if (fread(bytes, 1, PCAP_HEADER_SIZE, file) == PCAP_HEADER_SIZE)
        while (fread(bytes, 1, PCAP_RECORD_SIZE, file) == PCAP_RECORD_SIZE) {
            memcpy(&size, bytes + 8, sizeof size); /* in the byte order of this machine */
            if (size > sizeof bytes || fread(bytes, 1, size, file) != size)
                break;
            out->frames++;
            out->size += size;
            if (size > out->largest)
                out->largest = size;
        }
    fclose(file);
    return out->frames > 0;
}
