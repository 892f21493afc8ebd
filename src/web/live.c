#include "web/live.h"

#include <stdlib.h>

#include "api/joblog.h"
#include "api/loglines.h"
#include "api/logsource.h"
#include "api/urltext.h"
#include "base/jsonw.h"
#include "page/frame.h"
#include "probe/ansi.h"
#include "web/site.h"

enum {
	RENDER_EVERY_MS = 200,
	RENDER_AT_LEAST_MS = 5000,
	HEARTBEAT_MS = 15000,
	LOG_PIECE = 128 << 10
};

struct region {
	char name[24];
	struct digest digest;
	uint64_t version; // of the topic, when its bytes changed last
	struct buf html;
};

struct topic { // a page as somebody sees it
	struct web *web;
	struct topic *next;
	struct arena life;
	struct str path;
	struct api_identity who;
	size_t clients;
	uint64_t seq, version;
	struct digest read_only; // of the reason: turning read-only is no event, and changes every page
	int64_t rendered_ms;
	struct region regions[HTML_REGIONS_MAX];
	size_t region_count;
};

struct live {
	struct web *web;
	struct topic *topics;
};

struct live *live_new(struct web *w) {
	struct live *l = calloc(1, sizeof *l);
	if (!l) abort();
	l->web = w;
	return l;
}

static void topic_free(struct topic *t) {
	for (size_t i = 0; i < HTML_REGIONS_MAX; i++) buf_free(&t->regions[i].html);
	arena_free(&t->life);
	free(t);
}

void live_free(struct live **l) {
	while (*l && (*l)->topics) {
		struct topic *t = (*l)->topics;
		(*l)->topics = t->next;
		topic_free(t);
	}
	free(*l);
	*l = NULL;
}

// ---------------------------------------------------------------- topics

static struct topic *topic_of(struct live *l, struct str path, const struct api_identity *who) {
	for (struct topic *t = l->topics; t; t = t->next)
		if (str_eq(t->path, path) && str_eq(t->who.name, who->name) && t->who.scopes == who->scopes)
			return t;
	struct topic *t = calloc(1, sizeof *t);
	if (!t) abort();
	t->web = l->web;
	t->path = arena_str(&t->life, path);
	t->who = (struct api_identity){arena_str(&t->life, who->name), who->scopes};
	t->next = l->topics;
	return l->topics = t;
}

static void topic_leave(struct topic *t) {
	if (--t->clients) return;
	for (struct topic **at = &t->web->live->topics; *at; at = &(*at)->next) {
		if (*at != t) continue;
		*at = t->next;
		topic_free(t);
		return;
	}
}

static void take(struct topic *t, size_t i, const char *name, struct str html) {
	struct region *r = &t->regions[i];
	struct digest digest = digest_of(html);
	if (i < t->region_count && strcmp(r->name, name) == 0 && digest_eq(r->digest, digest)) return;
	size_t n = strlen(name) < sizeof r->name - 1 ? strlen(name) : sizeof r->name - 1;
	memcpy(r->name, name, n);
	r->name[n] = 0;
	r->digest = digest;
	r->version = t->version;
	buf_reset(&r->html);
	buf_str(&r->html, html);
}

static struct digest read_only_now(const struct topic *t) {
	const struct api_host *host = &t->web->api.host;
	const char *why = host->read_only(host->context);
	const char *wait = host->runs_wait ? host->runs_wait(host->context) : NULL;
	struct hash h;
	hash_begin(&h);
	hash_add_str(&h, str_of(why));
	hash_add_str(&h, str_of(wait));
	return hash_end(&h);
}

// Nothing happened since it was rendered.
static bool is_current(const struct topic *t) {
	return t->seq == t->web->api.host.seq(t->web->api.host.context) &&
	       digest_eq(t->read_only, read_only_now(t));
}

static void topic_render(struct topic *t) {
	AUTO_BUF page = {0};
	struct html out = {.out = &page};
	uint64_t seq = t->web->api.host.seq(t->web->api.host.context);
	int64_t now = loop_now_ms(t->web->loop), since = now - t->rendered_ms;
	bool turned = !digest_eq(t->read_only, read_only_now(t));
	if (t->version && !turned &&
	    (since < RENDER_EVERY_MS || (is_current(t) && since < RENDER_AT_LEAST_MS)))
		return;
	site_render(t->web, &(struct site_request){.path = t->path, .query = STR(""), .who = t->who},
	            &out);
	t->version++;
	t->seq = seq;
	t->read_only = read_only_now(t);
	t->rendered_ms = now;
	for (size_t i = 0; i < out.region_count; i++) {
		const struct html_region *r = &out.regions[i];
		take(t, i, r->name, str_slice(buf_view(&page), r->begin, r->end));
	}
	t->region_count = out.region_count;
}

// ---------------------------------------------------------------- one who looks

