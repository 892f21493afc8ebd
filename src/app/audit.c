#include "app/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/inputs.h"
#include "base/clocktext.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "core/apply.h"
#include "git/commit.h"
#include "git/object.h"
#include "git/query.h"
#include "git/repo.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"
#include "sim/invariant.h"
#include "store/backup.h"
#include "store/read.h"

enum { FINDINGS_MAX = 100, INPUTS_MAX = 256 << 20 };

struct audit_repo {
	uint64_t id;
	struct git_repo *git;
	struct str name, trunk;
	bool follow;
};

struct audit {
	struct arena life;
	struct store *store;
	struct object_store *objects;
	struct git_home *git;
	struct audit_repo *repos;
	size_t repo_count;
	struct witness witness;
	struct state state;
	struct invariant_world world;
	struct str findings[FINDINGS_MAX];
	size_t count, events;
	bool resting; // all events are folded: git may be compared with the log
};

static void find(struct audit *a, const char *what, const struct err *e) {
	if (a->count < FINDINGS_MAX)
		a->findings[a->count] = arena_printf(&a->life, "%s: %s", what, e->text);
	a->count++;
}

// ---------------------------------------------------------------- what git says

static const struct audit_repo *repo_of(const struct audit *a, uint64_t id) {
	for (size_t i = 0; i < a->repo_count; i++)
		if (a->repos[i].id == id) return &a->repos[i];
	return NULL;
}

static bool world_tip(void *context, uint64_t repo, struct oid *out) {
	struct audit *a = context;
	const struct audit_repo *r = repo_of(a, repo);
	struct err e;
	if (!r || r->follow || !a->resting) return false;
	struct str ref = arena_printf(&a->life, "refs/heads/" STR_FMT, STR_ARG(r->trunk));
	return git_object_resolve(r->git, ref, out, &e);
}

static bool world_tree_of(void *context, struct oid commit, struct oid *out) {
	struct audit *a = context;
	struct err e;
	for (size_t i = 0; i < a->repo_count; i++)
		if (git_query_tree(a->repos[i].git, commit, out, &e)) return true;
	return false;
}

static bool world_is_ancestor(void *context, struct oid older, struct oid newer) {
	struct audit *a = context;
	struct err e;
	bool yes = false;
	for (size_t i = 0; i < a->repo_count; i++)
		if (git_commit_is_ancestor(a->repos[i].git, older, newer, &yes, &e)) return yes;
	return false;
}

// What a run read, or the whole tree: the candidate's own tree must give the same answers. Asked
// one by one, while the daemon that reused a verdict went by what differs.
static bool world_inputs_match(void *context, struct digest inputs, struct oid tree) {
	struct audit *a = context;
	AUTO_ARENA life = {0};
	AUTO_BUF text = {0};
	struct err e;
	struct inputs in;
	bool hold = false;
	if (!object_get(a->objects, inputs, INPUTS_MAX, &text, &e))
		return e.code == ERR_NOT_FOUND; // collected
	if (!inputs_parse(buf_view(&text), &life, &in, &e)) return false;
	for (size_t i = 0; i < a->repo_count; i++) {
		AUTO_READER reader = {0};
		if (git_object_open(a->repos[i].git, &reader, &e) &&
		    inputs_hold(&in, &reader, tree, &hold, &e))
			return hold;
	}
	return false;
}

// ---------------------------------------------------------------- opening

static bool open_repos(struct audit *a, const char *data, struct err *e) {
	struct read_repos rows;
	if (!read_repos(a->store, &a->life, &rows, e)) return false;
	a->repos = ARENA_ARRAY(&a->life, struct audit_repo, rows.n + 1);
	for (size_t i = 0; i < rows.n; i++) {
		struct audit_repo *r = &a->repos[i];
		struct str path = arena_printf(&a->life, "%s/repos/" STR_FMT ".git", data,
		                               STR_ARG(rows.p[i].name));
		*r = (struct audit_repo){rows.p[i].id.v, NULL, rows.p[i].name, rows.p[i].trunk,
		                         rows.p[i].follow != 0};
		if (!git_repo_open_foreign(a->git, path.p, NULL, NULL, &r->git, e))
			return err_context(e, STR_FMT, STR_ARG(r->name));
		a->repo_count++;
	}
	return true;
}

static bool audit_open(struct audit *a, const char *data, struct err *e) {
	memset(a, 0, sizeof *a);
	witness_init(&a->witness);
	state_init(&a->state);
	if (!store_open(data, STORE_READ, &a->store, e) || !object_store_open(data, &a->objects, e) ||
	    !git_home_open(NULL, NULL, &a->git, e) || !open_repos(a, data, e))
		return false;
	a->world = (struct invariant_world){
		.context = a,
		.tip = world_tip,
		.tree_of = world_tree_of,
		.is_ancestor = world_is_ancestor,
		.inputs_match = world_inputs_match,
		.state = &a->state,
	};
	return true;
}

