/*
 * The numbers of IEEE 802.15.4-2020 that the medium is made of, for O-QPSK at 2.4 GHz. A symbol
 * takes 16 us, and an octet two symbols. docs/LAB.md has the same as a table.
 */
#ifndef MUP_LAB_MEDIUM_STANDARD_H
#define MUP_LAB_MEDIUM_STANDARD_H

#define SYMBOL_US            16u
#define OCTET_US             (2u * SYMBOL_US)

#define PHY_HEADER_SIZE      6u /* octets before the PSDU: preamble 4, delimiter 1, length 1 */
#define TURNAROUND_US        (12u * SYMBOL_US) /* aTurnaroundTime */
#define CCA_US               (8u * SYMBOL_US)
#define BACKOFF_US           (20u * SYMBOL_US) /* aUnitBackoffPeriod */
#define ACK_WAIT_US          (54u * SYMBOL_US) /* macAckWaitDuration: 20 + 12 + 10 + 12 */
#define SIFS_US              (12u * SYMBOL_US) /* macSifsPeriod */
#define LIFS_US              (40u * SYMBOL_US) /* macLifsPeriod */
#define SIFS_PSDU_MAX        18u               /* aMaxSifsFrameSize */
#define ACK_SIZE             5u                /* octets of PSDU */
#define BACKOFF_EXPONENT     3u                /* macMinBe */
#define BACKOFF_EXPONENT_MAX 5u                /* macMaxBe */
#define CSMA_BACKOFFS_MAX    4u                /* macMaxCsmaBackoffs */
#define FRAME_RETRIES_MAX    3u                /* macMaxFrameRetries */

#endif
