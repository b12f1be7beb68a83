/*
 * lwIP in 16 kB of RAM: one TCP connection over IPv6 over 6LoWPAN.
 *
 * A frame between EUI-64s has room for 96 bytes of a datagram that is compressed and in fragments,
 * so a segment of 556 bytes and TCP's header fill six of them. Three segments may be under way, in
 * the ring of tcp.c; the pool has to hold one of them that is being put together, and a frame of
 * somebody else. A pool buffer must hold the first fragment with its header decompressed in one
 * piece: below 152 bytes (16-bit addresses; 140 otherwise) nothing is ever reassembled, without a
 * word.
 */
#ifndef MUP_MICROBIT_LWIPOPTS_H
#define MUP_MICROBIT_LWIPOPTS_H

#include "arch/cc.h"

#define NO_SYS                          1
#define SYS_LIGHTWEIGHT_PROT            0 /* all calls come from the main loop */
#define LWIP_SOCKET                     0
#define LWIP_NETCONN                    0
#define LWIP_NOASSERT                   1
#define LWIP_STATS                      0

#define LWIP_IPV4                       0
#define LWIP_ARP                        0
#define LWIP_ETHERNET                   0
#define LWIP_ICMP                       0
#define LWIP_RAW                        0
#define LWIP_UDP                        0
#define LWIP_DNS                        0

#define LWIP_IPV6                       1
#define LWIP_IPV6_MLD                   0
#define LWIP_IPV6_FRAG                  0
#define LWIP_IPV6_REASS                 0
#define LWIP_IPV6_DHCP6                 0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS   0
#define LWIP_IPV6_AUTOCONFIG            0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT   0
#define LWIP_ND6_ALLOW_RA_UPDATES       0 /* nobody in reach is to decide on our MTU */
#define LWIP_IPV6_NUM_ADDRESSES         1
#define LWIP_IPV6_SCOPES                0 /* one interface */
#define LWIP_SINGLE_NETIF               1
#define LWIP_NETIF_LOOPBACK             0
#define LWIP_HAVE_LOOPIF                0
#define NETIF_MAX_HWADDR_LEN            8U /* an EUI-64; lwIP's own 6 would be overrun without a word */

#define LWIP_ND6_QUEUEING               1 /* or the first SYN is lost, and 3 s with it */
#define MEMP_NUM_ND6_QUEUE              2
#define LWIP_ND6_NUM_NEIGHBORS          2
#define LWIP_ND6_NUM_DESTINATIONS       2
#define LWIP_ND6_NUM_PREFIXES           1
#define LWIP_ND6_NUM_ROUTERS            1
#define LWIP_ND6_TCP_REACHABILITY_HINTS 1

#define LWIP_6LOWPAN_802154_HW_CRC      1 /* radio.c makes and checks it */
#define LWIP_6LOWPAN_NUM_CONTEXTS       0

#define LWIP_TCP                        1
#define TCP_MSS                         556
#define TCP_WND                         (3 * TCP_MSS)
#define TCP_SND_BUF                     (2 * TCP_MSS)
#define TCP_SND_QUEUELEN                6
#define TCP_QUEUE_OOSEQ                 0
#define TCP_LISTEN_BACKLOG              0
#define LWIP_TCP_KEEPALIVE              0 /* MQTT has its own */
#define LWIP_DISABLE_TCP_SANITY_CHECKS  1

#define MEM_ALIGNMENT                   4
#define MEM_SIZE                        1792
#define MEMP_NUM_TCP_PCB                2 /* the one before may still be closing */
#define MEMP_NUM_TCP_PCB_LISTEN         1
#define MEMP_NUM_TCP_SEG                8
#define MEMP_NUM_SYS_TIMEOUT            5
#define MEMP_NUM_PBUF                   4
#define MEMP_NUM_FRAG_PBUF              0
#define PBUF_LINK_HLEN                  0
#define PBUF_POOL_BUFSIZE               152
#define PBUF_POOL_SIZE                  8

#endif
