/* mup release create, verify, show: the vendor's releases, and anybody's look at them. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "json.h"
#include "mup/sign/release.h"
#include "mup/sign/repository.h"
#include "mup/sign/sign1.h"

static const char help[] =
    "usage: mup release create --key VENDOR.key --image FILE --app ID\n"
    "                          --hardware CLASS --version N --repository DIR\n"
    "                          [--link-offset N] [--block-size N] [--json]\n"
    "       mup release verify --vendor VENDOR.pub DIR/APP/VERSION/HARDWARE [--json]\n"
    "       mup release show DIR/APP/VERSION/HARDWARE [--json]\n"
    "\n"
    "create  make an image into a signed release and put it into a repository, a\n"
    "        folder of static files that any web server can serve\n"
    "verify  check a release as an update server does: signature, every block, digest\n"
    "show    what a release says it is, believed or not\n"
    "\n"
    "  --key FILE         the vendor's private key\n"
    "  --vendor FILE      the vendor's public key (PEM)\n"
    "  --image FILE       the firmware image\n"
    "  --app ID           the application that the image is\n"
    "  --hardware CLASS   the hardware that it runs on\n"
    "  --version N        1 or more; a device only takes a higher one than it has\n"
    "  --link-offset N    address that the image is linked for (0 unless told; 0x...\n"
    "                     is hex)\n"
    "  --block-size N     256 to 4096, a power of two (1024 unless told)\n"
    "  --repository DIR   made when it is missing\n"
    "  --json             print the facts as one JSON object\n"
    "\n"
    "example: mup release create --key vendor.key --image app.bin --app lamp \\\n"
    "             --hardware nrf51 --version 2 --repository releases\n";

struct release_options {
    const char *key;
    const char *vendor;
    const char *image;
    const char *repository;
    struct mup_manifest fields;
    int json;
};

/* Copy a text option into its field; -1 when it does not fit. */
static int take_text(char *field, size_t capacity, const char *text)
{
    size_t size = strlen(text);

    if (size == 0 || size >= capacity)
        return -1;
    memcpy(field, text, size + 1);
    return 0;
}

/* One option; 0 when taken, otherwise 1 + the exit code. */
static int take_option(struct release_options *out, int option)
{
    switch (option) {
    case 'k':
        out->key = optarg;
        return 0;
    case 'p':
        out->vendor = optarg;
        return 0;
    case 'i':
        out->image = optarg;
        return 0;
    case 'r':
        out->repository = optarg;
        return 0;
    case 'j':
        out->json = 1;
        return 0;
    case 'a':
        if (take_text(out->fields.app_id, sizeof out->fields.app_id, optarg) != 0)
            return 1 + mup_usage("release", "--app wants 1 to 32 characters");
        return 0;
    case 'w':
        if (take_text(out->fields.hardware_class, sizeof out->fields.hardware_class, optarg) != 0)
            return 1 + mup_usage("release", "--hardware wants 1 to 32 characters");
        return 0;
    case 'v':
        if (mup_parse_number(&out->fields.new_version, optarg, 1, UINT32_MAX) != 0)
            return 1 + mup_usage("release", "--version wants a number from 1 to 4294967295");
        return 0;
    case 'l':
        if (mup_parse_number(&out->fields.link_offset, optarg, 0, UINT32_MAX) != 0)
            return 1 + mup_usage("release", "--link-offset wants a number from 0 to 4294967295");
        return 0;
    case 'b':
        if (mup_parse_number(&out->fields.block_size, optarg, MUP_BLOCK_SIZE_MIN,
                             MUP_BLOCK_SIZE_MAX) != 0 ||
            (out->fields.block_size & (out->fields.block_size - 1)) != 0)
            return 1 + mup_usage("release", "--block-size wants a power of two, 256 to 4096");
        return 0;
    default:
        return 1 + mup_usage("release", "that option cannot be used");
    }
}

