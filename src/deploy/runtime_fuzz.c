// Whatever HAProxy says, the readers end, and what they accept is within its limits.
#include <assert.h>

#include "deploy/runtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct str text = {(const char *)data, size};
	AUTO_ARENA life = {0};
	struct runtime_server *list;
	size_t count;
	int64_t sessions;
	struct err e;
	if (runtime_parse_servers(text, &life, &list, &count, &e)) assert(count <= size);
	(void)!runtime_parse_sessions(text, STR("blue"), &sessions, &e);
	return 0;
}
