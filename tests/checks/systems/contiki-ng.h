/* The calls of Contiki-NG that docs/PORTING-OS.md uses, as Contiki-NG documents them. */
#include <stdbool.h>

#define CLOCK_SECOND 128u
#define FLASH_AT     0x00200000u /* of the CC2538 */
#define FLASH_SIZE   262144u     /* yours */
#define PAGE_SIZE    2048u

typedef unsigned long clock_time_t;
struct tcp_socket {
    void *ptr;
};
struct link { /* yours */
    struct tcp_socket socket;
    bool is_gone;
};

int32_t rom_util_page_erase(uint32_t flash_addr, uint32_t size);
int32_t rom_util_program_flash(uint32_t *ram_data, uint32_t flash_addr, uint32_t byte_count);
clock_time_t clock_time(void);
bool csprng_rand(uint8_t *result, unsigned len);
int tcp_socket_send(struct tcp_socket *s, const uint8_t *dataptr, int datalen);
void watchdog_reboot(void);
