// Two inputs in one: as a body of each kind, where the fast reader must agree with event_parse
// whenever it takes one; and as the texts of an event, whose body it must take. The first byte
// chooses.
#include "core/eventread.h"

#include <assert.h>

#include "core/eventfield.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct event *a, const struct event *b) {
	AUTO_BUF x = {0};
	AUTO_BUF y = {0};
	event_body(a, &x);
	event_body(b, &y);
	assert(x.n == y.n && memcmp(x.p, y.p, x.n) == 0);
}

static void as_body(enum event_kind kind, struct str body) {
	AUTO_ARENA life = {0};
	struct event fast, slow;
	struct err e;
	bool taken = eventread_parse(kind, 5, body, &life, &fast);
	bool right = event_parse(kind, 5, body, &life, &slow, &e);
	if (!taken) return;
	assert(right);
	same(&fast, &slow);
}

// A canonical JSON value out of any text.
static struct str as_json(struct str text, struct arena *life) {
	AUTO_BUF json = {0};
	buf_json(&json, text);
	return arena_str(life, buf_view(&json));
}

static void as_texts(enum event_kind kind, struct str text) {
	AUTO_ARENA life = {0};
	AUTO_BUF body = {0};
	struct event event = {.kind = kind, .time_ms = 5}, fast;
	size_t count;
	const struct eventfield *fields = eventfield_of(kind, &count);
	for (size_t i = 0; i < count; i++) {
		void *at = (char *)&event + fields[i].offset;
		if (fields[i].type == EVENTFIELD_STR) *(struct str *)at = text;
		if (fields[i].type == EVENTFIELD_JSON) *(struct str *)at = as_json(text, &life);
		bool number = fields[i].type == EVENTFIELD_INT || fields[i].type == EVENTFIELD_LATER;
		if (number && text.n >= 8) memcpy(at, text.p, 8);
	}
	event_body(&event, &body);
	bool taken = eventread_parse(kind, 5, buf_view(&body), &life, &fast);
	assert(taken);
	same(&event, &fast);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < 1) return 0;
	enum event_kind kind = (enum event_kind)(data[0] & 127);
	struct str rest = {(const char *)data + 1, size - 1};
	if (!event_name(kind)) return 0;
	if (data[0] & 128) as_texts(kind, rest);
	else as_body(kind, rest);
	return 0;
}
