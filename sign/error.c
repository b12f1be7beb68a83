/* The one way in which the vendor's side words an error. */
#include "mup/sign/error.h"

#include <stdarg.h>
#include <stdio.h>

void mup_error_set(struct mup_error *error, const char *format, ...)
{
    va_list list;

    if (error == NULL)
        return;
    va_start(list, format);
    vsnprintf(error->text, sizeof error->text, format, list);
    va_end(list);
}
