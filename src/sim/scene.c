#include "sim/scene.h"

#include <assert.h>

#include "base/jsonw.h"
#include "core/apply.h"
#include "core/batch.h"
#include "core/decide.h"
#include "core/outbox.h"
#include "sim/invariant.h"
#include "sim/scene_trace.h"

enum { PLANS_MAX = 8, WORDS_MAX = 16, BEGIN_MS = 86400000 };

struct scene_plan {
	struct str name, json;
};

struct scene {
	struct state state;
	struct witness witness;
	struct table log;
	struct arena life;
	struct scene_plan plans[PLANS_MAX];
	size_t plan_count;
	int64_t now_ms, slots;
	struct decide_list turn;
	bool open; // a turn has facts and is not decided yet
	struct buf *out;
	struct err *e;
};

struct words {
	struct str w[WORDS_MAX];
	size_t n, at;
};

// ---------------------------------------------------------------- words

static struct words split(struct str line) {
	struct words words = {.n = 0};
	while (line.p && words.n < WORDS_MAX) {
		struct str word = str_cut(&line, ' ');
		if (word.n) words.w[words.n++] = word;
	}
	return words;
}

static struct str next(struct words *words) {
	return words->at < words->n ? words->w[words->at++] : STR_NONE;
}

// Takes the next word if it is this one.
static bool has(struct words *words, const char *word) {
	if (words->at == words->n || !str_eq(words->w[words->at], str_of(word))) return false;
	words->at++;
	return true;
}

// "r12" with the letter r, or "12" with none.
static uint64_t id(struct words *words, const char *letter) {
	struct str word = next(words);
	uint64_t v = 0;
	if (str_starts(word, str_of(letter))) word = str_from(word, strlen(letter));
	return str_to_u64(word, &v) ? v : 0;
}

static enum reason reason_word(struct words *words, enum reason otherwise) {
	enum reason r = otherwise;
	struct str word = next(words);
	return word.n && reason_parse(word, &r) ? r : otherwise;
}

// ---------------------------------------------------------------- plans

static bool name_byte(char c) {
	return c != '<' && c != '*' && c != '@' && c != '+';
}

static struct str take_name(struct str *rest) {
	size_t n = 0;
	while (n < rest->n && name_byte(rest->p[n])) n++;
	struct str name = str_slice(*rest, 0, n);
	*rest = str_from(*rest, n);
	return name;
}

static void put_needs(struct jsonw *w, const struct words *jobs, struct str list) {
	jsonw_key(w, "needs");
	jsonw_array(w);
	while (list.p) {
		struct str need = str_cut(&list, ',');
		for (size_t i = 0; i < jobs->n; i++) {
			struct str rest = jobs->w[i];
			if (str_eq(take_name(&rest), need)) jsonw_int(w, (int64_t)i);
		}
	}
	jsonw_array_end(w);
}

// test<build*1@landed
static void put_job(struct jsonw *w, const struct words *jobs, struct str rest) {
	struct str name = take_name(&rest), needs = STR_NONE, when = STR("change");
	int64_t retries = 0;
	bool artifacts = false;
	while (rest.n) {
		char mark = rest.p[0];
		rest = str_from(rest, 1);
		struct str value = take_name(&rest);
		if (mark == '<') needs = value;
		else if (mark == '@') when = value;
		else if (mark == '+') artifacts = true;
		else if (!str_to_i64(value, &retries)) retries = 0;
	}
	jsonw_object(w);
	if (artifacts) {
		jsonw_key(w, "artifacts");
		jsonw_raw(w, STR("[\"app\"]"));
	}
	jsonw_key_s(w, "name", name);
	put_needs(w, jobs, needs);
	jsonw_key_i(w, "retries", retries);
	jsonw_key_s(w, "when", when);
	jsonw_object_end(w);
}

static struct str plan_json(struct scene *s, struct str text) {
	AUTO_BUF json = {0};
	struct jsonw w = jsonw_to(&json);
	struct str rest = text;
	struct words jobs = split(str_cut(&rest, ';')), environments = split(rest);
	jsonw_object(&w);
	jsonw_key(&w, "environments");
	jsonw_array(&w);
	for (size_t i = 0; i < environments.n; i++) {
		jsonw_object(&w);
		jsonw_key_s(&w, "name", environments.w[i]);
		jsonw_object_end(&w);
	}
	jsonw_array_end(&w);
	jsonw_key(&w, "jobs");
	jsonw_array(&w);
	for (size_t i = 0; i < jobs.n; i++) put_job(&w, &jobs, jobs.w[i]);
	jsonw_array_end(&w);
	jsonw_object_end(&w);
	return arena_str(&s->life, buf_view(&json));
}

