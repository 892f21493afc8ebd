// Any bytes as a log: the reader ends, gives pieces of the input, and leaves only a torn tail. What
// the writer makes of the same bytes as a job's output reads back as that output.
#include "exec/runlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void any_bytes(struct str all) {
	struct runlog_record r;
	struct str rest = all;
	while (runlog_next(&rest, &r)) {
		if (r.text.n && (r.text.p < all.p || r.text.p + r.text.n > all.p + all.n)) abort();
		if (r.ms < 0) abort();
	}
	if (rest.n && memchr(rest.p, '\n', rest.n)) abort();
}

static void written(struct str all) {
	char path[64];
	snprintf(path, sizeof path, "/dev/shm/runlog-fuzz-%d", (int)getpid());
	struct runlog *l;
	struct runlog_totals totals;
	AUTO_BUF text = {0};
	AUTO_BUF got = {0};
	unlink(path);
	if (!runlog_create(path, (struct runlog_limits){0}, &l, NULL)) return;
	for (size_t at = 0; at < all.n;) {
		size_t step = 1 + (unsigned char)all.p[at] % 50;
		runlog_add(l, RUNLOG_OUT, str_slice(all, at, at + step), (int64_t)at);
		if (step % 7 == 0) runlog_flush(l, step % 2, (int64_t)at);
		at += step;
	}
	bool ended = !all.n || all.p[all.n - 1] == '\n';
	if (!runlog_close(l, 0, &totals, NULL) || totals.dropped_bytes || totals.text_bytes != all.n)
		abort();
	if (!file_read(path, 1 << 24, &text, NULL)) abort();
	unlink(path);
	struct runlog_record r;
	struct str rest = buf_view(&text);
	while (runlog_next(&rest, &r)) {
		buf_str(&got, r.text);
		if (!r.goes_on) buf_char(&got, '\n');
	}
	if (!ended && got.n) got.n--; // the writer ends the last line
	if (!str_eq(buf_view(&got), all)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct str all = {(const char *)data, size};
	any_bytes(all);
	written(all);
	return 0;
}
