/* Captures that Wireshark reads: pcap with DLT_IEEE802_15_4_WITHFCS (195), microseconds. */
#ifndef MUP_LAB_PCAP_H
#define MUP_LAB_PCAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A new capture file, or NULL with a message on stderr. Close it with fclose(). */
FILE *mup_pcap_open(const char *path);

/* Write one PSDU with the time at which it began, in microseconds since 1970. */
void mup_pcap_write(FILE *file, uint64_t time_us, const uint8_t *psdu, size_t size);

#endif
