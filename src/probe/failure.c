#include "probe/failure.h"

#include "base/buf.h"
#include "probe/ansi.h"
#include "probe/place.h"

// What a line says, and how much it explains. The first row that fits counts.
enum where { STARTS, CONTAINS, ENDS };

static const struct rule {
	const char *text;
	enum where where;
	int weight;
} rules[] = {
	// consequences: true, and no explanation
	{"make: *** ", CONTAINS, 20},
	{"make[", STARTS, 0},
	{"collect2: error: ld returned", CONTAINS, 20},
	{"ninja: build stopped", STARTS, 20},
	{"error: could not compile", STARTS, 20},
	{"error: test failed, to rerun", STARTS, 20},
	{"For more information about", STARTS, 0},
	{"npm error Lifecycle script", STARTS, 20},
	{"npm ERR! code", STARTS, 20},
	{"[ERROR] Re-run Maven", STARTS, 0},
	{"[ERROR] To see the full", STARTS, 0},
	{"[ERROR] -> [Help", CONTAINS, 0},
	{"short test summary info", CONTAINS, 0},
	{"test result: FAILED", STARTS, 30},
	{"warning:", CONTAINS, 0},
	{"-Werror", STARTS, 0},
	// what ends a program
	{"panic: ", STARTS, 95},
	{"' panicked at ", CONTAINS, 95},
	{") panicked at ", CONTAINS, 95},
	{"ERROR: AddressSanitizer", CONTAINS, 95},
	{"ERROR: LeakSanitizer", CONTAINS, 90},
	{"WARNING: ThreadSanitizer", CONTAINS, 90},
	{": runtime error: ", CONTAINS, 95},
	{"Exception in thread", STARTS, 90},
	{"Segmentation fault", CONTAINS, 80},
	{"core dumped", CONTAINS, 70},
	{"No space left on device", CONTAINS, 95},
	{"Out of memory", CONTAINS, 90},
	{"Cannot allocate memory", CONTAINS, 90},
	// compilers and linkers
	{": fatal error: ", CONTAINS, 95},
	{": error: ", CONTAINS, 90},
	{": undefined reference to ", CONTAINS, 90},
	{"error[E", STARTS, 90},
	{"error: linking with", STARTS, 80},
	{"ld: cannot find ", CONTAINS, 90},
	{"ld.lld: error", STARTS, 90},
	{"CMake Error", STARTS, 90},
	{": error TS", CONTAINS, 90},
	{"SyntaxError: ", CONTAINS, 90},
	{"[ERROR] COMPILATION ERROR", STARTS, 30},
	// tests
	{"Assertion `", CONTAINS, 95},
	{"assertion failed", CONTAINS, 85},
	{"AssertionError", STARTS, 85},
	{"E   ", STARTS, 85}, // pytest
	{"--- FAIL: ", STARTS, 70},
	{"--- FAIL: ", CONTAINS, 70},
	{"not ok ", STARTS, 70},
	{"(FAILED)", ENDS, 40},
	{"FAILED ", STARTS, 60},
	{"FAILED", ENDS, 50},
	{"***Failed", CONTAINS, 60},
	{"***Timeout", CONTAINS, 60},
	{"***Exception", CONTAINS, 60},
	{"***Not Run", CONTAINS, 60},
	{" FAIL ", CONTAINS, 55},    // meson
	{" TIMEOUT ", CONTAINS, 55}, // meson
	{"vet: ", STARTS, 75},
	{"Failed test ", CONTAINS, 60},
	{"FAIL: ", STARTS, 60},
	{"ERROR: ", STARTS, 60},
	{"FAIL\t", STARTS, 40},
	{"FAIL ", STARTS, 50},
	{"[build failed]", ENDS, 30},
	{"[ERROR] ", STARTS, 50},
	// shells and make
	{"No rule to make target", CONTAINS, 80},
	{": command not found", ENDS, 80},
	{": not found", ENDS, 75},
	{": Permission denied", ENDS, 70},
	{": No such file or directory", ENDS, 60},
	{"fatal: ", STARTS, 70},
	{"npm error ", STARTS, 40},
	{"npm ERR! ", STARTS, 40},
	{"error: ", STARTS, 80},
	{"Error: ", STARTS, 75},
	{"ERROR ", STARTS, 50},
};

static bool fits(const struct rule *rule, struct str text) {
	struct str part = str_of(rule->text);
	switch (rule->where) {
	case STARTS: return str_starts(text, part);
	case CONTAINS: return str_contains(text, part);
	case ENDS: return str_ends(text, part);
	}
	return false;
}

// "ValueError: boom", "pkg.mod.CustomException: why", at the start of a line
static bool is_exception(struct str text) {
	size_t colon = str_find(text, STR(": "));
	struct str name = str_slice(text, 0, colon);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		            c == '_' || c == '.';
		if (!word) return false;
	}
	return str_ends(name, STR("Error")) || str_ends(name, STR("Exception"));
}

