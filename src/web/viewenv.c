// The views of environments and releases.
#include "api/logsource.h"
#include "base/json.h"
#include "web/viewer.h"

enum { ROLLOUTS = 10, RELEASES = 8, LOG_LINES = 40, LOG_BYTES = 32 << 10 };

static bool releases(const struct viewer *v, struct repo_id repo, size_t most,
                     const struct read_blocks *blocks, struct view_release **out, size_t *count,
                     struct err *e) {
	struct read_releases list;
	if (!read_releases(v->api->host.store, repo, (struct release_id){0}, most, v->life, &list, e))
		return false;
	struct view_release *rows = ARENA_ARRAY(v->life, struct view_release, list.n + 1);
	for (size_t i = 0; i < list.n; i++) {
		const struct read_release *r = &list.p[i];
		AUTO_JSON artifacts = NULL;
		struct err why;
		rows[i] = (struct view_release){.id = r->id.v,
		                                .change = r->change.v,
		                                .commit = viewer_oid(v, r->commit),
		                                .title = r->title,
		                                .made_ms = r->made_ms};
		if (r->artifacts.n && json_parse(r->artifacts, &artifacts, &why))
			rows[i].artifacts = (int64_t)json_length(artifacts);
		for (size_t k = 0; blocks && k < blocks->n; k++)
			rows[i].blocked |= blocks->p[k].release.v == r->id.v;
	}
	*out = rows;
	*count = list.n;
	return true;
}

bool viewenv_list(const struct viewer *v, struct view_environments *out, struct err *e) {
	struct view_release *rows;
	*out = (struct view_environments){
		.frame = viewer_frame(v, "environments", STR("Environments"), STR("/environments"))};
	out->frame.command = STR("weir environments");
	out->frame.json = STR("/api/v1/environments");
	if (!viewer_envs(v, &out->envs, &out->env_count, e) ||
	    !releases(v, (struct repo_id){0}, 20, NULL, &rows, &out->release_count, e))
		return false;
	out->releases = rows;
	return true;
}

static bool rollouts(const struct viewer *v, struct env_id env, struct view_environment *out,
                     struct err *e) {
	struct read_rollouts list;
	if (!read_rollouts(v->api->host.store, env, (struct rollout_id){0}, ROLLOUTS, v->life, &list,
	                   e))
		return false;
	struct view_rollout *rows = ARENA_ARRAY(v->life, struct view_rollout, list.n + 1);
	for (size_t i = 0; i < list.n; i++) {
		const struct read_rollout *r = &list.p[i];
		struct read_release release;
		struct err why;
		rows[i] = (struct view_rollout){.state = r->state,
		                                .cause = r->cause,
		                                .by = r->by,
		                                .reason_code = reason_code(r->reason),
		                                .reason_text = r->reason_text,
		                                .began_ms = r->issued_ms,
		                                .ended_ms = r->ended_ms,
		                                .took_ms = r->duration_ms};
		if (!read_release(v->api->host.store, r->release, v->life, &release, &why)) continue;
		rows[i].commit = viewer_oid(v, release.commit);
		rows[i].change = release.change.v;
	}
	out->rollouts = rows;
	out->rollout_count = list.n;
	return true;
}

// listen: of trunk's plan.
static struct str listen_of(const struct viewer *v, struct repo_id id, struct str name) {
	struct read_repo repo;
	struct str text;
	struct err e;
	AUTO_JSON plan = NULL;
	if (!read_repo(v->api->host.store, id, v->life, &repo, &e) ||
	    digest_is_none(repo.plan_digest) ||
	    !read_plan(v->api->host.store, repo.plan_digest, v->life, &text, &e) ||
	    !json_parse(text, &plan, &e))
		return STR_NONE;
	const struct json *envs = json_get(plan, "environments");
	for (size_t i = 0; i < json_length(envs); i++) {
		const struct json *env = json_at(envs, i), *listen = json_get(env, "listen");
		if (!str_eq(json_get_str(env, "name"), name)) continue;
		return arena_str(v->life, json_kind(listen) == JSON_KIND_OBJECT
		                              ? json_get_str(listen, "text")
		                              : json_str(listen));
	}
	return STR_NONE;
}

