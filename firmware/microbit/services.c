/* mup/crypto.h for the application, by the bootloader's code: see services.h. */
#include "services.h"

#include "firmware.h"
#include "task.h"
#include "turns.h"

#define SHA256_PART 256u

extern const struct microbit_services microbit_services; /* placed by the linker script */

bool microbit_services_are_there(void)
{
    return microbit_services.magic == MICROBIT_SERVICES_MAGIC &&
           microbit_services.size >= sizeof(struct microbit_services);
}

void mup_sha256_init(struct mup_sha256 *sha)
{
    microbit_services.sha256_init(sha);
}

/* 1.8 ms a part. */
void mup_sha256_update(struct mup_sha256 *sha, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;

    while (size > 0) {
        size_t part = size < SHA256_PART ? size : SHA256_PART;

        microbit_services.sha256_update(sha, from, part);
        microbit_give_way();
        from += part;
        size -= part;
    }
}

void mup_sha256_finish(const struct mup_sha256 *sha, uint8_t digest[MUP_SHA256_SIZE])
{
    microbit_services.sha256_finish(sha, digest);
}

struct check {
    const uint8_t *public_key;
    const uint8_t *digest;
    const uint8_t *signature;
    enum mup_status status;
};

static void check(void *context)
{
    struct check *job = context;

    job->status = microbit_services.p256_verify(job->public_key, job->digest, job->signature);
}

/* 2.7 s: the device goes on with its other work meanwhile. */
enum mup_status mup_p256_verify(const uint8_t public_key[MUP_P256_KEY_SIZE],
                                const uint8_t digest[MUP_SHA256_SIZE],
                                const uint8_t signature[MUP_P256_SIG_SIZE])
{
    struct check job = {public_key, digest, signature, MUP_ERR_SIGNATURE};

    microbit_task_run(check, &job, microbit_meanwhile);
    return job.status;
}
