/*
 * The release repository: a folder of static files (docs/SPEC.md section 21).
 *
 * Files are written beside their place and renamed, the index last, so that a reader or a power
 * cut sees an old repository or a new one, never half of a release. A release that is there is
 * never overwritten: a version, once published, means one image.
 */
#ifndef MUP_SIGN_REPOSITORY_H
#define MUP_SIGN_REPOSITORY_H

#include <stddef.h>
#include <stdint.h>

#include "mup/sign/error.h"
#include "mup/sign/release.h"
#include "mup/status.h"

#define MUP_PATH_MAX 1024u

/*
 * Add a release to the repository at `folder`, which is made when it is missing; `path` receives
 * where in it the release stands. MUP_ERR_STATE when that release is there already.
 */
MUP_MUST_CHECK
enum mup_status mup_repository_add(const char *folder, const struct mup_release *release,
                                   char path[MUP_PATH_MAX], struct mup_error *error);

/* The folder of a release below the repository's, such as "thermostat/2/nrf51". */
MUP_MUST_CHECK
enum mup_status mup_repository_path(char path[MUP_PATH_MAX], const struct mup_manifest *manifest,
                                    struct mup_error *error);

/*
 * Check that a release lies where its manifest says. `place` is a path or URL; when its last three
 * parts look like APP/VERSION/HARDWARE (the middle one is a number), they must be the manifest's:
 * signed bytes of another version under a folder's name would mislead whoever chose it by name.
 * MUP_ERR_STATE when they are not. Other places say nothing and pass.
 */
MUP_MUST_CHECK
enum mup_status mup_repository_check_place(const char *place, const struct mup_manifest *manifest,
                                           struct mup_error *error);

/* Read a whole file of at most `most` bytes into malloced memory; *size is its size. */
MUP_MUST_CHECK
enum mup_status mup_file_read(uint8_t **bytes, size_t *size, const char *path, size_t most,
                              struct mup_error *error);

/* Write a file beside its place, sync it and rename it there, with the given mode. */
MUP_MUST_CHECK
enum mup_status mup_file_write(const char *path, const void *bytes, size_t size, unsigned mode,
                               struct mup_error *error);

#endif
