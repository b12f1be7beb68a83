/* The calls of ESP-IDF that docs/PORTING-OS.md uses, as ESP-IDF documents them. */
#include <stdbool.h>

#define ESP_OK 0

typedef int esp_err_t;
typedef struct esp_partition esp_partition_t;
extern bool radio_is_on; /* yours */

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst,
                             size_t size);
esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src,
                              size_t size);
esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size);
int64_t esp_timer_get_time(void);
void esp_fill_random(void *buf, size_t len);
void esp_restart(void);
