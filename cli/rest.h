/*
 * Talk to the update server's REST interface.
 *
 * Where it is and how to log in come from --server and --token-file, or from the environment
 * (MUP_SERVER, MUP_TOKEN_FILE). The token itself is never on a command line.
 */
#ifndef MUP_CLI_REST_H
#define MUP_CLI_REST_H

#include <jansson.h>

#define MUP_REST_REPLY_MAX (16u * 1024u * 1024u)

struct mup_rest {
    const char *server;     /* base URL, such as http://127.0.0.1:8080 */
    const char *token_file; /* holds the bearer token on its first line */
};

/* Take --server / --token-file (options 'S' and 'T') with the environment as stand-in. */
void mup_rest_init(struct mup_rest *rest);

/*
 * One call. `body` may be NULL and stays the caller's. On 0 *reply is the parsed answer
 * (json_decref it); otherwise the exit code, and the error was printed.
 */
int mup_rest_call(const struct mup_rest *rest, const char *method, const char *path,
                  const json_t *body, json_t **reply);

/*
 * Read the options that every operator's subcommand has (--server, --token-file, --json, --help).
 * Returns 0 to go on, with optind at the first argument, otherwise 1 + the exit code.
 */
int mup_rest_read_options(struct mup_rest *rest, int *json, const char *subcommand,
                          const char *help, int argc, char **argv);

/*
 * Open a stream of server-sent events and hand its bytes to `take`, which ends it by taking fewer
 * than it was given. Returns when the stream has ended, for whatever reason.
 */
void mup_rest_stream(const struct mup_rest *rest, const char *path,
                     size_t (*take)(char *bytes, size_t one, size_t count, void *context),
                     void *context);

#define MUP_REST_OPTIONS                           \
    {"server", required_argument, NULL, 'S'},      \
    {                                              \
        "token-file", required_argument, NULL, 'T' \
    }
#define MUP_REST_HELP                                                   \
    "  --server URL        the update server (else $MUP_SERVER, else\n" \
    "                      http://127.0.0.1:8080)\n"                    \
    "  --token-file FILE   holds the token that it accepts (else $MUP_TOKEN_FILE)\n"

#endif
