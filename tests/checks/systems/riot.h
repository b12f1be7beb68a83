/* The calls of RIOT that docs/PORTING-OS.md uses, as RIOT documents them. */
#include <errno.h>
#include <string.h>
#include <sys/types.h>

#define CPU_FLASH_BASE 0x08000000
#define FLASHPAGE_SIZE 2048u
#define FLASH_SIZE     262144u /* yours */

typedef struct ztimer_clock ztimer_clock_t;
extern ztimer_clock_t *const ZTIMER_MSEC;
typedef struct sock_tcp sock_tcp_t;

unsigned flashpage_page(const void *addr);
void flashpage_erase(unsigned page);
void flashpage_write(void *target_addr, const void *data, size_t len);
uint32_t ztimer_now(ztimer_clock_t *clock);
void hwrng_read(void *buf, unsigned int num);
ssize_t sock_tcp_read(sock_tcp_t *sock, void *data, size_t max_len, uint32_t timeout);
void pm_reboot(void);
