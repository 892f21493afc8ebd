#include "exec/leave.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "exec/stage.h"
#include "os/file.h"
#include "os/process.h"

enum {
	FACTS_FILES_MAX = 1000, // results or coverage files of one run
	RESULTS_JSON_MAX = 256 << 20,
	RESULTS_MS = 60 * 1000,
};
static const int64_t FACTS_BYTES_MAX = 256 << 20;

static const char *const codes[] = {
	[COLLECT_MISSING] = "missing", [COLLECT_LINK] = "link", [COLLECT_SPECIAL] = "special",
	[COLLECT_LIMIT] = "limit",     [COLLECT_PATH] = "path", [COLLECT_SECRET] = "secret",
	[COLLECT_IO] = "io",
};

static const char *folder_of(struct leave *l, const char *name) {
	return arena_printf(l->life, "%s/%s", l->run, name).p;
}

// A secret in a file ends like one in an artifact, because results are stored and shown too.
static void fail(struct leave *l, const char *what, enum collect_fault fault, const struct err *e) {
	l->outcome->end = fault == COLLECT_IO ? EXEC_ERROR : EXEC_FAILED;
	l->outcome->reason_code = arena_printf(l->life, "%s-%s", what, codes[fault]);
	l->outcome->reason_text = arena_str(l->life, str_of(e->text));
}

static void collect_artifacts(struct leave *l) {
	struct collect_limits limits = {l->spec->artifact_bytes, l->spec->artifact_files};
	struct collect_found found = {0};
	enum collect_fault fault;
	struct err e = {0};
	AUTO_BUF manifest = {0};
	const char *out = folder_of(l, "out");
	if (!collect_files(l->work, l->spec->artifacts, folder_of(l, "out/files"), true, limits,
	                   l->mask, l->life, &found, &fault, &e)) {
		if (!file_remove_tree(out, NULL)) fault = COLLECT_IO;
		fail(l, "artifact", fault, &e);
		return;
	}
	collect_manifest(&found, &manifest);
	AUTO_FD fd = open(folder_of(l, "out/manifest.json"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || !file_write_all(fd, buf_view(&manifest), &e)) {
		err_context(&e, "manifest.json");
		fail(l, "artifact", COLLECT_IO, &e);
		return;
	}
	l->outcome->has_artifact = true;
	l->outcome->artifact = digest_of(buf_view(&manifest));
	l->outcome->artifact_files = (int64_t)found.n;
	l->outcome->artifact_bytes = found.bytes;
}

// Results or coverage. What is wrong with them is a note; only a secret in them fails the job.
static bool collect_facts(struct leave *l, const char *what, struct exec_strs patterns,
                          struct collect_found *found, struct str *note) {
	struct collect_limits limits = {FACTS_BYTES_MAX, FACTS_FILES_MAX};
	enum collect_fault fault;
	struct err e = {0};
	const char *into = folder_of(l, what);
	if (!collect_files(l->work, patterns, into, false, limits, l->mask, l->life, found, &fault,
	                   &e)) {
		if (!file_remove_tree(into, NULL)) fault = COLLECT_IO;
		*note = arena_str(l->life, str_of(e.text));
		if (fault == COLLECT_SECRET && l->outcome->end == EXEC_PASSED) fail(l, what, fault, &e);
		return false;
	}
	if (found->unmatched.p)
		*note = arena_printf(l->life, "the job made no file that matches: " STR_FMT,
		                     STR_ARG(found->unmatched));
	return found->n > 0;
}

static void add_note(struct leave *l, struct str text) {
	struct str *note = &l->outcome->results_error;
	*note = note->n ? arena_printf(l->life, STR_FMT "; " STR_FMT, STR_ARG(*note), STR_ARG(text))
	                : arena_str(l->life, text);
}

// The first line of what weir-results printed.
static void take_summary(struct leave *l, struct str line, struct err *e) {
	AUTO_JSON v = NULL;
	struct exec_outcome *o = l->outcome;
	if (!json_parse(line, &v, e)) {
		add_note(l, STR("the results could not be read"));
		return;
	}
	const struct json *names = json_get(v, "first_failed");
	struct str error = json_get_str(v, "error");
	o->tests = json_get_int(v, "total", 0);
	o->tests_passed = json_get_int(v, "passed", 0);
	o->tests_failed = json_get_int(v, "failed", 0);
	o->tests_skipped = json_get_int(v, "skipped", 0);
	o->has_tests = json_get_bool(v, "read", false);
	o->failed_tests_n = json_length(names);
	if (o->failed_tests_n) o->failed_tests = ARENA_ARRAY(l->life, struct str, o->failed_tests_n);
	for (size_t i = 0; i < o->failed_tests_n; i++)
		o->failed_tests[i] = arena_str(l->life, json_str(json_at(names, i)));
	if (error.n) add_note(l, error);
}

// A program of its own reads them: what a job printed meets no parser in a process with rights or
// secrets.
static void read_results(struct leave *l, const struct collect_found *found) {
	AUTO_OUTPUT out = {0};
	AUTO_BUF list = {0};
	struct err e = {0};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self);
	struct str path = {self, n > 0 && n < (ssize_t)sizeof self ? (size_t)n : 0};
	while (path.n && path.p[path.n - 1] != '/') path.n--;
	// By descriptor: the jobs' user may not be able to walk to where weir is installed (/root).
	AUTO_FD reader = open(arena_printf(l->life, STR_FMT "weir-results", STR_ARG(path)).p,
	                      O_PATH | O_CLOEXEC);
	const char *program = arena_printf(l->life, "/proc/self/fd/%d", reader).p;
	AUTO_FD folder = open(folder_of(l, "results"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool root = geteuid() == 0;
	const char *const argv[] = {program, NULL};
	const char *const env[] = {"LANG=C.UTF-8", NULL};
	struct process_spec spec = {PROCESS_SPEC_NONE, .argv = argv, .env = env, .cwd = "/"};
	spec.pass = &folder;
	spec.pass_count = 1;
	spec.uid = spec.gid = root ? STAGE_UID : 0;
	spec.die_with_parent = true;
	for (size_t i = 0; i < found->n; i++) {
		if (found->p[i].link.p) continue;
		buf_str(&list, found->p[i].path);
		buf_char(&list, 0);
	}
	if (folder < 0 || reader < 0 ||
	    !process_run(&spec, buf_view(&list), RESULTS_JSON_MAX, RESULTS_MS, &out, &e) ||
	    out.status.end != PROCESS_EXITED || out.status.code != 0) {
		add_note(l, STR("the results could not be read: the reader failed or took too long"));
		return;
	}
	struct str all = buf_view(&out.out), line = str_cut(&all, '\n');
	take_summary(l, line, &e);
	AUTO_FD fd = open(folder_of(l, "results.json"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || !file_write_all(fd, all, &e))
		add_note(l, STR("results.json could not be written"));
}

void leave_collect(struct leave *l) {
	struct collect_found found = {0};
	enum exec_end end = l->outcome->end;
	if (end == EXEC_CANCELLED || end == EXEC_ERROR) return;
	if (l->spec->results.n &&
	    collect_facts(l, "results", l->spec->results, &found, &l->outcome->results_error))
		read_results(l, &found);
	if (l->spec->coverage.n)
		(void)collect_facts(l, "coverage", l->spec->coverage, &found, &l->outcome->coverage_error);
	if (l->outcome->end == EXEC_PASSED && l->spec->artifacts.n) collect_artifacts(l);
}
