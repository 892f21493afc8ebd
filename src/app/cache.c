#include "app/cache.h"

#include <stdio.h>

#include "app/inputs.h"
#include "base/clocktext.h"
#include "base/jsonw.h"
#include "cli/grid.h"
#include "git/snapshot.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/collect.h"
#include "store/read.h"

enum { FOLDERS_MAX = 2, INPUTS_MAX = 256 << 20, MANIFEST_MAX = 16 << 20, SHOWN_MAX = 20 };

// ---------------------------------------------------------------- which folders

struct folders {
	const char *at[FOLDERS_MAX];
	size_t n;
};

static bool has_data(struct cli *cli, const char *folder) {
	return file_exists(arena_printf(cli->life, "%s/weir.db", folder).p);
}

static bool find_folders(struct cli *cli, struct folders *out, int *status) {
	static const char *const usual[FOLDERS_MAX] = {".weir", ".weir/local"};
	const char *given = cli_value(cli, "data");
	*out = (struct folders){0};
	for (size_t i = 0; i < FOLDERS_MAX && !given; i++)
		if (has_data(cli, usual[i])) out->at[out->n++] = usual[i];
	if (given && has_data(cli, given)) out->at[out->n++] = given;
	if (out->n) return true;
	struct err e;
	err_set(&e, ERR_NOT_FOUND, "there is no data in %s", given ? given : ".weir or .weir/local");
	*status = cli_fail(
		cli, &e, "`weir run` and `weir serve` make some; or name its folder with `--data DIR`");
	return false;
}

// ---------------------------------------------------------------- stat

struct sums {
	size_t verdicts, local; // of a server; of `weir run`, which counts nothing else
	int64_t reused, saved_ms, rechecked, varied, differed;
};

static bool sum(struct store *s, struct sums *out, struct err *e) {
	AUTO_ARENA life = {0};
	struct read_verdicts all;
	struct read_local_runs local;
	*out = (struct sums){0};
	bool ok = read_all_verdicts(s, &life, &all, e) && read_all_local_runs(s, &life, &local, e) &&
	          read_tally_of(s, "reused", &out->reused, e) &&
	          read_tally_of(s, "saved_ms", &out->saved_ms, e) &&
	          read_tally_of(s, "rechecked", &out->rechecked, e) &&
	          read_tally_of(s, "varied", &out->varied, e) &&
	          read_tally_of(s, "differed", &out->differed, e);
	if (ok) out->verdicts = all.n;
	if (ok) out->local = local.n;
	return ok;
}

static void stat_json(const char *folder, const struct sums *n, struct jsonw *w) {
	jsonw_object(w);
	jsonw_key_z(w, "data", folder);
	if (n->local) {
		jsonw_key_i(w, "verdicts", (int64_t)n->local);
	} else {
		jsonw_key_i(w, "differed", n->differed);
		jsonw_key_i(w, "rechecked", n->rechecked);
		jsonw_key_i(w, "reused", n->reused);
		jsonw_key_i(w, "saved_ms", n->saved_ms);
		jsonw_key_i(w, "varied", n->varied);
		jsonw_key_i(w, "verdicts", (int64_t)n->verdicts);
	}
	jsonw_object_end(w);
}

static void stat_ink(const char *folder, const struct sums *n, struct ink *k) {
	AUTO_BUF saved = {0};
	ink_put(k, INK_HEAD, "%s", folder);
	if (n->local) {
		ink_put(k, INK_PLAIN, "  %zu verdicts of weir run can be reused", n->local);
		ink_end(k);
		return;
	}
	ink_put(k, INK_PLAIN, "  %zu verdicts can be reused", n->verdicts);
	ink_end(k);
	clocktext_duration_text(&saved, n->saved_ms);
	ink_put(k, INK_PLAIN, "  reused %lld times, %s saved", (long long)n->reused, saved.p);
	ink_end(k);
	ink_put(k, n->differed ? INK_BAD : INK_PLAIN,
	        "  run all the same %lld times: %lld with another outcome, %lld with other artifacts",
	        (long long)n->rechecked, (long long)n->differed, (long long)n->varied);
	ink_end(k);
}

