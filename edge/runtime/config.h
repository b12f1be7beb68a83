/*
 * The configuration file of a daemon: lines of `key value`, read into the caller's variables.
 *
 *     # the broker
 *     mqtt-host 127.0.0.1
 *     mqtt-port 1883
 *     allow-topic led
 *     allow-topic relay
 *
 * A line ends at \n; blank lines and lines that begin with # are skipped. The value is the rest
 * of the line without leading and trailing blanks; there are no quotes and no escapes. A key that
 * is not in the table, appears twice (unless it is a list), has no value, or a value outside its
 * limits is an error that names file and line. Nothing is written unless the whole file is good.
 */
#ifndef MUP_RUNTIME_CONFIG_H
#define MUP_RUNTIME_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mup/status.h"

#define MUP_CONFIG_FILE_SIZE_MAX  (1024u * 1024u)
#define MUP_CONFIG_KEYS_MAX       128u
#define MUP_CONFIG_LIST_COUNT_MAX 1024u
#define MUP_CONFIG_ERROR_SIZE     512u

struct mup_config_list {
    char **items;
    size_t count;
};

enum mup_config_kind {
    MUP_CONFIG_TEXT,   /* out: char **, freed by mup_config_free() */
    MUP_CONFIG_NUMBER, /* out: int64_t *, decimal, min <= value <= max */
    MUP_CONFIG_FLAG,   /* out: bool *, yes or no */
    MUP_CONFIG_LIST,   /* out: struct mup_config_list *, the key may be repeated */
};

struct mup_config_key {
    const char *name;
    enum mup_config_kind kind;
    void *out;     /* holds the default before the call: for text NULL or malloc'ed */
    bool required; /* the file must name it */
    int64_t min;   /* numbers only */
    int64_t max;
};

/*
 * Read the file `path` into the variables of `keys`. On an error `error` says what, where
 * (file:line) and what to do, ready to be printed, and no variable was touched.
 *
 * MUP_ERR_STATE   the file cannot be opened or read.
 * MUP_ERR_FORMAT  an unknown, repeated or missing key, or a line that is none.
 * MUP_ERR_RANGE   a number outside its limits; file or list too long.
 * MUP_ERR_SPACE   no memory.
 */
MUP_MUST_CHECK
enum mup_status mup_config_read(const char *path, const struct mup_config_key *keys, size_t count,
                                char error[MUP_CONFIG_ERROR_SIZE]);

/* The same for text in memory; `name` stands for the file in messages. */
MUP_MUST_CHECK
enum mup_status mup_config_parse(const char *name, const char *text, size_t size,
                                 const struct mup_config_key *keys, size_t count,
                                 char error[MUP_CONFIG_ERROR_SIZE]);

/* Free the texts and lists of the table and set them to NULL or empty. */
void mup_config_free(const struct mup_config_key *keys, size_t count);

#endif
