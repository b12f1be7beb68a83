/*
 * lwIP as a border router on the host: TCP over IPv6 over 6LoWPAN, memory without bounds of its
 * own.
 *
 * lwIP counts retransmission timers in ticks of 500 ms, so that what was lost is sent again after 1
 * to 3 s. Here a tick is 100 ms; acknowledgements are held back for 250 ms as ever (tcp_timers.c,
 * and proxy.c for the least and the greatest timer).
 */
#ifndef MUP_LAB_LWIPOPTS_H
#define MUP_LAB_LWIPOPTS_H

#define NO_SYS                        1
#define SYS_LIGHTWEIGHT_PROT          0
#define LWIP_SOCKET                   0
#define LWIP_NETCONN                  0

#define LWIP_IPV4                     0
#define LWIP_ARP                      0
#define LWIP_ETHERNET                 0
#define LWIP_IPV6                     1
#define LWIP_IPV6_MLD                 0
#define LWIP_IPV6_FRAG                0
#define LWIP_IPV6_REASS               0
#define LWIP_IPV6_DHCP6               0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT 0
#define LWIP_IPV6_AUTOCONFIG          0
#define LWIP_ND6_QUEUEING             1
#define LWIP_ND6_NUM_NEIGHBORS        64
#define LWIP_ND6_NUM_DESTINATIONS     64
#define MEMP_NUM_ND6_QUEUE            64

#define LWIP_ICMP                     0
#define LWIP_RAW                      0
#define LWIP_UDP                      0
#define LWIP_DNS                      0
#define LWIP_STATS                    0

#define LWIP_TCP                      1
#define TCP_MSS                       1220 /* IPv6's least MTU of 1280 without the headers; a device offers less */
#define TCP_WND                       (8 * TCP_MSS)
#define TCP_SND_BUF                   (16 * TCP_MSS)
#define TCP_SND_QUEUELEN              128
#define MEMP_NUM_TCP_PCB              64
#define MEMP_NUM_TCP_SEG              1024
#define TCP_LISTEN_BACKLOG            1
#define LWIP_TCP_KEEPALIVE            1
#define TCP_TMR_INTERVAL              50
#define TCP_SLOW_INTERVAL             100
#define TCP_FAST_INTERVAL             250

#define MEM_LIBC_MALLOC               1
#define MEMP_MEM_MALLOC               1
#define PBUF_POOL_SIZE                256
#define PBUF_POOL_BUFSIZE             1500
#define PBUF_LINK_HLEN                0

#define LWIP_6LOWPAN_802154_HW_CRC    1 /* the frame check sequence is made and checked by radio.c */
#define LWIP_6LOWPAN_NUM_CONTEXTS     0
#define NETIF_MAX_HWADDR_LEN          8U /* an EUI-64; lwIP's own 6 would be overrun without a word */

#endif
