#include "core/reason.h"

static const struct {
	const char *code;
	bool stays;
	const char *next;
} rows[] = {
#define REASON(NAME, code, stays, next) {code, stays, next},
	REASON_TABLE(REASON)
#undef REASON
};

struct str reason_code(enum reason r) {
	return str_of(rows[r].code);
}

struct str reason_next(enum reason r) {
	return str_of(rows[r].next);
}

bool reason_stays_queued(enum reason r) {
	return rows[r].stays;
}

bool reason_parse(struct str code, enum reason *out) {
	for (size_t i = 0; i < REASON_COUNT; i++) {
		if (!str_eq(code, str_of(rows[i].code))) continue;
		*out = (enum reason)i;
		return true;
	}
	return false;
}