static struct str plan_named(const struct scene *s, struct str name) {
	for (size_t i = 0; i < s->plan_count; i++)
		if (str_eq(s->plans[i].name, name)) return s->plans[i].json;
	return STR_NONE;
}

// ---------------------------------------------------------------- a turn

enum { NARROW = 1 }; // last byte of inputs that hold for the trees of all changes

static bool inputs_match(void *context, struct digest inputs, struct oid tree) {
	(void)context;
	return inputs.b[31] == NARROW || memcmp(inputs.b, tree.b, 20) == 0;
}

static bool fact(struct scene *s, struct event event) {
	struct err why = {0};
	event.time_ms = s->now_ms;
	s->open = true;
	if (apply_check(&s->state, &event, &why)) {
		decide_add(&s->state, &s->turn, &event);
		return true;
	}
	buf_printf(s->out, "expect refused %s\n", why.text);
	return false;
}

static bool record(struct scene *s, const struct event *event) {
	const struct invariant_world asks = {.inputs_match = inputs_match};
	const struct invariant_case c = {&s->witness, event, &asks};
	const struct invariant_row *row;
	if (!invariant_check(&c, &row, s->e)) return err_context(s->e, "%s", row->promise);
	witness_fold(&s->witness, event);
	*(struct event *)table_add(&s->log, 1) = event_copy(event, &s->life);
	return true;
}

// Decides the open turn. told = its events are part of the story.
static bool end_turn(struct scene *s, bool told) {
	if (!s->open) return true;
	s->open = false;
	decide_turn(&s->state, s->now_ms, &s->turn);
	assert(!s->turn.restless);
	for (size_t i = 0; i < s->turn.count; i++) {
		if (told) {
			buf_cstr(s->out, "expect ");
			scene_trace_event(s->out, &s->state, &s->turn.events[i]);
			buf_char(s->out, '\n');
		}
		if (!record(s, &s->turn.events[i])) return false;
	}
	s->turn = (struct decide_list){.life = &s->life};
	return true;
}

static void restart(struct scene *s) {
	static const char *const kinds[] = {"candidate c", "landing l", "run r", "rollout o"};
	struct digest before = state_digest(&s->state);
	state_free(&s->state);
	state_init(&s->state);
	for (size_t i = 0; i < s->log.count; i++) apply_event(&s->state, table_at(&s->log, i));
	if (!digest_eq(before, state_digest(&s->state)))
		buf_cstr(s->out, "expect another state than before\n");
	struct outbox_list pending = outbox_pending(&s->state, &s->life);
	for (size_t i = 0; i < pending.count; i++)
		buf_printf(s->out, "expect again %s%s%llu\n", pending.items[i].cancel ? "stop " : "",
		           kinds[pending.items[i].kind], (unsigned long long)pending.items[i].id);
}

// ---------------------------------------------------------------- facts

static struct repo_id repo_named(const struct scene *s, struct str name) {
	for (size_t i = 0; name.n && i < s->state.repos.count; i++) {
		const struct repo *r = table_at(&s->state.repos, i);
		if (str_eq(state_name(&r->name), name)) return r->id;
	}
	return (struct repo_id){1};
}

static struct env_id env_named(const struct scene *s, struct str name) {
	for (size_t i = 0; i < s->state.envs.count; i++) {
		const struct env *env = table_at(&s->state.envs, i);
		if (str_eq(state_name(&env->name), name)) return env->id;
	}
	return (struct env_id){0};
}

static void push(struct scene *s, struct words *words) {
	struct event e = {.kind = EVENT_CHANGE_PROPOSED};
	struct event_change_proposed *p = &e.change_proposed;
	struct str key = next(words), head = has(words, "as") ? next(words) : key;
	if (has(words, "priority")) p->priority = (int64_t)id(words, "");
	p->draft = has(words, "draft");
	p->repo = repo_named(s, has(words, "in") ? next(words) : STR_NONE);
	p->key = digest_of(key);
	p->head = scene_trace_oid(head);
	p->target = STR("main");
	struct state_identity identity = state_identify(&s->state, p->repo, p->key, p->head);
	p->change = identity.change;
	p->revision = identity.revision;
	(void)fact(s, e);
}

