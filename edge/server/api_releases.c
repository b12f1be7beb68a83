/* Releases over REST: fetch, list, tell in words. */
#include "server/api_internal.h"
#include "server/update_json.h"

void mup_api_get_releases(struct mup_api *api, const struct mup_ask *ask)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mup_releases_count(api->parts.releases); i++) {
        json_array_append_new(list, mup_release_json(mup_releases_at(api->parts.releases, i)));
    }
    mup_answer_list(ask->request, "releases", list);
}

static void on_added(void *arg, const struct mup_fault *fault,
                     const struct mup_stored_release *release)
{
    if (fault) {
        mup_answer_fault(arg, fault);
    } else {
        mup_answer_json(arg, 201, mup_release_json(release));
    }
}

void mup_api_post_release(struct mup_api *api, const struct mup_ask *ask)
{
    struct mup_fault fault;
    const char *url = json_string_value(json_object_get(ask->body, "url"));

    if (!url || json_object_size(ask->body) != 1) {
        mup_answer_refuse(ask->request, MUP_FAULT_BAD_REQUEST, "the body is not {\"url\": TEXT}");
    } else if (mup_releases_add(api->parts.releases, url, on_added, ask->request, &fault) !=
               MUP_FAULT_NONE) {
        mup_answer_fault(ask->request, &fault);
    }
}
