#include "exec/runlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/file.h"
#include "probe/logline.h"

enum { CHANNELS = 3, BUFFER = 256 << 10, SLICE = 4096 };

// A line under way. Up to half of the limit it goes out as it comes; of the rest the last half is
// remembered.
struct line {
	bool open;
	uint64_t head;    // bytes written
	struct buf rest;  // head < half: the next bytes to write; else the last bytes seen
	uint64_t dropped; // bytes between the two
};

struct runlog {
	int fd, error; // error = errno of the first write that failed
	struct runlog_limits limits;
	struct line lines[CHANNELS];
	struct buf out; // records not yet written
	uint64_t file_bytes, text_bytes, dropped_bytes;
	// Once the head is full: chunks as they came, "MS CHANNEL length bytes" in binary, the oldest
	// go first.
	bool full, replaying;
	struct buf ring;
	size_t ring_start;
	uint64_t ring_dropped;
};

struct chunk {
	int64_t ms;
	uint32_t channel, n;
};

bool runlog_create(const char *path, struct runlog_limits limits, struct runlog **out,
                   struct err *e) {
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, file_write_code(errno), "cannot create %s: %s", path, strerror(errno));
	struct runlog *l = calloc(1, sizeof *l);
	if (!l) abort();
	if (!limits.total_bytes) limits.total_bytes = RUNLOG_TOTAL;
	if (!limits.line_bytes) limits.line_bytes = RUNLOG_LINE;
	l->fd = fd;
	l->limits = limits;
	*out = l;
	return true;
}

static void write_out(struct runlog *l) {
	struct err e = {0};
	if (!l->error && !file_write_all(l->fd, buf_view(&l->out), &e)) l->error = errno ? errno : EIO;
	if (!l->error) l->file_bytes += l->out.n;
	buf_reset(&l->out);
}

static void put_record(struct runlog *l, char channel, bool goes_on, struct str text, int64_t ms) {
	char head[32], *p = head + sizeof head;
	uint64_t number = ms > 0 ? (uint64_t)ms : 0;
	*--p = goes_on ? '+' : ' ';
	*--p = channel;
	*--p = ' ';
	do *--p = (char)('0' + number % 10);
	while (number /= 10);
	size_t n = (size_t)(head + sizeof head - p);
	char *room = buf_grow(&l->out, n + text.n + 1);
	memcpy(room, p, n);
	if (text.n) memcpy(room + n, text.p, text.n);
	room[n + text.n] = '\n';
	l->out.n += n + text.n + 1;
	if (l->out.n >= BUFFER && !l->replaying) write_out(l);
}

static void put_dropped(struct runlog *l, uint64_t bytes, int64_t ms) {
	char text[24];
	int n = snprintf(text, sizeof text, "%llu", (unsigned long long)bytes);
	put_record(l, 'd', false, (struct str){text, (size_t)n}, ms);
	l->dropped_bytes += bytes;
}

static char letter(unsigned channel) {
	return "oew"[channel];
}

// Keeps the last bytes of a line that is too long; the buffer slides when it holds twice of what is
// wanted.
static void remember(struct line *line, struct str bytes, uint64_t keep, uint64_t slack) {
	if (bytes.n > keep) {
		line->dropped += line->rest.n + (bytes.n - keep);
		buf_reset(&line->rest);
		bytes = str_from(bytes, bytes.n - keep);
	}
	buf_str(&line->rest, bytes);
	if (line->rest.n <= keep + slack) return;
	size_t cut = line->rest.n - keep;
	memmove(line->rest.p, line->rest.p + cut, keep);
	line->rest.n = keep;
	line->dropped += cut;
}

static void put_partial(struct runlog *l, unsigned channel, int64_t ms) {
	struct line *line = &l->lines[channel];
	if (line->head >= l->limits.line_bytes / 2 || line->rest.n == 0) return;
	put_record(l, letter(channel), true, buf_view(&line->rest), ms);
	line->head += line->rest.n;
	buf_reset(&line->rest);
}

static void add_piece(struct runlog *l, unsigned channel, struct str piece, bool ends, int64_t ms) {
	struct line *line = &l->lines[channel];
	uint64_t half = l->limits.line_bytes / 2;
	if (!line->open && ends && piece.n <= l->limits.line_bytes) { // by far the most common
		put_record(l, letter(channel), false, piece, ms);
		return;
	}
	line->open = true;
	if (line->head < half) {
		struct str first = str_slice(piece, 0, half - line->head - line->rest.n);
		piece = str_from(piece, first.n);
		buf_str(&line->rest, first);
		if (line->head + line->rest.n == half && (piece.n || !ends)) put_partial(l, channel, ms);
	}
	if (piece.n) remember(line, piece, half, half);
	if (!ends) return;
	if (line->head >= half) remember(line, STR_NONE, half, 0);
	if (line->dropped) put_dropped(l, line->dropped, ms);
	put_record(l, letter(channel), false, buf_view(&line->rest), ms);
	buf_reset(&line->rest);
	*line = (struct line){.rest = line->rest};
}

static void add_lines(struct runlog *l, unsigned channel, struct str bytes, int64_t ms) {
	while (bytes.n) {
		const char *end = memchr(bytes.p, '\n', bytes.n);
		size_t n = end ? (size_t)(end - bytes.p) : bytes.n;
		add_piece(l, channel, str_slice(bytes, 0, n), end != NULL, ms);
		bytes = str_from(bytes, end ? n + 1 : n);
	}
}