static void change_fact(struct scene *s, struct words *words, enum event_kind kind) {
	struct change_id change = {id(words, "")};
	const struct change *c = state_change(&s->state, change);
	if (!c) c = state_rejected(&s->state, change);
	struct event e = {.kind = kind}; // the same fields in both kinds
	e.change_retried = (struct event_change_retried){change, c ? c->revision : 0,
	                                                 STR("its author")};
	if (kind == EVENT_CHANGE_WITHDRAWN)
		e.change_withdrawn = (struct event_change_withdrawn){change, c ? c->revision : 0,
		                                                     STR("its author")};
	(void)fact(s, e);
}

static struct str touches(struct scene *s, struct str list) {
	AUTO_BUF jobs = {0}, files = {0};
	while (list.n) {
		struct str one = str_cut(&list, ',');
		bool file = one.p[0] >= '0' && one.p[0] <= '9';
		struct buf *to = file ? &files : &jobs;
		if (to->n) buf_cstr(to, ",");
		buf_printf(to, file ? STR_FMT : "\"" STR_FMT "\"", STR_ARG(one));
	}
	return arena_printf(&s->life, "{\"files\":[" STR_FMT "],\"jobs\":[" STR_FMT "]}",
	                    STR_ARG(buf_view(&files)), STR_ARG(buf_view(&jobs)));
}

static void built(struct scene *s, struct words *words) {
	uint64_t candidate = id(words, "c");
	struct str plan = s->plan_count ? s->plans[s->plan_count - 1].json : STR_NONE;
	struct str skipped = STR_NONE;
	struct str name = arena_printf(&s->life, "m%llu", (unsigned long long)candidate);
	struct oid commit = scene_trace_oid(has(words, "as") ? next(words) : name);
	if (words->at < words->n && plan_named(s, words->w[words->at]).n)
		plan = plan_named(s, next(words));
	if (has(words, "skip")) skipped = arena_printf(&s->life, "[" STR_FMT "]", STR_ARG(next(words)));
	struct str lists = has(words, "touches") ? next(words) : STR_NONE, affects = STR_NONE;
	AUTO_BUF of_members = {0};
	while (lists.n) {
		struct str one = str_cut(&lists, ';');
		affects = touches(s, one);
		if (lists.n)
			buf_printf(&of_members, "%s" STR_FMT, of_members.n ? "," : "[", STR_ARG(affects));
	}
	struct str member_affects = of_members.n ? arena_printf(&s->life, STR_FMT "]",
	                                                        STR_ARG(buf_view(&of_members)))
	                                         : STR_NONE;
	(void)fact(s, (struct event){.kind = EVENT_CANDIDATE_BUILT,
	                             .candidate_built = {.candidate = {candidate},
	                                                 .commit = commit,
	                                                 .tree = commit,
	                                                 .plan_digest = digest_of(plan),
	                                                 .plan = plan,
	                                                 .skipped = skipped,
	                                                 .affects = affects,
	                                                 .member_affects = member_affects}});
}

static struct digest inputs_of(const struct scene *s, struct run_id run) {
	struct digest d = {{0}};
	const struct run *r = state_run(&s->state, run);
	const struct candidate *c = r ? state_candidate(&s->state, r->candidate) : NULL;
	if (c) memcpy(d.b, c->tree.b, 20);
	return d;
}

static void finished(struct scene *s, struct words *words, bool passed) {
	struct run_id run = {id(words, "r")};
	bool narrow = has(words, "narrow");
	struct event e = {.kind = EVENT_RUN_FINISHED};
	e.run_finished.run = run;
	e.run_finished.outcome = passed ? OUTCOME_PASSED : OUTCOME_FAILED;
	e.run_finished.reason = passed ? REASON_NONE : reason_word(words, REASON_EXIT_STATUS);
	e.run_finished.inputs = inputs_of(s, run);
	if (narrow) e.run_finished.inputs.b[31] = NARROW;
	e.run_finished.key = e.run_finished.inputs;
	const struct run *r = state_run(&s->state, run);
	if (r) e.run_finished.duration_ms = s->now_ms - r->issued_ms;
	(void)fact(s, e);
}

static void run_fact(struct scene *s, struct words *words, enum event_kind kind) {
	struct event e = {.kind = kind};
	struct run_id run = {id(words, "r")};
	if (kind == EVENT_RUN_STARTED) e.run_started.run = run;
	if (kind == EVENT_RUN_STOPPED) e.run_stopped.run = run;
	if (kind == EVENT_RUN_LOST) {
		e.run_lost.run = run;
		e.run_lost.no_room = has(words, "full");
	}
	if (kind == EVENT_RUN_REUSED) {
		(void)has(words, "of");
		struct run_id of = {id(words, "r")};
		const struct witness_run *w = table_get(&s->witness.runs, of.v);
		e.run_reused = (struct event_run_reused){.run = run, .of = of};
		if (w) e.run_reused.key = w->key;
		e.run_reused.failed = has(words, "failed") ? 1 : has(words, "doubted") ? 2 : 0;
	}
	if (kind == EVENT_RUN_MISSED)
		e.run_missed = (struct event_run_missed){run, has(words, "sampled")};
	(void)fact(s, e);
}