static void audit_close(struct audit *a) {
	for (size_t i = 0; i < a->repo_count; i++) git_repo_close(a->repos[i].git);
	if (a->git) git_home_close(a->git);
	object_store_close(&a->objects);
	store_close(&a->store);
	witness_free(&a->witness);
	state_free(&a->state);
	arena_free(&a->life);
}

// ---------------------------------------------------------------- the audit

static void ask_all(struct audit *a, const struct event *event, uint64_t seq) {
	struct invariant_case c = {&a->witness, event, &a->world};
	size_t count;
	const struct invariant_row *rows = invariant_all(&count);
	for (size_t i = 0; i < count; i++) {
		struct err why = {0};
		if (rows[i].holds(&c, &why)) continue;
		find(a,
		     arena_printf(&a->life, "%s, event %llu", rows[i].promise, (unsigned long long)seq).p,
		     &why);
	}
}

static bool take_event(void *context, uint64_t seq, const struct event *event, struct err *e) {
	struct audit *a = context;
	struct err why;
	if (apply_check(&a->state, event, &why)) apply_event(&a->state, event);
	else find(a, "an event does not fit those before it", &why);
	ask_all(a, event, seq);
	witness_fold(&a->witness, event);
	a->events = seq;
	(void)e;
	return true;
}

// What git has now against the log. A landing under way may be on either side of its move.
static void check_tips(struct audit *a) {
	for (size_t i = 0; i < a->state.repos.count; i++)
		if (((const struct repo *)table_at(&a->state.repos, i))->landing.v) return;
	a->resting = true;
	ask_all(a, NULL, a->events);
	a->resting = false;
}

// All that the refs of each repository lead to, by git itself.
static void check_git(struct audit *a) {
	static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
	                                  "HOME=/nonexistent",
	                                  "LC_ALL=C",
	                                  "GIT_CONFIG_NOSYSTEM=1",
	                                  "GIT_CONFIG_GLOBAL=/dev/null",
	                                  NULL};
	for (size_t i = 0; i < a->repo_count; i++) {
		AUTO_OUTPUT out = {0};
		struct err e = {0};
		const char *git_dir =
			arena_printf(&a->life, "--git-dir=%s", git_repo_path(a->repos[i].git)).p;
		const char *const argv[] = {"git",
		                            git_dir,
		                            "-c",
		                            "safe.directory=*",
		                            "fsck",
		                            "--connectivity-only",
		                            "--no-dangling",
		                            "--no-progress",
		                            NULL};
		struct process_spec spec = {
			.argv = argv, .env = env, PROCESS_SPEC_NONE, .die_with_parent = true};
		if (process_run(&spec, STR_NONE, 1 << 20, -1, &out, &e)) {
			if (out.status.end == PROCESS_EXITED && out.status.code == 0) continue;
			struct str told = out.out.n ? buf_view(&out.out) : buf_view(&out.err);
			err_set(&e, ERR_CORRUPT, STR_FMT ": " STR_FMT, STR_ARG(a->repos[i].name),
			        STR_ARG(str_cut(&told, '\n')));
		}
		find(a, "git has every object that its refs lead to", &e);
	}
}

static void run_audit(struct audit *a, struct err *e) {
	struct store_head head;
	struct collect_policy policy = {.now_ms = clock_wall_ms(), COLLECT_POLICY_USUAL};
	uint64_t live;
	if (!store_verify(a->store, &head, e)) find(a, "the log's hash chain is whole", e);
	if (!store_replay(a->store, 1, head.seq ? head.seq : UINT64_MAX, take_event, a, e))
		find(a, "the log can be read", e);
	if (!store_check_projections(a->store, e)) find(a, "the projections are what the log gives", e);
	if (!collect_check(a->store, a->objects, policy, &live, e))
		find(a, "every object that is needed is there", e);
	check_git(a);
}

