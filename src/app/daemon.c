#include "app/daemon.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct daemon_repo *daemon_repo(const struct daemon *d, struct repo_id id) {
	for (size_t i = 0; i < d->repo_count; i++)
		if (d->repos[i]->id.v == id.v) return d->repos[i];
	return NULL;
}

struct daemon_repo *daemon_repo_named(const struct daemon *d, struct str name) {
	for (size_t i = 0; i < d->repo_count; i++)
		if (str_eq(str_of(d->repos[i]->name), name)) return d->repos[i];
	return NULL;
}

struct str daemon_path(const struct daemon *d, struct arena *life, const char *format, ...) {
	AUTO_BUF path = {0};
	va_list args;
	buf_printf(&path, "%s/", d->data);
	va_start(args, format);
	buf_vprintf(&path, format, args);
	va_end(args);
	return arena_str(life, buf_view(&path));
}

bool daemon_open_repo(struct daemon *d, struct repo_id id, struct str name, struct str trunk,
                      struct err *e) {
	AUTO_ARENA scratch = {0};
	struct daemon_repo *r = calloc(1, sizeof *r);
	d->repos = realloc(d->repos, (d->repo_count + 1) * sizeof(struct daemon_repo *));
	if (!r || !d->repos) abort();
	r->id = id;
	snprintf(r->name, sizeof r->name, STR_FMT, STR_ARG(name));
	snprintf(r->trunk, sizeof r->trunk, STR_FMT, STR_ARG(trunk));
	struct str path = daemon_path(d, &scratch, "repos/%s.git", r->name);
	if (!git_repo_open(d->git, path.p, &r->git, e)) {
		free(r);
		return err_context(e, "repository " STR_FMT, STR_ARG(name));
	}
	d->repos[d->repo_count++] = r;
	return true;
}

void daemon_close_repo(struct daemon *d, struct repo_id id) {
	for (size_t i = 0; i < d->repo_count; i++) {
		if (d->repos[i]->id.v != id.v) continue;
		git_repo_close(d->repos[i]->git);
		free(d->repos[i]);
		d->repos[i] = d->repos[--d->repo_count];
		return;
	}
}

bool daemon_begin(struct active *set, uint64_t id) {
	for (size_t i = 0; i < set->count; i++)
		if (set->ids[i] == id) return false;
	if (set->count == set->cap) {
		set->cap = set->cap ? set->cap * 2 : 16;
		set->ids = realloc(set->ids, set->cap * sizeof *set->ids);
		if (!set->ids) abort();
	}
	set->ids[set->count++] = id;
	return true;
}

void daemon_end(struct active *set, uint64_t id) {
	for (size_t i = 0; i < set->count; i++) {
		if (set->ids[i] != id) continue;
		set->ids[i] = set->ids[--set->count];
		return;
	}
}