static void landed(struct scene *s, struct words *words) {
	struct event e = {.kind = EVENT_CHANGE_LANDED};
	e.change_landed.landing.v = id(words, "l");
	const struct repo *r = NULL;
	for (size_t i = 0; i < s->state.repos.count; i++) {
		const struct repo *one = table_at(&s->state.repos, i);
		if (one->landing.v == e.change_landed.landing.v) r = one;
	}
	size_t n = r ? batch_size(&s->state, state_candidate(&s->state, r->landing_candidate)) : 0;
	if (!n) (void)fact(s, e);
	for (size_t i = 0; i < n; i++) (void)fact(s, batch_landed(&s->state, r, 0));
}

static void not_landed(struct scene *s, struct words *words) {
	struct landing_id landing = {id(words, "l")};
	(void)has(words, "found");
	(void)fact(s,
	           (struct event){.kind = EVENT_LANDING_FAILED,
	                          .landing_failed = {landing, scene_trace_oid(next(words)), STR_NONE}});
}

static void configure(struct scene *s, struct words *words) {
	struct str plan = plan_named(s, next(words));
	const struct repo *r = state_repo(&s->state, (struct repo_id){1});
	(void)fact(s,
	           (struct event){.kind = EVENT_REPO_CONFIGURED,
	                          .repo_configured = {r->id, r->tip, digest_of(plan), plan, STR_NONE}});
}

static void moved(struct scene *s, struct words *words) {
	const struct repo *r = state_repo(&s->state, (struct repo_id){1});
	(void)fact(s, (struct event){.kind = EVENT_TRUNK_MOVED,
	                             .trunk_moved = {r->id, r->tip, scene_trace_oid(next(words)),
	                                             STR("somebody")}});
}

static void env_fact(struct scene *s, struct words *words, enum event_kind kind) {
	struct env_id env = env_named(s, next(words));
	struct event e = {.kind = kind};
	if (kind == EVENT_ROLLBACK_REQUESTED) e.rollback_requested.env = env;
	if (kind == EVENT_ENV_UNHEALTHY)
		e.env_unhealthy = (struct event_env_unhealthy){
			env, {id(words, "v")}, STR_NONE, has(words, "settled")};
	if (kind == EVENT_ENV_HEALTHY)
		e.env_healthy = (struct event_env_healthy){env, {id(words, "v")}};
	if (kind == EVENT_DEPLOY_REQUESTED) {
		e.deploy_requested.env = env;
		e.deploy_requested.release.v = id(words, "v");
		e.deploy_requested.force = has(words, "force");
	}
	(void)fact(s, e);
}

static void rollout_ends(struct scene *s, struct words *words, bool live) {
	struct event e = {.kind = EVENT_ROLLOUT_FINISHED};
	e.rollout_finished.rollout.v = id(words, "o");
	e.rollout_finished.outcome = live ? OUTCOME_PASSED : OUTCOME_FAILED;
	e.rollout_finished.reason = live ? REASON_NONE : reason_word(words, REASON_HEALTH_NEVER_GREEN);
	(void)fact(s, e);
}

static void refused(struct scene *s, struct words *words) {
	struct candidate_id candidate = {id(words, "c")};
	enum reason reason = reason_word(words, REASON_CONFLICT_WITH_BASE);
	uint64_t member = has(words, "of") ? id(words, "") : 0;
	(void)fact(s, (struct event){.kind = EVENT_CANDIDATE_REFUSED,
	                             .candidate_refused = {.candidate = candidate,
	                                                   .reason = reason,
	                                                   .member = (int64_t)member}});
}