static int read_options(struct release_options *out, int argc, char **argv)
{
    static const struct option options[] = {{"key", required_argument, NULL, 'k'},
                                            {"vendor", required_argument, NULL, 'p'},
                                            {"image", required_argument, NULL, 'i'},
                                            {"app", required_argument, NULL, 'a'},
                                            {"hardware", required_argument, NULL, 'w'},
                                            {"version", required_argument, NULL, 'v'},
                                            {"link-offset", required_argument, NULL, 'l'},
                                            {"block-size", required_argument, NULL, 'b'},
                                            {"repository", required_argument, NULL, 'r'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        int stop;
        if (option == 'h') {
            fputs(help, stdout);
            return 1 + MUP_EXIT_DONE;
        }
        stop = take_option(out, option);
        if (stop != 0)
            return stop;
    }
    return 0;
}

static void print_manifest(const struct mup_manifest *m, const char *path, const char *verdict,
                           int json)
{
    char digest[2 * MUP_DIGEST_SIZE + 1];

    mup_hex(digest, m->digest, sizeof m->digest);
    if (json) {
        mup_print_json(json_pack(
            "{s:s, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "path", path, "verified",
            strcmp(verdict, "not verified") != 0, "app", m->app_id, "hardware", m->hardware_class,
            "version", (json_int_t)m->new_version, "old_version", (json_int_t)m->old_version,
            "link_offset", (json_int_t)m->link_offset, "image_size", (json_int_t)m->image_size,
            "payload_size", (json_int_t)m->payload_size, "block_size", (json_int_t)m->block_size,
            "digest", digest));
        return;
    }
    printf("%s  %s\n  application  %s\n  hardware     %s\n  version      %u\n"
           "  image        %u bytes at 0x%x\n  payload      %u bytes, blocks of %u\n"
           "  digest       %s\n",
           path, verdict, m->app_id, m->hardware_class, (unsigned)m->new_version,
           (unsigned)m->image_size, (unsigned)m->link_offset, (unsigned)m->payload_size,
           (unsigned)m->block_size, digest);
}

static int create(int argc, char **argv)
{
    struct release_options options = {.fields.block_size = 1024};
    struct mup_signer vendor;
    struct mup_release release;
    struct mup_error error;
    char path[MUP_PATH_MAX];
    uint8_t *image;
    size_t size;
    enum mup_status status;
    int stop = read_options(&options, argc, argv);

    if (stop != 0)
        return stop - 1;
    if (optind != argc || options.key == NULL || options.image == NULL ||
        options.repository == NULL || options.repository[0] == '\0' ||
        options.fields.app_id[0] == '\0' || options.fields.hardware_class[0] == '\0' ||
        options.fields.new_version == 0)
        return mup_usage("release", "create wants --key, --image, --app, --hardware, --version "
                                    "and --repository");
    if (mup_file_read(&image, &size, options.image, MUP_IMAGE_SIZE_MAX, &error) != MUP_OK)
        return mup_fail("%s", error.text);
    if (size == 0) {
        free(image);
        return mup_fail("%s: an image has at least one byte", options.image);
    }
    status = mup_signer_open_file(&vendor, options.key, &error);
    if (status == MUP_OK) {
        status = mup_release_make(&release, &options.fields, image, size, &vendor, &error);
        mup_signer_close(&vendor);
    }
    free(image);
    if (status != MUP_OK)
        return mup_fail("%s", error.text);
    status = mup_repository_add(options.repository, &release, path, &error);
    mup_release_free(&release);
    if (status != MUP_OK)
        return mup_fail("%s", error.text);
    print_manifest(&release.manifest, path, "created", options.json);
    return MUP_EXIT_DONE;
}

static enum mup_status load(struct mup_bytes *out, const char *folder, const char *name,
                            size_t most, struct mup_error *error)
{
    char path[MUP_PATH_MAX + 32];
    uint8_t *bytes;
    enum mup_status status;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path) {
        mup_error_set(error, "a path is longer than %u characters", MUP_PATH_MAX);
        return MUP_ERR_RANGE;
    }
    status = mup_file_read(&bytes, &out->size, path, most, error);
    if (status == MUP_OK)
        out->data = bytes;
    return status;
}

static int verify(int argc, char **argv)
{
    struct release_options options = {.json = 0};
    uint8_t vendor_key[MUP_PUBLIC_KEY_SIZE];
    struct mup_bytes signed_manifest = {NULL, 0};
    struct mup_bytes payload = {NULL, 0};
    struct mup_manifest manifest;
    struct mup_error error;
    enum mup_status status;
    int stop = read_options(&options, argc, argv);

    if (stop != 0)
        return stop - 1;
    if (argc - optind != 1 || options.vendor == NULL)
        return mup_usage("release", "verify wants --vendor and the folder of one release");
    if (mup_public_key_read(vendor_key, options.vendor, &error) != MUP_OK ||
        load(&signed_manifest, argv[optind], "manifest.cose", MUP_VENDOR_SIGNED_MAX, &error) !=
            MUP_OK)
        return mup_fail("%s", error.text);
    if (load(&payload, argv[optind], "payload.bin", MUP_PAYLOAD_MAX, &error) != MUP_OK) {
        free((void *)(uintptr_t)signed_manifest.data);
        return mup_fail("%s", error.text);
    }
    status = mup_release_open(&manifest, signed_manifest, vendor_key, &error);
    if (status == MUP_OK)
        status = mup_repository_check_place(argv[optind], &manifest, &error);
    if (status == MUP_OK)
        status = mup_release_check_payload(&manifest, payload, &error);
    free((void *)(uintptr_t)signed_manifest.data);
    free((void *)(uintptr_t)payload.data);
    if (status != MUP_OK)
        return mup_fail("%s: %s", argv[optind], error.text);
    print_manifest(&manifest, argv[optind], "verified", options.json);
    return MUP_EXIT_DONE;
}

/* Decode without a key: what it says, not whether it is true. */
static int show(int argc, char **argv)
{
    struct release_options options = {.json = 0};
    struct mup_bytes signed_manifest = {NULL, 0};
    struct mup_cose_sign1 envelope;
    struct mup_manifest manifest;
    struct mup_error error;
    enum mup_status status;
    int stop = read_options(&options, argc, argv);

    if (stop != 0)
        return stop - 1;
    if (argc - optind != 1)
        return mup_usage("release", "show wants the folder of one release");
    if (load(&signed_manifest, argv[optind], "manifest.cose", MUP_VENDOR_SIGNED_MAX, &error) !=
        MUP_OK)
        return mup_fail("%s", error.text);
    status = mup_cose_sign1_decode(&envelope, signed_manifest.data, signed_manifest.size);
    if (status == MUP_OK)
        status = mup_manifest_decode(&manifest, envelope.payload.data, envelope.payload.size);
    free((void *)(uintptr_t)signed_manifest.data);
    if (status != MUP_OK)
        return mup_fail("%s/manifest.cose is no signed vendor manifest: %s", argv[optind],
                        mup_status_name(status));
    print_manifest(&manifest, argv[optind], "not verified", options.json);
    return MUP_EXIT_DONE;
}

int mup_release_main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*main)(int argc, char **argv);
    } verbs[] = {{"create", create}, {"verify", verify}, {"show", show}};

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        return MUP_EXIT_DONE;
    }
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].main(argc - 1, argv + 1);
    return mup_usage("release", "create, verify or show is wanted");
}
