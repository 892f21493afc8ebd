#include "git/repo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "git/child.h"
#include "git/plumb.h"
#include "os/file.h"

enum { CONFIG_VERSION = 1, HOOK_BYTES_MAX = 16 << 20, NETWORK_TIMEOUT_MS = 3600000 };

// fsck: refuse what harms (NUL in a commit, .git in a tree, bad modes), let pass what old histories
// hold.
static const char config_text[] = "[core]\n"
								  "\trepositoryformatversion = 0\n"
								  "\tfilemode = true\n"
								  "\tbare = true\n"
								  "\tfsync = all\n"
								  "\tfsyncMethod = fsync\n"
								  "\tlogAllRefUpdates = false\n"
								  "[gc]\n"
								  "\tauto = 0\n"
								  "[maintenance]\n"
								  "\tauto = false\n"
								  "[transfer]\n"
								  "\tunpackLimit = 20\n"
								  "\thideRefs = refs/candidates\n"
								  "\thideRefs = refs/follow\n"
								  "[receive]\n"
								  "\tautogc = false\n"
								  "\thideRefs = refs/changes\n"
								  "\tadvertisePushOptions = true\n"
								  "\tprocReceiveRefs = refs\n"
								  "\tfsckObjects = true\n"
								  "\tmaxInputSize = %d\n"
								  "[receive \"fsck\"]\n"
								  "\tnulInCommit = error\n"
								  "\tmissingSpaceBeforeDate = warn\n"
								  "\tzeroPaddedFilemode = warn\n"
								  "\tbadTimezone = warn\n"
								  "\tmissingEmail = warn\n"
								  "\tmissingNameBeforeEmail = warn\n"
								  "\tbadDateOverflow = warn\n"
								  "[uploadpack]\n"
								  "\tallowFilter = true\n"
								  "[http]\n"
								  "\treceivepack = true\n"
								  "[weir]\n"
								  "\tversion = %d\n";

static const char *const hooks[] = {"proc-receive", "reference-transaction"};

static bool write_config(const char *path, struct err *e) {
	AUTO_BUF file = {0}, text = {0}, old = {0};
	struct err ignored;
	buf_printf(&file, "%s/config", path);
	buf_printf(&text, config_text, GIT_PUSH_BYTES_MAX, CONFIG_VERSION);
	if (file_read(file.p, 1 << 20, &old, &ignored) && str_eq(buf_view(&old), buf_view(&text)))
		return true;
	return file_write_atomic(file.p, buf_view(&text), 0644, e);
}

// Copies, not links: a hook that dangles is a hook that git skips in silence.
static bool write_hooks(const struct git_home *h, const char *path, struct err *e) {
	AUTO_BUF program = {0}, file = {0}, old = {0};
	if (!h->hook) return true;
	if (!file_read(h->hook, HOOK_BYTES_MAX, &program, e)) return err_context(e, "weir-hook");
	buf_printf(&file, "%s/hooks", path);
	if (!file_make_folders(file.p, 0755, e)) return false;
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
		struct err ignored;
		struct stat st;
		buf_reset(&file);
		buf_reset(&old);
		buf_printf(&file, "%s/hooks/%s", path, hooks[i]);
		bool same = stat(file.p, &st) == 0 && (st.st_mode & 0111) &&
		            file_read(file.p, HOOK_BYTES_MAX, &old, &ignored) &&
		            str_eq(buf_view(&old), buf_view(&program));
		if (!same && !file_write_atomic(file.p, buf_view(&program), 0755, e)) return false;
	}
	return true;
}

bool git_repo_branch_ok(struct str branch) {
	if (branch.n == 0 || branch.n > 200 || str_eq(branch, STR("@"))) return false;
	struct str rest = branch;
	while (rest.p) {
		struct str part = str_cut(&rest, '/');
		if (part.n == 0 || part.p[0] == '.' || part.p[0] == '-' || str_ends(part, STR(".lock")) ||
		    str_ends(part, STR(".")) || str_contains(part, STR("..")) ||
		    str_contains(part, STR("@{")))
			return false;
		for (size_t i = 0; i < part.n; i++) {
			char c = part.p[i];
			bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
			if (!plain && (c == 0 || !strchr("._-+@#", c))) return false;
		}
	}
	return true;
}

static struct git_repo *make(struct git_home *h, const char *path) {
	struct git_repo *r = calloc(1, sizeof *r);
	if (!r) abort();
	r->home = h;
	r->path = strdup(path);
	pthread_mutex_init(&r->lock, NULL);
	pthread_mutex_init(&r->landing, NULL);
	return r;
}

