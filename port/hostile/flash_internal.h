/* What the files of the hostile flash share: the states of a word. */
#ifndef MUP_HOSTILE_FLASH_INTERNAL_H
#define MUP_HOSTILE_FLASH_INTERNAL_H

#include "mup/port/hostile.h"

/* In flash->programmed. */
#define MUP_HOSTILE_ERASED  0u
#define MUP_HOSTILE_WHOLE   1u
#define MUP_HOSTILE_CUT     2u /* its programming was cut: what it should hold is in cut_words */
#define MUP_HOSTILE_UNKNOWN 3u /* of a page whose erasing was cut */

/* What the cut programming of a word should have made of it; NULL when that is not known. */
const struct mup_hostile_cut_word *mup_hostile_cut_word(const struct mup_hostile_flash *flash,
                                                        uint32_t at);

#endif
