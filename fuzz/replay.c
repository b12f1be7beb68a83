/*
 * Runs a fuzz target over files without a fuzzer, so that its corpus is part of every test run.
 *
 *     fuzz_NAME FILE-OR-FOLDER...
 *
 * Each file is given to the target whole, then cut off at every length and with each single bit
 * flipped, always as a heap block of exactly its size, so that the sanitizers see an over-read of
 * one byte. Files larger than MUTATED_MAX are given whole only.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MUTATED_MAX 2048u      /* bytes */
#define FILE_MAX    (1u << 20) /* bytes; a larger one is no seed */
#define PATH_SIZE   4096u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static unsigned long runs;

static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);

    if (exact == NULL)
        abort();
    if (size > 0)
        memcpy(exact, bytes, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    runs++;
}

static void run_mutated(uint8_t *bytes, size_t size)
{
    for (size_t length = 0; length < size; length++)
        run(bytes, length);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        run(bytes, size);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

static int replay_file(const char *path)
{
    static uint8_t bytes[FILE_MAX];
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        return -1;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    int failed = ferror(file) != 0 || fgetc(file) != EOF;
    (void)fclose(file);
    if (failed) {
        fprintf(stderr, "%s: cannot be read, or is larger than %u bytes\n", path, FILE_MAX);
        return -1;
    }
    run(bytes, size);
    if (size <= MUTATED_MAX)
        run_mutated(bytes, size);
    return 0;
}

static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    int status = 0;

    if (folder == NULL) {
        perror(path);
        return -1;
    }
    for (struct dirent *entry; status == 0 && (entry = readdir(folder)) != NULL;) {
        char file[PATH_SIZE];

        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(file, sizeof file, "%s/%s", path, entry->d_name) >= (int)sizeof file)
            status = -1;
        else
            status = replay_file(file);
    }
    (void)closedir(folder);
    return status;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat info;

        if (stat(argv[i], &info) != 0) {
            perror(argv[i]);
            return 1;
        }
        if ((S_ISDIR(info.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i])) != 0)
            return 1;
    }
    printf("%lu inputs\n", runs);
    return runs > 0 ? 0 : 1;
}
