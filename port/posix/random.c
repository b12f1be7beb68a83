/* Randomness: the kernel's generator. */
#include <errno.h>
#include <sys/random.h>

#include "mup/port/posix.h"

static int fill(void *context, uint8_t *out, size_t size)
{
    (void)context;
    while (size > 0) {
        ssize_t got = getrandom(out, size, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        out += got;
        size -= (size_t)got;
    }
    return 0;
}

struct mup_port_random mup_posix_random_port(void)
{
    return (struct mup_port_random){.fill = fill};
}
