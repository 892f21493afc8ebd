// Runs a fuzzer's target once on each file under the given paths, so that `make test` replays a
// corpus without clang. Prints one TAP line a file; a crash ends it before its line, which the
// plan on the first line makes visible.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int by_name(const struct dirent **a, const struct dirent **b) {
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry) {
	return entry->d_name[0] != '.';
}

// The bytes are copied to a block of exactly their size: a read past the end is then an
// error that the address sanitizer or valgrind sees.
static void replay(const char *path, int number) {
	FILE *file = fopen(path, "rb");
	struct stat info;
	if (!file || fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode)) {
		printf("not ok %d - %s is not a readable file\n", number, path);
		if (file) fclose(file);
		return;
	}
	size_t size = (size_t)info.st_size;
	uint8_t *data = malloc(size ? size : 1);
	if (!data) abort();
	size_t got = fread(data, 1, size, file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, got);
	free(data);
	printf("ok %d - %s\n", number, path);
	fflush(stdout);
}

int main(int argc, char **argv) {
	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
		return 2;
	}
	struct dirent **entries;
	int count = scandir(argv[1], &entries, is_visible, by_name);
	if (count < 0) {
		perror(argv[1]);
		return 2;
	}
	printf("1..%d\n", count);
	fflush(stdout);
	for (int i = 0; i < count; i++) {
		char *path;
		if (asprintf(&path, "%s/%s", argv[1], entries[i]->d_name) < 0) abort();
		replay(path, i + 1);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return 0;
}
