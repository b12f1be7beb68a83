/* A recursive descent over the grammar of pattern.h that only counts (appendix F, productions). */
#include "bridge/description/pattern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct scan {
    const char *at;
    const char *fault;
    unsigned depth;
};

static const char unfinished[] = "it is not a regular expression of XML Schema";

static size_t fail(struct scan *scan, const char *fault)
{
    if (!scan->fault)
        scan->fault = fault;
    return 0;
}

/* The category names of Unicode, as \p takes them. */
static bool is_category(const char *name, size_t size)
{
    static const char *const kinds[] = {"Llutmo", "Mnce",  "Ndlo", "Pcdseifo",
                                        "Zslp",   "Smcko", "Ccfon"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (size > 0 && size <= 2 && name[0] == kinds[i][0] &&
            (size == 1 || strchr(kinds[i] + 1, name[1])))
            return true;
    }
    return false;
}

/* Behind a backslash. */
static void scan_escape(struct scan *scan)
{
    char c = *scan->at;
    if (c && strchr("nrt\\|.?*+(){}-[]^dDsSwW", c)) {
        scan->at++;
        return;
    }
    if ((c == 'p' || c == 'P') && scan->at[1] == '{') {
        const char *name = scan->at + 2;
        const char *end = strchr(name, '}');
        if (end && is_category(name, (size_t)(end - name))) {
            scan->at = end + 1;
            return;
        }
    }
    fail(scan, "it has an escape other than of a single character, \\d, \\s, \\w or a category");
}

/* One code point of valid UTF-8. */
static uint32_t next_code_point(struct scan *scan)
{
    unsigned char lead = (unsigned char)*scan->at++;
    uint32_t c = lead < 0x80   ? lead
                 : lead < 0xe0 ? lead & 0x1fu
                 : lead < 0xf0 ? lead & 0x0fu
                               : lead & 0x07u;
    while (((unsigned char)*scan->at & 0xc0) == 0x80)
        c = c << 6 | ((unsigned char)*scan->at++ & 0x3fu);
    return c;
}

/* A member of a class; *single is false for one that stands for several characters. */
static uint32_t scan_member(struct scan *scan, bool *single)
{
    *single = true;
    if (*scan->at != '\\')
        return next_code_point(scan);
    scan->at++;
    char c = *scan->at;
    *single = c && !strchr("dDsSwWpP", c);
    scan_escape(scan);
    return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : (uint32_t)(unsigned char)c;
}

/* Behind the opening bracket. */
static void scan_class(struct scan *scan)
{
    bool any = false;
    if (*scan->at == '^')
        scan->at++;
    while (*scan->at != ']' && !scan->fault) {
        bool single, end_single;
        if (!*scan->at || *scan->at == '[') {
            fail(scan, "a class in brackets is not closed, or has another within it");
            return;
        }
        bool dash = *scan->at == '-';
        if (dash && any && scan->at[1] != ']') {
            fail(scan, "a - within brackets stands first or last, or as \\-");
            return;
        }
        uint32_t low = scan_member(scan, &single);
        any = true;
        if (dash || scan->at[0] != '-' || scan->at[1] == ']' || !scan->at[1])
            continue;
        scan->at++;
        if (*scan->at == '[' || *scan->at == '-') {
            fail(scan, "a - within brackets stands first or last, or as \\-");
            return;
        }
        uint32_t high = scan_member(scan, &end_single);
        if (!single || !end_single || low > high)
            fail(scan, "a range within brackets goes backwards or not from character to character");
    }
    if (!any)
        fail(scan, "a class in brackets is empty");
    scan->at++;
}

static size_t scan_number(struct scan *scan)
{
    size_t value = 0;
    if (*scan->at < '0' || *scan->at > '9')
        return fail(scan, unfinished);
    while (*scan->at >= '0' && *scan->at <= '9') {
        value = value * 10 + (size_t)(*scan->at++ - '0');
        if (value > MUP_PATTERN_REPEAT_MAX)
            return fail(scan, "it repeats something more than 255 times");
    }
    return value;
}

/* How often the atom before is written out. */
static size_t scan_quantifier(struct scan *scan)
{
    if (*scan->at && strchr("?*+", *scan->at)) {
        scan->at++;
        return 1;
    }
    if (*scan->at != '{')
        return 1;
    scan->at++;
    size_t least = scan_number(scan), most = least;
    if (*scan->at == ',') {
        scan->at++;
        if (*scan->at != '}')
            most = scan_number(scan);
    }
    if (*scan->at != '}' || most < least)
        return fail(scan, unfinished);
    scan->at++;
    return most > 0 ? most : 1;
}

static size_t scan_choice(struct scan *scan);

static size_t scan_atom(struct scan *scan)
{
    char c = *scan->at;
    if (strchr("?*+{}])", c))
        return fail(scan, unfinished);
    if (c == '(') {
        scan->at++;
        if (++scan->depth > MUP_PATTERN_DEPTH_MAX)
            return fail(scan, "it has groups more than 16 deep");
        if (*scan->at == '?')
            return fail(scan, unfinished);
        size_t size = scan_choice(scan);
        scan->depth--;
        if (*scan->at != ')')
            return fail(scan, unfinished);
        scan->at++;
        return size + 1;
    }
    if (c == '[') {
        scan->at++;
        scan_class(scan);
    } else if (c == '\\') {
        scan->at++;
        scan_escape(scan);
    } else {
        (void)next_code_point(scan);
    }
    return 1;
}

static size_t scan_choice(struct scan *scan)
{
    size_t size = 0;
    while (*scan->at && *scan->at != ')' && !scan->fault) {
        if (*scan->at == '|') {
            scan->at++;
            size++;
            continue;
        }
        size_t atom = scan_atom(scan);
        if (!scan->fault)
            size += atom * scan_quantifier(scan);
        if (size > MUP_PATTERN_EXPANDED_MAX)
            return fail(scan, "it is too large when its repetitions are written out");
    }
    return size;
}

const char *mup_pattern_fault(const char *pattern)
{
    struct scan scan = {.at = pattern};
    if (strlen(pattern) > MUP_PATTERN_SIZE_MAX)
        return "it has more than 512 bytes";
    for (const char *c = pattern; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return "it has a control character";
    }
    scan_choice(&scan);
    if (!scan.fault && *scan.at)
        fail(&scan, unfinished);
    return scan.fault;
}
