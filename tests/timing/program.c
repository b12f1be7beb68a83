/* The symbol table of an ELF file (System V ABI, "Object Files"). See program.h. */
#include "program.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *read_all(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rbe");
    uint8_t *bytes = NULL;
    long length = 0;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0)
        length = ftell(file);
    if (length > 0 && (bytes = malloc((size_t)length)) != NULL) {
        rewind(file);
        *size = fread(bytes, 1, (size_t)length, file);
    }
    if (file != NULL)
        fclose(file);
    return bytes;
}

static const char *name_of(const uint8_t *bytes, size_t size, const Elf32_Shdr *names,
                           uint32_t offset)
{
    if (names->sh_offset > size || offset >= size - names->sh_offset)
        return "";
    return (const char *)bytes + names->sh_offset + offset;
}

static uint32_t find(const uint8_t *bytes, size_t size, const char *name)
{
    const Elf32_Ehdr *header = (const void *)bytes;
    const Elf32_Shdr *sections;

    if (size < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_shoff > size || header->e_shnum > (size - header->e_shoff) / sizeof *sections)
        return 0;
    sections = (const void *)(bytes + header->e_shoff);
    for (unsigned i = 0; i < header->e_shnum; i++) {
        const Elf32_Sym *symbols = (const void *)(bytes + sections[i].sh_offset);

        if (sections[i].sh_type != SHT_SYMTAB || sections[i].sh_link >= header->e_shnum ||
            sections[i].sh_offset > size || sections[i].sh_size > size - sections[i].sh_offset)
            continue;
        for (uint32_t at = 0; at < sections[i].sh_size / sizeof *symbols; at++)
            if (symbols[at].st_shndx != SHN_UNDEF &&
                strcmp(name_of(bytes, size, &sections[sections[i].sh_link], symbols[at].st_name),
                       name) == 0)
                return symbols[at].st_value;
    }
    return 0;
}

uint32_t program_symbol(const char *path, const char *name)
{
    size_t size = 0;
    uint8_t *bytes = read_all(path, &size);
    uint32_t address = bytes == NULL ? 0 : find(bytes, size, name);

    free(bytes);
    if (address == 0)
        fprintf(stderr, "timing: %s has no %s\n", path, name);
    return address;
}

bool program_word(const char *path, uint32_t offset, uint32_t *out)
{
    size_t size = 0;
    uint8_t *bytes = read_all(path, &size);
    bool there = bytes != NULL && size >= 4 && offset <= size - 4;

    if (there)
        memcpy(out, bytes + offset, sizeof *out);
    free(bytes);
    return there;
}
