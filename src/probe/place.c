#include "probe/place.h"

// Frames that explain nothing about the project under test.
static bool is_foreign(struct str line) {
	static const char *const marks[] = {
		"node_modules/",     "(node:",         "at node:",        "/rustc/",
		"site-packages/",    "<frozen",        "/lib/python3",    "/src/testing/",
		"/src/runtime/",     "at org.junit",   "at java.",        "at jdk.",
		"at sun.",           "java.base/",     "at org.gradle",   "at org.apache.maven",
		"at org.opentest4j", "at org.assertj", "at org.hamcrest", "/.cargo/registry/",
		"at junit.",         "csu/",
	};
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (str_contains(line, str_of(marks[i]))) return true;
	return false;
}

static bool is_digit(char c) {
	return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_path_char(char c) {
	return is_letter(c) || is_digit(c) || (unsigned char)c >= 0x80 || (c && strchr("_./-+@~[]", c));
}

// A name that a source file may have: an extension of one to eight letters and digits that begins
// with a letter, and neither a host nor an address.
static bool is_file(struct str path) {
	static const char *const hosts[] = {"com", "org", "net", "io", "dev", "local", "internal"};
	if (path.n == 0 || path.n > 1000 || str_starts(path, STR("//"))) return false;
	struct str name = path;
	for (size_t i = path.n; i-- > 0;)
		if (path.p[i] == '/') {
			name = str_from(path, i + 1);
			break;
		}
	if (str_starts(name, STR("Makefile")) || str_starts(name, STR("makefile"))) return true;
	size_t dot = name.n;
	for (size_t i = name.n; i-- > 1;)
		if (name.p[i] == '.') {
			dot = i;
			break;
		}
	struct str extension = str_from(name, dot + 1);
	if (dot >= name.n || extension.n == 0 || extension.n > 8 || !is_letter(extension.p[0]))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		if (str_eq(extension, str_of(hosts[i]))) return false;
	return true;
}

// Digits at the start of s, as a line number.
static bool number_at(struct str s, int64_t *out) {
	size_t n = 0;
	while (n < s.n && is_digit(s.p[n])) n++;
	return n <= 7 && str_to_i64(str_slice(s, 0, n), out) && *out > 0;
}

static bool by_colon(struct str line, struct place *out) {
	size_t at = 0;
	for (;;) {
		at += str_find_char(str_from(line, at), ':');
		if (at >= line.n) return false;
		size_t start = at;
		while (start > 0 && is_path_char(line.p[start - 1])) start--;
		// "[ERROR] /a/B.java:[3,5]" is Maven's way
		size_t digits = at + 1 + (at + 1 < line.n && line.p[at + 1] == '[');
		struct str path = str_slice(line, start, at);
		if (path.n && path.p[0] == '[') path = str_from(path, 1);
		if (is_file(path) && number_at(str_from(line, digits), &out->line)) {
			out->file = path;
			return true;
		}
		at++;
	}
}

// file path, line N | File "path", line N
static bool by_words(struct str line, struct place *out) {
	size_t comma = str_find(line, STR(", line "));
	if (comma >= line.n || !number_at(str_from(line, comma + 7), &out->line)) return false;
	struct str head = str_slice(line, 0, comma);
	bool quoted = str_ends(head, STR("\""));
	if (quoted) head.n--;
	size_t start = head.n;
	while (start > 0 && (quoted ? head.p[start - 1] != '"' : head.p[start - 1] != ' ')) start--;
	out->file = str_from(head, start);
	return start > 0 && out->file.n > 0 && out->file.p[0] != '<' && out->file.n <= 1000;
}

// at path line N
static bool by_perl(struct str line, struct place *out) {
	size_t at = str_find(line, STR(" line "));
	if (at >= line.n || !number_at(str_from(line, at + 6), &out->line)) return false;
	size_t start = at;
	while (start > 0 && line.p[start - 1] != ' ') start--;
	out->file = str_slice(line, start, at);
	return str_ends(str_slice(line, 0, start), STR("at ")) && is_file(out->file);
}

bool place_of_line(struct str line, struct place *out) {
	struct place found = {0};
	if (line.n > 4000) line.n = 4000;
	if (!by_words(line, &found) && !by_perl(line, &found) && !by_colon(line, &found)) return false;
	*out = found;
	return true;
}

bool place_of_trace(struct str trace, struct place *out) {
	struct place found, python = {0}, first = {0};
	for (struct str rest = trace; rest.p;) {
		struct str line = str_cut(&rest, '\n');
		if (is_foreign(line) || !place_of_line(line, &found)) continue;
		if (str_starts(str_trim(line), STR("File \""))) python = found;
		else if (!first.line) first = found;
	}
	if (!python.line && !first.line) return false;
	*out = python.line ? python : first;
	return true;
}
