/* Writing captures: the classic libpcap format, in the byte order of this machine. */
#include "pcap.h"

#include <errno.h>
#include <string.h>

#define MAGIC_MICROSECONDS            0xa1b2c3d4u
#define LINKTYPE_IEEE802_15_4_WITHFCS 195u
#define SNAP_LENGTH                   256u
#define SECOND_US                     1000000u

struct pcap_header {
    uint32_t magic;
    uint16_t major;
    uint16_t minor;
    int32_t zone;
    uint32_t accuracy;
    uint32_t snap_length;
    uint32_t link_type;
};

struct pcap_record {
    uint32_t seconds;
    uint32_t microseconds;
    uint32_t size;
    uint32_t original_size;
};

FILE *mup_pcap_open(const char *path)
{
    const struct pcap_header header = {.magic = MAGIC_MICROSECONDS,
                                       .major = 2,
                                       .minor = 4,
                                       .snap_length = SNAP_LENGTH,
                                       .link_type = LINKTYPE_IEEE802_15_4_WITHFCS};
    FILE *file = fopen(path, "wbe");

    if (file == NULL || fwrite(&header, sizeof header, 1, file) != 1) {
        fprintf(stderr, "mup-router: %s: cannot write the capture: %s\n", path, strerror(errno));
        if (file != NULL)
            fclose(file);
        return NULL;
    }
    return file;
}

void mup_pcap_write(FILE *file, uint64_t time_us, const uint8_t *psdu, size_t size)
{
    struct pcap_record record = {.seconds = (uint32_t)(time_us / SECOND_US),
                                 .microseconds = (uint32_t)(time_us % SECOND_US),
                                 .size = (uint32_t)size,
                                 .original_size = (uint32_t)size};

    fwrite(&record, sizeof record, 1, file);
    fwrite(psdu, 1, size, file);
    fflush(file);
}
