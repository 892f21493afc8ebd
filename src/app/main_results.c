// weir-results: reads what a job's tests printed, away from everything worth having: no rights, no
// secrets, no workspace. Descriptor 3 is the folder of the files, standard input their paths, each
// with a NUL. Prints a line of JSON,
// {"error","failed","first_failed","passed","read","skipped","total"}, then
// [{"error","path"} | {"path","results"}, …] as probe/results.h writes them.
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "exec/outcome.h"
#include "os/file.h"
#include "probe/results.h"

enum { FOLDER_FD = 3, LIST_MAX = 8 << 20, MEMORY_MAX_MB = 2048 };

struct sums {
	int64_t total, passed, failed, skipped;
	bool read;
	struct str error; // the first
	struct str failed_names[OUTCOME_FAILED_TESTS_MAX];
	size_t failed_n;
};

static void add(struct sums *s, const struct probe_results *r, struct arena *life) {
	s->read = s->read || r->count || !r->problem.n; // a torn file without a test says nothing
	s->total += (int64_t)(r->passed + r->failed + r->errors + r->skipped);
	s->passed += (int64_t)r->passed;
	s->failed += (int64_t)(r->failed + r->errors);
	s->skipped += (int64_t)r->skipped;
	if (r->problem.n && !s->error.n) s->error = r->problem;
	for (size_t i = 0; i < r->count && s->failed_n < OUTCOME_FAILED_TESTS_MAX; i++) {
		const struct probe_test *t = &r->tests[i];
		if (t->group || (t->outcome != PROBE_FAILED && t->outcome != PROBE_ERROR)) continue;
		s->failed_names[s->failed_n++] = t->suite.n
		                                     ? arena_printf(life, STR_FMT " / " STR_FMT,
		                                                    STR_ARG(t->suite), STR_ARG(t->name))
		                                     : t->name;
	}
}

static void read_one(struct sums *s, const char *path, struct arena *life, struct jsonw *w) {
	struct probe_results r = {0};
	struct err e = {0};
	AUTO_BUF bytes = {0};
	AUTO_FD fd = openat(FOLDER_FD, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool ok = fd >= 0 && file_read_fd(fd, PROBE_RESULTS_BYTES_MAX, &bytes, &e);
	if (fd < 0) err_set(&e, ERR_IO, "cannot be opened");
	ok = ok && probe_results_read(buf_view(&bytes), str_of(path), life, &r, &e);
	jsonw_object(w);
	if (!ok) {
		jsonw_key_z(w, "error", e.text);
		if (!s->error.n) s->error = arena_printf(life, "%s: %s", path, e.text);
	}
	jsonw_key_z(w, "path", path);
	if (ok) {
		jsonw_key(w, "results");
		probe_results_json(&r, w);
		add(s, &r, life);
	}
	jsonw_object_end(w);
}

static void print_summary(const struct sums *s, struct buf *out) {
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	jsonw_key_s(&w, "error", s->error);
	jsonw_key_i(&w, "failed", s->failed);
	jsonw_key(&w, "first_failed");
	jsonw_array(&w);
	for (size_t i = 0; i < s->failed_n; i++) jsonw_str(&w, s->failed_names[i]);
	jsonw_array_end(&w);
	jsonw_key_i(&w, "passed", s->passed);
	jsonw_key_b(&w, "read", s->read);
	jsonw_key_i(&w, "skipped", s->skipped);
	jsonw_key_i(&w, "total", s->total);
	jsonw_object_end(&w);
	buf_char(out, '\n');
}

int main(void) {
	AUTO_ARENA life = {0};
	AUTO_BUF list = {0};
	AUTO_BUF all = {0};
	AUTO_BUF line = {0};
	struct err e = {0};
	static struct sums s;
#ifndef __SANITIZE_ADDRESS__ // which maps terabytes
	const struct rlimit memory = {(rlim_t)MEMORY_MAX_MB << 20, (rlim_t)MEMORY_MAX_MB << 20};
	setrlimit(RLIMIT_DATA, &memory);
#endif
	if (!file_read_fd(STDIN_FILENO, LIST_MAX, &list, &e)) return 1;
	struct jsonw w = jsonw_to(&all);
	jsonw_array(&w);
	for (size_t at = 0; at < list.n; at += strlen(list.p + at) + 1)
		read_one(&s, list.p + at, &life, &w);
	jsonw_array_end(&w);
	print_summary(&s, &line);
	return file_write_all(STDOUT_FILENO, buf_view(&line), &e) &&
	               file_write_all(STDOUT_FILENO, buf_view(&all), &e)
	           ? 0
	           : 1;
}
