/* The release repository: where a release stands in it, and its index. */
#include "mup/sign/repository.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "mup/topic.h"

#define INDEX_SIZE_MAX (4u * 1024u * 1024u)

/* Names become folders of a web server: letters, digits, dot, underscore, hyphen, no leading dot.
 */
static int is_folder_name(const char *name)
{
    return name[0] != '.' && mup_name_is_valid(name, strlen(name));
}

enum mup_status mup_repository_path(char path[MUP_PATH_MAX], const struct mup_manifest *manifest,
                                    struct mup_error *error)
{
    if (!is_folder_name(manifest->app_id) || !is_folder_name(manifest->hardware_class)) {
        mup_error_set(error, "application id and hardware class become folders of the repository: "
                             "use letters, digits, '.', '_' and '-', no leading dot");
        return MUP_ERR_RANGE;
    }
    snprintf(path, MUP_PATH_MAX, "%s/%u/%s", manifest->app_id, (unsigned)manifest->new_version,
             manifest->hardware_class);
    return MUP_OK;
}

/* The last three parts of a path or URL, without slashes at its end; NULL when it has fewer. */
static const char *last_three(const char *place, size_t *size)
{
    const char *end = place + strlen(place);
    const char *at;
    unsigned slashes = 0;

    while (end > place && end[-1] == '/')
        end--;
    for (at = end; at > place; at--)
        if (at[-1] == '/' && ++slashes == 3)
            break;
    *size = (size_t)(end - at);
    return slashes == 3 || (slashes == 2 && at == place) ? at : NULL;
}

/* Whether the middle one of three parts is a number. */
static int has_version(const char *three, size_t size)
{
    const char *version = memchr(three, '/', size);
    const char *digit;

    if (version == NULL)
        return 0;
    for (digit = version + 1; *digit >= '0' && *digit <= '9'; digit++)
        continue;
    return digit > version + 1 && *digit == '/';
}

enum mup_status mup_repository_check_place(const char *place, const struct mup_manifest *manifest,
                                           struct mup_error *error)
{
    char expected[MUP_PATH_MAX];
    size_t size;
    const char *three = last_three(place, &size);

    if (three == NULL || !has_version(three, size))
        return MUP_OK;
    if (mup_repository_path(expected, manifest, error) != MUP_OK)
        return MUP_ERR_STATE;
    if (size == strlen(expected) && memcmp(three, expected, size) == 0)
        return MUP_OK;
    mup_error_set(error,
                  "the release under %.*s is %s by its signed manifest: the repository was "
                  "put together wrongly",
                  (int)size, three, expected);
    return MUP_ERR_STATE;
}

/* Make each folder of a path that is not there yet; `path` is whole again at the end. */
static enum mup_status make_folders(char *path, struct mup_error *error)
{
    for (char *at = path + 1;; at++) {
        char end = *at;
        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            mup_error_set(error, "%s: cannot make this folder: %s", path, strerror(errno));
            *at = end;
            return MUP_ERR_STATE;
        }
        *at = end;
        if (end == '\0')
            return MUP_OK;
    }
}

static json_t *index_entry(const struct mup_manifest *manifest, const char *path)
{
    char digest[2 * MUP_DIGEST_SIZE + 1];

    for (size_t i = 0; i < MUP_DIGEST_SIZE; i++)
        snprintf(digest + 2 * i, 3, "%02x", manifest->digest[i]);
    return json_pack("{s:s, s:I, s:s, s:s, s:I, s:I, s:s}", "app", manifest->app_id, "version",
                     (json_int_t)manifest->new_version, "hardware", manifest->hardware_class,
                     "path", path, "image_size", (json_int_t)manifest->image_size, "payload_size",
                     (json_int_t)manifest->payload_size, "digest", digest);
}