static void print_findings(const struct cli *cli, const struct audit *a, struct digest state) {
	AUTO_BUF out = {0};
	char hex[DIGEST_HEX + 1];
	digest_hex(state, hex);
	if (cli_has(cli, "json")) {
		struct jsonw w = jsonw_to(&out);
		jsonw_object(&w);
		jsonw_key_b(&w, "clean", a->count == 0);
		jsonw_key_i(&w, "events", (int64_t)a->events);
		jsonw_key(&w, "findings");
		jsonw_array(&w);
		for (size_t i = 0; i < a->count && i < FINDINGS_MAX; i++) jsonw_str(&w, a->findings[i]);
		jsonw_array_end(&w);
		jsonw_key_z(&w, "state", hex);
		jsonw_object_end(&w);
		buf_char(&out, '\n');
	} else {
		for (size_t i = 0; i < a->count && i < FINDINGS_MAX; i++)
			buf_printf(&out, "✗ " STR_FMT "\n", STR_ARG(a->findings[i]));
		if (a->count > FINDINGS_MAX) buf_printf(&out, "and %zu more\n", a->count - FINDINGS_MAX);
		if (!a->count) buf_printf(&out, "✓ every promise holds over %zu events\n", a->events);
	}
	cli_out(buf_view(&out));
}

static const char *data_folder(const struct cli *cli) {
	const char *data = cli_value(cli, "data");
	return data ? data : ".weir";
}

static int no_data(struct cli *cli, const struct err *e) {
	return cli_fail(cli, e,
	                e->code == ERR_NOT_FOUND
	                    ? "Name its folder with `--data DIR`; `weir serve` makes one"
	                    : NULL);
}

int audit_command(struct cli *cli) {
	struct audit a;
	struct err e = {0};
	if (!audit_open(&a, data_folder(cli), &e)) {
		audit_close(&a);
		return no_data(cli, &e);
	}
	run_audit(&a, &e);
	// A daemon that works meanwhile may have landed since: looked at last, and again when it
	// differs.
	size_t before = a.count;
	check_tips(&a);
	if (a.count > before) {
		struct store_head head;
		clock_sleep_ms(200);
		if (store_head(a.store, &head, &e) && head.seq > a.events &&
		    store_replay(a.store, a.events + 1, head.seq, take_event, &a, &e)) {
			a.count = before;
			check_tips(&a);
		}
	}
	print_findings(cli, &a, state_digest(&a.state));
	int status = a.count ? 1 : 0;
	audit_close(&a);
	return status;
}

// ---------------------------------------------------------------- replay

static void print_state(const struct cli *cli, const struct audit *a) {
	AUTO_BUF out = {0};
	char hex[DIGEST_HEX + 1];
	const struct state *s = &a->state;
	digest_hex(state_digest(s), hex);
	struct jsonw w = jsonw_to(&out);
	if (cli_has(cli, "json")) {
		jsonw_object(&w);
		jsonw_key_i(&w, "events", (int64_t)s->events);
		jsonw_key_t(&w, "time", s->now_ms);
		jsonw_key_z(&w, "digest", hex);
		jsonw_key_i(&w, "bytes", (int64_t)state_bytes(s));
		jsonw_key_i(&w, "open_changes", s->changes.count);
		jsonw_key_i(&w, "rejected_changes", s->rejected.count);
		jsonw_key_i(&w, "candidates", s->candidates.count);
		jsonw_key_i(&w, "runs", s->runs.count);
		jsonw_object_end(&w);
		buf_char(&out, '\n');
	} else {
		buf_printf(&out, "event %llu, ", (unsigned long long)s->events);
		clocktext_rfc3339(&out, s->now_ms);
		buf_printf(&out,
		           "\nstate %s (%zu bytes)\n%u open changes, %u rejected, %u candidates, %u runs\n",
		           hex, state_bytes(s), s->changes.count, s->rejected.count, s->candidates.count,
		           s->runs.count);
		for (size_t i = 0; i < s->repos.count; i++) {
			const struct repo *r = table_at(&s->repos, i);
			char tip[OID_HEX_MAX + 1];
			oid_hex(r->tip, tip);
			buf_printf(&out, STR_FMT " %s %.12s\n", STR_ARG(state_name(&r->name)), r->trunk,
			           *tip ? tip : "none yet");
		}
	}
	cli_out(buf_view(&out));
}

static bool replay_event(void *context, uint64_t seq, const struct event *event, struct err *e) {
	struct audit *a = context;
	if (!apply_check(&a->state, event, e))
		return err_context(e, "event %llu", (unsigned long long)seq);
	apply_event(&a->state, event);
	return true;
}

int audit_replay(struct cli *cli) {
	struct audit a = {0};
	struct err e;
	int64_t until = INT64_MAX;
	if (!args_number(&cli->args, "until", 1, INT64_MAX, &until, &e))
		return cli_usage(cli, "%s", e.text);
	state_init(&a.state);
	witness_init(&a.witness);
	bool ok = store_open(data_folder(cli), STORE_READ, &a.store, &e) &&
	          store_replay(a.store, 1, (uint64_t)until, replay_event, &a, &e);
	if (ok) print_state(cli, &a);
	audit_close(&a);
	return ok ? 0 : no_data(cli, &e);
}

