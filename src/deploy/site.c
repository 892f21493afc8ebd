#include "deploy/site.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clocktext.h"
#include "base/hash.h"
#include "deploy/port.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/note.h"

enum {
	LOGS_MOST = 200,
	DRAIN_POLL_MS = 20,
	RETRY_MS = 200,
	SERVICE_UID = 61001,
	STATE_BYTES_MAX = 16 << 20
};

void site_tell(struct site *s, const char *event, const char *more, ...) {
	AUTO_BUF line = {0};
	va_list args;
	buf_cstr(&line, "{\"at\":\"");
	clocktext_rfc3339(&line, clock_wall_ms());
	buf_printf(&line, "\",\"event\":\"%s\"", event);
	if (more[0]) buf_char(&line, ',');
	va_start(args, more);
	buf_vprintf(&line, more, args);
	va_end(args);
	buf_char(&line, '}');
	note(NOTE_INFO, "%s", line.p);
	control_tell(s->control, buf_view(&line));
}

static void changed(struct site *s) {
	if (s->on_change) s->on_change(s->change_context);
}

// ---------------------------------------------------------------- the proxy

static enum proxy_duty duty(const struct site *s, const struct release *r, const struct instance *i,
                            const struct site_slot *slot) {
	if (r != s->active) return slot->drain_until_ms ? PROXY_DRAIN : PROXY_MAINT;
	if (instance_is_up(i)) return PROXY_READY;
	for (int n = 0; n < r->count; n++) // another one can have its part
		if (instance_is_up(r->instances[n])) return PROXY_MAINT;
	return PROXY_READY; // requests are tried again until it is back
}

static struct proxy_plan plan_of(const struct site *s) {
	struct proxy_plan plan = {0};
	for (int k = 0; k < PROXY_SLOTS; k++) {
		const struct release *r = s->slots[k].release;
		for (int n = 0; r && n < r->count; n++)
			plan.servers[k][n] = (struct proxy_server){r->instances[n]->port,
			                                           duty(s, r, r->instances[n], &s->slots[k])};
	}
	return plan;
}

bool site_apply(struct site *s, struct err *e) {
	struct proxy_plan plan = plan_of(s);
	if (proxy_want(s->proxy, &plan, e)) return true;
	if (proxy_is_up(s->proxy)) loop_timer_set(s->retry_timer, RETRY_MS);
	return false;
}

static void apply_soon(struct site *s) {
	struct err e;
	if (!site_apply(s, &e) && proxy_is_up(s->proxy)) note(NOTE_WARN, "%s", e.text);
}

static void on_retry(void *context) {
	apply_soon(context);
	changed(context);
}

static void on_proxy(void *context, enum proxy_news news, const char *why) {
	struct site *s = context;
	struct err e;
	AUTO_BUF quoted = {0};
	buf_json(&quoted, str_of(why));
	if (news == PROXY_UP) apply_soon(s);
	else if (!site_save(s, &e)) note(NOTE_ERROR, "%s", e.text);
	if (news == PROXY_UP) site_tell(s, "proxy_up", "%s", "");
	if (news == PROXY_EXITED) site_tell(s, "proxy_exited", "\"why\":%s", quoted.p);
	changed(s);
}

// ---------------------------------------------------------------- slots

static int slot_of(const struct site *s, const struct release *r) {
	for (int k = 0; k < PROXY_SLOTS; k++)
		if (r && s->slots[k].release == r) return k;
	return -1;
}

bool site_take_slot(struct site *s, struct release *r, struct err *e) {
	int active = slot_of(s, s->active);
	if (slot_of(s, r) >= 0) return site_apply(s, e);
	int k = active < 0 ? 0 : 1 - active;
	if (s->slots[k].drain_until_ms)
		return err_set(e, ERR_BUSY, "the release before still ends its requests");
	s->slots[k] = (struct site_slot){.release = r};
	return site_apply(s, e);
}

