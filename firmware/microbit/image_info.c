/* The one source that is compiled anew for each release: version and fault come from the build. */
#include "image_info.h"

#include "firmware.h"

__attribute__((section(".image_info"), used))
const volatile struct microbit_image_info microbit_image_info = {
    .magic = MICROBIT_IMAGE_INFO_MAGIC,
    .version = MUP_FIRMWARE_VERSION,
    .fault = MUP_FIRMWARE_FAULT,
};
