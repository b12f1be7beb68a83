/* mup certify: the vendor signs an update server's key (paper section 4.5). */
#include "command.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "json.h"
#include "mup/sign/certify.h"
#include "mup/sign/repository.h"

static const char help[] =
    "usage: mup certify --key VENDOR.key --server SERVER.pub --out FILE [--epoch N]\n"
    "                   [--label TEXT] [--json]\n"
    "\n"
    "Sign an update server's public key. Devices take an update server's key in no\n"
    "other form.\n"
    "\n"
    "  --key FILE      the vendor's private key\n"
    "  --server FILE   the update server's public key (PEM)\n"
    "  --out FILE      where the certificate goes\n"
    "  --epoch N       counts up at each change of the key (1 unless told)\n"
    "  --label TEXT    whose key it is, for people (\"update server\" unless told)\n"
    "  --json          print {\"certificate\": ..., \"kid\": ..., \"epoch\": ...,\n"
    "                  \"label\": ...}\n"
    "\n"
    "example: mup certify --key vendor.key --server server.pub --out server.cert\n";

struct certify_options {
    const char *key;
    const char *server;
    const char *out;
    const char *label;
    uint32_t epoch;
    int json;
};

/* 0 to go on, otherwise 1 + the exit code. */
static int read_options(struct certify_options *out, int argc, char **argv)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},   {"server", required_argument, NULL, 's'},
        {"out", required_argument, NULL, 'o'},   {"epoch", required_argument, NULL, 'e'},
        {"label", required_argument, NULL, 'l'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'k')
            out->key = optarg;
        else if (option == 's')
            out->server = optarg;
        else if (option == 'o')
            out->out = optarg;
        else if (option == 'l')
            out->label = optarg;
        else if (option == 'j')
            out->json = 1;
        else if (option == 'e' && mup_parse_number(&out->epoch, optarg, 1, UINT32_MAX) != 0)
            return 1 + mup_usage("certify", "--epoch wants a number from 1 to 4294967295");
        else if (option == 'h') {
            fputs(help, stdout);
            return 1 + MUP_EXIT_DONE;
        } else if (option == '?')
            return 1 + mup_usage("certify", "that option cannot be used");
    }
    if (optind != argc || out->key == NULL || out->server == NULL || out->out == NULL)
        return 1 + mup_usage("certify", "--key, --server and --out are wanted");
    return 0;
}

static int is_label(const char *text)
{
    size_t size = strlen(text);

    for (const char *at = text; *at != '\0'; at++)
        if (*at < 0x20 || *at > 0x7e)
            return 0;
    return size >= 1 && size <= MUP_CERTIFICATE_LABEL_MAX;
}

static int print_certificate(const struct certify_options *options,
                             const struct mup_certificate *certificate)
{
    uint8_t kid[MUP_KID_SIZE];
    char text[2 * MUP_KID_SIZE + 1];

    mup_key_id(kid, certificate->public_key);
    mup_hex(text, kid, sizeof kid);
    if (options->json)
        mup_print_json(json_pack("{s:s, s:s, s:I, s:s}", "certificate", options->out, "kid", text,
                                 "epoch", (json_int_t)certificate->epoch, "label",
                                 certificate->label));
    else
        printf("%s  certificate of key %s, epoch %u\n", options->out, text,
               (unsigned)certificate->epoch);
    return MUP_EXIT_DONE;
}

int mup_certify_main(int argc, char **argv)
{
    struct certify_options options = {.epoch = 1, .label = "update server"};
    struct mup_certificate certificate = {.epoch = 0};
    uint8_t bytes[MUP_CERTIFICATE_SIGNED_MAX];
    struct mup_signer vendor;
    struct mup_error error;
    enum mup_status status;
    size_t size = 0;
    int stop = read_options(&options, argc, argv);

    if (stop != 0)
        return stop - 1;
    if (!is_label(options.label))
        return mup_usage("certify", "--label wants 1 to %u printable ASCII characters",
                         (unsigned)MUP_CERTIFICATE_LABEL_MAX);
    certificate.epoch = options.epoch;
    snprintf(certificate.label, sizeof certificate.label, "%s", options.label);
    if (mup_public_key_read(certificate.public_key, options.server, &error) != MUP_OK ||
        mup_signer_open_file(&vendor, options.key, &error) != MUP_OK)
        return mup_fail("%s", error.text);
    status = mup_certify(bytes, &size, &certificate, &vendor, &error);
    mup_signer_close(&vendor);
    if (status == MUP_OK)
        status = mup_file_write(options.out, bytes, size, 0644, &error);
    if (status != MUP_OK)
        return mup_fail("%s", error.text);
    return print_certificate(&options, &certificate);
}
