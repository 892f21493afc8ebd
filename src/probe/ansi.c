#include "probe/ansi.h"

// A sequence that never ends must not swallow the log: over these bounds it counts as ended.
enum { CSI_MAX = 64, STRING_MAX = 4096 };

struct sink {
	struct ansi *a;
	struct buf *out;
	bool html, colours, open;
};

static bool style_is_plain(const struct ansi_style *s) {
	return !s->fore && !s->back && !s->bold && !s->dim && !s->italic && !s->underline &&
	       !s->inverse;
}

static void open_span(struct sink *k) {
	static const char *const names[] = {"black", "red",     "green", "yellow",
	                                    "blue",  "magenta", "cyan",  "white"};
	const struct ansi_style *s = &k->a->style;
	if (k->open || style_is_plain(s)) return;
	uint8_t fore = s->inverse ? s->back : s->fore, back = s->inverse ? s->fore : s->back;
	buf_cstr(k->out, "<span class=\"");
	size_t start = k->out->n;
	if (s->bold) buf_cstr(k->out, "ansi-bold ");
	if (s->dim) buf_cstr(k->out, "ansi-dim ");
	if (s->italic) buf_cstr(k->out, "ansi-italic ");
	if (s->underline) buf_cstr(k->out, "ansi-underline ");
	if (s->inverse && !fore && !back) buf_cstr(k->out, "ansi-inverse ");
	if (fore) buf_printf(k->out, "ansi-%s%s ", fore > 8 ? "bright-" : "", names[(fore - 1) % 8]);
	if (back) buf_printf(k->out, "ansi-on-%s%s ", back > 8 ? "bright-" : "", names[(back - 1) % 8]);
	if (k->out->n > start) k->out->n--; // the last blank
	buf_cstr(k->out, "\">");
	k->open = true;
}

static void close_span(struct sink *k) {
	if (k->open) buf_cstr(k->out, "</span>");
	k->open = false;
}

// How many bytes of a character that begins with this byte are still to come after the `have` that
// are there; 0 for what is no beginning.
static size_t utf8_wants(const char *p, size_t have) {
	unsigned char c = (unsigned char)p[0];
	size_t length = c >= 0xf0 && c <= 0xf4  ? 4
	                : c >= 0xe0 && c < 0xf0 ? 3
	                : c >= 0xc2 && c < 0xe0 ? 2
	                                        : 1;
	return length > have ? length - have : 0;
}

static void put_html(struct sink *k, struct str text) {
	open_span(k);
	buf_html(k->out, text);
}

static void flush_held(struct sink *k) {
	if (k->a->held_n) put_html(k, (struct str){k->a->held, k->a->held_n});
	k->a->held_n = 0;
}

// Text without control characters. For HTML a character that is cut by the chunk's end is held
// back.
static void put_text(struct sink *k, struct str text) {
	struct ansi *a = k->a;
	if (!k->html) {
		buf_str(k->out, text);
		return;
	}
	while (a->held_n && text.n) {
		bool goes_on = ((unsigned char)text.p[0] & 0xc0) == 0x80 && utf8_wants(a->held, a->held_n);
		if (goes_on) {
			a->held[a->held_n++] = text.p[0];
			text = str_from(text, 1);
		}
		if (!goes_on || !utf8_wants(a->held, a->held_n)) flush_held(k);
	}
	size_t start = text.n;
	for (size_t back = 1; back <= 3 && back <= text.n; back++) {
		unsigned char c = (unsigned char)text.p[text.n - back];
		if ((c & 0xc0) == 0x80) continue;
		if (utf8_wants(text.p + text.n - back, back)) start = text.n - back;
		break;
	}
	if (start) put_html(k, str_slice(text, 0, start));
	for (; start < text.n; start++) a->held[a->held_n++] = text.p[start];
}

static uint8_t nearest_colour(int64_t r, int64_t g, int64_t b) {
	int64_t most = r > g ? r : g;
	most = most > b ? most : b;
	if (most < 48) return 1;
	int64_t half = most / 2;
	int code = (r > half ? 1 : 0) + (g > half ? 2 : 0) + (b > half ? 4 : 0);
	if (code == 7 && most < 160) return 9; // grey
	return (uint8_t)(1 + code + (most > 192 ? 8 : 0));
}

static uint8_t colour_of_256(int64_t n) {
	if (n < 16) return (uint8_t)(n + 1);
	if (n >= 232) return nearest_colour(8 + (n - 232) * 10, 8 + (n - 232) * 10, 8 + (n - 232) * 10);
	n -= 16;
	return nearest_colour(n / 36 * 51, n / 6 % 6 * 51, n % 6 * 51);
}

static int64_t take_param(struct str *rest) {
	int64_t n = 0;
	if (!rest->p) return 0;
	size_t end = 0;
	while (end < rest->n && rest->p[end] != ';' && rest->p[end] != ':') end++;
	if (!str_to_i64(str_slice(*rest, 0, end), &n)) n = 0;
	*rest = end < rest->n ? str_from(*rest, end + 1) : STR_NONE;
	return n;
}

static uint8_t take_colour(struct str *rest) {
	int64_t kind = take_param(rest);
	if (kind == 5) {
		int64_t n = take_param(rest);
		return n >= 0 && n <= 255 ? colour_of_256(n) : 0;
	}
	if (kind != 2) return 0;
	int64_t r = take_param(rest), g = take_param(rest), b = take_param(rest);
	bool ok = r >= 0 && r <= 255 && g >= 0 && g <= 255 && b >= 0 && b <= 255;
	return ok ? nearest_colour(r, g, b) : 0;
}

