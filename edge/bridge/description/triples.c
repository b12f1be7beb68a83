/* Interned terms and a set of triples with stated maxima (triples.h). */
#include "bridge/description/triples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_ROOM 256u

void mup_triples_init(struct mup_triples *triples)
{
    memset(triples, 0, sizeof *triples);
    /* A seed that a description's author cannot know keeps the tables from being flooded. */
    if (getrandom(&triples->seed, sizeof triples->seed, GRND_NONBLOCK) < 0)
        triples->seed = (uint64_t)(uintptr_t)triples;
}

void mup_triples_free(struct mup_triples *triples)
{
    free(triples->terms);
    free(triples->items);
    free(triples->term_slots);
    free(triples->item_slots);
    mup_arena_free(&triples->arena);
    memset(triples, 0, sizeof *triples);
}

/* Eight bytes a step: most terms are IRIs of 60 to 100 bytes. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (; size >= sizeof hash; at += sizeof hash, size -= sizeof hash) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash ^ (hash >> 29);
}

static uint64_t term_hash(const struct mup_triples *triples, const struct mup_term *term)
{
    uint64_t hash = triples->seed ^ (uint64_t)term->kind * UINT64_C(0x9e3779b97f4a7c15);
    hash = mix(hash, term->text, strlen(term->text) + 1);
    if (term->datatype)
        hash = mix(hash, term->datatype, strlen(term->datatype));
    if (term->language)
        hash = mix(hash, term->language, strlen(term->language));
    return hash;
}

static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int same_term(const struct mup_term *a, const struct mup_term *b)
{
    return a->kind == b->kind && strcmp(a->text, b->text) == 0 &&
           same_text(a->datatype, b->datatype) && same_text(a->language, b->language);
}

static uint64_t item_hash(const struct mup_triples *triples, const struct mup_triple *item)
{
    return mix(triples->seed, item, sizeof *item);
}

/* The slot of `term`, or the free one where it belongs. */
static uint32_t *term_slot(const struct mup_triples *triples, const struct mup_term *term)
{
    uint32_t mask = triples->term_slot_count - 1;
    uint32_t at = (uint32_t)term_hash(triples, term) & mask;
    while (triples->term_slots[at] &&
           !same_term(&triples->terms[triples->term_slots[at] - 1], term))
        at = (at + 1) & mask;
    return &triples->term_slots[at];
}

static uint32_t *item_slot(const struct mup_triples *triples, const struct mup_triple *item)
{
    uint32_t mask = triples->item_slot_count - 1;
    uint32_t at = (uint32_t)item_hash(triples, item) & mask;
    while (triples->item_slots[at] &&
           memcmp(&triples->items[triples->item_slots[at] - 1], item, sizeof *item) != 0)
        at = (at + 1) & mask;
    return &triples->item_slots[at];
}

static enum mup_status grow_terms(struct mup_triples *triples)
{
    uint32_t room = triples->term_room ? triples->term_room * 2 : FIRST_ROOM;
    struct mup_term *terms = realloc(triples->terms, room * sizeof *terms);
    if (!terms)
        return MUP_ERR_SPACE;
    triples->terms = terms;
    uint32_t *slots = calloc(room * 2, sizeof *slots);
    if (!slots)
        return MUP_ERR_SPACE;
    free(triples->term_slots);
    triples->term_slots = slots;
    triples->term_slot_count = room * 2;
    triples->term_room = room;
    for (uint32_t i = 0; i < triples->term_count; i++)
        *term_slot(triples, &terms[i]) = i + 1;
    return MUP_OK;
}

static enum mup_status grow_items(struct mup_triples *triples)
{
    uint32_t room = triples->item_room ? triples->item_room * 2 : FIRST_ROOM;
    struct mup_triple *items = realloc(triples->items, room * sizeof *items);
    if (!items)
        return MUP_ERR_SPACE;
    triples->items = items;
    uint32_t *slots = calloc(room * 2, sizeof *slots);
    if (!slots)
        return MUP_ERR_SPACE;
    free(triples->item_slots);
    triples->item_slots = slots;
    triples->item_slot_count = room * 2;
    triples->item_room = room;
    for (uint32_t i = 0; i < triples->count; i++)
        *item_slot(triples, &items[i]) = i + 1;
    return MUP_OK;
}

static enum mup_status beyond(struct mup_triples *triples, const char *limit)
{
    triples->limit = limit;
    return MUP_ERR_RANGE;
}

