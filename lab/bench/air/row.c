/* What one run is, from its JSON object. */
#include <stdio.h>
#include <string.h>

#include "air.h"
#include "board.h"

#define NAME_MIN       20u
#define DEADLINE_S     300
#define DEADLINE_MAX_S 3600

static bool read_kind(enum mup_air_kind *kind, const char *text)
{
    static const char *const names[] = {"update", "replay", "downgrade", "rpc"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            *kind = (enum mup_air_kind)i;
            return true;
        }
    return false;
}

static bool read_words(const char *words[MUP_AIR_WORDS_MAX], const json_t *list)
{
    size_t index;
    json_t *word;

    if (json_array_size(list) >= MUP_AIR_WORDS_MAX)
        return false;
    json_array_foreach(list, index, word)
    {
        if ((words[index] = json_string_value(word)) == NULL)
            return false;
    }
    return true;
}

static bool is_within(json_int_t value, json_int_t least, json_int_t most)
{
    return value >= least && value <= most;
}

static bool is_possible(json_int_t devices, json_int_t name_size, json_int_t image_size,
                        json_int_t cut_s, json_int_t timeout_s)
{
    return is_within(devices, 1, MUP_AIR_DEVICES_MAX) &&
           (name_size == 0 || is_within(name_size, NAME_MIN, MUP_NAME_MAX)) &&
           is_within(image_size, 0, mup_board_microbit.image_size_max) &&
           is_within(cut_s, 0, DEADLINE_MAX_S) && is_within(timeout_s, 1, DEADLINE_MAX_S);
}

bool mup_air_row_read(struct mup_air_row *row, const json_t *line, char error[MUP_AIR_ERROR_MAX])
{
    const char *name = "";
    const char *kind = "update";
    json_int_t seed = 0;
    json_int_t devices = 1;
    json_int_t name_size = 0;
    json_int_t image_size = MUP_AIR_IMAGE_SIZE;
    json_int_t cut_s = 0;
    json_int_t timeout_s = DEADLINE_S;
    json_t *factory = NULL;
    json_t *router = NULL;
    json_error_t problem;

    *row = (struct mup_air_row){.line = line};
    if (json_unpack_ex((json_t *)(uintptr_t)line, &problem, JSON_STRICT,
                       "{s:s, s?I, s?s, s?I, s?I, s?I, s?I, s?I, s?s, s?s, s?o, s?o, s?o}", "name",
                       &name, "seed", &seed, "kind", &kind, "devices", &devices, "name_size",
                       &name_size, "image_size", &image_size, "cut_s", &cut_s, "timeout_s",
                       &timeout_s, "faults", &row->faults, "capture", &row->capture, "factory",
                       &factory, "router", &router, "config", &(json_t *){NULL}) != 0) {
        snprintf(error, MUP_AIR_ERROR_MAX, "not a run: %.200s", problem.text);
        return false;
    }
    if (!read_kind(&row->kind, kind) || !read_words(row->factory, factory) ||
        !read_words(row->router, router) ||
        !is_possible(devices, name_size, image_size, cut_s, timeout_s)) {
        snprintf(error, MUP_AIR_ERROR_MAX, "a kind, number or word of run '%.64s' cannot be", name);
        return false;
    }
    row->devices = (unsigned)devices;
    row->name_size = (unsigned)name_size;
    row->image_size = (uint32_t)image_size;
    row->cut_s = (unsigned)cut_s;
    row->timeout_s = (unsigned)timeout_s;
    return true;
}