void git_repo_close(struct git_repo *r) {
	if (!r) return;
	git_plumb_rest(r);
	pthread_mutex_destroy(&r->lock);
	pthread_mutex_destroy(&r->landing);
	free(r->path);
	free(r->objects);
	free(r->parent_objects);
	free(r);
}

void git_repo_rest(struct git_repo *r) {
	git_plumb_rest(r);
}

const char *git_repo_path(const struct git_repo *r) {
	return r->path;
}

bool git_repo_trunk(const struct git_repo *r, struct arena *life, struct str *branch,
                    struct err *e) {
	AUTO_BUF file = {0}, text = {0};
	buf_printf(&file, "%s/HEAD", r->path);
	if (!file_read(file.p, 4096, &text, e)) return false;
	struct str head = str_trim(buf_view(&text));
	if (!str_starts(head, STR("ref: refs/heads/")))
		return err_set(e, ERR_CORRUPT, "%s names no branch", file.p);
	*branch = arena_str(life, str_from(head, strlen("ref: refs/heads/")));
	return true;
}

// Everything but the hooks, at a temporary path.
static bool make_bare(struct git_home *h, const char *path, struct str trunk, struct err *e) {
	AUTO_OUTPUT out = {0};
	AUTO_BUF branch = {0};
	buf_printf(&branch, "--initial-branch=" STR_FMT, STR_ARG(trunk));
	const char *const argv[] = {
		"git", "init", "--quiet", "--bare", "--template=", branch.p, "--", path, NULL};
	if (!git_child_run(h, NULL, NULL, argv, STR_NONE, 1 << 20, 60000, &out, e)) return false;
	if (out.status.end != PROCESS_EXITED || out.status.code != 0)
		return git_child_failed(argv, &out, e);
	return write_config(path, e);
}

static bool finish(struct git_home *h, const char *temporary, const char *path, struct err *e) {
	AUTO_BUF folder = {0};
	if (!write_hooks(h, temporary, e)) return false;
	if (file_exists(path)) return err_set(e, ERR_CONFLICT, "%s exists already", path);
	if (rename(temporary, path))
		return err_set(e, ERR_IO, "cannot make %s: %s", path, strerror(errno));
	buf_printf(&folder, "%s/..", path);
	return file_sync_folder(folder.p, e);
}

static bool begin(const char *path, struct buf *temporary, struct err *e) {
	if (file_exists(path)) return err_set(e, ERR_CONFLICT, "%s exists already", path);
	buf_printf(temporary, "%s.new", path);
	return file_remove_tree(temporary->p, e); // left by a daemon that died
}

bool git_repo_create(struct git_home *h, const char *path, const char *trunk, struct err *e) {
	AUTO_BUF temporary = {0};
	if (!git_repo_branch_ok(str_of(trunk)))
		return err_set(e, ERR_INVALID, "\"%s\" cannot be the name of a branch", trunk);
	if (!begin(path, &temporary, e)) return false;
	return make_bare(h, temporary.p, str_of(trunk), e) && finish(h, temporary.p, path, e);
}

// Who the source's HEAD is: "ref: refs/heads/main\tHEAD" of ls-remote --symref.
static bool source_trunk(struct git_home *h, const char *source, struct arena *life,
                         struct str *branch, struct err *e) {
	AUTO_OUTPUT out = {0};
	struct git_child_env env;
	const char *const argv[] = {"git", "ls-remote", "--symref", "--", source, "HEAD", NULL};
	git_child_env(&env, life, NULL, true);
	git_child_env_add(&env, "GIT_ALLOW_PROTOCOL=https:http:ssh:git:file");
	if (!git_child_run(h, NULL, &env, argv, STR_NONE, 1 << 20, 60000, &out, e)) return false;
	if (out.status.end != PROCESS_EXITED || out.status.code != 0)
		return git_child_failed(argv, &out, e);
	struct str rest = buf_view(&out.out), line = str_cut(&rest, '\t');
	struct str prefix = STR("ref: refs/heads/");
	*branch = str_starts(line, prefix) ? arena_str(life, str_from(line, prefix.n)) : STR("main");
	return true;
}

