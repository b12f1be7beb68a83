/* OpenSSL's X.509, in one go. */
#include "server/web/certificate.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mup/sign/repository.h"

#define NAMES_SIZE 512u

static bool add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool good = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

/* "DNS:localhost,IP:127.0.0.1,..." with the address if it is one that others can use. */
static void name_all(char names[NAMES_SIZE], const char *host, const char *address)
{
    unsigned char bytes[16];
    bool is_address = (inet_pton(AF_INET, address, bytes) == 1 && strcmp(address, "0.0.0.0") != 0 &&
                       strcmp(address, "127.0.0.1") != 0) ||
                      (inet_pton(AF_INET6, address, bytes) == 1 && strcmp(address, "::") != 0 &&
                       strcmp(address, "::1") != 0);

    snprintf(names, NAMES_SIZE, "DNS:localhost,IP:127.0.0.1,IP:::1%s%s%s%s", host[0] ? ",DNS:" : "",
             host, is_address ? ",IP:" : "", is_address ? address : "");
}

/* The name of this machine, if a certificate can carry it; else "". */
static void find_host(char *host, size_t size)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";

    if (gethostname(host, size) != 0) {
        host[0] = '\0';
    }
    host[size - 1] = '\0';
    if (strspn(host, allowed) != strlen(host) || strcmp(host, "localhost") == 0) {
        host[0] = '\0';
    }
}

static bool fill(X509 *certificate, EVP_PKEY *key, const char *address)
{
    unsigned char serial[8];
    char host[64];
    char names[NAMES_SIZE];
    X509_NAME *name = X509_get_subject_name(certificate);

    find_host(host, sizeof host);
    name_all(names, host, address);
    if (RAND_bytes(serial, sizeof serial) != 1) {
        return false;
    }
    serial[0] = (unsigned char)((serial[0] & 0x7fu) | 0x40u); /* positive, never zero */
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    bool good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return good && X509_set_version(certificate, 2) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), MUP_CERTIFICATE_DAYS * 24l * 3600l) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)"MUP update server", -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_subject_alt_name, names) &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

static enum mup_status write_pem(const char *path, unsigned mode, const X509 *certificate,
                                 const EVP_PKEY *key, struct mup_error *error)
{
    enum mup_status status = MUP_ERR_SPACE;
    BIO *out = BIO_new(BIO_s_mem());
    char *text;

    if (out &&
        (certificate ? PEM_write_bio_X509(out, certificate)
                     : PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL)) == 1) {
        long size = BIO_get_mem_data(out, &text);
        status = mup_file_write(path, text, (size_t)size, mode, error);
    } else {
        mup_error_set(error, "no memory");
    }
    BIO_free(out);
    return status;
}

enum mup_status mup_web_certificate_make(const char *certificate_path, const char *key_path,
                                         const char *address, struct mup_error *error)
{
    enum mup_status status = MUP_ERR_RANDOM;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();

    if (key && certificate && fill(certificate, key, address)) {
        status = write_pem(key_path, 0600, NULL, key, error);
        if (status == MUP_OK) {
            status = write_pem(certificate_path, 0644, certificate, NULL, error);
        }
    } else {
        mup_error_set(error, "OpenSSL cannot make a certificate");
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return status;
}
