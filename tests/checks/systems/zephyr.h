/* The calls of Zephyr that docs/PORTING-OS.md uses, as Zephyr documents them. */
#include <errno.h>
#include <sys/types.h>

#define PAGE_SIZE       4096u /* of the device tree */
#define SYS_REBOOT_COLD 1

struct flash_area;
int flash_area_read(const struct flash_area *fa, off_t off, void *dst, size_t len);
int flash_area_write(const struct flash_area *fa, off_t off, const void *src, size_t len);
int flash_area_erase(const struct flash_area *fa, off_t off, size_t len);
uint32_t k_uptime_get_32(void);
int sys_csrand_get(void *dst, size_t len);
ssize_t zsock_recv(int sock, void *buf, size_t max_len, int flags);
void sys_reboot(int type);
