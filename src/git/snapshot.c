#include "git/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "git/child.h"
#include "git/index.h"
#include "git/object.h"
#include "os/file.h"

enum { INDEX_BYTES_MAX = 1 << 30 };

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
	AUTO_FD in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0 && errno == ENOENT) { // nothing was ever added
		unlink(to);
		return true;
	}
	if (in < 0 || fstat(in, &st)) return err_set(e, ERR_IO, "%s: %s", from, strerror(errno));
	if (!file_read_fd(in, INDEX_BYTES_MAX, &bytes, e)) return err_context(e, "%s", from);
	AUTO_FD out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct timespec times[2] = {st.st_atim, st.st_mtim};
	if (out < 0 || !file_write_all(out, buf_view(&bytes), e) || futimens(out, times))
		return err_set(e, file_write_code(errno), "cannot write %s: %s", to, strerror(errno));
	return true;
}

// What is checked out, from the files of git where they say so at once.
static bool find_head(struct git_repo *r, const struct places *at, struct oid *out, struct err *e) {
	AUTO_BUF file = {0}, text = {0};
	struct err ignored;
	buf_printf(&file, "%s/HEAD", at->git_dir.p);
	if (!file_read(file.p, 4096, &text, e)) return false;
	struct str name = str_trim(buf_view(&text));
	if (str_starts(name, STR("ref: refs/"))) {
		AUTO_BUF ref = {0}, value = {0};
		buf_printf(&ref, "%s/" STR_FMT, at->common_dir.p, STR_ARG(str_from(name, 5)));
		if (file_read(ref.p, 4096, &value, &ignored) && oid_parse(str_trim(buf_view(&value)), out))
			return true;
	} else if (oid_parse(name, out)) {
		return true;
	}
	return git_object_resolve(r, STR("HEAD"), out, e);
}

// In a file of its own, so that it is there for sure.
static bool is_loose(const char *objects, const char *hex) {
	AUTO_BUF path = {0};
	buf_printf(&path, "%s/%.2s/%s", objects, hex, hex + 2);
	return file_exists(path.p);
}

// FOLDER/tree holds "CONTENT TREE\n": what git wrote for the entries of an index (git/index.h). git
// forgets the tree of an index whenever it reads a file again, also to find it as it was.
static bool recall_tree(const struct git_repo *r, const char *file, struct digest content,
                        struct oid *out) {
	AUTO_BUF text = {0};
	struct err ignored;
	char hex[OID_HEX_MAX + 1];
	struct digest known;
	struct oid tree;
	if (!file_read(file, 1000, &text, &ignored)) return false;
	struct str rest = str_trim(buf_view(&text));
	if (!digest_parse(str_cut(&rest, ' '), &known) || !digest_eq(known, content) ||
	    !oid_parse(rest, &tree))
		return false;
	oid_hex(tree, hex);
	if (!is_loose(r->objects, hex) && !is_loose(r->parent_objects, hex)) return false;
	*out = tree;
	return true;
}

static void remember_tree(const char *file, struct digest content, struct oid tree) {
	AUTO_BUF text = {0};
	char a[DIGEST_HEX + 1], b[OID_HEX_MAX + 1];
	digest_hex(content, a);
	oid_hex(tree, b);
	buf_printf(&text, "%s %s\n", a, b);
	(void)!file_replace(file, buf_view(&text), 0600, NULL); // else git is asked again
}

// After git add: the index says what its tree is when nothing had to be added, else git writes the
// tree.
static bool find_tree(const struct places *at, const struct git_snapshot *s, const char *index,
                      const char *file, const struct git_child_env *env, struct oid *out,
                      struct err *e) {
	static const char *const write[] = {"git", "-c", "core.fsync=none", "write-tree", NULL};
	AUTO_OUTPUT written = {0};
	AUTO_BUF bytes = {0};
	struct err ignored;
	struct digest content;
	bool read = s->head.n && file_read(index, INDEX_BYTES_MAX, &bytes, &ignored);
	if (read && git_index_tree(buf_view(&bytes), s->head.n, out)) return true;
	bool named = read && git_index_content(buf_view(&bytes), s->head.n, &content);
	if (named && recall_tree(s->repo, file, content, out)) return true;
	if (!run(at->root.p, write, env, &written, e)) return false;
	if (!oid_parse(str_trim(buf_view(&written.out)), out))
		return err_set(e, ERR_CORRUPT, "git write-tree answers what is no tree");
	if (named) remember_tree(file, content, *out);
	return true;
}

static bool make_folder(const char *folder, struct arena *life, struct str *full, struct err *e) {
	if (!file_make_folders(folder, 0700, e)) return false;
	char *real = realpath(folder, NULL);
	if (!real) return err_set(e, ERR_IO, "%s: %s", folder, strerror(errno));
	*full = arena_str(life, str_of(real));
	free(real);
	return true;
}

// What weir itself keeps in a tree. A pattern, for git fails when a name is both given and ignored.
#define OURS ":(top,exclude,glob).wei[r]/**"

static bool fill(const struct places *at, struct str index, struct str tree,
                 const struct git_child_env *env, struct git_snapshot *s, struct err *e) {
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
	                                  "--",
	                                  ".",
	                                  OURS,
	                                  NULL};
	AUTO_OUTPUT added = {0};
	return find_head(s->repo, at, &s->head, e) && run(at->root.p, add, env, &added, e) &&
	       find_tree(at, s, index.p, tree.p, env, &s->tree, e);
}

bool git_snapshot_take(struct git_home *h, const char *where, const char *folder,
                       struct arena *life, struct git_snapshot *out, struct err *e) {
	struct places at = {0};
	struct git_child_env env = {0};
	struct git_snapshot s = {0};
	struct str full;
	if (!find_places(where, life, &at, e) || !make_folder(folder, life, &full, e)) return false;
	struct str index = arena_printf(life, "%s/index", full.p);
	struct str objects = arena_printf(life, "%s/objects", full.p);
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
	if (!git_repo_open_foreign(h, at.git_dir.p, objects.p, parent.p, &s.repo, e)) return false;
	if (!fill(&at, index, arena_printf(life, "%s/tree", full.p), &env, &s, e)) {
		git_repo_close(s.repo);
		return err_context(e, "cannot take a snapshot of %s", at.root.p);
	}
	s.root = at.root;
	*out = s;
	return true;
}

bool git_snapshot_open(struct git_home *h, const char *where, const char *folder,
                       struct git_repo **out, struct err *e) {
	AUTO_ARENA life = {0};
	struct places at = {0};
	struct str full;
	if (!find_places(where, &life, &at, e) || !make_folder(folder, &life, &full, e)) return false;
	return git_repo_open_foreign(h, at.git_dir.p, arena_printf(&life, "%s/objects", full.p).p,
	                             arena_printf(&life, "%s/objects", at.common_dir.p).p, out, e);
}
