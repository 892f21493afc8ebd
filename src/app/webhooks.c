#include "app/webhooks.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "os/note.h"
#include "store/read.h"

enum {
	LOOK_MS = 500,
	PATIENCE_S = 10,
	BATCH = 200,
	PAUSE_MIN_MS = 1000,
	PAUSE_MAX_MS = 5 * 60 * 1000,
	HOOKS_MAX = 64
};

struct pause { // of one hook
	struct str name;
	int64_t looked; // last event that was looked at: may be ahead of what the log says it was told
	int64_t ms, until_ms; // it did not answer well
};

struct webhooks {
	struct daemon *daemon;
	struct arena life;
	struct loop_timer *timer;
	struct pause pauses[HOOKS_MAX];
	size_t pause_count;
	bool busy;
};

struct delivery {
	struct webhooks *set;
	struct arena life;
	struct read_webhook hook;
	struct read_events events;
	int64_t told; // last event that was told or is none of the hook's business
	size_t posted;
	bool failed;
};

static bool is_wanted(const struct delivery *d, const char *name) {
	struct str rest = d->hook.kinds.n ? d->hook.kinds : STR("landed,rejected,deployed");
	while (rest.p) {
		struct str kind = str_trim(str_cut(&rest, ','));
		if (str_eq(kind, STR("landed")) && strcmp(name, "change.landed") == 0) return true;
		if (str_eq(kind, STR("rejected")) && strcmp(name, "change.rejected") == 0) return true;
		if (str_eq(kind, STR("deployed")) && strcmp(name, "rollout.finished") == 0) return true;
	}
	return false;
}

static size_t swallow(char *bytes, size_t size, size_t n, void *context) {
	(void)bytes;
	(void)context;
	return size * n;
}

static bool post(struct delivery *d, const struct read_event *e, const char *name) {
	AUTO_BUF body = {0};
	AUTO_BUF head = {0};
	struct jsonw w = jsonw_to(&body);
	jsonw_object(&w);
	jsonw_key_z(&w, "event", name);
	jsonw_key_i(&w, "id", e->seq);
	jsonw_key_t(&w, "time", e->time_ms);
	jsonw_key(&w, "data");
	jsonw_raw(&w, e->body);
	jsonw_object_end(&w);
	CURL *curl = curl_easy_init();
	if (!curl) return false;
	buf_printf(&head, "X-Weir-Event: %s", name);
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	headers = curl_slist_append(headers, head.p);
	buf_reset(&head);
	buf_printf(&head, "X-Weir-Delivery: %lld", (long long)e->seq);
	headers = curl_slist_append(headers, head.p);
	curl_easy_setopt(curl, CURLOPT_URL, arena_cstr(&d->life, d->hook.url));
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.p);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.n);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)PATIENCE_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "weir");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
	long status = 0;
	bool ok = curl_easy_perform(curl) == CURLE_OK &&
	          curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
	          status >= 200 && status < 300;
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return ok;
}

static void deliver_work(void *context) {
	struct delivery *d = context;
	for (size_t i = 0; i < d->events.n && !d->failed; i++) {
		const struct read_event *e = &d->events.p[i];
		const char *name = event_name((enum event_kind)e->kind);
		bool wanted = name && is_wanted(d, name);
		d->failed = wanted && !post(d, e, name);
		d->posted += wanted && !d->failed;
		if (!d->failed) d->told = e->seq;
	}
}

static struct pause *pause_of(struct webhooks *set, struct str name) {
	for (size_t i = 0; i < set->pause_count; i++)
		if (str_eq(set->pauses[i].name, name)) return &set->pauses[i];
	if (set->pause_count == HOOKS_MAX) return NULL;
	struct pause *p = &set->pauses[set->pause_count++];
	*p = (struct pause){.name = arena_str(&set->life, name)};
	return p;
}

static void deliver_done(void *context) {
	struct delivery *d = context;
	struct webhooks *set = d->set;
	struct pause *p = pause_of(set, d->hook.name);
	struct event told = {.kind = EVENT_WEBHOOK_DELIVERED,
	                     .webhook_delivered = {d->hook.name, d->told}};
	// Recorded only when something was told: two hooks must not keep each other busy with their
	// records.
	if (p) p->looked = d->told;
	if (d->posted) turn_submit(set->daemon->turn, &told, NULL, NULL, NULL);
	if (p && d->failed) {
		p->ms = p->ms ? p->ms * 2 : PAUSE_MIN_MS;
		if (p->ms > PAUSE_MAX_MS) p->ms = PAUSE_MAX_MS;
		p->until_ms = loop_now_ms(set->daemon->loop) + p->ms;
		note(NOTE_WARN, "webhook " STR_FMT " does not answer; tried again in %lld s",
		     STR_ARG(d->hook.name), (long long)(p->ms / 1000));
	} else if (p) {
		p->ms = p->until_ms = 0;
	}
	set->busy = false;
	loop_timer_set(set->timer, LOOK_MS);
	arena_free(&d->life);
	free(d);
}

// One hook at a time, the first that is behind and may be tried.
static void on_due(void *context) {
	struct webhooks *set = context;
	struct daemon *daemon = set->daemon;
	AUTO_ARENA scratch = {0};
	struct read_webhooks hooks;
	struct err e;
	int64_t again = -1;
	if (set->busy || daemon->stopping || turn_read_only(daemon->turn)) return;
	if (!read_webhooks(daemon->reader, &scratch, &hooks, &e)) return;
	for (size_t i = 0; i < hooks.n; i++) {
		struct pause *p = pause_of(set, hooks.p[i].name);
		int64_t from = p && p->looked > hooks.p[i].upto ? p->looked : hooks.p[i].upto;
		int64_t wait = p ? p->until_ms - loop_now_ms(daemon->loop) : 0;
		if (from >= (int64_t)turn_seq(daemon->turn)) continue;
		if (wait > 0) {
			if (again < 0 || wait < again) again = wait;
			continue;
		}
		struct delivery *d = calloc(1, sizeof *d);
		if (!d) abort();
		d->set = set;
		d->hook = hooks.p[i];
		d->hook.name = arena_str(&d->life, d->hook.name);
		d->hook.url = arena_str(&d->life, d->hook.url);
		d->hook.kinds = arena_str(&d->life, d->hook.kinds);
		d->told = from;
		if (!read_events(daemon->reader, (uint64_t)from + 1, STR_NONE, BATCH, &d->life, &d->events,
		                 &e))
			d->failed = true;
		set->busy = true;
		loop_work(daemon->loop, deliver_work, deliver_done, d);
		return;
	}
	if (again >= 0) loop_timer_set(set->timer, again);
}

struct webhooks *webhooks_open(struct daemon *d) {
	struct webhooks *set = calloc(1, sizeof *set);
	if (!set) abort();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	set->daemon = d;
	set->timer = loop_timer(d->loop, on_due, set);
	loop_timer_set(set->timer, LOOK_MS);
	return set;
}

void webhooks_notify(struct webhooks *set) {
	if (set && !set->busy) loop_timer_set(set->timer, 50);
}

void webhooks_close(struct webhooks *set) {
	if (!set) return;
	loop_timer_free(set->timer);
	arena_free(&set->life);
	free(set);
}
