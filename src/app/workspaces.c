#include "app/workspaces.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/unpack.h"
#include "exec/stage.h"
#include "git/checkout.h"
#include "git/tree.h"
#include "os/file.h"
#include "os/note.h"

enum { DELTA_FILES_MAX = 300 }; // a larger delta makes its tree the next base

struct base {
	struct base *next; // newest first
	char group[64], tree[OID_HEX_MAX + 1];
	struct oid oid;
};

struct workspaces {
	char *cache, *objects;
	pthread_mutex_t
		lock; // held while a base or an artifact layer is made: two runs must not make the same one
	struct base *bases;
};

struct workspaces *workspaces_new(const char *cache, const char *objects) {
	struct workspaces *w = calloc(1, sizeof *w);
	if (!w) abort();
	w->cache = strdup(cache);
	w->objects = strdup(objects);
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void workspaces_free(struct workspaces *w) {
	while (w->bases) {
		struct base *next = w->bases->next;
		free(w->bases);
		w->bases = next;
	}
	pthread_mutex_destroy(&w->lock);
	free(w->cache);
	free(w->objects);
	free(w);
}

static struct git_checkout owner(void) {
	bool root = geteuid() == 0;
	return (struct git_checkout){root ? STAGE_UID : (unsigned)-1, root ? STAGE_UID : (unsigned)-1};
}

static struct str base_path(const struct workspaces *w, const char *group, const char *tree,
                            struct arena *life) {
	return arena_printf(life, "%s/base/%s/%s", w->cache, group, tree);
}

static const struct base *newest(const struct workspaces *w, const char *group) {
	for (const struct base *b = w->bases; b; b = b->next)
		if (strcmp(b->group, group) == 0) return b;
	return NULL;
}

static const struct base *exact(const struct workspaces *w, const char *group, struct oid tree) {
	for (const struct base *b = w->bases; b; b = b->next)
		if (strcmp(b->group, group) == 0 && oid_eq(b->oid, tree)) return b;
	return NULL;
}

static const struct base *remember(struct workspaces *w, const char *group, struct oid tree) {
	struct base *b = calloc(1, sizeof *b);
	if (!b) abort();
	snprintf(b->group, sizeof b->group, "%s", group);
	oid_hex(tree, b->tree);
	b->oid = tree;
	b->next = w->bases;
	w->bases = b;
	return b;
}

static bool make_base(struct workspaces *w, const struct workspace_request *q, struct arena *life,
                      const struct base **out, struct err *e) {
	char tree[OID_HEX_MAX + 1];
	struct git_checkout how = owner();
	struct git_checkout_done done;
	oid_hex(q->tree, tree);
	struct str path = base_path(w, q->group, tree, life),
			   partial = arena_printf(life, "%s.partial", path.p);
	if (!file_exists(path.p)) {
		if (!file_remove_tree(partial.p, e) ||
		    !file_make_folders(arena_printf(life, "%s/base/%s", w->cache, q->group).p, 0755, e))
			return false;
		if (!git_checkout_tree(q->git, q->tree, partial.p, &how, &done, e)) {
			if (!file_remove_tree(partial.p, NULL)) note(NOTE_WARN, "%s stays", partial.p);
			return false;
		}
		if (rename(partial.p, path.p))
			return err_set(e, ERR_IO, "cannot rename %s: %s", partial.p, strerror(errno));
	}
	*out = remember(w, q->group, q->tree);
	return true;
}

static void add_lower(struct exec_strs *lowers, struct str path) {
	lowers->p[lowers->n++] = path;
}

// The tree itself when it is cached, else a delta over the newest base, else a new base.
static bool add_tree(struct workspaces *w, const struct workspace_request *q, struct arena *life,
                     struct exec_strs *lowers, struct err *e) {
	struct git_checkout how = owner();
	struct git_checkout_done done;
	struct str delta = arena_printf(life, "%s.delta", q->run);
	const struct base *base = exact(w, q->group, q->tree);
	if (!base) base = newest(w, q->group);
	if (!base && !make_base(w, q, life, &base, e)) return false;
	if (!oid_eq(base->oid, q->tree)) {
		if (!file_remove_tree(delta.p, e) ||
		    !git_checkout_delta(q->git, base->oid, q->tree, delta.p, &how, &done, e))
			return false;
		if (done.files + done.gone > DELTA_FILES_MAX) {
			if (!file_remove_tree(delta.p, e) || !make_base(w, q, life, &base, e)) return false;
		} else {
			add_lower(lowers, delta);
		}
	}
	add_lower(lowers, base_path(w, base->group, base->tree, life));
	return true;
}

// Everything below one time and one owner, as checkouts have it.
static bool settle(int folder, const char *name, struct err *e) {
	static const struct timespec times[2] = {{GIT_CHECKOUT_TIME_S, 0}, {GIT_CHECKOUT_TIME_S, 0}};
	struct stat st;
	AUTO_ARENA scratch = {0};
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
		return err_set(e, ERR_IO, "cannot look at %s", name);
	if (geteuid() == 0 && fchownat(folder, name, STAGE_UID, STAGE_UID, AT_SYMLINK_NOFOLLOW))
		return err_set(e, ERR_IO, "cannot give %s away: %s", name, strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		AUTO_FD inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		struct str *names;
		size_t count;
		char path[64];
		snprintf(path, sizeof path, "/proc/self/fd/%d", inner);
		if (inner < 0 || !file_list(path, &scratch, &names, &count, e)) return false;
		for (size_t i = 0; i < count; i++)
			if (!settle(inner, names[i].p, e)) return false;
	}
	utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW);
	return true;
}

