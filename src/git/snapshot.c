#include "git/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "git/child.h"
#include "git/object.h"
#include "os/file.h"

enum { INDEX_BYTES_MAX = 1 << 30 };

extern char **environ;

struct places {
	struct str root, git_dir, common_dir;
};

// The person's own environment (their configuration decides what is ignored), without what would
// redirect git.
static const char *const *person_env(struct arena *life, const struct git_child_env *more) {
	size_t n = 0, count = 0;
	while (environ[n]) n++;
	const char **all = ARENA_ARRAY(life, const char *, n + more->count + 2);
	for (size_t i = 0; i < n; i++) {
		struct str line = str_of(environ[i]);
		bool redirects = str_starts(line, STR("GIT_")) && !str_starts(line, STR("GIT_CONFIG")) &&
		                 !str_starts(line, STR("GIT_CEILING_DIRECTORIES"));
		if (!redirects && !str_starts(line, STR("LC_ALL="))) all[count++] = environ[i];
	}
	for (size_t i = 0; i < more->count; i++) all[count++] = more->list[i];
	all[count++] = "LC_ALL=C";
	return all;
}

static bool run(const char *where, const char *const *argv, const struct git_child_env *more,
                struct process_output *out, struct err *e) {
	AUTO_ARENA scratch = {0};
	struct process_spec spec = {
		PROCESS_SPEC_NONE, .argv = argv,        .env = person_env(&scratch, more),
		.cwd = where,      .new_session = true, .die_with_parent = true,
	};
	if (!process_run(&spec, STR_NONE, GIT_CHILD_TEXT_MAX, GIT_CHILD_TIMEOUT_MS, out, e))
		return false;
	return out->status.end == PROCESS_EXITED && out->status.code == 0
	           ? true
	           : git_child_failed(argv, out, e);
}

// Without asking git: a .git folder here or above is the common case and saves a process.
static bool find_near(const char *where, struct arena *life, struct places *out) {
	char *real = realpath(where, NULL);
	if (!real) return false;
	bool found = false;
	for (;;) {
		struct str git_dir = arena_printf(life, "%s/.git", real);
		struct str head = arena_printf(life, "%s/HEAD", git_dir.p);
		struct stat st;
		if (lstat(git_dir.p, &st) == 0) {
			found = S_ISDIR(st.st_mode) && file_exists(head.p);
			if (found) *out = (struct places){arena_str(life, str_of(real)), git_dir, git_dir};
			break;
		}
		char *slash = strrchr(real, '/');
		if (!slash || slash == real) break;
		*slash = 0;
	}
	free(real);
	return found;
}

static bool find_places(const char *where, struct arena *life, struct places *out, struct err *e) {
	static const char *const argv[] = {"git",
	                                   "rev-parse",
	                                   "--path-format=absolute",
	                                   "--show-toplevel",
	                                   "--git-dir",
	                                   "--git-common-dir",
	                                   NULL};
	AUTO_OUTPUT output = {0};
	struct git_child_env none = {0};
	struct err why;
	bool redirected = getenv("GIT_DIR") || getenv("GIT_WORK_TREE");
	if (!redirected && find_near(where, life, out)) return true;
	if (!run(where, argv, &none, &output, &why))
		return err_set(e, ERR_NOT_FOUND, "%s is not in a git working tree (%s)", where, why.text);
	struct str rest = buf_view(&output.out);
	out->root = arena_str(life, str_cut(&rest, '\n'));
	out->git_dir = arena_str(life, str_cut(&rest, '\n'));
	out->common_dir = arena_str(life, str_cut(&rest, '\n'));
	return true;
}

// A copy of the person's index, so that git knows from its stat data which files did not change.
// The copy keeps the time of the original: an entry as young as its index is one that git looks at
// again.
static bool copy_index(const char *from, const char *to, struct err *e) {
	AUTO_BUF bytes = {0}, lock = {0};
	struct stat st;
	buf_printf(&lock, "%s.lock", to);
	unlink(lock.p); // left by a snapshot that was killed
	unlink(to);
	AUTO_FD in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0 && errno == ENOENT) return true; // nothing was ever added
	if (in < 0 || fstat(in, &st)) return err_set(e, ERR_IO, "%s: %s", from, strerror(errno));
	if (!file_read_fd(in, INDEX_BYTES_MAX, &bytes, e)) return err_context(e, "%s", from);
	AUTO_FD out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct timespec times[2] = {st.st_atim, st.st_mtim};
	if (out < 0 || !file_write_all(out, buf_view(&bytes), e) || futimens(out, times))
		return err_set(e, ERR_IO, "cannot write %s: %s", to, strerror(errno));
	return true;
}

bool git_snapshot_take(struct git_home *h, const char *where, const char *folder,
                       struct arena *life, struct git_snapshot *out, struct err *e) {
	static const char *const add[] = {"git",
	                                  "-c",
	                                  "core.splitIndex=false",
	                                  "-c",
	                                  "core.fsmonitor=false",
	                                  "-c",
	                                  "core.safecrlf=false",
	                                  "-c",
	                                  "advice.addEmbeddedRepo=false",
	                                  "-c",
	                                  "core.fsync=none",
	                                  "add",
	                                  "-A",
	                                  NULL};
	static const char *const write[] = {"git", "-c", "core.fsync=none", "write-tree", NULL};
	AUTO_OUTPUT added = {0}, written = {0};
	struct places at;
	struct git_child_env env = {0};
	struct git_snapshot s = {0};
	if (!find_places(where, life, &at, e)) return false;
	char *full = realpath(folder, NULL);
	if (!full) {
		if (!file_make_folders(folder, 0700, e)) return false;
		full = realpath(folder, NULL);
	}
	if (!full) return err_set(e, ERR_IO, "%s: %s", folder, strerror(errno));
	struct str index = arena_printf(life, "%s/index", full);
	struct str objects = arena_printf(life, "%s/objects", full);
	free(full);
	struct str parent = arena_printf(life, "%s/objects", at.common_dir.p);
	struct str user_index = arena_printf(life, "%s/index", at.git_dir.p);
	if (!file_make_folders(objects.p, 0700, e) || !copy_index(user_index.p, index.p, e))
		return false;
	git_child_env_add(&env, arena_printf(life, "GIT_DIR=%s", at.git_dir.p).p);
	git_child_env_add(&env, arena_printf(life, "GIT_WORK_TREE=%s", at.root.p).p);
	git_child_env_add(&env, arena_printf(life, "GIT_INDEX_FILE=%s", index.p).p);
	git_child_env_add(&env, arena_printf(life, "GIT_OBJECT_DIRECTORY=%s", objects.p).p);
	git_child_env_add(&env, arena_printf(life, "GIT_ALTERNATE_OBJECT_DIRECTORIES=%s", parent.p).p);
	git_child_env_add(&env, "GIT_OPTIONAL_LOCKS=0");
	if (!run(at.root.p, add, &env, &added, e) || !run(at.root.p, write, &env, &written, e))
		return err_context(e, "cannot take a snapshot of %s", at.root.p);
	if (!oid_parse(str_trim(buf_view(&written.out)), &s.tree))
		return err_set(e, ERR_CORRUPT, "git write-tree answers what is no tree");
	if (!git_repo_open_foreign(h, at.git_dir.p, objects.p, parent.p, &s.repo, e)) return false;
	if (!git_object_resolve(s.repo, STR("HEAD"), &s.head, e)) {
		git_repo_close(s.repo);
		return false;
	}
	s.root = at.root;
	*out = s;
	return true;
}
