// Operations on repositories.
#include "api/call.h"

static void write_repo(struct call *c, struct jsonw *w, const struct read_repo *r) {
	jsonw_object(w);
	call_key_text(w, "changes", r->changes);
	call_key_text(w, "config_error", r->config_error);
	jsonw_key_b(w, "follow", r->follow != 0);
	jsonw_key_s(w, "git_url",
	            arena_printf(&c->life, "%s/git/" STR_FMT ".git", c->host->url, STR_ARG(r->name)));
	jsonw_key_i(w, "id", (int64_t)r->id.v);
	jsonw_key_s(w, "name", r->name);
	call_key_oid(w, "tip", r->tip);
	jsonw_key_t(w, "tip_since", r->tip_ms);
	jsonw_key_s(w, "trunk", r->trunk);
	call_key_text(w, "url", r->url);
	jsonw_object_end(w);
}

void repos_list(struct call *c) {
	struct err e = {0};
	struct read_repos repos;
	if (!read_repos(c->store, &c->life, &repos, &e)) {
		call_fail(c, &e, NULL);
		return;
	}
	struct jsonw *w = call_json(c);
	jsonw_object(w);
	jsonw_key(w, "repos");
	jsonw_array(w);
	for (size_t i = 0; i < repos.n; i++) write_repo(c, w, &repos.p[i]);
	jsonw_array_end(w);
	jsonw_object_end(w);
	call_finish(c);
}

static void added(struct call *c, const struct event *applied) {
	(void)applied;
	struct err e = {0};
	struct read_repo repo;
	if (!read_repo_named(c->store, call_text(c, "name"), &c->life, &repo, &e)) {
		call_fail(c, &e, NULL);
		return;
	}
	write_repo(c, call_json(c), &repo);
	call_finish(c);
}

void repos_add(struct call *c) {
	struct err e = {0};
	struct api_repo_add add = {.name = call_text(c, "name"),
	                           .source = call_text(c, "source"),
	                           .trunk = call_text(c, "trunk"),
	                           .changes = call_text(c, "changes"),
	                           .by = c->identity.name,
	                           .follow = call_flag(c, "follow"),
	                           .poll_ms = call_int(c, "poll_ms", 30000)};
	if (add.follow && !add.source.n) {
		err_set(&e, ERR_INVALID, "to follow a repository, name its URL as source");
		call_fail(c, &e, NULL);
		return;
	}
	c->applied = added;
	c->host->repo_add(c->host->context, &add, call_done, c);
}