static bool tell(struct scene *s, struct words *words) {
	static const struct {
		const char *word;
		enum event_kind kind;
		void (*fn)(struct scene *s, struct words *words, enum event_kind kind);
	} kinds[] = {
		{"withdraw", EVENT_CHANGE_WITHDRAWN, change_fact},
		{"retry", EVENT_CHANGE_RETRIED, change_fact},
		{"started", EVENT_RUN_STARTED, run_fact},
		{"stopped", EVENT_RUN_STOPPED, run_fact},
		{"lost", EVENT_RUN_LOST, run_fact},
		{"reused", EVENT_RUN_REUSED, run_fact},
		{"missed", EVENT_RUN_MISSED, run_fact},
		{"deploy", EVENT_DEPLOY_REQUESTED, env_fact},
		{"rollback", EVENT_ROLLBACK_REQUESTED, env_fact},
		{"unhealthy", EVENT_ENV_UNHEALTHY, env_fact},
		{"healthy", EVENT_ENV_HEALTHY, env_fact},
	};
	static const struct {
		const char *word;
		void (*fn)(struct scene *s, struct words *words);
	} plain[] = {{"push", push},          {"built", built},           {"refused", refused},
	             {"landed", landed},      {"not-landed", not_landed}, {"trunk", moved},
	             {"configure", configure}};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (has(words, kinds[i].word)) return kinds[i].fn(s, words, kinds[i].kind), true;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (has(words, plain[i].word)) return plain[i].fn(s, words), true;
	if (has(words, "passed")) return finished(s, words, true), true;
	if (has(words, "live")) return rollout_ends(s, words, true), true;
	if (has(words, "restart")) return restart(s), true;
	if (has(words, "wait")) return s->open = true;
	if (!has(words, "failed")) return false;
	if (words->at < words->n && str_starts(words->w[words->at], STR("o")))
		rollout_ends(s, words, false);
	else finished(s, words, false);
	return true;
}

// ---------------------------------------------------------------- lines

static void add_repo(struct scene *s, struct str name) {
	struct repo_id repo = {s->state.next_repo};
	if (repo.v == 1)
		(void)fact(s, (struct event){.kind = EVENT_SERVER_STARTED,
		                             .server_started = {
										 .version = STR("scene"), .seed = 1, .slots = s->slots}});
	(void)fact(s, (struct event){.kind = EVENT_REPO_ADDED,
	                             .repo_added = {.repo = repo, .name = name, .trunk = STR("main")}});
	(void)fact(s, (struct event){.kind = EVENT_TRUNK_MOVED,
	                             .trunk_moved = {.repo = repo, .to = scene_trace_oid(STR("T"))}});
}

static bool given(struct scene *s, struct words *words, struct str line) {
	int64_t slots;
	if (has(words, "slots") && str_to_i64(next(words), &slots)) s->slots = slots;
	else if (has(words, "repo")) add_repo(s, next(words));
	else if (has(words, "trunk")) configure(s, words);
	else if (has(words, "plan") && s->plan_count < PLANS_MAX) {
		struct str name = next(words), rest = str_from(line, str_find_char(line, ':') + 1);
		s->plans[s->plan_count++] = (struct scene_plan){str_slice(name, 0, name.n - 1),
		                                                plan_json(s, rest)};
	} else return false;
	return end_turn(s, false);
}

static bool at(struct scene *s, struct words *words) {
	int64_t ms;
	if (!str_to_i64(next(words), &ms) || BEGIN_MS + ms < s->now_ms) return false;
	s->now_ms = BEGIN_MS + ms;
	return tell(s, words);
}

static bool play_line(struct scene *s, struct str line) {
	struct words words = split(line);
	if (has(&words, "expect")) return true; // written anew
	bool again = words.n && str_eq(words.w[0], STR("and"));
	if (!again && !end_turn(s, true)) return false;
	buf_str(s->out, line);
	buf_char(s->out, '\n');
	if (words.n == 0 || line.p[0] == '#') return true;
	bool fine = has(&words, "given") ? given(s, &words, line)
	            : has(&words, "at")  ? at(s, &words)
	            : has(&words, "and") ? tell(s, &words)
	                                 : false;
	if (fine) return true;
	if (s->e->code) return false;
	return err_set(s->e, ERR_INVALID, "this line can't be read: " STR_FMT, STR_ARG(line));
}

bool scene_play(struct str text, struct buf *out, struct err *e) {
	struct scene s = {
		.now_ms = BEGIN_MS, .slots = 1, .log = TABLE_OF(struct event), .out = out, .e = e};
	bool good = true;
	*e = (struct err){0};
	s.turn.life = &s.life;
	state_init(&s.state);
	witness_init(&s.witness);
	while (good && text.n) good = play_line(&s, str_cut(&text, '\n'));
	good = good && end_turn(&s, true);
	state_free(&s.state);
	witness_free(&s.witness);
	table_free(&s.log);
	arena_free(&s.life);
	return good;
}