struct client {
	struct api_stream stream;
	struct topic *topic;
	uint64_t seen;
	int64_t spoke_ms;
	bool has_log, log_over;
	struct run_id run;
	uint64_t offset, after, last;
	struct loglines lines;
	struct buf html; // of new lines
};

static void log_line(void *context, uint64_t number, char channel, int64_t ms, struct str text) {
	(void)ms;
	struct client *c = context;
	if (number <= c->after) return;
	AUTO_BUF shown = {0};
	struct ansi ansi = {0};
	ansi_html(&ansi, text, &shown);
	ansi_html_end(&ansi, &shown);
	struct html w = {.out = &c->html};
	frame_log_line(&w, &(struct view_log_line){
						   .number = number, .channel = channel, .html = buf_view(&shown)});
	c->last = number;
}

static void log_more(struct client *c, struct buf *out) {
	AUTO_BUF bytes = {0};
	struct err e;
	uint64_t total;
	if (c->log_over) return;
	if (!logsource_read(&c->topic->web->api, c->run, c->offset, LOG_PIECE, &bytes, &c->log_over,
	                    &total, &e)) {
		c->log_over = true;
		return;
	}
	c->offset += bytes.n;
	buf_reset(&c->html);
	loglines_feed(&c->lines, buf_view(&bytes), log_line, c);
	if (c->log_over) loglines_end(&c->lines, log_line, c);
	if (!c->html.n) return;
	buf_printf(out, "event: log\nid: %llu\ndata: ", (unsigned long long)c->last);
	buf_json(out, buf_view(&c->html));
	buf_cstr(out, "\n\n");
}

static bool more(struct api_stream *s, struct buf *out) {
	struct client *c = (struct client *)s;
	struct topic *t = c->topic;
	topic_render(t);
	for (size_t i = 0; i < t->region_count && c->seen < t->version; i++) {
		if (t->regions[i].version <= c->seen) continue;
		buf_cstr(out, "event: put\ndata: ");
		struct jsonw w = jsonw_to(out);
		jsonw_object(&w);
		jsonw_key_s(&w, "html", buf_view(&t->regions[i].html));
		jsonw_key_z(&w, "name", t->regions[i].name);
		jsonw_object_end(&w);
		buf_cstr(out, "\n\n");
	}
	c->seen = t->version;
	if (c->has_log) log_more(c, out);
	int64_t now = loop_now_ms(t->web->loop);
	if (!out->n && now - c->spoke_ms >= HEARTBEAT_MS) buf_cstr(out, ": still here\n\n");
	if (out->n) c->spoke_ms = now;
	// Something is newer than what was rendered a moment ago, or a log grows without telling.
	s->polls = (c->has_log && !c->log_over) || !is_current(t);
	return true;
}

static void end(struct api_stream *s) {
	struct client *c = (struct client *)s;
	topic_leave(c->topic);
	loglines_free(&c->lines);
	buf_free(&c->html);
	free(c);
}

// "/change/12/log/test" -> the run whose log grows there.
static void find_log(struct client *c, struct api *api, struct str path, struct arena *life) {
	struct str rest = path, job;
	uint64_t id;
	struct err e;
	bool live;
	str_cut(&rest, '/');
	if (!str_eq(str_cut(&rest, '/'), STR("change")) || !str_to_u64(str_cut(&rest, '/'), &id) ||
	    !str_eq(str_cut(&rest, '/'), STR("log")) || !urltext_decode(rest, false, life, &job))
		return;
	c->has_log = joblog_find(api, (struct change_id){id}, job, &c->run, &live, &e);
}

void live_answer(struct exchange *x) {
	struct urltext_pairs pairs;
	struct err e = {0};
	struct str last = exchange_sent(x, "Last-Event-ID");
	if (!urltext_pairs(x->query, &x->life, &pairs, &e)) {
		exchange_error(x, &e, NULL, 0);
		return;
	}
	struct str page = urltext_get(&pairs, "page");
	if (!page.n || page.p[0] != '/' || str_starts(page, STR("/live"))) {
		err_set(&e, ERR_INVALID, "page names no page, such as /queue");
		exchange_error(x, &e, NULL, 0);
		return;
	}
	struct client *c = calloc(1, sizeof *c);
	if (!c) abort();
	c->stream = (struct api_stream){false, more, end};
	c->topic = topic_of(x->web->live, page, &x->who);
	c->topic->clients++;
	find_log(c, &x->web->api, page, &x->life);
	if (!str_to_u64(urltext_get(&pairs, "after"), &c->after)) c->after = 0;
	if (last.n && !str_to_u64(last, &c->after)) c->after = 0;
	struct api_answer a = {.status = 200, .type = "text/event-stream", .stream = &c->stream};
	buf_cstr(&a.body, "retry: 2000\n\n");
	exchange_header(x, "X-Accel-Buffering", STR("no"));
	exchange_answer(x, &a);
}