enum mup_status mup_triples_term(struct mup_triples *triples, uint32_t *id,
                                 const struct mup_term *term)
{
    size_t size = strlen(term->text);
    if (term->kind == MUP_TERM_LITERAL ? size > MUP_LITERAL_SIZE_MAX : size > MUP_IRI_SIZE_MAX)
        return beyond(triples, term->kind == MUP_TERM_LITERAL ? "a text is longer than 8192 bytes"
                                                              : "an IRI is longer than 1024 bytes");
    if (term->datatype && strlen(term->datatype) > MUP_IRI_SIZE_MAX)
        return beyond(triples, "an IRI is longer than 1024 bytes");
    if (triples->term_count == triples->term_room && grow_terms(triples) != MUP_OK)
        return MUP_ERR_SPACE;

    uint32_t *slot = term_slot(triples, term);
    if (*slot) {
        *id = *slot - 1;
        return MUP_OK;
    }
    size += (term->datatype ? strlen(term->datatype) : 0) + 1;
    if (size > MUP_TERMS_SIZE_MAX - triples->text_size)
        return beyond(triples, "the IRIs and texts together are longer than 2 MB");

    struct mup_term copy = {.kind = term->kind};
    copy.text = mup_arena_copy(&triples->arena, term->text, strlen(term->text));
    if (!copy.text)
        return MUP_ERR_SPACE;
    if (term->datatype) {
        copy.datatype = mup_arena_copy(&triples->arena, term->datatype, strlen(term->datatype));
        if (!copy.datatype)
            return MUP_ERR_SPACE;
    }
    if (term->language) {
        copy.language = mup_arena_copy(&triples->arena, term->language, strlen(term->language));
        if (!copy.language)
            return MUP_ERR_SPACE;
    }
    triples->text_size += size;
    triples->terms[triples->term_count] = copy;
    *slot = ++triples->term_count;
    *id = *slot - 1;
    return MUP_OK;
}

bool mup_triples_find(const struct mup_triples *triples, uint32_t *id, const struct mup_term *term)
{
    uint32_t found = triples->term_slot_count ? *term_slot(triples, term) : 0;
    if (!found)
        return false;
    *id = found - 1;
    return true;
}

enum mup_status mup_triples_add(struct mup_triples *triples, uint32_t subject, uint32_t predicate,
                                uint32_t object)
{
    if (triples->count == triples->item_room && grow_items(triples) != MUP_OK)
        return MUP_ERR_SPACE;
    struct mup_triple item = {subject, predicate, object};
    uint32_t *slot = item_slot(triples, &item);
    if (*slot)
        return MUP_OK;
    if (triples->count == MUP_DESCRIPTION_TRIPLES_MAX)
        return beyond(triples, "the description has more than 10000 triples");
    triples->items[triples->count] = item;
    *slot = ++triples->count;
    return MUP_OK;
}

/* The canonical form (N-Triples, section 4): these four characters have an escape, no other has. */
static void put_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '"':
            fputs("\\\"", out);
            break;
        case '\\':
            fputs("\\\\", out);
            break;
        case '\n':
            fputs("\\n", out);
            break;
        case '\r':
            fputs("\\r", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

static void put_term(FILE *out, const struct mup_term *term)
{
    if (term->kind == MUP_TERM_IRI) {
        fprintf(out, "<%s>", term->text);
    } else if (term->kind == MUP_TERM_BLANK) {
        fprintf(out, "_:%s", term->text);
    } else {
        fputc('"', out);
        put_escaped(out, term->text);
        fputc('"', out);
        if (term->language)
            fprintf(out, "@%s", term->language);
        else if (term->datatype)
            fprintf(out, "^^<%s>", term->datatype);
    }
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *print_line(const struct mup_triples *triples, const struct mup_triple *item)
{
    char *line = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&line, &size);
    if (!out)
        return NULL;
    put_term(out, &triples->terms[item->subject]);
    fputc(' ', out);
    put_term(out, &triples->terms[item->predicate]);
    fputc(' ', out);
    put_term(out, &triples->terms[item->object]);
    fputs(" .\n", out);
    if (fclose(out) != 0) {
        free(line);
        return NULL;
    }
    return line;
}

static char *join(char *const *lines, uint32_t count)
{
    size_t size = 1;
    for (uint32_t i = 0; i < count; i++)
        size += strlen(lines[i]);
    char *text = malloc(size);
    char *to = text;
    for (uint32_t i = 0; text && i < count; i++) {
        size_t length = strlen(lines[i]);
        memcpy(to, lines[i], length);
        to += length;
    }
    if (text)
        *to = '\0';
    return text;
}

enum mup_status mup_triples_print(char **out, const struct mup_triples *triples)
{
    uint32_t count = 0;
    char *text = NULL;
    char **lines = calloc(triples->count + 1, sizeof *lines);
    if (!lines)
        return MUP_ERR_SPACE;
    while (count < triples->count) {
        lines[count] = print_line(triples, &triples->items[count]);
        if (!lines[count])
            break;
        count++;
    }
    if (count == triples->count) {
        qsort(lines, count, sizeof *lines, compare_lines);
        text = join(lines, count);
    }
    for (uint32_t i = 0; i < count; i++)
        free(lines[i]);
    free(lines);
    if (!text)
        return MUP_ERR_SPACE;
    *out = text;
    return MUP_OK;
}

int mup_iri_is_absolute(const char *text)
{
    static const char forbidden[] =
        "\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"
        "\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f <>\"{}|^`\\\x7f";
    const char *at = text;
    if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z')))
        return 0;
    while ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
           *at == '+' || *at == '-' || *at == '.')
        at++;
    if (*at != ':')
        return 0;
    /* Whole texts at once: every name of a description comes along here. */
    return at[strcspn(at, forbidden)] == '\0';
}

int mup_text_is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        unsigned char lead = *at++;
        if (lead < 0x80)
            continue;
        /* RFC 3629 section 4: only the second byte depends on the first. */
        unsigned rest = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
        unsigned char least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        if (lead < 0xc2 || lead > 0xf4 || *at < least || *at > most)
            return 0;
        for (at++, rest--; rest > 0; at++, rest--) {
            if ((*at & 0xc0) != 0x80)
                return 0;
        }
    }
    return 1;
}
