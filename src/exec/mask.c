#include "exec/mask.h"

#include <assert.h>

enum { FILTER_BITS = 16, BUCKETS = 1 << 10, HEAD = 4 };

struct needle {
	struct str text;
	struct needle *next; // of the same bucket
};

struct mask {
	uint8_t filter[(1 << FILTER_BITS) / 8]; // may a needle begin with these four bytes?
	struct needle *buckets[BUCKETS];
	struct str *all;
	size_t count, cap, longest;
	struct arena *life;
};

static struct str without_line_end(struct str value) {
	while (value.n && (value.p[value.n - 1] == '\n' || value.p[value.n - 1] == '\r')) value.n--;
	return value;
}

bool mask_check(struct str value, struct err *e) {
	struct str bare = without_line_end(value);
	if (bare.n < MASK_BYTES_MIN)
		return err_set(e, ERR_INVALID,
		               "a secret has at least %d bytes; a shorter one cannot be hidden in logs",
		               MASK_BYTES_MIN);
	if (value.n > MASK_BYTES_MAX)
		return err_set(e, ERR_INVALID, "a secret has at most %d bytes", MASK_BYTES_MAX);
	if (memchr(value.p, 0, value.n))
		return err_set(e, ERR_INVALID,
		               "a secret holds no NUL byte; encode it, in base64 for example");
	return true;
}

// ---------------------------------------------------------------- needles

static uint32_t head_hash(const char *p) {
	uint32_t head;
	memcpy(&head, p, sizeof head);
	return (head * 2654435761u) >> (32 - FILTER_BITS);
}

static void add(struct mask *m, struct str text) {
	if (text.n < MASK_BYTES_MIN) return;
	uint32_t h = head_hash(text.p);
	struct needle **bucket = &m->buckets[h % BUCKETS];
	for (struct needle *other = *bucket; other; other = other->next)
		if (str_eq(other->text, text)) return;
	struct needle *fresh = ARENA_NEW(m->life, struct needle);
	*fresh = (struct needle){arena_str(m->life, text), *bucket};
	*bucket = fresh;
	m->filter[h / 8] |= (uint8_t)(1u << (h % 8));
	if (text.n > m->longest) m->longest = text.n;
	if (m->count == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 64;
		struct str *more = ARENA_ARRAY(m->life, struct str, cap);
		if (m->count) memcpy(more, m->all, m->count * sizeof *more);
		m->all = more;
		m->cap = cap;
	}
	m->all[m->count++] = fresh->text;
}

// Tools that encode also wrap: the pieces that would stand on lines of their own.
static void add_wrapped(struct mask *m, struct str text, size_t columns) {
	if (text.n <= columns) return;
	for (size_t at = 0; at < text.n; at += columns) add(m, str_slice(text, at, at + columns));
}

// The characters of base64 that depend on nothing but the value, when `before` bytes stand in front
// of it.
static void add_base64(struct mask *m, struct str value, size_t before, const char *last_two) {
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	AUTO_BUF out = {0};
	size_t first = before == 0 ? 0 : before + 1, end = 8 * (before + value.n) / 6;
	for (size_t i = first; i < end; i++) {
		unsigned digit = 0;
		for (size_t bit = 6 * i; bit < 6 * i + 6; bit++) {
			unsigned byte = (unsigned char)value.p[bit / 8 - before];
			digit = digit << 1 | (byte >> (7 - bit % 8) & 1u);
		}
		buf_char(&out, digit < 62 ? digits[digit] : last_two[digit - 62]);
	}
	add(m, buf_view(&out));
	if (before) return;
	add_wrapped(m, buf_view(&out), 76);
	add_wrapped(m, buf_view(&out), 64);
}

static void add_hex(struct mask *m, struct str value, const char *format) {
	AUTO_BUF out = {0};
	for (size_t i = 0; i < value.n; i++) {
		char two[4];
		unsigned byte = (unsigned char)value.p[i];
		two[0] = format[byte >> 4];
		two[1] = format[byte & 15];
		buf_add(&out, two, 2);
	}
	add(m, buf_view(&out));
	add_wrapped(m, buf_view(&out), 60);
}

static void add_url(struct mask *m, struct str value, const char *digits, bool form) {
	AUTO_BUF out = {0};
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		             (c && strchr("-._~", c));
		if (plain) buf_char(&out, (char)c);
		else if (form && c == ' ') buf_char(&out, '+');
		else {
			char three[] = {'%', digits[c >> 4], digits[c & 15]};
			buf_add(&out, three, sizeof three);
		}
	}
	add(m, buf_view(&out));
}

