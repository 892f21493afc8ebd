// What spec_read accepts, its own canonical text gives back.
#include <assert.h>

#include "deploy/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AUTO_JSON v = NULL;
	AUTO_JSON again = NULL;
	AUTO_ARENA life = {0};
	struct spec s;
	struct spec_service back;
	struct err e;
	if (!json_parse((struct str){(const char *)data, size}, &v, &e)) return 0;
	if (!spec_read(v, &life, &s, &e)) return 0;
	assert(s.port > 0 && s.service.run.n > 0 && spec_is_release_name(s.environment));
	bool ok = json_parse(s.service.json, &again, &e) && spec_read_service(again, &life, &back, &e);
	assert(ok && str_eq(back.json, s.service.json));
	return 0;
}