// ---------------------------------------------------------------- backup and retention

// Repositories by git's own clone; the log was copied first, so every landed commit it names is in
// them.
static bool copy_repos(const char *data, const char *to, struct arena *life, struct err *e) {
	struct str *names;
	size_t count;
	struct str from = arena_printf(life, "%s/repos", data),
			   target = arena_printf(life, "%s/repos", to);
	if (!file_make_folders(target.p, 0755, e) || !file_list(from.p, life, &names, &count, e))
		return false;
	for (size_t i = 0; i < count; i++) {
		AUTO_OUTPUT out = {0};
		if (!str_ends(names[i], STR(".git"))) continue;
		const char *const argv[] = {"cp", "-a",
		                            arena_printf(life, "%s/" STR_FMT, from.p, STR_ARG(names[i])).p,
		                            target.p, NULL};
		struct process_spec spec = {.argv = argv, PROCESS_SPEC_NONE, .die_with_parent = true};
		if (!process_run(&spec, STR_NONE, 1 << 20, -1, &out, e)) return false;
		if (out.status.end != PROCESS_EXITED || out.status.code)
			return err_set(e, ERR_IO, "cannot copy " STR_FMT ": " STR_FMT, STR_ARG(names[i]),
			               STR_ARG(str_trim(buf_view(&out.err))));
	}
	return true;
}

static bool copy_secrets(const char *data, const char *to, struct arena *life, struct err *e) {
	static const char *const parts[] = {"secret.key", "secrets"};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		AUTO_OUTPUT out = {0};
		struct str from = arena_printf(life, "%s/%s", data, parts[i]);
		if (!file_exists(from.p)) continue;
		const char *const argv[] = {"cp", "-a", from.p, to, NULL};
		struct process_spec spec = {.argv = argv, PROCESS_SPEC_NONE, .die_with_parent = true};
		if (!process_run(&spec, STR_NONE, 1 << 20, -1, &out, e)) return false;
	}
	return true;
}

int audit_backup(struct cli *cli) {
	AUTO_ARENA life = {0};
	AUTO_STORE store = NULL;
	AUTO_OBJECTS objects = NULL;
	struct store_head head;
	struct err e;
	const char *data = data_folder(cli), *to = cli_word(cli, 0);
	struct collect_policy policy = {.now_ms = clock_wall_ms(), COLLECT_POLICY_USUAL};
	if (!store_open(data, STORE_READ, &store, &e) || !object_store_open(data, &objects, &e) ||
	    !backup_make(store, objects, policy, to, &head, &e) || !copy_repos(data, to, &life, &e) ||
	    !copy_secrets(data, to, &life, &e))
		return no_data(cli, &e);
	struct str text = arena_printf(
		&life,
		"✓ %s holds everything up to event %llu, checked; serve it with `weir serve --data %s`\n",
		to, (unsigned long long)head.seq, to);
	cli_out(text);
	return 0;
}

int audit_collect(struct cli *cli) {
	AUTO_ARENA life = {0};
	AUTO_STORE store = NULL;
	AUTO_OBJECTS objects = NULL;
	AUTO_FD lock = -1;
	struct collect_result done;
	struct err e;
	struct collect_policy policy = {.now_ms = clock_wall_ms(), COLLECT_POLICY_USUAL};
	const char *data = data_folder(cli);
	if (!args_number(&cli->args, "log-days", 0, 100000, &policy.log_days, &e) ||
	    !args_number(&cli->args, "artifact-days", 0, 100000, &policy.artifact_days, &e) ||
	    !args_number(&cli->args, "releases", 2, 100000, &policy.releases, &e))
		return cli_usage(cli, "%s", e.text);
	if (!file_exists(arena_printf(&life, "%s/weir.db", data).p)) {
		err_set(&e, ERR_NOT_FOUND, "there is no data in %s", data);
		return no_data(cli, &e);
	}
	if (!file_lock(arena_printf(&life, "%s/lock", data).p, &lock, &e))
		return e.code == ERR_BUSY ? cli_fail(cli, &e, "the daemon collects by itself every night")
		                          : no_data(cli, &e);
	if (!store_open(data, STORE_READ, &store, &e) || !object_store_open(data, &objects, &e) ||
	    !collect_run(store, objects, policy, &done, &e))
		return no_data(cli, &e);
	cli_out(arena_printf(&life, "✓ %llu objects live, %llu removed, %llu bytes freed\n",
	                     (unsigned long long)done.live, (unsigned long long)done.removed,
	                     (unsigned long long)done.removed_bytes));
	return 0;
}
