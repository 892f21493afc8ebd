#include "app/submodules.h"

#include <unistd.h>

#include "exec/stage.h"
#include "git/checkout.h"
#include "git/query.h"
#include "git/serve.h"
#include "git/tree.h"
#include "os/file.h"
#include "os/process.h"

enum { MODULES_MAX = 200, WORDS_MAX = 4 << 20, PATIENCE_MS = 10 * 60 * 1000 };

struct module {
	struct str path, url;
};
struct modules {
	struct module list[MODULES_MAX];
	size_t count;
};

static bool run(const char *const *argv, struct process_output *out, struct err *e) {
	struct process_spec spec = {.argv = argv, PROCESS_SPEC_NONE, .die_with_parent = true};
	return process_run(&spec, STR_NONE, WORDS_MAX, PATIENCE_MS, out, e);
}

static bool succeeded(const struct process_output *out) {
	return out->status.end == PROCESS_EXITED && out->status.code == 0;
}

// "submodule.NAME.path\nVALUE\0submodule.NAME.url\nVALUE\0..." in any order.
static void take_setting(struct modules *m, struct str *names, struct str record) {
	struct str key = str_cut(&record, '\n'), name = key;
	bool is_path = str_ends(key, STR(".path"));
	name.n -= is_path ? 5 : str_ends(key, STR(".url")) ? 4 : key.n;
	size_t i = 0;
	while (i < m->count && !str_eq(names[i], name)) i++;
	if (name.n == 0 || i == MODULES_MAX) return;
	if (i == m->count) {
		names[m->count] = name;
		m->list[m->count++] = (struct module){0};
	}
	if (is_path) m->list[i].path = record;
	else m->list[i].url = record;
}

// What .gitmodules of a commit says; nothing when there is none.
static bool read_modules(struct git_repo *r, struct oid commit, struct arena *life,
                         struct modules *out, struct err *e) {
	AUTO_OUTPUT said = {0};
	char hex[OID_HEX_MAX + 1];
	struct str names[MODULES_MAX] = {0};
	out->count = 0;
	if (oid_is_none(commit)) return true;
	oid_hex(commit, hex);
	const char *blob = arena_printf(life, "--blob=%s:.gitmodules", hex).p;
	const char *git_dir = arena_printf(life, "--git-dir=%s", git_repo_path(r)).p;
	const char *const argv[] = {
		"git", git_dir, "config", "-z", blob, "--get-regexp", "^submodule\\..*\\.(path|url)$",
		NULL};
	if (!run(argv, &said, e)) return false;
	if (!succeeded(&said)) return true;
	struct str rest = arena_str(life, buf_view(&said.out));
	while (rest.n) take_setting(out, names, str_cut(&rest, '\0'));
	return true;
}

static struct str url_of(const struct modules *m, struct str path) {
	for (size_t i = 0; i < m->count; i++)
		if (str_eq(m->list[i].path, path)) return m->list[i].url;
	return STR_NONE;
}

// "../lib.git" and "../lib" name a repository of this server.
static bool find_own(const struct submodules_request *q, struct str url, struct arena *life,
                     struct str *path, struct err *e) {
	struct str name = str_from(url, 3);
	if (str_ends(name, STR(".git"))) name.n -= 4;
	if (!git_serve_name_ok(name))
		return err_set(e, ERR_INVALID, "submodule URL " STR_FMT " is no ../NAME", STR_ARG(url));
	*path = arena_printf(life, "%s/repos/" STR_FMT ".git", q->data, STR_ARG(name));
	if (!file_exists(path->p))
		return err_set(e, ERR_NOT_FOUND,
		               "submodule URL " STR_FMT
		               " names a repository that this server does not have",
		               STR_ARG(url));
	return true;
}

static bool fetch(const char *git_dir, const char *url, struct err *e) {
	AUTO_OUTPUT out = {0};
	const char *const argv[] = {"git",
	                            git_dir,
	                            "fetch",
	                            "-q",
	                            "--no-write-fetch-head",
	                            "--",
	                            url,
	                            "+refs/heads/*:refs/heads/*",
	                            "+refs/tags/*:refs/tags/*",
	                            NULL};
	if (!run(argv, &out, e)) return false;
	if (succeeded(&out)) return true;
	return err_set(e, ERR_UNAVAILABLE, "submodule %s cannot be fetched: " STR_FMT, url,
	               STR_ARG(str_trim(buf_view(&out.err))));
}

static bool has_commit(const char *git_dir, const char *commit) {
	AUTO_OUTPUT out = {0};
	struct err e;
	const char *const argv[] = {"git", git_dir, "cat-file", "-e", commit, NULL};
	return run(argv, &out, &e) && succeeded(&out);
}