static void end_drain(struct site *s, int k, int64_t cut) {
	struct release *r = s->slots[k].release;
	int64_t took = loop_now_ms(s->loop) - s->slots[k].drain_began_ms;
	s->slots[k].drain_until_ms = 0;
	s->cut += cut;
	site_tell(s, "drained", "\"release\":\"" STR_FMT "\",\"ms\":%lld,\"cut\":%lld",
	          STR_ARG(r->plan.release), (long long)took, (long long)cut);
	apply_soon(s);
	if (r->rolled_back && r != s->active) site_stop(s, r);
	changed(s);
}

static void on_drain(void *context) {
	struct site *s = context;
	bool more = false;
	for (int k = 0; k < PROXY_SLOTS; k++) {
		int64_t sessions = 0;
		struct err e;
		if (!s->slots[k].drain_until_ms) continue;
		bool known = proxy_sessions(s->proxy, k, &sessions, &e);
		if (known && sessions == 0) {
			end_drain(s, k, 0);
		} else if (loop_now_ms(s->loop) >= s->slots[k].drain_until_ms) {
			if (!proxy_cut(s->proxy, k, &e)) note(NOTE_WARN, "%s", e.text);
			end_drain(s, k, sessions);
		} else {
			more = true;
		}
	}
	if (more) loop_timer_set(s->drain_timer, DRAIN_POLL_MS);
}

static void begin_drain(struct site *s, const struct release *r) {
	int k = slot_of(s, r);
	if (k < 0) return;
	int64_t now = loop_now_ms(s->loop);
	s->slots[k].drain_began_ms = now;
	s->slots[k].drain_until_ms = now + r->plan.service.grace_ms + 1;
	loop_timer_set(s->drain_timer, 1);
}

static void begin_hold(struct site *s) {
	s->unhealthy = false;
	s->hold_until_ms = loop_now_ms(s->loop) + s->hold_ms;
	release_probe_every(s->active, SITE_PROBE_FAST_MS);
	loop_timer_set(s->hold_timer, s->hold_ms);
}

static void on_hold_over(void *context) {
	struct site *s = context;
	s->hold_until_ms = 0;
	if (!s->active) return;
	release_probe_every(s->active, SITE_PROBE_SLOW_MS);
	site_tell(s, "hold_over", "\"release\":\"" STR_FMT "\",\"healthy\":%s",
	          STR_ARG(s->active->plan.release), s->unhealthy ? "false" : "true");
}

bool site_switch(struct site *s, struct release *r, bool rolled_back, struct err *e) {
	struct release *before = s->active, *kept = s->kept;
	int k = slot_of(s, r);
	assert(k >= 0 && r != before);
	int64_t drain_until_ms = s->slots[k].drain_until_ms;
	if (before) release_set_role(before, RELEASE_KEPT);
	release_set_role(r, RELEASE_ACTIVE);
	s->active = r;
	s->kept = rolled_back ? NULL : before;
	s->slots[k].drain_until_ms = 0;
	if (before) before->rolled_back = rolled_back;
	if (before) begin_drain(s, before);
	if (!site_save(s, e) || !site_apply(s, e)) {
		if (before) release_set_role(before, RELEASE_ACTIVE);
		release_set_role(r, r == kept ? RELEASE_KEPT : RELEASE_STARTING);
		if (before) before->rolled_back = false;
		if (before) s->slots[slot_of(s, before)].drain_until_ms = 0;
		s->slots[k].drain_until_ms = drain_until_ms;
		s->active = before;
		s->kept = kept;
		(void)!site_save(s, NULL);
		(void)!site_apply(s, NULL);
		return false;
	}
	begin_hold(s);
	if (s->kept) release_probe_every(s->kept, SITE_PROBE_SLOW_MS);
	if (kept && kept != r && kept != s->kept) site_stop(s, kept);
	return true;
}

// ---------------------------------------------------------------- instances

static void tell_health(struct site *s, const struct instance *i) {
	AUTO_BUF why = {0};
	bool was = s->unhealthy;
	s->unhealthy = !release_is_healthy(s->active);
	if (was == s->unhealthy) return;
	buf_json(&why, str_of(s->unhealthy ? i->why : ""));
	site_tell(s, s->unhealthy ? "unhealthy" : "healthy",
	          "\"release\":\"" STR_FMT "\",\"instance\":%d,\"in_hold\":%s,\"why\":%s",
	          STR_ARG(i->plan->release), i->n, s->hold_until_ms ? "true" : "false", why.p);
}

