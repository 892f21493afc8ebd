#include "api/loglines.h"

static const char channels[] = "oewd";

static void line(struct loglines *l, unsigned channel, int64_t ms, loglines_fn *fn, void *context) {
	struct buf *text = &l->partial[channel];
	fn(context, ++l->lines, channels[channel], ms, buf_view(text));
	buf_reset(text);
}

void loglines_feed(struct loglines *l, struct str bytes, loglines_fn *fn, void *context) {
	buf_str(&l->torn, bytes);
	struct str rest = buf_view(&l->torn);
	struct logline record;
	while (logline_next(&rest, &record)) {
		l->ms = (uint64_t)record.ms;
		struct buf *text = &l->partial[record.channel];
		if (record.channel == LOGLINE_DROPPED)
			buf_printf(text, "%llu bytes are missing here", (unsigned long long)record.dropped);
		else buf_str(text, record.text);
		if (!record.goes_on) line(l, record.channel, record.ms, fn, context);
	}
	AUTO_BUF kept = {0};
	buf_str(&kept, rest);
	buf_reset(&l->torn);
	buf_str(&l->torn, buf_view(&kept));
}

void loglines_end(struct loglines *l, loglines_fn *fn, void *context) {
	for (unsigned i = 0; i < ARRAY_LEN(l->partial); i++)
		if (l->partial[i].n) line(l, i, (int64_t)l->ms, fn, context);
}

void loglines_free(struct loglines *l) {
	buf_free(&l->torn);
	for (size_t i = 0; i < ARRAY_LEN(l->partial); i++) buf_free(&l->partial[i]);
}
