// Whatever is accepted prints to a form that parses again and prints the same; nothing else may
// happen.
#include "base/json.h"

#include <stdlib.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct err e = {0};
	AUTO_JSON doc = NULL;
	AUTO_JSON again = NULL;
	AUTO_BUF first = {0};
	AUTO_BUF second = {0};
	if (!json_parse((struct str){(const char *)data, size}, &doc, &e)) {
		if (e.code == ERR_NONE || !e.text[0] || doc) abort();
		return 0;
	}
	json_print(&first, doc);
	if (!json_parse(buf_view(&first), &again, &e)) abort();
	json_print(&second, again);
	if (!str_eq(buf_view(&first), buf_view(&second))) abort();
	return 0;
}