int cache_stat(struct cli *cli) {
	struct folders folders;
	int status = 0;
	AUTO_INK k = cli_ink(cli);
	bool json = cli_has(cli, "json");
	if (!find_folders(cli, &folders, &status)) return status;
	struct jsonw w = jsonw_to(&k.out);
	if (json) jsonw_array(&w);
	for (size_t i = 0; i < folders.n; i++) {
		AUTO_STORE store = NULL;
		struct sums n;
		struct err e;
		if (!store_open(folders.at[i], STORE_READ, &store, &e) || !sum(store, &n, &e))
			return cli_fail(cli, &e, NULL);
		if (json) stat_json(folders.at[i], &n, &w);
		else stat_ink(folders.at[i], &n, &k);
	}
	if (json) jsonw_array_end(&w);
	if (json) buf_char(&k.out, '\n');
	cli_print(&k);
	return 0;
}

// ---------------------------------------------------------------- verify

struct verify {
	struct cli *cli;
	const char *folder;
	struct store *store;
	struct object_store *objects;
	struct git_home *git;
	struct ink k;
	size_t held, gone, wrong;
	struct arena life; // of one verdict
};

static void complain(struct verify *v, const char *name, const char *what) {
	v->wrong++;
	if (v->wrong > SHOWN_MAX) return;
	ink_put(&v->k, INK_BAD, "%s: %s", name, what);
	ink_end(&v->k);
}

// A verdict whose inputs or artifacts are no longer kept is not reused, and no fault.
static bool is_kept(struct verify *v, struct digest inputs, struct digest artifacts,
                    struct str *text) {
	AUTO_BUF bytes = {0}, manifest = {0};
	struct err e;
	if (!object_get(v->objects, inputs, INPUTS_MAX, &bytes, &e)) return false;
	*text = arena_str(&v->life, buf_view(&bytes));
	return digest_is_none(artifacts) ||
	       object_get(v->objects, artifacts, MANIFEST_MAX, &manifest, &e);
}

static void verify_one(struct verify *v, struct git_repo *git, const char *name,
                       struct digest inputs, struct digest artifacts, struct oid tree) {
	AUTO_READER reader = {0};
	struct str text;
	struct inputs in;
	struct err e;
	bool hold = false, kept = is_kept(v, inputs, artifacts, &text);
	if (kept && !inputs_parse(text, &v->life, &in, &e)) {
		complain(v, name, e.text);
		arena_reset(&v->life);
		return;
	}
	kept = kept && git && git_object_open(git, &reader, &e) &&
	       inputs_hold(&in, &reader, tree, &hold, &e);
	if (!kept) v->gone++;
	else if (!hold) complain(v, name, "its tree gives other answers than it recorded");
	else v->held++;
	arena_reset(&v->life);
}

static struct git_repo *open_repo(struct verify *v, struct str path) {
	struct git_repo *git = NULL;
	struct err e;
	return git_repo_open_foreign(v->git, path.p, NULL, NULL, &git, &e) ? git : NULL;
}

static bool verify_server(struct verify *v, struct err *e) {
	AUTO_ARENA life = {0};
	struct read_repos repos;
	struct read_verdicts all;
	struct read_run run;
	if (!read_repos(v->store, &life, &repos, e)) return false;
	struct git_repo **git = ARENA_ARRAY(&life, struct git_repo *, repos.n + 1);
	for (size_t i = 0; i < repos.n; i++)
		git[i] = open_repo(v, arena_printf(&life, "%s/repos/" STR_FMT ".git", v->folder,
		                                   STR_ARG(repos.p[i].name)));
	bool ok = read_all_verdicts(v->store, &life, &all, e);
	for (size_t i = 0; ok && i < all.n; i++) {
		struct git_repo *of = NULL;
		if (!read_run(v->store, all.p[i].run, &life, &run, e)) continue;
		for (size_t r = 0; r < repos.n; r++)
			if (repos.p[r].id.v == run.repo.v) of = git[r];
		verify_one(v, of,
		           arena_printf(&life, "run %llu of " STR_FMT, (unsigned long long)run.id.v,
		                        STR_ARG(run.name))
		               .p,
		           all.p[i].inputs, all.p[i].artifacts, all.p[i].tree);
	}
	for (size_t i = 0; i < repos.n; i++)
		if (git[i]) git_repo_close(git[i]);
	return ok;
}

