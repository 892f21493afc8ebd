// Escapes hold for any bytes: JSON reads back as the text with U+FFFD for what is no text, HTML
// keeps nothing that could open a tag or end an attribute, URL and shell words read back as the
// bytes.
#include "base/buf.h"

#include <stdlib.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(struct str in) {
	struct err e = {0};
	AUTO_BUF b = {0};
	AUTO_BUF printed = {0};
	AUTO_JSON doc = NULL;
	buf_json(&b, in);
	if (!json_parse(buf_view(&b), &doc, &e)) abort();
	bool is_text = str_utf8_bad(in) == in.n && str_find_char(in, 0) == in.n;
	if (is_text && !str_eq(json_str(doc), in)) abort();
	json_print(&printed, doc);
	if (!str_eq(buf_view(&b), buf_view(&printed))) abort();
}

static void check_html(struct str in) {
	AUTO_BUF b = {0};
	buf_html(&b, in);
	if (str_utf8_bad(buf_view(&b)) != b.n) abort();
	for (size_t i = 0; i < b.n; i++) {
		unsigned char c = (unsigned char)b.p[i];
		if (c == '<' || c == '>' || c == '"' || c == '\'' || c == 0x7f) abort();
		if (c < 0x20 && c != '\n' && c != '\t' && c != '\r') abort();
	}
}

static int hex_value(char c) {
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

static void check_url(struct str in) {
	AUTO_BUF b = {0};
	AUTO_BUF back = {0};
	buf_url(&b, in);
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] != '%') {
			buf_char(&back, b.p[i]);
			continue;
		}
		buf_char(&back, (char)(hex_value(b.p[i + 1]) * 16 + hex_value(b.p[i + 2])));
		i += 2;
	}
	if (!str_eq(buf_view(&back), in)) abort();
}

static void check_shell(struct str in) {
	AUTO_BUF b = {0};
	AUTO_BUF back = {0};
	struct str special = STR(" \t\n$`\"*?[]#;&|<>(){}!~");
	bool quoted = false;
	buf_shell(&b, in);
	if (b.n == 0) abort();
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] == '\'') quoted = !quoted;
		else if (!quoted && b.p[i] == '\\') buf_char(&back, b.p[++i]);
		else if (quoted || str_find_char(special, b.p[i]) == special.n) buf_char(&back, b.p[i]);
		else abort();
	}
	if (quoted || !str_eq(buf_view(&back), in)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct str in = {(const char *)data, size};
	check_json(in);
	check_html(in);
	check_url(in);
	check_shell(in);
	return 0;
}