// As our own writer and most others escape, and as those do that make JSON safe inside HTML.
static void add_json(struct mask *m, struct str value) {
	AUTO_BUF plain = {0};
	AUTO_BUF html = {0};
	buf_json(&plain, value);
	struct str inside = str_slice(buf_view(&plain), 1, plain.n - 1);
	add(m, inside);
	for (size_t i = 0; i < inside.n; i++) {
		char c = inside.p[i];
		if (c == '<' || c == '>' || c == '&') buf_printf(&html, "\\u%04x", (unsigned)c);
		else if (c == '/') buf_cstr(&html, "\\/");
		else buf_char(&html, c);
	}
	add(m, buf_view(&html));
}

static void add_forms(struct mask *m, struct str value) {
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
	AUTO_BUF quoted = {0};
	add(m, value);
	for (size_t before = 0; before < 3; before++) {
		add_base64(m, value, before, "+/");
		add_base64(m, value, before, "-_");
	}
	add_hex(m, value, lower);
	add_hex(m, value, upper);
	add_url(m, value, lower, false);
	add_url(m, value, upper, false);
	add_url(m, value, upper, true);
	add_json(m, value);
	buf_shell(&quoted, value);
	if (value.n && memchr(value.p, '\'', value.n)) add(m, buf_view(&quoted));
}

struct mask *mask_new(const struct str *values, size_t count, struct arena *life) {
	struct mask *m = ARENA_NEW(life, struct mask);
	m->life = life;
	for (size_t i = 0; i < count; i++) {
		struct str value = without_line_end(values[i]);
		add_forms(m, value);
		if (!memchr(value.p, '\n', value.n)) continue;
		for (struct str rest = value; rest.p;) {
			struct str line = str_trim(str_cut(&rest, '\n'));
			if (line.n >= 16) add(m, line);
		}
	}
	return m;
}

const struct str *mask_needles(const struct mask *m, size_t *count) {
	*count = m->count;
	return m->all;
}

// ---------------------------------------------------------------- the stream

// Length of the longest needle that stands at p, 0 = none.
static size_t match(const struct mask *m, const char *p, size_t n) {
	if (n < HEAD) return 0;
	uint32_t h = head_hash(p);
	if (!(m->filter[h / 8] >> (h % 8) & 1)) return 0;
	size_t best = 0;
	for (const struct needle *k = m->buckets[h % BUCKETS]; k; k = k->next)
		if (k->text.n > best && k->text.n <= n && memcmp(k->text.p, p, k->text.n) == 0)
			best = k->text.n;
	return best;
}

// Could more bytes make a needle, longer than what matches now, of what stands at p to the end?
static bool may_grow(const struct mask *m, const char *p, size_t n) {
	if (n >= m->longest) return false;
	if (n >= HEAD) {
		uint32_t h = head_hash(p);
		if (!(m->filter[h / 8] >> (h % 8) & 1)) return false;
		for (const struct needle *k = m->buckets[h % BUCKETS]; k; k = k->next)
			if (k->text.n > n && memcmp(k->text.p, p, n) == 0) return true;
		return false;
	}
	for (size_t i = 0; i < m->count; i++)
		if (m->all[i].n > n && memcmp(m->all[i].p, p, n) == 0) return true;
	return false;
}

static void emit_hidden(struct mask_stream *s, struct buf *out) {
	if (!s->inside) {
		buf_cstr(out, "***");
		s->hits++;
	}
	s->inside = true;
}

// Gives out all bytes of `held` that are decided: up to the first that may begin a longer needle.
static void advance(struct mask_stream *s, bool last, struct buf *out) {
	const struct mask *m = s->mask;
	const char *p = s->held.p;
	size_t n = s->held.n, i = 0, hidden_end = s->masked, plain = 0;
	for (; i < n; i++) {
		if (!last && n - i < m->longest && may_grow(m, p + i, n - i)) break;
		size_t length = match(m, p + i, n - i);
		if (i + length > hidden_end && length) hidden_end = i + length;
		if (i >= hidden_end) {
			s->inside = false;
			continue;
		}
		buf_add(out, p + plain, i - plain);
		emit_hidden(s, out);
		plain = i + 1;
	}
	if (i > plain) buf_add(out, p + plain, i - plain);
	s->masked = hidden_end > i ? hidden_end - i : 0;
	if (i && n > i) memmove(s->held.p, p + i, n - i);
	s->held.n = n - i;
}

void mask_feed(struct mask_stream *s, struct str bytes, struct buf *out) {
	if (!s->mask || s->mask->count == 0) {
		buf_str(out, bytes);
		return;
	}
	if (!bytes.n) return;
	buf_str(&s->held, bytes);
	advance(s, false, out);
}

void mask_end(struct mask_stream *s, struct buf *out) {
	if (s->held.n) advance(s, true, out);
	assert(s->held.n == 0);
	buf_free(&s->held);
	s->masked = 0;
}