// Go's compiler and vet: path.go:3:28: text
static bool is_go_message(struct str text) {
	struct place p;
	return place_of_line(text, &p) && p.file.p == text.p && str_ends(p.file, STR(".go")) &&
	       str_contains(text, STR(": "));
}

static int weigh(struct str line) {
	struct str text = str_trim(line);
	if (str_contains(text, STR("make: *** No rule"))) return 80;
	if (str_starts(text, STR("make[")) && str_contains(text, STR("*** ")))
		return str_contains(text, STR("No rule")) ? 80 : 20;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (fits(&rules[i], text)) return rules[i].weight;
	if (is_exception(text)) return 85;
	return is_go_message(text) ? 75 : 0;
}

struct search {
	struct failure_line *out;
	size_t count, most;
	struct arena *life;
	struct place python; // of the traceback that is being read
	size_t place_wanted; // index + 1 of a line whose place stands on one of the next lines
	size_t place_until;
};

static struct str kept(struct arena *life, struct str line) {
	AUTO_BUF clean = {0};
	bool cut = line.n > FAILURE_TEXT_BYTES_MAX;
	if (cut) line.n = FAILURE_TEXT_BYTES_MAX;
	while (cut && line.n > FAILURE_TEXT_BYTES_MAX - 4 && str_utf8_bad(line) < line.n) line.n--;
	buf_utf8(&clean, line);
	if (cut) buf_cstr(&clean, "…");
	return arena_str(life, buf_view(&clean));
}

// Room for a line of this weight: a free one, or the one that explains least, the latest of those.
static struct failure_line *make_room(struct search *s, int weight) {
	if (s->count < s->most) return &s->out[s->count++];
	size_t least = 0;
	for (size_t i = 1; i < s->count; i++)
		if (s->out[i].weight <= s->out[least].weight) least = i;
	if (s->count == 0 || s->out[least].weight >= weight) return NULL;
	memmove(s->out + least, s->out + least + 1, (s->count - least - 1) * sizeof *s->out);
	if (s->place_wanted == least + 1) s->place_wanted = 0;
	else if (s->place_wanted > least + 1) s->place_wanted--;
	return &s->out[s->count - 1];
}

static void set_place(struct search *s, struct failure_line *f, struct place p) {
	f->file = kept(s->life, p.file);
	f->line = p.line;
}

static void take_line(struct search *s, struct str line, size_t number) {
	struct place p = {0};
	bool placed = place_of_trace(line, &p); // passes by what lies outside the project
	if (placed && str_starts(str_trim(line), STR("File \"")))
		s->python = (struct place){kept(s->life, p.file), p.line};
	if (placed && s->place_wanted && number <= s->place_until) {
		struct failure_line *f = &s->out[s->place_wanted - 1];
		if (!f->line) set_place(s, f, p);
		s->place_wanted = 0;
	}
	int weight = weigh(line);
	if (!weight) return;
	struct failure_line *f = make_room(s, weight);
	if (!f) return;
	*f = (struct failure_line){
		.number = number, .text = kept(s->life, str_trim(line)), .weight = weight};
	if (placed) set_place(s, f, p);
	else if (s->python.line && is_exception(str_trim(line))) set_place(s, f, s->python);
	else { // rust: "error[E0308]: ..." and " --> src/main.rs:1:26" below it; bats, pytest, go
		   // likewise
		s->place_wanted = s->count;
		s->place_until = number + (weight >= 95 ? 30 : 10); // a panic prints its stack
	}
	if (is_exception(str_trim(line))) s->python = (struct place){0};
}

size_t failure_find(struct str log, size_t most, struct arena *life, struct failure_line *out) {
	struct search s = {.out = out, .most = most, .life = life};
	struct ansi a = {0};
	AUTO_BUF text = {0};
	size_t number = 0;
	if (log.n > FAILURE_LOG_BYTES_MAX) {
		struct str skipped = str_slice(log, 0, log.n - FAILURE_LOG_BYTES_MAX);
		for (size_t i = 0; i < skipped.n; i++) number += skipped.p[i] == '\n';
		log = str_from(log, skipped.n);
	}
	for (struct str rest = log; rest.p;) { // line by line, so that numbers are those of the log
		struct str line = str_cut(&rest, '\n');
		number++;
		buf_reset(&text);
		ansi_strip(&a, line.n > 8000 ? str_slice(line, 0, 8000) : line, &text);
		for (size_t i = 0; i < text.n; i++)
			if (text.p[i] == '\n') text.p[i] = ' '; // a progress bar's CR
		a = (struct ansi){0};
		take_line(&s, buf_view(&text), number);
	}
	return s.count;
}