static void service_log(const struct viewer *v, struct env_id env, struct view_log *out) {
	AUTO_BUF path = {0};
	AUTO_BUF bytes = {0};
	struct err e;
	uint64_t total = 0, unused;
	*out = (struct view_log){.job = STR("the service"),
	                         .gone = STR("the service has printed nothing yet")};
	if (!v->api->host.env_log(v->api->host.context, env, &path) ||
	    !logsource_file(path.p, 0, 0, &bytes, &total, &e) || !total)
		return;
	uint64_t from = total > LOG_BYTES ? total - LOG_BYTES : 0;
	if (!logsource_file(path.p, from, LOG_BYTES, &bytes, &unused, &e)) return;
	struct str text = buf_view(&bytes);
	size_t start = text.n, lines = LOG_LINES + 1;
	while (start && (text.p[start - 1] != '\n' || --lines > 0)) start--;
	text = str_from(text, start);
	struct view_log_line *rows = ARENA_ARRAY(v->life, struct view_log_line, LOG_LINES + 1);
	while (text.n && out->line_count < LOG_LINES) {
		AUTO_BUF html = {0};
		buf_html(&html, str_cut(&text, '\n'));
		rows[out->line_count] = (struct view_log_line){out->line_count + 1, 'o',
		                                               arena_str(v->life, buf_view(&html)), false};
		out->line_count++;
	}
	out->lines = rows;
	out->gone = STR_NONE;
}

// The one of that name, in any repository when none is named; *count = how many have the name.
static const struct read_env *find_env(const struct read_envs *envs, struct str repo,
                                       struct str name, size_t *count) {
	const struct read_env *found = NULL;
	*count = 0;
	for (size_t i = 0; i < envs->n; i++) {
		const struct read_env *env = &envs->p[i];
		if (!str_eq(env->name, name)) continue;
		++*count;
		if (!repo.n || str_eq(env->repo_name, repo)) found = env;
	}
	return found;
}

bool viewenv_make(const struct viewer *v, struct str repo, struct str name,
                  struct view_environment *out, struct err *e) {
	struct read_envs envs;
	struct read_blocks blocks;
	struct view_release *rows;
	size_t count;
	if (!read_envs(v->api->host.store, (struct repo_id){0}, v->life, &envs, e)) return false;
	const struct read_env *env = find_env(&envs, repo, name, &count);
	if (!env)
		return err_set(e, ERR_NOT_FOUND, "there is no environment \"" STR_FMT "\"", STR_ARG(name));
	if (!repo.n && count > 1)
		return err_set(e, ERR_CONFLICT, "%zu repositories have an environment \"" STR_FMT "\"",
		               count, STR_ARG(name));
	AUTO_BUF path = {0}, query = {0};
	buf_cstr(&path, "/environment/");
	buf_url(&path, env->repo_name);
	buf_char(&path, '/');
	buf_url(&path, name);
	if (count > 1) buf_cstr(&query, "?repo=");
	if (count > 1) buf_url(&query, env->repo_name);
	*out = (struct view_environment){
		.frame = viewer_frame(v, "environments", name, buf_view(&path)), .env = viewer_env(v, env)};
	out->env.shared = count > 1;
	out->frame.command = arena_printf(v->life, "weir deploy " STR_FMT "%s" STR_FMT, STR_ARG(name),
	                                  count > 1 ? " --repo " : "",
	                                  STR_ARG(count > 1 ? env->repo_name : STR("")));
	out->frame.json = arena_printf(v->life, "/api/v1/environments/" STR_FMT "%s", STR_ARG(name),
	                               query.n ? query.p : "");
	out->listen = listen_of(v, env->repo, name);
	if (!read_blocks(v->api->host.store, env->id, v->life, &blocks, e) ||
	    !rollouts(v, env->id, out, e) ||
	    !releases(v, env->repo, RELEASES, &blocks, &rows, &out->release_count, e))
		return false;
	out->releases = rows;
	service_log(v, env->id, &out->log);
	return true;
}
