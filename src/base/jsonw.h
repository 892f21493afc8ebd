// Writes JSON into a buf: commas and quoting are its business. Canonical when keys are added in
// sorted order and only integers are written: same values, same bytes. Nesting is at most 63 deep
// (assert).
#pragma once
#include "base/buf.h"

struct jsonw {
	struct buf *out;
	uint64_t has_item; // bit d: something stands already at depth d
	int depth;
	bool after_key;
};

struct jsonw jsonw_to(struct buf *out);
void jsonw_object(struct jsonw *w);
void jsonw_object_end(struct jsonw *w);
void jsonw_array(struct jsonw *w);
void jsonw_array_end(struct jsonw *w);
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_key_str(struct jsonw *w, struct str key);
void jsonw_str(struct jsonw *w, struct str s);
void jsonw_cstr(struct jsonw *w, const char *z); // NULL gives null
void jsonw_int(struct jsonw *w, int64_t v);
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
void jsonw_raw(struct jsonw *w, struct str json); // a whole value, already JSON; empty gives null
void jsonw_time(struct jsonw *w, int64_t ms);     // RFC 3339 text; ms <= 0 gives null
// key and value in one call
void jsonw_key_s(struct jsonw *w, const char *key, struct str s);
void jsonw_key_z(struct jsonw *w, const char *key, const char *z);
void jsonw_key_i(struct jsonw *w, const char *key, int64_t v);
void jsonw_key_b(struct jsonw *w, const char *key, bool v);
void jsonw_key_t(struct jsonw *w, const char *key, int64_t ms);
