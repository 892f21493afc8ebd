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
#include "os/clock.h"
#include "os/file.h"
#include "os/note.h"

enum { DELTA_FILES_MAX = 300 }; // a larger delta makes its tree the next base

struct base {
	struct base *next; // newest first
	char group[64], tree[OID_HEX_MAX + 1];
	struct oid oid;
};

struct use { // of a layer of the cache, by a run
	struct use *next;
	char *run, *path;
	bool adopted; // by an earlier daemon's run, which may be gone without a word
};

struct workspaces {
	char *cache, *objects;
	pthread_mutex_t
		lock; // held while a base or an artifact layer is made: two runs must not make the same one
	struct base *bases;
	struct use *uses;
	unsigned long swept; // entries, for the names of what is on its way out
};

struct workspaces *workspaces_new(const char *cache, const char *objects) {
	struct workspaces *w = calloc(1, sizeof *w);
	if (!w) abort();
	w->cache = strdup(cache);
	w->objects = strdup(objects);
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

static struct use **drop_use(struct use **at) {
	struct use *u = *at;
	*at = u->next;
	free(u->run);
	free(u->path);
	free(u);
	return at;
}

void workspaces_free(struct workspaces *w) {
	while (w->uses) (void)drop_use(&w->uses);
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

static void add_use(struct workspaces *w, const char *run, const char *path, bool adopted) {
	struct use *u = calloc(1, sizeof *u);
	if (!u) abort();
	*u = (struct use){w->uses, strdup(run), strdup(path), adopted};
	w->uses = u;
}

static void use(struct workspaces *w, const char *run, struct exec_strs *lowers, struct str path) {
	add_lower(lowers, path);
	add_use(w, run, path.p, false);
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
	use(w, q->run, lowers, base_path(w, base->group, base->tree, life));
	return true;
}

static const struct timespec layer_times[2] = {{GIT_CHECKOUT_TIME_S, 0}, {GIT_CHECKOUT_TIME_S, 0}};

// Everything below one time and one owner, as checkouts have it.
static bool settle(int folder, const char *name, struct err *e) {
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
	utimensat(folder, name, layer_times, AT_SYMLINK_NOFOLLOW);
	return true;
}

static bool add_artifact(struct workspaces *w, const char *run, struct digest manifest,
                         struct arena *life, struct exec_strs *lowers, struct err *e) {
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
	} else {
		// Its times are every layer's; when the kernel last set them says when it was used.
		utimensat(AT_FDCWD, path.p, layer_times, 0);
	}
	use(w, run, lowers, path);
	return true;
}

bool workspaces_prepare(struct workspaces *w, const struct workspace_request *q, struct arena *life,
                        struct exec_strs *lowers, struct err *e) {
	lowers->p = ARENA_ARRAY(life, struct str, q->artifact_count + 2);
	lowers->n = 0;
	bool ok = true;
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; ok && i < q->artifact_count; i++)
		ok = add_artifact(w, q->run, q->artifacts[i], life, lowers, e);
	ok = ok && add_tree(w, q, life, lowers, e);
	pthread_mutex_unlock(&w->lock);
	return ok;
}

void workspaces_done(struct workspaces *w, const char *run) {
	AUTO_ARENA scratch = {0};
	struct err e;
	pthread_mutex_lock(&w->lock);
	for (struct use **at = &w->uses; *at;)
		at = strcmp((*at)->run, run) == 0 ? drop_use(at) : &(*at)->next;
	pthread_mutex_unlock(&w->lock);
	if (!file_remove_tree(arena_printf(&scratch, "%s.delta", run).p, &e))
		note(NOTE_WARN, "%s", e.text);
}

// ---------------------------------------------------------------- at a start