// A repository elsewhere: a bare copy in the cache, fetched when it lacks the commit.
static bool find_fetched(const struct submodules_request *q, struct str url, struct oid commit,
                         struct arena *life, struct str *path, struct err *e) {
	AUTO_OUTPUT out = {0};
	char hex[DIGEST_HEX + 1], wanted[OID_HEX_MAX + 1];
	digest_hex(digest_of(url), hex);
	oid_hex(commit, wanted);
	*path = arena_printf(life, "%s/cache/modules/%.40s.git", q->data, hex);
	const char *git_dir = arena_printf(life, "--git-dir=" STR_FMT, STR_ARG(*path)).p;
	const char *const init[] = {"git", "init", "-q", "--bare", path->p, NULL};
	if (!file_exists(path->p) && (!run(init, &out, e) || !succeeded(&out)))
		return err_set(e, ERR_IO, "cannot make %s", path->p);
	if (has_commit(git_dir, wanted)) return true;
	if (!fetch(git_dir, arena_cstr(life, url), e)) return false;
	if (has_commit(git_dir, wanted)) return true;
	return err_set(e, ERR_NOT_FOUND, "submodule " STR_FMT " has no commit %s", STR_ARG(url),
	               wanted);
}

// The folders above a submodule belong to jobs, as in a checkout: the layer's own hide those below.
static bool make_parents(struct str layer, struct str path, struct arena *life, struct err *e) {
	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] != '/') continue;
		struct str folder = arena_printf(life, STR_FMT "/%.*s", STR_ARG(layer), (int)i, path.p);
		if (!file_make_folders(folder.p, 0755, e)) return false;
		if (geteuid() == 0 && chown(folder.p, STAGE_UID, STAGE_UID))
			return err_set(e, ERR_IO, "cannot give %s away", folder.p);
	}
	return file_make_folders(arena_cstr(life, layer), 0755, e);
}

static bool check_out(const struct submodules_request *q, struct str repo, struct oid commit,
                      struct str folder, struct err *e) {
	bool root = geteuid() == 0;
	struct git_checkout how = {root ? STAGE_UID : (unsigned)-1, root ? STAGE_UID : (unsigned)-1};
	struct git_checkout_done done;
	struct git_repo *git;
	if (!git_repo_open_foreign(q->home, repo.p, NULL, NULL, &git, e)) return false;
	bool ok = git_checkout_tree(git, commit, folder.p, &how, &done, e);
	git_repo_close(git);
	return ok;
}

static bool add_module(const struct submodules_request *q, const struct git_difference *link,
                       const struct modules *here, const struct modules *trunk, struct arena *life,
                       struct err *e) {
	struct str url = url_of(here, link->path), repo = STR_NONE;
	struct str folder = arena_printf(life, "%s.modules/" STR_FMT, q->run, STR_ARG(link->path));
	if (!url.n)
		return err_set(e, ERR_INVALID, "submodule " STR_FMT " has no URL in .gitmodules",
		               STR_ARG(link->path));
	if (str_starts(url, STR("../"))) {
		if (!find_own(q, url, life, &repo, e)) return false;
	} else {
		bool known = false;
		for (size_t i = 0; i < trunk->count; i++) known = known || str_eq(trunk->list[i].url, url);
		if (!known)
			return err_set(
				e, ERR_DENIED,
				"submodule URL " STR_FMT
				" is not in trunk's .gitmodules: it lands by a push with a token that has the "
				"scope pipeline",
				STR_ARG(url));
		if (!find_fetched(q, url, link->new, life, &repo, e)) return false;
	}
	struct str layer = arena_printf(life, "%s.modules", q->run);
	return make_parents(layer, link->path, life, e) && check_out(q, repo, link->new, folder, e);
}

bool submodules_make(const struct submodules_request *q, struct arena *life,
                     struct exec_strs *lowers, struct err *e) {
	AUTO_READER reader = {0};
	struct git_differences all = {0};
	struct modules here, trunk;
	struct oid tree;
	size_t made = 0;
	struct str layer = arena_printf(life, "%s.modules", q->run);
	struct str cache = arena_printf(life, "%s/cache/modules", q->data);
	if (!file_remove_tree(layer.p, e) || !file_make_folders(cache.p, 0700, e) ||
	    !git_object_open(q->git, &reader, e) || !git_tree_of(&reader, q->commit, &tree, e) ||
	    !git_tree_diff(&reader, (struct oid){0}, tree, false, life, &all, e) ||
	    !read_modules(q->git, q->commit, life, &here, e) ||
	    !read_modules(q->git, q->trunk, life, &trunk, e))
		return false;
	for (size_t i = 0; i < all.count; i++) {
		if (all.list[i].after != GIT_MODE_MODULE) continue;
		if (!add_module(q, &all.list[i], &here, &trunk, life, e)) return false;
		made++;
	}
	if (!made) return true;
	struct str *more = ARENA_ARRAY(life, struct str, lowers->n + 1);
	more[0] = layer;
	for (size_t i = 0; i < lowers->n; i++) more[i + 1] = lowers->p[i];
	*lowers = (struct exec_strs){more, lowers->n + 1};
	return true;
}

void submodules_remove(const char *run_folder) {
	AUTO_ARENA scratch = {0};
	struct str layer = arena_printf(&scratch, "%s.modules", run_folder);
	if (file_exists(layer.p) && !file_remove_tree(layer.p, NULL)) return; // the next start sweeps
}
