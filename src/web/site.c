#include "web/site.h"

#include "api/urltext.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "web/live.h"
#include "web/viewer.h"

// ---------------------------------------------------------------- rendering

static struct viewer viewer_for(struct web *w, const struct api_identity *who, struct arena *life) {
	char token[65];
	access_form_token(&w->rules, who, token);
	return (struct viewer){.api = &w->api,
	                       .who = *who,
	                       .life = life,
	                       .csrf = arena_str(life, str_of(token)),
	                       .now_ms = w->api.host.now_ms(w->api.host.context)};
}

static int notice(const struct viewer *v, struct html *out, int status, struct str title,
                  struct str text, struct str next) {
	struct view_notice n = {.frame = viewer_frame(v, "", title, STR_NONE),
	                        .status = status,
	                        .title = title,
	                        .text = text,
	                        .next = next};
	notice_page(out, &n);
	return status;
}

static int render_change(const struct viewer *v, const struct site_request *q, uint64_t id,
                         struct html *out, struct err *e) {
	struct view_change view;
	struct urltext_pairs pairs = {.n = 0};
	if (!viewchange_make(v, (struct change_id){id}, &view, e)) return 0;
	view.diff = q->diff;
	if (q->diff_error) view.diff_gone = arena_str(v->life, str_of(q->diff_error->text));
	view.whole_diff = urltext_pairs(q->query, v->life, &pairs, NULL) &&
	                  urltext_get(&pairs, "diff").n;
	change_page(out, &view);
	return 200;
}

static int render_log(const struct viewer *v, const struct site_request *q, uint64_t id,
                      struct str job, struct html *out, struct err *e) {
	struct view_log_page view;
	struct urltext_pairs pairs = {.n = 0};
	uint64_t from = 0;
	if (!urltext_pairs(q->query, v->life, &pairs, e)) return 0;
	if (urltext_get(&pairs, "from").n && !str_to_u64(urltext_get(&pairs, "from"), &from)) {
		err_set(e, ERR_INVALID, "from is not a number");
		return 0;
	}
	if (!viewchange_log(v, (struct change_id){id}, job, from, &view, e)) return 0;
	log_page(out, &view);
	return 200;
}

union views {
	struct view_flow flow;
	struct view_queue queue;
	struct view_environments environments;
	struct view_environment environment;
};

// 0: *e says why not.
static int render(const struct viewer *v, const struct site_request *q, struct html *out,
                  struct err *e) {
	struct str rest = q->path, part[5] = {0};
	union views view;
	size_t n = 0;
	uint64_t id;
	for (str_cut(&rest, '/'); rest.p && n < ARRAY_LEN(part); n++)
		if (!urltext_decode(str_cut(&rest, '/'), false, v->life, &part[n])) n = ARRAY_LEN(part);
	if (n == 1 && !part[0].n) {
		if (!viewflow_make(v, &view.flow, e)) return 0;
		flow_page(out, &view.flow);
	} else if (n == 1 && str_eq(part[0], STR("queue"))) {
		if (!viewflow_queue(v, &view.queue, e)) return 0;
		queue_page(out, &view.queue);
	} else if (n == 1 && str_eq(part[0], STR("environments"))) {
		if (!viewenv_list(v, &view.environments, e)) return 0;
		environments_page(out, &view.environments);
	} else if ((n == 2 || n == 3) && str_eq(part[0], STR("environment"))) {
		if (!viewenv_make(v, n == 3 ? part[1] : STR_NONE, part[n - 1], &view.environment, e))
			return 0;
		environment_page(out, &view.environment);
	} else if (n == 2 && str_eq(part[0], STR("change")) && str_to_u64(part[1], &id)) {
		return render_change(v, q, id, out, e);
	} else if (n == 4 && str_eq(part[0], STR("change")) && str_to_u64(part[1], &id) &&
	           str_eq(part[2], STR("log"))) {
		return render_log(v, q, id, part[3], out, e);
	} else {
		err_set(e, ERR_NOT_FOUND, "there is no such page");
		return 0;
	}
	return 200;
}

int site_render(struct web *w, const struct site_request *q, struct html *out) {
	AUTO_ARENA life = {0};
	struct err e = {0};
	struct viewer v = viewer_for(w, &q->who, &life);
	out->now_ms = v.now_ms;
	int status = render(&v, q, out, &e);
	if (status) return status;
	buf_reset(out->out);
	out->region_count = 0;
	bool missing = e.code == ERR_NOT_FOUND;
	return notice(&v, out, err_http_status(e.code),
	              missing ? STR("Not found:") : STR("That did not work:"), str_of(e.text),
	              missing ? STR("the flow and the queue show what there is") : STR_NONE);
}

