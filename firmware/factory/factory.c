/* What the production line does to a device of any board: see factory.h. */
#include "factory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "mup/crypto.h"
#include "mup/topic.h"

/* The raw x || y of a PEM file with a P-256 public key. */
static bool read_key(uint8_t key[MUP_P256_KEY_SIZE], const char *program, const char *path)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *read;
    char group[32] = "";
    unsigned char point[1 + MUP_P256_KEY_SIZE];
    size_t size = 0;
    bool good;

    if (file == NULL) {
        fprintf(stderr, "%s: the vendor's public key %s cannot be read: %s\n", program, path,
                strerror(errno));
        return false;
    }
    read = PEM_read_PUBKEY(file, NULL, NULL, NULL);
    fclose(file);
    good = read != NULL &&
           EVP_PKEY_get_utf8_string_param(read, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                          NULL) == 1 &&
           strcmp(group, "prime256v1") == 0 &&
           EVP_PKEY_get_octet_string_param(read, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                           &size) == 1 &&
           size == sizeof point && point[0] == 4;
    EVP_PKEY_free(read);
    if (!good) {
        fprintf(stderr, "%s: %s has no public key of P-256 in PEM, as mup keygen writes it\n",
                program, path);
        return false;
    }
    memcpy(key, point + 1, MUP_P256_KEY_SIZE);
    return true;
}

bool mup_factory_identity(struct mup_identity *out, const char *program, const char *uuid,
                          const char *name, const char *key_path)
{
    uint8_t digest[MUP_SHA256_SIZE];
    char text[MUP_UUID_TEXT_SIZE];

    memset(out, 0, sizeof *out);
    if (mup_uuid_parse(out->uuid, uuid, strlen(uuid)) != MUP_OK) {
        fprintf(stderr, "%s: '%s' is not a UUID, such as 5f0c1d2e-3a4b-4c5d-8e9f-a0b1c2d3e4f5\n",
                program, uuid);
        return false;
    }
    mup_uuid_format(text, out->uuid);
    if (name == NULL)
        name = text;
    if (!mup_name_is_valid(name, strlen(name))) {
        fprintf(stderr, "%s: '%s' is not a name: 1 to 48 of A-Z a-z 0-9 . _ -\n", program, name);
        return false;
    }
    memcpy(out->name, name, strlen(name));
    if (!read_key(out->vendor.public_key, program, key_path))
        return false;
    mup_sha256_of(digest, out->vendor.public_key, MUP_P256_KEY_SIZE);
    memcpy(out->vendor.key_id, digest, MUP_KEY_ID_SIZE);
    return true;
}

uint8_t *mup_factory_read(const char *program, const char *path, uint32_t size_max, uint32_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc((size_t)size_max + 1);

    *size = 0;
    if (file != NULL)
        errno = 0; /* so that an empty file is not an error of long ago */
    if (file != NULL && bytes != NULL)
        *size = (uint32_t)fread(bytes, 1, (size_t)size_max + 1, file);
    if (file == NULL || ferror(file) || *size == 0) {
        fprintf(stderr, "%s: %s cannot be read: %s\n", program, path,
                errno != 0 ? strerror(errno) : "it is empty");
        *size = 0;
    }
    if (file != NULL)
        fclose(file);
    return bytes;
}

bool mup_factory_program(const struct mup_port_flash *flash, uint32_t at, const uint8_t *bytes,
                         uint32_t size)
{
    for (uint32_t done = 0; done < size; done += MUP_PORT_FLASH_WORD_SIZE) {
        uint32_t word = MUP_PORT_FLASH_ERASED_WORD;

        memcpy(&word, bytes + done, size - done < 4 ? size - done : 4);
        if (flash->program(flash->context, at + done, &word, 1) != 0)
            return false;
    }
    return true;
}
