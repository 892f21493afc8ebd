#include "probe/logline.h"

static bool parse(struct str line, struct logline *out) {
	const struct str channels = STR("oewd");
	uint64_t ms, dropped = 0;
	struct str text = line;
	if (!str_to_u64(str_cut(&text, ' '), &ms) || ms > INT64_MAX || text.n < 2) return false;
	size_t channel = str_find_char(channels, text.p[0]);
	if (channel == channels.n || (text.p[1] != ' ' && text.p[1] != '+')) return false;
	enum logline_channel c = (enum logline_channel)channel;
	bool goes_on = text.p[1] == '+';
	text = str_from(text, 2);
	if (c == LOGLINE_DROPPED && (goes_on || !str_to_u64(text, &dropped))) return false;
	*out = (struct logline){(int64_t)ms, c, goes_on, text, dropped};
	return true;
}

bool logline_next(struct str *rest, struct logline *out) {
	for (;;) {
		const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
		if (!end) return false;
		struct str line = {rest->p, (size_t)(end - rest->p)};
		*rest = str_from(*rest, line.n + 1);
		if (parse(line, out)) return true;
	}
}