void site_notice(struct exchange *x, int status, struct str title, struct str text,
                 struct str next) {
	AUTO_BUF page = {0};
	struct html out = {.out = &page};
	struct viewer v = viewer_for(x->web, &x->who, &x->life);
	notice(&v, &out, status, title, text, next);
	exchange_html(x, status, &page);
}

static void answer_page(struct exchange *x, struct str diff, const struct err *diff_error) {
	AUTO_BUF page = {0};
	struct html out = {.out = &page};
	int status = site_render(
		x->web, &(struct site_request){x->path, x->query, x->who, diff, diff_error}, &out);
	exchange_html(x, status, &page);
}

// ---------------------------------------------------------------- a change waits for its diff

static void diffed(void *context, bool ok, struct str text, const struct err *e) {
	struct exchange *x = context;
	if (exchange_resolve(x)) answer_page(x, ok ? text : STR_NONE, ok ? NULL : e);
}

static bool change_of(struct str path, uint64_t *id) {
	return str_starts(path, STR("/change/")) && str_to_u64(str_from(path, strlen("/change/")), id);
}

static void get_change(struct exchange *x, uint64_t id) {
	struct read_change c;
	struct err e = {0};
	const struct api_host *h = &x->web->api.host;
	if (!read_change(h->store, (struct change_id){id}, &x->life, &c, &e)) {
		answer_page(x, STR_NONE, NULL);
		return;
	}
	exchange_pend(x);
	h->diff(h->context, c.repo, c.base, c.head, diffed, x);
}

// ---------------------------------------------------------------- going to a change or commit

static void go(struct exchange *x) {
	struct urltext_pairs pairs;
	struct err e = {0};
	struct read_change change;
	uint64_t id;
	if (!urltext_pairs(x->query, &x->life, &pairs, &e)) {
		site_notice(x, 400, STR("Not understood:"), str_of(e.text), STR_NONE);
		return;
	}
	struct str word = str_trim(urltext_get(&pairs, "q"));
	if (word.n && word.p[0] == '#') word = str_from(word, 1);
	struct store *s = x->web->api.host.store;
	if (str_to_u64(word, &id) && word.n < 7) {
		exchange_redirect(x, arena_printf(&x->life, "/change/%llu", (unsigned long long)id).p);
		return;
	}
	if (word.n >= 4 && read_change_of_commit(s, word, &x->life, &change, &e)) {
		exchange_redirect(
			x, arena_printf(&x->life, "/change/%llu", (unsigned long long)change.id.v).p);
		return;
	}
	site_notice(x, 404, STR("Not found:"),
	            STR("no change has this number or begins with this commit"),
	            STR("try #12, or the first digits of a commit"));
}

// ---------------------------------------------------------------- buttons

static void pressed(void *context, struct api_answer *a) {
	struct exchange *x = context;
	struct api_answer answer = *a;
	*a = (struct api_answer){0};
	if (exchange_resolve(x)) {
		AUTO_JSON document = NULL;
		struct err e;
		if (answer.status < 300) {
			exchange_redirect(x, arena_cstr(&x->life, x->path));
		} else if (json_parse(buf_view(&answer.body), &document, &e)) {
			const struct json *error = json_get(document, "error");
			site_notice(x, answer.status, STR("That did not work:"), json_get_str(error, "text"),
			            json_get_str(error, "next"));
		} else site_notice(x, answer.status, STR("That did not work."), STR_NONE, STR_NONE);
	}
	api_answer_free(&answer);
}

// A button is an operation of the API by another way.
static void press(struct exchange *x, struct str path, struct str query, struct str body) {
	exchange_pend(x);
	api_call(
		&x->web->api,
		&(struct api_request){
			.method = STR("POST"), .path = path, .query = query, .body = body, .identity = x->who},
		pressed, x);
}