static bool verify_local(struct verify *v, struct err *e) {
	AUTO_ARENA life = {0};
	struct read_local_runs all;
	if (!read_all_local_runs(v->store, &life, &all, e)) return false;
	struct git_repo *git = NULL;
	if (all.n && !git_snapshot_open(v->git, v->folder,
	                                arena_printf(&life, "%s/snapshot", v->folder).p, &git, e))
		return false;
	for (size_t i = 0; i < all.n; i++)
		verify_one(v, git, arena_printf(&life, "weir run of " STR_FMT, STR_ARG(all.p[i].job)).p,
		           all.p[i].inputs, all.p[i].artifacts, all.p[i].tree);
	if (git) git_repo_close(git);
	return true;
}

int cache_verify(struct cli *cli) {
	struct folders folders;
	int status = 0;
	struct err e = {0};
	if (!find_folders(cli, &folders, &status)) return status;
	AUTO_INK out = cli_ink(cli);
	for (size_t i = 0; i < folders.n && !e.code; i++) {
		struct verify v = {.cli = cli, .folder = folders.at[i], .k = cli_ink(cli)};
		bool ok = store_open(v.folder, STORE_READ, &v.store, &e) &&
		          object_store_open(v.folder, &v.objects, &e) &&
		          git_home_open(NULL, NULL, &v.git, &e) && verify_server(&v, &e) &&
		          verify_local(&v, &e);
		buf_str(&out.out, buf_view(&v.k.out));
		if (ok) {
			ink_put(&out, INK_HEAD, "%s", v.folder);
			ink_put(&out, v.wrong ? INK_BAD : INK_PLAIN,
			        "  %zu verdicts hold, %zu are wrong, %zu are no longer kept", v.held, v.wrong,
			        v.gone);
			ink_end(&out);
		}
		if (v.wrong) status = 1;
		buf_free(&v.k.out);
		arena_free(&v.life);
		if (v.git) git_home_close(v.git);
		object_store_close(&v.objects);
		store_close(&v.store);
	}
	cli_print(&out);
	return e.code ? cli_fail(cli, &e, NULL) : status;
}

// ---------------------------------------------------------------- gc

int cache_gc(struct cli *cli) {
	struct folders folders;
	int status = 0;
	struct err e = {0};
	AUTO_INK k = cli_ink(cli);
	struct collect_policy policy = {.now_ms = clock_wall_ms(), COLLECT_POLICY_USUAL};
	if (!args_number(&cli->args, "days", 0, 100000, &policy.artifact_days, &e))
		return cli_usage(cli, "%s", e.text);
	if (cli_has(cli, "days")) policy.log_days = policy.artifact_days;
	if (!find_folders(cli, &folders, &status)) return status;
	for (size_t i = 0; i < folders.n; i++) {
		AUTO_FD lock = -1;
		AUTO_STORE store = NULL;
		AUTO_OBJECTS objects = NULL;
		struct collect_result done;
		AUTO_BUF freed = {0};
		if (!file_lock(arena_printf(cli->life, "%s/lock", folders.at[i]).p, &lock, &e))
			return cli_fail(
				cli, &e, e.code == ERR_BUSY ? "the daemon collects by itself every night" : NULL);
		if (!store_open(folders.at[i], STORE_READ, &store, &e) ||
		    !object_store_open(folders.at[i], &objects, &e) ||
		    !collect_run(store, objects, policy, &done, &e))
			return cli_fail(cli, &e, NULL);
		grid_size(&freed, (int64_t)done.removed_bytes);
		ink_put(&k, INK_HEAD, "%s", folders.at[i]);
		ink_put(&k, INK_PLAIN, "  %llu objects kept, %llu removed, %s freed",
		        (unsigned long long)done.live, (unsigned long long)done.removed, freed.p);
		ink_end(&k);
	}
	cli_print(&k);
	return 0;
}