/* The index as it stands, or a new one when there is none. NULL with an error when it is broken. */
static json_t *load_index(const char *path, struct mup_error *error)
{
    json_error_t why;
    uint8_t *bytes = NULL;
    size_t size = 0;
    json_t *index;

    if (access(path, F_OK) != 0)
        return json_pack("{s:i, s:[]}", "format", 1, "releases");
    if (mup_file_read(&bytes, &size, path, INDEX_SIZE_MAX, error) != MUP_OK)
        return NULL;
    index = json_loadb((const char *)bytes, size, 0, &why);
    free(bytes);
    if (index == NULL || json_integer_value(json_object_get(index, "format")) != 1 ||
        !json_is_array(json_object_get(index, "releases"))) {
        mup_error_set(error,
                      "%s is not an index of releases; move it away and add the releases "
                      "again",
                      path);
        json_decref(index);
        return NULL;
    }
    return index;
}

static enum mup_status add_to_index(const char *folder, const struct mup_manifest *manifest,
                                    const char *release_path, struct mup_error *error)
{
    char path[MUP_PATH_MAX + 16];
    enum mup_status status = MUP_ERR_SPACE;
    char *text = NULL;
    json_t *index;

    snprintf(path, sizeof path, "%s/index.json", folder);
    index = load_index(path, error);
    if (index == NULL)
        return MUP_ERR_FORMAT;
    if (json_array_append_new(json_object_get(index, "releases"),
                              index_entry(manifest, release_path)) == 0)
        text = json_dumps(index, JSON_INDENT(2) | JSON_SORT_KEYS);
    if (text != NULL)
        status = mup_file_write(path, text, strlen(text), 0644, error);
    free(text);
    json_decref(index);
    return status;
}

/* Payload before manifest: a reader that finds a manifest finds its payload too. */
static enum mup_status write_release(const char *place, const struct mup_release *release,
                                     struct mup_error *error)
{
    char path[2 * MUP_PATH_MAX];
    enum mup_status status;

    snprintf(path, sizeof path, "%s/payload.bin", place);
    status = mup_file_write(path, release->payload, release->payload_size, 0644, error);
    if (status != MUP_OK)
        return status;
    snprintf(path, sizeof path, "%s/manifest.cose", place);
    return mup_file_write(path, release->signed_manifest, release->signed_manifest_size, 0644,
                          error);
}

/* Take back what write_release wrote, so that the same command can be given again. */
static void remove_release(const char *place)
{
    char path[2 * MUP_PATH_MAX];

    snprintf(path, sizeof path, "%s/manifest.cose", place);
    (void)unlink(path);
    snprintf(path, sizeof path, "%s/payload.bin", place);
    (void)unlink(path);
    (void)rmdir(place);
}

enum mup_status mup_repository_add(const char *folder, const struct mup_release *release,
                                   char path[MUP_PATH_MAX], struct mup_error *error)
{
    char below[MUP_PATH_MAX];
    char place[MUP_PATH_MAX];
    char manifest[MUP_PATH_MAX + 16];
    enum mup_status status = mup_repository_path(below, &release->manifest, error);

    if (status != MUP_OK)
        return status;
    if ((size_t)snprintf(place, sizeof place, "%s/%s", folder, below) >= sizeof place) {
        mup_error_set(error, "the repository's path is longer than %u characters", MUP_PATH_MAX);
        return MUP_ERR_RANGE;
    }
    snprintf(manifest, sizeof manifest, "%s/manifest.cose", place);
    if (access(manifest, F_OK) == 0) {
        mup_error_set(error,
                      "%s is there already: a published version is never changed; "
                      "give the new image a higher version",
                      manifest);
        return MUP_ERR_STATE;
    }
    status = make_folders(place, error);
    if (status == MUP_OK)
        status = write_release(place, release, error);
    if (status == MUP_OK)
        status = add_to_index(folder, &release->manifest, below, error);
    if (status != MUP_OK) {
        remove_release(place);
        return status;
    }
    snprintf(path, MUP_PATH_MAX, "%s", below);
    return MUP_OK;
}
