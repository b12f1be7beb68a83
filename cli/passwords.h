/*
 * The broker's password file, in the format of mosquitto_passwd: one `name:$7$...` a line.
 *
 * Passwords are 32 random hexadecimal digits, made here and shown once; the file has PBKDF2-SHA512
 * of them. Changes are made under a lock on the folder, to a copy that then takes the file's place
 * with its owner and mode, so that a broker which reloads meanwhile reads the one or the other.
 */
#ifndef MUP_CLI_PASSWORDS_H
#define MUP_CLI_PASSWORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define MUP_PASSWORD_SIZE   33u /* with NUL */
#define MUP_PASSWORDS_FILE  "passwords"
#define MUP_BROKER_PATH_MAX 1024u

struct mup_passwords {
    int folder; /* locked */
    char path[MUP_BROKER_PATH_MAX];
    char *text; /* NUL-terminated */
    size_t size;
};

/* Lock the broker's folder and read the file, which may be missing when `create`. On false it was
 * said on stderr. */
bool mup_passwords_open(struct mup_passwords *passwords, const char *folder, bool create);
void mup_passwords_close(struct mup_passwords *passwords);

bool mup_passwords_have(const struct mup_passwords *passwords, const char *name);
/* Visit the names in the order of the file. */
void mup_passwords_each(const struct mup_passwords *passwords, void (*visit)(void *, const char *),
                        void *arg);
/* A new random password for the name, which is added or gets another one. */
bool mup_passwords_put(struct mup_passwords *passwords, const char *name,
                       char password[MUP_PASSWORD_SIZE]);
bool mup_passwords_remove(struct mup_passwords *passwords, const char *name);
/* Write it; after that it survives a loss of power. */
bool mup_passwords_write(const struct mup_passwords *passwords);

#endif
