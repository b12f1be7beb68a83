/* mup keygen: make a key pair for a vendor or an update server. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "json.h"
#include "mup/sign/key.h"
#include "mup/sign/repository.h"

static const char help[] =
    "usage: mup keygen [--json] NAME\n"
    "\n"
    "Make a P-256 key pair: NAME.key (private, readable by you alone) and NAME.pub.\n"
    "An existing file is never overwritten.\n"
    "\n"
    "  --json   print {\"private\": ..., \"public\": ..., \"kid\": ...}\n"
    "\n"
    "example: mup keygen vendor\n";

static int print_key(const char *name, const char *public_path, int json)
{
    uint8_t public_key[MUP_PUBLIC_KEY_SIZE];
    uint8_t kid[MUP_KID_SIZE];
    char text[2 * MUP_KID_SIZE + 1];
    struct mup_error error;

    if (mup_public_key_read(public_key, public_path, &error) != MUP_OK)
        return mup_fail("%s", error.text);
    mup_key_id(kid, public_key);
    mup_hex(text, kid, sizeof kid);
    if (json)
        mup_print_json(json_pack("{s:s+, s:s+, s:s}", "private", name, ".key", "public", name,
                                 ".pub", "kid", text));
    else
        printf("%s.key  private: keep it to yourself\n%s.pub  public, key id %s\n", name, name,
               text);
    return MUP_EXIT_DONE;
}

int mup_keygen_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    char public_path[MUP_PATH_MAX + 8];
    struct mup_error error;
    const char *name;
    int json = 0;
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return MUP_EXIT_DONE;
        }
        if (option != 'j')
            return mup_usage("keygen", "that option is not known");
        json = 1;
    }
    if (argc - optind != 1)
        return mup_usage("keygen", "one NAME is wanted");
    name = argv[optind];
    if (name[0] == '\0' || name[strlen(name) - 1] == '/')
        return mup_usage("keygen", "'%s' is no NAME: NAME.key and NAME.pub become files", name);
    if (mup_key_generate(name, &error) != MUP_OK)
        return mup_fail("%s", error.text);
    snprintf(public_path, sizeof public_path, "%s.pub", name);
    return print_key(name, public_path, json);
}
