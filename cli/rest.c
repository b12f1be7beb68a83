/* One REST call with libcurl: token in a header, answer bounded, errors in words. */
#include "rest.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "command.h"
#include "json.h"
#include "mup/sign/repository.h"

#define TOKEN_SIZE_MAX 256u
#define CALL_TIMEOUT_S 60L

struct answer {
    char *text;
    size_t size;
};

void mup_rest_init(struct mup_rest *rest)
{
    if (rest->server == NULL)
        rest->server = getenv("MUP_SERVER");
    if (rest->server == NULL)
        rest->server = "http://127.0.0.1:8080";
    if (rest->token_file == NULL)
        rest->token_file = getenv("MUP_TOKEN_FILE");
    if (rest->token_file != NULL && rest->token_file[0] == '\0')
        rest->token_file = NULL;
}

/* The server's URL may end in a slash, as people copy it; path begins with one. */
static void make_url(char url[MUP_PATH_MAX], const struct mup_rest *rest, const char *path)
{
    size_t size = strlen(rest->server);

    while (size > 0 && rest->server[size - 1] == '/')
        size--;
    snprintf(url, MUP_PATH_MAX, "%.*s%s", (int)size, rest->server, path);
}

int mup_rest_read_options(struct mup_rest *rest, int *json, const char *subcommand,
                          const char *help, int argc, char **argv)
{
    static const struct option options[] = {MUP_REST_OPTIONS,
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'S')
            rest->server = optarg;
        else if (option == 'T')
            rest->token_file = optarg;
        else if (option == 'j')
            *json = 1;
        else if (option == 'h') {
            fputs(help, stdout);
            return 1 + MUP_EXIT_DONE;
        } else
            return 1 + mup_usage(subcommand, "that option cannot be used");
    }
    mup_rest_init(rest);
    return 0;
}

static size_t gather(char *bytes, size_t one, size_t count, void *context)
{
    struct answer *answer = context;
    size_t size = one * count;
    char *grown;

    if (size > MUP_REST_REPLY_MAX - answer->size)
        return 0;
    grown = realloc(answer->text, answer->size + size + 1);
    if (grown == NULL)
        return 0;
    memcpy(grown + answer->size, bytes, size);
    answer->text = grown;
    answer->size += size;
    grown[answer->size] = '\0';
    return size;
}

/* How much of a file's bytes is a token, the first line; 0 when that is none. */
static size_t token_size(const uint8_t *bytes, size_t size)
{
    size_t at = 0;

    while (at < size && bytes[at] > 0x20 && bytes[at] < 0x7f)
        at++;
    return at == size || bytes[at] == '\n' || bytes[at] == '\r' ? at : 0;
}

/* "Authorization: Bearer TOKEN" from the token's file. */
static struct curl_slist *headers_for(const struct mup_rest *rest, struct mup_error *error)
{
    char line[TOKEN_SIZE_MAX + 32];
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    uint8_t *token;
    size_t size;

    if (rest->token_file == NULL || headers == NULL)
        return headers;
    if (mup_file_read(&token, &size, rest->token_file, TOKEN_SIZE_MAX, error) != MUP_OK) {
        curl_slist_free_all(headers);
        return NULL;
    }
    size = token_size(token, size);
    if (size == 0) {
        mup_error_set(error, "%s: no token stands on its first line", rest->token_file);
        free(token);
        curl_slist_free_all(headers);
        return NULL;
    }
    snprintf(line, sizeof line, "Authorization: Bearer %.*s", (int)size, (const char *)token);
    free(token);
    return curl_slist_append(headers, line);
}

/* The server's hints are for who speaks REST; where the command has its own way, that is told. */
static const char *hint_for(const struct mup_rest *rest, const json_t *error)
{
    static const struct {
        const char *code;
        const char *hint;
    } hints[] = {{"not-found", "'mup updates' lists those that there are; check --server too"},
                 {"unknown-device", "'mup devices' lists those that there are"},
                 {"unknown-release", "fetch it first: mup releases URL"},
                 {"update-running", "'mup updates' tells how it goes"}};
    const char *code = mup_json_text(error, "code", "");

    if (strcmp(code, "unauthorized") == 0)
        return rest->token_file == NULL
                   ? "give --token-file FILE, or MUP_TOKEN_FILE in the environment"
                   : "the token file must hold what the server's api-token-file holds";
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (strcmp(code, hints[i].code) == 0)
            return hints[i].hint;
    return mup_json_clean(error, "hint", "");
}

/* What the server said went wrong: {"error": {"code", "message", "hint"}}. */
static int print_refusal(const struct mup_rest *rest, const json_t *reply, long code)
{
    const json_t *error = json_object_get(reply, "error");
    const char *hint;

    if (!json_is_object(error))
        return mup_fail("%s answered with HTTP status %ld and no reason: is it an update server?",
                        rest->server, code);
    hint = hint_for(rest, error);
    return mup_fail("%s%s%s", mup_json_clean(error, "message", "refused"),
                    hint[0] == '\0' ? "" : "; ", hint);
}

static int finish(CURL *curl, CURLcode done, const struct mup_rest *rest,
                  const struct answer *answer, json_t **reply)
{
    json_error_t why;
    json_t *value;
    long code = 0;

    if (done != CURLE_OK)
        return mup_fail("no answer from the update server at %s: %s; is it running, and is "
                        "--server right?",
                        rest->server, curl_easy_strerror(done));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    value = answer->text == NULL ? NULL : json_loadb(answer->text, answer->size, 0, &why);
    if (code < 200 || code > 299) {
        int exit_code = print_refusal(rest, value, code);
        json_decref(value);
        return exit_code;
    }
    if (value == NULL)
        return mup_fail("%s answered something that is not JSON: is it an update server?",
                        rest->server);
    *reply = value;
    return MUP_EXIT_DONE;
}

int mup_rest_call(const struct mup_rest *rest, const char *method, const char *path,
                  const json_t *body, json_t **reply)
{
    char url[MUP_PATH_MAX];
    struct mup_error error;
    struct answer answer = {NULL, 0};
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    struct curl_slist *headers = headers_for(rest, &error);
    CURL *curl = curl_easy_init();
    int exit_code;

    if (headers == NULL || curl == NULL) {
        exit_code = mup_fail("%s", headers == NULL ? error.text : "libcurl does not start");
    } else {
        make_url(url, rest, path);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, gather);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, CALL_TIMEOUT_S);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        if (text != NULL)
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
        exit_code = finish(curl, curl_easy_perform(curl), rest, &answer, reply);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    free(answer.text);
    free(text);
    return exit_code;
}

void mup_rest_stream(const struct mup_rest *rest, const char *path,
                     size_t (*take)(char *bytes, size_t one, size_t count, void *context),
                     void *context)
{
    char url[MUP_PATH_MAX];
    struct mup_error error;
    struct curl_slist *headers = headers_for(rest, &error);
    CURL *curl = curl_easy_init();

    if (headers != NULL && curl != NULL) {
        make_url(url, rest, path);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, context);
        curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        (void)curl_easy_perform(curl);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
}
