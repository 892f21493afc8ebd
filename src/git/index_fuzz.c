#include "git/index.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct oid tree = {0};
	if (git_index_tree((struct str){(const char *)data, size}, 20, &tree)) assert(tree.n == 20);
	return 0;
}