static void on_instance(void *context, struct instance *i, enum instance_news news) {
	struct site *s = context;
	const struct release *active = s->active;
	struct err e;
	if (news == INSTANCE_STARTED || news == INSTANCE_EXITED)
		if (!site_save(s, &e)) note(NOTE_ERROR, "%s", e.text);
	if (news == INSTANCE_EXITED) {
		AUTO_BUF why = {0};
		buf_json(&why, str_of(i->why));
		site_tell(s, "exited", "\"release\":\"" STR_FMT "\",\"instance\":%d,\"why\":%s",
		          STR_ARG(i->plan->release), i->n, why.p);
	}
	if (active && i->plan == &active->plan) {
		tell_health(s, i);
		apply_soon(s);
	}
	if (news == INSTANCE_STOPPED) loop_timer_set(s->sweep_timer, 0);
	changed(s);
}

static void on_sweep(void *context) {
	struct site *s = context;
	struct err e;
	bool gone = false;
	for (struct release **at = &s->releases; *at;) {
		struct release *r = *at;
		if (r->role != RELEASE_LEAVING || !release_is_off(r)) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		gone = true;
		site_tell(s, "stopped", "\"release\":\"" STR_FMT "\"", STR_ARG(r->plan.release));
		release_free(r);
	}
	if (gone && !site_save(s, &e)) note(NOTE_ERROR, "%s", e.text);
	changed(s);
}

struct release *site_find(const struct site *s, struct str id) {
	for (struct release *r = s->releases; r; r = r->next)
		if (r->role != RELEASE_LEAVING && str_eq(r->plan.release, id)) return r;
	return NULL;
}

// "RELEASE.INSTANCE.log" and "RELEASE.INSTANCE.log.1" of a release that is here, and HAProxy's.
static bool is_log_in_use(const void *context, struct str name) {
	const struct site *s = context;
	if (str_starts(name, STR("haproxy."))) return true;
	for (const struct release *r = s->releases; r; r = r->next) {
		struct str id = r->plan.release;
		if (name.n > id.n && str_starts(name, id) && name.p[id.n] == '.') return true;
	}
	return false;
}

struct release *site_add(struct site *s, const struct spec *spec, struct str id,
                         struct str folder) {
	servicelog_tidy("log", LOGS_MOST, is_log_in_use, s);
	struct release *r = release_new(&s->home, spec->environment, id, folder, &spec->service,
	                                spec->health_failures, on_instance, s);
	r->next = s->releases;
	s->releases = r;
	return r;
}

static bool pick_port(const struct site *s, uint16_t *out, struct err *e) {
	uint16_t taken[256];
	size_t count = 0;
	for (const struct release *r = s->releases; r; r = r->next)
		for (int n = 0; n < r->count && count < ARRAY_LEN(taken); n++)
			taken[count++] = r->instances[n]->port;
	return port_pick(taken, count, out, e);
}

bool site_start(struct site *s, struct release *r, struct err *e) {
	for (int n = 0; n < r->count; n++) {
		struct instance *i = r->instances[n];
		uint16_t port = i->port;
		if (i->state != INSTANCE_OFF) continue;
		if ((!port || !port_is_free(port)) && !pick_port(s, &port, e)) return false;
		if (!instance_start(i, port, e)) return false;
	}
	return true;
}

bool site_start_before(struct site *s, struct release *r, struct err *e) {
	if (!r->before) r->before = instance_new(&s->home, &r->plan, INSTANCE_BEFORE, on_instance, s);
	return instance_start(r->before, 0, e);
}

void site_stop(struct site *s, struct release *r) {
	int k = slot_of(s, r);
	assert(r != s->active);
	if (r->role == RELEASE_LEAVING) return;
	if (s->kept == r) s->kept = NULL;
	if (k >= 0) s->slots[k] = (struct site_slot){0};
	if (k >= 0) apply_soon(s);
	release_stop(r);
}