static bool add_artifact(struct workspaces *w, struct digest manifest, struct arena *life,
                         struct exec_strs *lowers, struct err *e) {
	char hex[DIGEST_HEX + 1];
	AUTO_OBJECTS objects = NULL;
	digest_hex(manifest, hex);
	struct str path = arena_printf(life, "%s/artifacts/%s", w->cache, hex);
	struct str partial = arena_printf(life, "%s.partial", path.p);
	if (!file_exists(path.p)) {
		if (!file_remove_tree(partial.p, e) || !file_make_folders(partial.p, 0755, e) ||
		    !object_store_open(w->objects, &objects, e) ||
		    !unpack_artifact(objects, manifest, partial.p, NULL, 0, e) ||
		    !settle(AT_FDCWD, partial.p, e))
			return false;
		if (rename(partial.p, path.p))
			return err_set(e, ERR_IO, "cannot rename %s: %s", partial.p, strerror(errno));
	}
	add_lower(lowers, path);
	return true;
}

bool workspaces_prepare(struct workspaces *w, const struct workspace_request *q, struct arena *life,
                        struct exec_strs *lowers, struct err *e) {
	lowers->p = ARENA_ARRAY(life, struct str, q->artifact_count + 2);
	lowers->n = 0;
	bool ok = true;
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; ok && i < q->artifact_count; i++)
		ok = add_artifact(w, q->artifacts[i], life, lowers, e);
	ok = ok && add_tree(w, q, life, lowers, e);
	pthread_mutex_unlock(&w->lock);
	return ok;
}

void workspaces_done(struct workspaces *w, const char *run) {
	AUTO_ARENA scratch = {0};
	struct err e;
	(void)w;
	if (!file_remove_tree(arena_printf(&scratch, "%s.delta", run).p, &e))
		note(NOTE_WARN, "%s", e.text);
}

// ---------------------------------------------------------------- at a start

static bool is_in_use(struct str path, const struct str *in_use, size_t count) {
	for (size_t i = 0; i < count; i++)
		if (str_eq(in_use[i], path)) return true;
	return false;
}

static int64_t made_at(const char *path) {
	struct stat st;
	return stat(path, &st) ? 0 : (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
}

static void sweep_group(struct workspaces *w, struct str group, const struct str *in_use,
                        size_t count) {
	AUTO_ARENA scratch = {0};
	struct str *trees, best = STR_NONE;
	size_t n;
	struct str folder = arena_printf(&scratch, "%s/base/" STR_FMT, w->cache, STR_ARG(group));
	if (!file_list(folder.p, &scratch, &trees, &n, NULL)) return;
	for (size_t i = 0; i < n; i++) {
		struct str path = arena_printf(&scratch, "%s/" STR_FMT, folder.p, STR_ARG(trees[i]));
		if (str_ends(trees[i], STR(".partial"))) continue;
		if (!best.n ||
		    made_at(path.p) >
		        made_at(arena_printf(&scratch, "%s/" STR_FMT, folder.p, STR_ARG(best)).p))
			best = trees[i];
	}
	for (size_t i = 0; i < n; i++) {
		struct str path = arena_printf(&scratch, "%s/" STR_FMT, folder.p, STR_ARG(trees[i]));
		if (str_eq(trees[i], best) || is_in_use(path, in_use, count)) continue;
		if (!file_remove_tree(path.p, NULL)) note(NOTE_WARN, "%s stays", path.p);
	}
	struct oid oid;
	if (best.n && group.n < 64 && oid_parse(best, &oid)) remember(w, group.p, oid);
}

void workspaces_sweep(struct workspaces *w, const struct str *in_use, size_t count) {
	AUTO_ARENA scratch = {0};
	struct str *groups;
	size_t n;
	if (!file_list(arena_printf(&scratch, "%s/base", w->cache).p, &scratch, &groups, &n, NULL))
		return;
	for (size_t i = 0; i < n; i++) sweep_group(w, groups[i], in_use, count);
}
