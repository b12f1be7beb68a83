/* The end of a loop after a test, also after one that failed in the middle. */
#ifndef MUP_TEST_LOOP_END_H
#define MUP_TEST_LOOP_END_H

#include "runtime/loop.h"
#include "support/cmocka_all.h"

struct loop_end_left {
    const struct mup_loop *loop;
    unsigned count;
};

static inline void loop_end_count(uv_handle_t *handle, void *arg)
{
    struct loop_end_left *left = arg;

    if (handle != (const uv_handle_t *)&left->loop->interrupt &&
        handle != (const uv_handle_t *)&left->loop->terminate && !uv_is_closing(handle))
        left->count++;
}

/*
 * Close it. False, after a message, when a test has left something open: then the loop stays as it
 * is, and what its memory belongs to must not be freed, because threads may still use it.
 */
static inline bool loop_end(struct mup_loop *loop)
{
    struct loop_end_left left = {.loop = loop};

    uv_walk(&loop->uv, loop_end_count, &left);
    if (left.count > 0) {
        print_error("%u handles were left open\n", left.count);
        return false;
    }
    mup_loop_close(loop);
    return true;
}

#endif