void site_resume(struct site *s) {
	struct release *next;
	for (struct release *r = s->releases; r; r = next) {
		AUTO_BUF missing = {0};
		struct err e;
		next = r->next;
		bool wanted = r == s->active || r == s->kept;
		if (r != s->active) begin_drain(s, r); // ends at once when nothing is under way
		if (!wanted && slot_of(s, r) >= 0 && r->rolled_back) continue;
		if (r->role == RELEASE_LEAVING) {
			release_stop(r);
		} else if (!wanted) {
			site_stop(s, r);
		} else if (release_lacks_secrets(r, &missing)) {
			site_tell(s, "needs_secrets", "\"release\":\"" STR_FMT "\"", STR_ARG(r->plan.release));
		} else if (!site_start(s, r, &e)) {
			for (int n = 0; n < r->count; n++)
				if (r->instances[n]->state == INSTANCE_OFF) instance_fail(r->instances[n], e.text);
		}
	}
	apply_soon(s);
	if (s->active) begin_hold(s);
}

bool site_close(struct site *s) {
	struct release *next;
	if (s->active) {
		begin_drain(s, s->active);
		release_set_role(s->active, RELEASE_KEPT);
		s->active = s->kept = NULL;
		apply_soon(s);
	}
	for (int k = 0; k < PROXY_SLOTS; k++)
		if (s->slots[k].drain_until_ms && proxy_is_up(s->proxy)) return false;
	proxy_end(s->proxy);
	for (struct release *r = s->releases; r; r = next) {
		next = r->next;
		site_stop(s, r);
	}
	return s->releases == NULL;
}

// ---------------------------------------------------------------- the record

static void write_record(const struct site *s, struct buf *out) {
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	jsonw_key_i(&w, "version", 1);
	jsonw_key_s(&w, "active", s->active ? s->active->plan.release : STR_NONE);
	jsonw_key_s(&w, "kept", s->kept ? s->kept->plan.release : STR_NONE);
	jsonw_key_i(&w, "hold_ms", s->hold_ms);
	jsonw_key(&w, "slots");
	jsonw_array(&w);
	for (int k = 0; k < PROXY_SLOTS; k++) {
		const struct release *r = s->slots[k].release;
		jsonw_str(&w, r ? r->plan.release : STR(""));
	}
	jsonw_array_end(&w);
	jsonw_key(&w, "proxy");
	proxy_json(s->proxy, &w);
	jsonw_key(&w, "releases");
	jsonw_array(&w);
	for (const struct release *r = s->releases; r; r = r->next) release_record(r, &w);
	jsonw_array_end(&w);
	jsonw_key(&w, "done");
	jsonw_array(&w);
	for (size_t i = 0; i < s->done_count; i++) {
		jsonw_object(&w);
		jsonw_key_z(&w, "id", s->done[i].id);
		jsonw_key(&w, "answer");
		jsonw_raw(&w, str_of(s->done[i].answer));
		jsonw_object_end(&w);
	}
	jsonw_array_end(&w);
	jsonw_object_end(&w);
}

bool site_save(struct site *s, struct err *e) {
	AUTO_BUF text = {0};
	write_record(s, &text);
	buf_char(&text, '\n');
	return file_write_atomic("state.json", buf_view(&text), 0600, e);
}

static char *copy(struct str text) {
	char *z = strndup(text.p ? text.p : "", text.n);
	if (!z) abort();
	return z;
}

void site_done(struct site *s, struct str id, struct str answer) {
	if (s->done_count == SITE_DONE_MAX) {
		free(s->done[0].id);
		free(s->done[0].answer);
		memmove(s->done, s->done + 1, (SITE_DONE_MAX - 1) * sizeof s->done[0]);
		s->done_count--;
	}
	s->done[s->done_count++] = (struct site_outcome){copy(id), copy(answer)};
}

const char *site_answer_of(const struct site *s, struct str id) {
	for (size_t i = 0; i < s->done_count; i++)
		if (str_eq(str_of(s->done[i].id), id)) return s->done[i].answer;
	return NULL;
}

