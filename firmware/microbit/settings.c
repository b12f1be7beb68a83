/* The network settings in flash: magic, record, CRC-32 of both. */
#include "settings.h"

#include "mup/flash_access.h"

#define MAGIC UINT32_C(0x5350554d) /* "MUPS" */

static uint32_t check_of(const struct microbit_settings_record *record)
{
    return mup_flash_crc32(0, record, offsetof(struct microbit_settings_record, check));
}

enum mup_status microbit_settings_load(struct microbit_settings *out,
                                       const struct mup_flash_map *map)
{
    struct microbit_settings_record record;
    enum mup_status status =
        mup_flash_read(map->flash, MICROBIT_SETTINGS_AT, &record, sizeof record);

    if (status != MUP_OK)
        return status;
    if (record.magic != MAGIC || record.check != check_of(&record) ||
        record.settings.password[MICROBIT_PASSWORD_MAX - 1] != '\0')
        return MUP_ERR_FORMAT;
    *out = record.settings;
    return MUP_OK;
}

enum mup_status microbit_settings_save(const struct mup_flash_map *map,
                                       const struct microbit_settings *settings)
{
    struct microbit_settings_record record = {.magic = MAGIC, .settings = *settings};
    enum mup_status status = mup_flash_erase(map->flash, MICROBIT_SETTINGS_AT);

    record.check = check_of(&record);
    if (status == MUP_OK)
        status = mup_flash_write(map->flash, MICROBIT_SETTINGS_AT, &record, sizeof record);
    return status;
}