bool git_repo_import(struct git_home *h, const char *path, const char *source, const char *trunk,
                     struct err *e) {
	AUTO_ARENA scratch = {0};
	AUTO_BUF temporary = {0};
	AUTO_OUTPUT out = {0};
	struct git_child_env env;
	struct str branch = trunk ? str_of(trunk) : STR_NONE;
	if (source[0] == '-')
		return err_set(e, ERR_INVALID, "\"%s\" is not a path or URL to copy from", source);
	if (!begin(path, &temporary, e)) return false;
	if (!trunk && !source_trunk(h, source, &scratch, &branch, e)) {
		if (e->code == ERR_IO) e->code = ERR_UNAVAILABLE; // nothing of ours failed
		return err_context(e, "cannot copy from %s", source);
	}
	if (!git_repo_branch_ok(branch))
		return err_set(e, ERR_INVALID, "\"" STR_FMT "\" cannot be the trunk", STR_ARG(branch));
	if (!make_bare(h, temporary.p, branch, e)) return false;
	git_child_env(&env, &scratch, NULL, true);
	git_child_env_add(&env, "GIT_ALLOW_PROTOCOL=https:http:ssh:git:file");
	git_child_env_add(&env, arena_printf(&scratch, "GIT_DIR=%s", temporary.p).p);
	const char *const argv[] = {"git",
	                            "fetch",
	                            "--quiet",
	                            "--no-tags",
	                            "--no-write-fetch-head",
	                            "--no-auto-gc",
	                            "--",
	                            source,
	                            "+refs/heads/*:refs/heads/*",
	                            "+refs/tags/*:refs/tags/*",
	                            NULL};
	if (!git_child_run(h, NULL, &env, argv, STR_NONE, 16 << 20, NETWORK_TIMEOUT_MS, &out, e))
		return false;
	if (out.status.end != PROCESS_EXITED || out.status.code != 0) {
		git_child_failed(argv, &out, e);
		(void)!file_remove_tree(temporary.p, NULL);
		return err_context(e, "cannot copy from %s", source);
	}
	return finish(h, temporary.p, path, e);
}

static bool is_repository(const char *path) {
	AUTO_BUF file = {0};
	buf_printf(&file, "%s/objects", path);
	if (!file_exists(file.p)) return false;
	buf_reset(&file);
	buf_printf(&file, "%s/HEAD", path);
	return file_exists(file.p);
}

bool git_repo_open(struct git_home *h, const char *path, struct git_repo **out, struct err *e) {
	if (!is_repository(path)) return err_set(e, ERR_NOT_FOUND, "%s is not a repository", path);
	if (!write_config(path, e) || !write_hooks(h, path, e)) return false;
	*out = make(h, path);
	return true;
}

bool git_repo_open_foreign(struct git_home *h, const char *git_dir, const char *objects,
                           const char *parent, struct git_repo **out, struct err *e) {
	if (!file_exists(git_dir)) return err_set(e, ERR_NOT_FOUND, "%s is not a repository", git_dir);
	struct git_repo *r = make(h, git_dir);
	if (objects) {
		r->objects = strdup(objects);
		r->parent_objects = strdup(parent);
	}
	*out = r;
	return true;
}

static bool step(struct git_repo *r, const char *const *argv, struct err *e) {
	AUTO_OUTPUT out = {0};
	return git_child_ask(r, argv, STR_NONE, 16 << 20, &out, e);
}

bool git_repo_maintain(struct git_repo *r, bool full, struct err *e) {
	static const char *const light[] = {"git",           "repack", "--quiet", "-d",
	                                    "--geometric=2", "-l",     "-n",      NULL};
	static const char *const whole[] = {"git", "repack", "--quiet", "-d",
	                                    "-l",  "-n",     "--cruft", "--cruft-expiration=1.day.ago",
	                                    NULL};
	static const char *const prune[] = {"git", "prune", "--expire=1.day.ago", NULL};
	static const char *const refs[] = {"git", "pack-refs", "--all", NULL};
	static const char *const graph[] = {"git",           "commit-graph", "write", "--reachable",
	                                    "--no-progress", "--split",      NULL};
	static const char *const graph_whole[] = {
		"git", "commit-graph", "write", "--reachable", "--no-progress", "--split=replace", NULL};
	bool ok = true;
	if (full) {
		ok = step(r, refs, e) && step(r, whole, e) && step(r, prune, e) && step(r, graph_whole, e);
	} else {
		ok = step(r, light, e) && step(r, graph, e);
	}
	git_plumb_rest(r); // whoever holds a pack that is gone open starts afresh
	return ok;
}
