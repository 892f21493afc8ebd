// The headers that decide who may ask: Host, Origin, Authorization, Cookie. Only names of this
// server may pass.
#include "web/access.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct str rest = {(const char *)data, size};
	struct access_rules rules = {.own_host = STR("127.0.0.1:8420"),
	                             .public_host = STR("weir.example.org")};
	struct access_request q = {.method = STR("POST"), .host = str_cut(&rest, '\n')};
	struct err e = {0};
	q.origin = str_cut(&rest, '\n');
	q.fetch_site = str_cut(&rest, '\n');
	bool passed = access_origin(&rules, &q, &e);
	if (passed && q.origin.p && !str_contains(q.origin, STR("://"))) abort();
	if (passed && str_contains(q.host, STR("evil"))) abort();
	if (!passed && !e.text[0]) abort();
	return access_form_ok(&rules, &(struct api_identity){rest, 1}, q.host) && q.host.n != 64
	           ? (abort(), 0)
	           : 0;
}
