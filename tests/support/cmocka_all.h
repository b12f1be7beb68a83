/* cmocka and what it must be preceded by, in the order it wants. */
#ifndef MUP_TEST_CMOCKA_ALL_H
#define MUP_TEST_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