static void select_graphic(struct ansi_style *s, struct str params) {
	struct str rest = params.n ? params : STR("0");
	while (rest.p) {
		int64_t n = take_param(&rest);
		if (n == 0) *s = (struct ansi_style){0};
		else if (n == 1) s->bold = true;
		else if (n == 2) s->dim = true;
		else if (n == 3) s->italic = true;
		else if (n == 4) s->underline = true;
		else if (n == 7) s->inverse = true;
		else if (n == 22) s->bold = s->dim = false;
		else if (n == 23) s->italic = false;
		else if (n == 24) s->underline = false;
		else if (n == 27) s->inverse = false;
		else if (n >= 30 && n <= 37) s->fore = (uint8_t)(n - 29);
		else if (n == 38) s->fore = take_colour(&rest);
		else if (n == 39) s->fore = 0;
		else if (n >= 40 && n <= 47) s->back = (uint8_t)(n - 39);
		else if (n == 48) s->back = take_colour(&rest);
		else if (n == 49) s->back = 0;
		else if (n >= 90 && n <= 97) s->fore = (uint8_t)(n - 81);
		else if (n >= 100 && n <= 107) s->back = (uint8_t)(n - 91);
	}
}

static void put_newline(struct sink *k) {
	if (k->html) flush_held(k);
	close_span(k);
	buf_char(k->out, '\n');
}

static void begin(struct ansi *a, enum ansi_state state) {
	a->state = state;
	a->length = 0;
}

// "ESC [ > 4 m" and the like set how keys are sent: no colour.
static void put_colours(struct sink *k, struct str params) {
	for (size_t i = 0; i < params.n; i++)
		if (!strchr("0123456789;:", params.p[i])) return;
	buf_printf(k->out, "\x1b[" STR_FMT "m", STR_ARG(params));
}

static void in_csi(struct sink *k, char c) {
	struct ansi *a = k->a;
	if (c >= 0x40 && c <= 0x7e) { // the final byte
		a->state = ANSI_TEXT;
		if (c == 'm' && k->colours) put_colours(k, (struct str){a->params, a->length});
		if (c == 'm' && k->html) {
			flush_held(k);
			close_span(k);
			select_graphic(&a->style, (struct str){a->params, a->length});
		}
	} else if (c >= 0x20 && c < 0x40 && a->length < CSI_MAX) {
		a->params[a->length++] = c;
	} else {
		a->state = ANSI_TEXT;
	}
}

static void in_escape(struct ansi *a, char c) {
	if (c == '[') begin(a, ANSI_CSI);
	else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_') begin(a, ANSI_STRING);
	else if (c >= 0x20 && c < 0x30 && a->length++ < 4) return; // ESC ( B
	else a->state = ANSI_TEXT;
}

// Takes one byte that stands inside a sequence or is a control character.
static void take_control(struct sink *k, char c) {
	struct ansi *a = k->a;
	bool after_cr = a->after_cr;
	a->after_cr = false;
	if (c == '\n' || c == '\r') { // ends any sequence: a broken one costs one line at most
		a->state = ANSI_TEXT;
		if (c == '\r' || !after_cr) put_newline(k);
		a->after_cr = c == '\r';
		return;
	}
	if (c == 0x1b && a->state != ANSI_STRING) {
		begin(a, ANSI_ESCAPE);
		return;
	}
	switch (a->state) {
	case ANSI_TEXT:
		if (c == '\t') put_text(k, STR("\t"));
		return;
	case ANSI_ESCAPE: in_escape(a, c); return;
	case ANSI_CSI: in_csi(k, c); return;
	case ANSI_STRING:
		if (c == 0x1b) a->state = ANSI_STRING_ESCAPE;
		else if (c == 0x07 || c == 0x18 || c == 0x1a || ++a->length > STRING_MAX)
			a->state = ANSI_TEXT;
		return;
	case ANSI_STRING_ESCAPE:
		if (c == '\\') a->state = ANSI_TEXT;
		else {
			begin(a, ANSI_ESCAPE);
			in_escape(a, c);
		}
		return;
	}
}

static void run(struct sink *k, struct str chunk) {
	struct ansi *a = k->a;
	for (size_t i = 0; i < chunk.n;) {
		size_t start = i;
		if (a->state == ANSI_TEXT)
			while (i < chunk.n && (unsigned char)chunk.p[i] >= 0x20 && chunk.p[i] != 0x7f) i++;
		if (i > start) {
			a->after_cr = false;
			put_text(k, str_slice(chunk, start, i));
		} else {
			take_control(k, chunk.p[i++]);
		}
	}
	close_span(k);
}

void ansi_strip(struct ansi *a, struct str chunk, struct buf *out) {
	run(&(struct sink){.a = a, .out = out}, chunk);
}

void ansi_colours(struct ansi *a, struct str chunk, struct buf *out) {
	run(&(struct sink){.a = a, .out = out, .colours = true}, chunk);
}

void ansi_html(struct ansi *a, struct str chunk, struct buf *out) {
	run(&(struct sink){.a = a, .out = out, .html = true}, chunk);
}

void ansi_html_end(struct ansi *a, struct buf *out) {
	struct sink k = {.a = a, .out = out, .html = true};
	flush_held(&k);
	close_span(&k);
}
