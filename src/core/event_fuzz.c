// The first line names the kind, the rest is a body. What is taken prints to a canonical form that
// parses again and prints the same; it may be checked against any state without harm.
#include "core/event.h"

#include <stdlib.h>

#include "core/apply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AUTO_ARENA life = {0};
	AUTO_BUF first = {0};
	AUTO_BUF second = {0};
	struct str rest = {(const char *)data, size};
	enum event_kind kind = event_kind_of_name(str_cut(&rest, '\n'));
	struct event e, again;
	struct err why = {0};
	struct state s;
	if (kind == EVENT_NONE) return 0;
	if (!event_parse(kind, 5, rest, &life, &e, &why)) {
		if (why.code == ERR_NONE || !why.text[0]) abort();
		return 0;
	}
	event_body(&e, &first);
	if (!event_parse(kind, 5, buf_view(&first), &life, &again, &why)) abort();
	event_body(&again, &second);
	if (!str_eq(buf_view(&first), buf_view(&second))) abort();
	state_init(&s);
	if (apply_check(&s, &e, &why)) apply_event(&s, &e);
	else if (!why.text[0]) abort();
	(void)state_digest(&s);
	state_free(&s);
	return 0;
}