// ---------------------------------------------------------------- beyond the limit

static uint64_t tail_bytes(const struct runlog *l) {
	uint64_t quarter = l->limits.total_bytes / 4;
	return quarter < RUNLOG_TAIL ? quarter : RUNLOG_TAIL;
}

static void ring_drop_oldest(struct runlog *l) {
	struct chunk c;
	memcpy(&c, l->ring.p + l->ring_start, sizeof c);
	l->ring_start += sizeof c + c.n;
	l->ring_dropped += c.n;
}

static void ring_add(struct runlog *l, unsigned channel, struct str bytes, int64_t ms) {
	uint64_t most = tail_bytes(l);
	if (bytes.n > most) {
		l->ring_dropped += bytes.n - most;
		bytes = str_from(bytes, bytes.n - most);
	}
	while (l->ring.n - l->ring_start + sizeof(struct chunk) + bytes.n > most &&
	       l->ring.n > l->ring_start)
		ring_drop_oldest(l);
	if (l->ring_start > most) {
		memmove(l->ring.p, l->ring.p + l->ring_start, l->ring.n - l->ring_start);
		l->ring.n -= l->ring_start;
		l->ring_start = 0;
	}
	struct chunk c = {ms, channel, (uint32_t)bytes.n};
	buf_add(&l->ring, &c, sizeof c);
	buf_str(&l->ring, bytes);
}

// At most the last `most` bytes of what the ring gave, from a record's start on.
static void cut_replay(struct runlog *l, uint64_t most, int64_t ms) {
	struct str all = buf_view(&l->out), rest = all;
	struct runlog_record r;
	uint64_t dropped = 0;
	while (rest.n > most && runlog_next(&rest, &r))
		if (r.channel != RUNLOG_DROPPED) dropped += r.text.n;
	if (!dropped) return;
	AUTO_BUF kept = {0};
	buf_str(&kept, rest);
	buf_reset(&l->out);
	put_dropped(l, dropped, ms);
	buf_str(&l->out, buf_view(&kept));
}

static void ring_replay(struct runlog *l) {
	if (l->ring.n == l->ring_start) return;
	struct chunk c;
	write_out(l);
	memcpy(&c, l->ring.p + l->ring_start, sizeof c);
	if (l->ring_dropped) {
		for (unsigned i = 0; i < CHANNELS; i++) {
			put_partial(l, i, c.ms);
			if (l->lines[i].head) l->lines[i].head = 1; // what follows the gap has room again
		}
		put_dropped(l, l->ring_dropped, c.ms);
		write_out(l);
	}
	l->replaying = true;
	for (size_t at = l->ring_start; at < l->ring.n; at += sizeof c + c.n) {
		memcpy(&c, l->ring.p + at, sizeof c);
		add_lines(l, c.channel, (struct str){l->ring.p + at + sizeof c, c.n}, c.ms);
	}
	for (unsigned i = 0; i < CHANNELS; i++) put_partial(l, i, c.ms);
	l->replaying = false;
	cut_replay(l, tail_bytes(l), c.ms);
}

// ---------------------------------------------------------------- the door

// In slices, because a record may be many times its text: a short line costs eight bytes more.
void runlog_add(struct runlog *l, enum runlog_channel channel, struct str bytes, int64_t ms) {
	l->text_bytes += bytes.n;
	while (bytes.n && !l->full) {
		struct str slice = str_slice(bytes, 0, SLICE);
		bytes = str_from(bytes, slice.n);
		add_lines(l, channel, slice, ms);
		l->full = l->file_bytes + l->out.n >= l->limits.total_bytes - tail_bytes(l);
	}
	if (bytes.n) ring_add(l, channel, bytes, ms);
}

void runlog_flush(struct runlog *l, bool partial, int64_t ms) {
	for (unsigned i = 0; partial && !l->full && i < CHANNELS; i++) put_partial(l, i, ms);
	if (l->out.n) write_out(l);
}

bool runlog_has_partial(const struct runlog *l) {
	for (unsigned i = 0; !l->full && i < CHANNELS; i++)
		if (l->lines[i].rest.n && l->lines[i].head < l->limits.line_bytes / 2) return true;
	return false;
}

void runlog_end_lines(struct runlog *l, int64_t ms) {
	for (unsigned i = 0; !l->full && i < CHANNELS; i++)
		if (l->lines[i].open) add_piece(l, i, STR_NONE, true, ms);
}

bool runlog_close(struct runlog *l, int64_t ms, struct runlog_totals *totals, struct err *e) {
	ring_replay(l);
	for (unsigned i = 0; i < CHANNELS; i++)
		if (l->lines[i].open) add_piece(l, i, STR_NONE, true, ms);
	write_out(l);
	*totals = (struct runlog_totals){l->text_bytes, l->dropped_bytes, l->file_bytes};
	int error = l->error;
	close(l->fd);
	for (unsigned i = 0; i < CHANNELS; i++) buf_free(&l->lines[i].rest);
	buf_free(&l->out);
	buf_free(&l->ring);
	free(l);
	return error ? err_set(e, file_write_code(error), "cannot write the log: %s", strerror(error))
	             : true;
}

bool runlog_next(struct str *rest, struct runlog_record *record) {
	struct logline l;
	if (!logline_next(rest, &l)) return false;
	*record = (struct runlog_record){l.ms, (enum runlog_channel)l.channel, l.goes_on, l.text,
	                                 l.dropped};
	return true;
}