static int64_t changed_ns(const char *path) {
	struct stat st;
	return stat(path, &st) ? 0 : (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
}

// Entries of a folder of the cache, as paths.
static size_t list(const struct workspaces *w, const char *folder, struct arena *life,
                   struct str **names, struct str **paths) {
	size_t n = 0;
	struct str path = arena_printf(life, "%s/%s", w->cache, folder);
	if (!file_list(path.p, life, names, &n, NULL)) return 0;
	*paths = ARENA_ARRAY(life, struct str, n + 1);
	for (size_t i = 0; i < n; i++)
		(*paths)[i] = arena_printf(life, STR_FMT "/" STR_FMT, STR_ARG(path), STR_ARG((*names)[i]));
	return n;
}

static void find_newest(struct workspaces *w, struct str group) {
	AUTO_ARENA scratch = {0};
	struct str *trees, *paths;
	struct oid oid, best = {0};
	int64_t best_ns = -1;
	size_t n = list(w, arena_printf(&scratch, "base/" STR_FMT, STR_ARG(group)).p, &scratch, &trees,
	                &paths);
	for (size_t i = 0; i < n; i++) {
		if (!oid_parse(trees[i], &oid) || changed_ns(paths[i].p) <= best_ns) continue;
		best_ns = changed_ns(paths[i].p);
		best = oid;
	}
	if (best_ns >= 0 && group.n < sizeof((struct base *)0)->group) remember(w, group.p, best);
}

void workspaces_find(struct workspaces *w) {
	AUTO_ARENA scratch = {0};
	struct str *groups, *paths;
	size_t n = list(w, "base", &scratch, &groups, &paths);
	for (size_t i = 0; i < n; i++) find_newest(w, groups[i]);
}

void workspaces_adopt(struct workspaces *w, const char *run, const struct exec_strs *lowers) {
	for (size_t i = 0; i < lowers->n; i++) add_use(w, run, lowers->p[i].p, true);
}

// ---------------------------------------------------------------- what goes

static bool is_in_use(const struct workspaces *w, struct str path) {
	for (const struct use *u = w->uses; u; u = u->next)
		if (str_eq(str_of(u->path), path)) return true;
	return false;
}

static void forget_base(struct workspaces *w, const char *group, struct oid tree) {
	for (struct base **at = &w->bases; *at;) {
		struct base *b = *at;
		if (strcmp(b->group, group) != 0 || !oid_eq(b->oid, tree)) {
			at = &b->next;
			continue;
		}
		*at = b->next;
		free(b);
	}
}

// Out of the way at once, under the lock; removed later, without it.
static bool put_away(struct workspaces *w, struct str path) {
	AUTO_ARENA scratch = {0};
	struct str gone = arena_printf(&scratch, "%s/gone", w->cache);
	struct err e;
	if (file_make_folders(gone.p, 0700, &e) &&
	    !rename(path.p, arena_printf(&scratch, "%s/%d-%lu", gone.p, (int)getpid(), w->swept).p)) {
		w->swept++;
		return true;
	}
	note(NOTE_WARN, "%s stays", path.p);
	return false;
}

static void sweep_group(struct workspaces *w, struct str group) {
	AUTO_ARENA scratch = {0};
	struct str *trees, *paths;
	const struct base *last = newest(w, group.p);
	struct oid kept = last ? last->oid : (struct oid){0};
	size_t n = list(w, arena_printf(&scratch, "base/" STR_FMT, STR_ARG(group)).p, &scratch, &trees,
	                &paths);
	for (size_t i = 0; i < n; i++) {
		struct oid tree;
		bool whole = oid_parse(trees[i], &tree);
		if ((whole && oid_eq(tree, kept)) || is_in_use(w, paths[i])) continue;
		if (put_away(w, paths[i]) && whole) forget_base(w, group.p, tree);
	}
}

static void sweep_artifacts(struct workspaces *w, int64_t idle_ms) {
	AUTO_ARENA scratch = {0};
	struct str *names, *paths;
	struct digest digest;
	size_t n = list(w, "artifacts", &scratch, &names, &paths);
	for (size_t i = 0; i < n; i++) {
		int64_t idle = clock_wall_ms() - changed_ns(paths[i].p) / 1000000;
		if (is_in_use(w, paths[i]) || (digest_parse(names[i], &digest) && idle < idle_ms)) continue;
		(void)put_away(w, paths[i]);
	}
}

static void drop_lost_uses(struct workspaces *w) {
	for (struct use **at = &w->uses; *at;)
		at = (*at)->adopted && !file_exists((*at)->run) ? drop_use(at) : &(*at)->next;
}

void workspaces_sweep(struct workspaces *w, int64_t idle_ms) {
	AUTO_ARENA scratch = {0};
	struct str *groups, *paths;
	struct err e;
	pthread_mutex_lock(&w->lock);
	drop_lost_uses(w);
	size_t n = list(w, "base", &scratch, &groups, &paths);
	for (size_t i = 0; i < n; i++) sweep_group(w, groups[i]);
	sweep_artifacts(w, idle_ms);
	pthread_mutex_unlock(&w->lock);
	n = list(w, "gone", &scratch, &groups, &paths);
	for (size_t i = 0; i < n; i++)
		if (!file_remove_tree(paths[i].p, &e)) note(NOTE_WARN, "%s", e.text);
}
