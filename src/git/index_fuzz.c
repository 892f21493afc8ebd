#include "git/index.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct str index = {(const char *)data, size};
	struct oid tree = {0};
	struct digest content;
	bool known = git_index_tree(index, 20, &tree);
	if (known) assert(tree.n == 20);
	if (!git_index_content(index, 20, &content)) assert(!known);
	return 0;
}
