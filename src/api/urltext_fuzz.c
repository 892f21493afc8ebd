// Queries, forms, cookies, paths: any bytes; and what they reach: routes, parameters.
#include "api/urltext.h"

#include <stdlib.h>

#include "api/operations.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct str text = {(const char *)data, size}, segments[OPERATION_PARAMS_MAX], out;
	struct urltext_pairs pairs;
	const struct operation *o;
	struct err e;
	unsigned scopes;
	AUTO_ARENA life = {0};
	if (urltext_decode(text, true, &life, &out) && (out.n > size || str_utf8_bad(out) != out.n))
		abort();
	if (urltext_pairs(text, &life, &pairs, &e) && pairs.n > URLTEXT_PAIRS_MAX) abort();
	struct str cookie = urltext_cookie(text, "weir");
	if (cookie.n && (cookie.p < text.p || cookie.p + cookie.n > text.p + text.n)) abort();
	if (operation_route(STR("GET"), text, &o, segments, &e) && o->id >= OPERATION_COUNT) abort();
	if (operation_scopes_parse(text, &scopes, &e) && !scopes) abort();
	return 0;
}