static void post(struct exchange *x) {
	struct urltext_pairs form;
	struct err e = {0};
	uint64_t id;
	if (!urltext_pairs(buf_view(&x->body), &x->life, &form, &e)) {
		site_notice(x, 400, STR("Not understood:"), str_of(e.text), STR_NONE);
		return;
	}
	if (!access_form_ok(&x->web->rules, &x->who, urltext_get(&form, "csrf"))) {
		site_notice(x, 403, STR("Refused:"),
		            STR("the form is not from this server, or weir was restarted since"),
		            STR("load the page again"));
		return;
	}
	struct str what = urltext_get(&form, "do");
	struct str env = STR_NONE, query = STR("");
	if (str_starts(x->path, STR("/environment/"))) { // REPO/NAME, or NAME where no other has it
		env = str_from(x->path, strlen("/environment/"));
		struct str rest = env, repo = str_cut(&rest, '/');
		if (rest.p) query = arena_printf(&x->life, "repo=" STR_FMT, STR_ARG(repo));
		if (rest.p) env = rest;
	}
	if (change_of(x->path, &id) && (str_eq(what, STR("withdraw")) || str_eq(what, STR("retry")) ||
	                                str_eq(what, STR("cancel")))) {
		press(x,
		      arena_printf(&x->life, "/api/v1/changes/%llu/" STR_FMT, (unsigned long long)id,
		                   STR_ARG(what)),
		      query, STR_NONE);
	} else if (env.n && str_eq(what, STR("rollback"))) {
		press(x, arena_printf(&x->life, "/api/v1/environments/" STR_FMT "/rollback", STR_ARG(env)),
		      query, STR_NONE);
	} else if (env.n && str_eq(what, STR("deploy"))) {
		AUTO_BUF body = {0};
		struct jsonw w = jsonw_to(&body);
		jsonw_object(&w);
		jsonw_key_b(&w, "force", str_eq(urltext_get(&form, "force"), STR("1")));
		jsonw_key_s(&w, "release", urltext_get(&form, "release"));
		jsonw_object_end(&w);
		press(x, arena_printf(&x->life, "/api/v1/environments/" STR_FMT "/deploy", STR_ARG(env)),
		      query, arena_str(&x->life, buf_view(&body)));
	} else site_notice(x, 404, STR("Not found:"), STR("this page has no such button"), STR_NONE);
}

// ---------------------------------------------------------------- signing in

static void login(struct exchange *x) {
	struct urltext_pairs form;
	struct err e = {0};
	struct api_identity who;
	struct str token = STR_NONE;
	if (urltext_pairs(buf_view(&x->body), &x->life, &form, &e))
		token = str_trim(urltext_get(&form, "token"));
	if (!token.n || !api_identify(&x->web->api, token, &x->life, &who, &e)) {
		site_notice(x, 401, STR("Not signed in:"),
		            e.code ? str_of(e.text) : STR("no token was given"),
		            STR("weir token create NAME --scopes read makes one"));
		return;
	}
	bool plain = true; // a token of ours is; nothing else gets into a header
	for (size_t i = 0; i < token.n; i++)
		plain = plain && token.p[i] > ' ' && token.p[i] != ';' && token.p[i] != ',' &&
		        token.p[i] < 127;
	if (plain)
		exchange_header(
			x, "Set-Cookie",
			arena_printf(&x->life,
		                 "weir=" STR_FMT "; Path=/; HttpOnly; SameSite=Strict; Max-Age=7776000%s",
		                 STR_ARG(token), x->web->tls || x->web->public_tls ? "; Secure" : ""));
	exchange_redirect(x, "/");
}

static void ask_token(struct exchange *x) {
	AUTO_BUF page = {0};
	struct html w = {.out = &page};
	struct viewer v = viewer_for(x->web, &x->who, &x->life);
	struct view_frame f = viewer_frame(&v, "", STR("Sign in"), STR_NONE);
	f.repo = STR_NONE;
	login_page(&w, &f);
	exchange_html(x, 401, &page);
}

static void refuse_method(struct exchange *x) {
	exchange_header(x, "Allow", STR("GET, HEAD"));
	site_notice(x, 405, STR("Refused:"), STR("a page is read with GET"), STR_NONE);
}

void site_answer(struct exchange *x) {
	uint64_t id;
	bool posts = str_eq(x->method, STR("POST"));
	if (str_eq(x->path, STR("/login")) && posts) login(x);
	else if (!operation_allows(x->who.scopes, OPERATION_SCOPE_READ)) ask_token(x);
	else if (posts) post(x);
	else if (!str_eq(x->method, STR("GET")) && !str_eq(x->method, STR("HEAD"))) refuse_method(x);
	else if (str_eq(x->path, STR("/live"))) live_answer(x);
	else if (str_eq(x->path, STR("/go"))) go(x);
	else if (change_of(x->path, &id)) get_change(x, id);
	else answer_page(x, STR_NONE, NULL);
}