static bool read_record(struct site *s, const struct json *v, struct err *e) {
	const struct json *releases = json_get(v, "releases"), *done = json_get(v, "done");
	if (json_get_int(v, "version", 0) != 1)
		return err_set(e, ERR_UNSUPPORTED, "state.json is of another version of weir");
	for (size_t i = json_length(releases); i-- > 0;) {
		struct release *r;
		if (!release_recover(&s->home, json_at(releases, i), on_instance, s, &r, e)) return false;
		r->next = s->releases;
		s->releases = r;
	}
	s->hold_ms = json_get_int(v, "hold_ms", 0);
	s->active = site_find(s, json_get_str(v, "active"));
	s->kept = site_find(s, json_get_str(v, "kept"));
	for (int k = 0; k < PROXY_SLOTS; k++)
		s->slots[k].release = site_find(s, json_str(json_at(json_get(v, "slots"), (size_t)k)));
	for (size_t i = 0; i < json_length(done); i++) {
		AUTO_BUF answer = {0};
		json_print(&answer, json_get(json_at(done, i), "answer"));
		site_done(s, json_get_str(json_at(done, i), "id"), buf_view(&answer));
	}
	if (!proxy_adopt(s->proxy, json_get(v, "proxy"))) note(NOTE_INFO, "no HAProxy runs");
	return true;
}

// What a supervisor that was killed while it wrote left behind.
static void remove_leftovers(void) {
	AUTO_ARENA life = {0};
	struct str *names;
	size_t count;
	struct err e;
	if (!file_list(".", &life, &names, &count, &e)) return;
	for (size_t i = 0; i < count; i++)
		if (str_starts(names[i], STR("state.json."))) unlink(names[i].p);
}

bool site_recover(struct site *s, struct err *e) {
	AUTO_BUF text = {0};
	AUTO_JSON v = NULL;
	remove_leftovers();
	if (!file_exists("state.json")) return true;
	return file_read("state.json", STATE_BYTES_MAX, &text, e) &&
	       json_parse(buf_view(&text), &v, e) && read_record(s, v, e);
}

bool site_open(struct site *s, struct loop *l, const char *folder, struct err *e) {
	static const char *const folders[] = {"log", "run", "before", "home", "releases"};
	*s = (struct site){.loop = l};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (!file_make_folders(folders[i], i < 3 ? 0711 : 0755, e)) return false;
	struct digest name = digest_of(str_of(folder));
	AUTO_BUF hex = {0};
	buf_hex(&hex, name.b, 8);
	s->home = (struct instance_home){.loop = l, .folder = folder};
	memcpy(s->home.mark, hex.p, sizeof s->home.mark);
	s->home.uid = geteuid() == 0 ? SERVICE_UID : 0;
	if (s->home.uid && chown("home", SERVICE_UID, SERVICE_UID))
		return err_set(e, ERR_IO, "cannot give the folder home to user %d", SERVICE_UID);
	s->children = s->home.children = children_new(l);
	s->proxy = proxy_new(l, s->children, folder, on_proxy, s);
	s->drain_timer = loop_timer(l, on_drain, s);
	s->hold_timer = loop_timer(l, on_hold_over, s);
	s->retry_timer = loop_timer(l, on_retry, s);
	s->sweep_timer = loop_timer(l, on_sweep, s);
	return true;
}

void site_status(const struct site *s, struct jsonw *w) {
	jsonw_key_b(w, "proxy_up", proxy_is_up(s->proxy));
	if (s->active) jsonw_key_s(w, "active", s->active->plan.release);
	if (s->kept) jsonw_key_s(w, "kept", s->kept->plan.release);
	jsonw_key_b(w, "healthy", s->active && release_is_healthy(s->active));
	jsonw_key_b(w, "in_hold", s->hold_until_ms > 0);
	jsonw_key_i(w, "cut", s->cut);
	jsonw_key(w, "releases");
	jsonw_array(w);
	for (const struct release *r = s->releases; r; r = r->next) release_status(r, w);
	jsonw_array_end(w);
}
