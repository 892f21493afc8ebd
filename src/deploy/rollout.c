#include "deploy/rollout.h"

#include <stdlib.h>
#include <unistd.h>

#include "deploy/port.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/note.h"

enum { CLIENTS_MAX = 16, PORT_TRIES = 3, LOG_LINES = 20, PROXY_WAIT_MS = 10000 };
static const uint64_t NO_ROOM_BYTES = 1 << 20;

enum phase { PHASE_IDLE, PHASE_PROXY, PHASE_CLEAR, PHASE_BEFORE, PHASE_START, PHASE_SLOT };
static const char *const phase_names[] = {"idle", "proxy", "clear", "before", "start", "slot"};

struct rollout {
	struct site *site;
	enum phase phase;
	bool is_switch, back, stepping;
	uint64_t clients[CLIENTS_MAX];
	int client_count, port_tries;
	struct arena life; // of one command
	struct spec spec;
	struct str id, name, folder;
	struct json *command;
	struct release *release; // NULL until it is made
	int64_t began_us, phase_us, phase_took_us[PHASE_SLOT + 1];
	struct loop_timer *deadline;
};

// ---------------------------------------------------------------- answers

static void error_json(struct jsonw *w, const struct err *e) {
	jsonw_key_b(w, "ok", false);
	jsonw_key(w, "error");
	jsonw_object(w);
	jsonw_key_z(w, "code", err_code_name(e->code));
	jsonw_key_z(w, "text", e->text);
	jsonw_object_end(w);
}

void rollout_refuse(struct site *s, uint64_t client, struct str id, const struct err *e) {
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	jsonw_object(&w);
	jsonw_key_s(&w, "id", id);
	error_json(&w, e);
	jsonw_object_end(&w);
	control_answer(s->control, client, buf_view(&text));
}

static void log_lines(const struct rollout *r, struct jsonw *w) {
	const struct release *release = r->release;
	const struct instance *worst = release->before;
	AUTO_BUF text = {0};
	for (int n = 0; !worst && n < release->count; n++)
		if (!instance_is_up(release->instances[n])) worst = release->instances[n];
	if (worst) servicelog_tail(worst->log_path.p, LOG_LINES, &text);
	struct str rest = buf_view(&text);
	jsonw_key(w, "log");
	jsonw_array(w);
	while (rest.p) {
		struct str line = str_cut(&rest, '\n');
		if (line.n) jsonw_str(w, line);
	}
	jsonw_array_end(w);
}

static void next_phase(struct rollout *r, enum phase phase) {
	int64_t now = clock_mono_us();
	r->phase_took_us[r->phase] = now - r->phase_us;
	r->phase_us = now;
	r->phase = phase;
	if (phase != PHASE_IDLE)
		site_tell(r->site, "progress",
		          "\"id\":\"" STR_FMT "\",\"release\":\"" STR_FMT "\",\"phase\":\"%s\"",
		          STR_ARG(r->id), STR_ARG(r->name), phase_names[phase]);
}

static void times_json(const struct rollout *r, struct jsonw *w) {
	jsonw_key(w, "us");
	jsonw_object(w);
	for (int phase = PHASE_PROXY; phase <= PHASE_SLOT; phase++)
		jsonw_key_i(w, phase_names[phase], r->phase_took_us[phase]);
	jsonw_key_i(w, "total", clock_mono_us() - r->began_us);
	jsonw_object_end(w);
}

// The outcome is durable before anybody hears it. What is not remembered is tried anew when the
// same id asks again.
static void finish(struct rollout *r, struct str answer, bool remembered) {
	struct site *s = r->site;
	struct err e;
	if (remembered) site_done(s, r->id, answer);
	if (!site_save(s, &e)) note(NOTE_ERROR, "%s", e.text);
	for (int i = 0; i < r->client_count; i++) control_answer(s->control, r->clients[i], answer);
	site_tell(s, "done", "\"answer\":" STR_FMT, STR_ARG(answer));
	loop_timer_set(r->deadline, -1);
	json_free(&r->command);
	arena_free(&r->life);
	*r = (struct rollout){.site = s, .deadline = r->deadline, .stepping = r->stepping};
}

// With so little on the disk, whatever failed may have failed because of that.
static bool disk_is_full(void) {
	uint64_t left, total;
	return file_space(".", &left, &total, NULL) && left < NO_ROOM_BYTES;
}

static void end_failed(struct rollout *r, const struct err *e, bool no_room) {
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	enum phase phase = r->phase;
	next_phase(r, PHASE_IDLE);
	jsonw_object(&w);
	jsonw_key_s(&w, "id", r->id);
	error_json(&w, e);
	if (no_room) jsonw_key_b(&w, "no_room", true);
	jsonw_key_s(&w, "release", r->name);
	jsonw_key_z(&w, "phase", phase_names[phase]);
	if (r->release && !r->is_switch) log_lines(r, &w);
	times_json(r, &w);
	jsonw_object_end(&w);
	if (r->release && !r->is_switch) site_stop(r->site, r->release);
	finish(r, buf_view(&text), !no_room);
}

// Services have a user of their own. Many work in a folder to which the way is closed, for they
// begin inside; of one that does not, this is the likely reason.
static bool way_is_closed(const struct rollout *r, struct err *why) {
	bool starts = r->phase == PHASE_START || r->phase == PHASE_BEFORE;
	return starts && r->site->home.uid && !file_enter_as(r->folder.p, r->site->home.uid, why);
}

static void fail(struct rollout *r, const struct err *e) {
	struct err with = *e, why;
	AUTO_BUF text = {0};
	buf_cstr(&text, e->text);
	if (way_is_closed(r, &why))
		err_set(&with, e->code,
		        "%s. Perhaps because %s, where the service lies: chmod o+x there, or keep the data "
		        "elsewhere with --data",
		        text.p, why.text);
	end_failed(r, &with, e->code == ERR_NO_ROOM || disk_is_full());
}

static void succeed(struct rollout *r, struct str previous, bool already) {
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	next_phase(r, PHASE_IDLE);
	jsonw_object(&w);
	jsonw_key_s(&w, "id", r->id);
	jsonw_key_b(&w, "ok", true);
	jsonw_key_s(&w, "release", r->name);
	jsonw_key_s(&w, "previous", previous);
	if (already) jsonw_key_b(&w, "already", true);
	times_json(r, &w);
	jsonw_object_end(&w);
	finish(r, buf_view(&text), true);
}

// ---------------------------------------------------------------- steps: true = go on with the
// next phase

static bool read_spec(struct arena *life, struct spec *out, struct err *e) {
	AUTO_BUF text = {0};
	AUTO_JSON v = NULL;
	return file_read("spec.json", SPEC_BYTES_MAX, &text, e) && json_parse(buf_view(&text), &v, e) &&
	       spec_read(v, life, out, e);
}

static bool step_clear(struct rollout *r, struct err *e) {
	struct site *s = r->site;
	struct release *same = site_find(s, r->name);
	if (same && same->rolled_back) site_stop(s, same);
	for (const struct release *other = s->releases; other; other = other->next)
		if (str_eq(other->plan.release, r->name)) return false;
	r->release = site_add(s, &r->spec, r->name, r->folder);
	release_set_secrets(r->release, json_get(r->command, "secrets"));
	AUTO_BUF missing = {0};
	if (release_lacks_secrets(r->release, &missing))
		return err_set(e, ERR_INVALID, "secrets without a value: %s", missing.p);
	return true;
}

static bool step_before(struct rollout *r, struct err *e) {
	struct release *release = r->release;
	const char *marker = arena_printf(&r->life, "before/" STR_FMT, STR_ARG(r->name)).p;
	if (!release->plan.service.before.n || file_exists(marker)) return true;
	if (!release->before) {
		(void)!site_start_before(r->site, release, e); // false: *e ends the deploy
		return false;
	}
	if (release->before->state != INSTANCE_OFF) return false;
	struct child_end end = release->before->end;
	if (!end.known || end.by_signal || end.code)
		return err_set(e, ERR_CONFLICT, "service.before: %s", release->before->why);
	if (!file_write_atomic(marker, STR("done\n"), 0644, e)) return false;
	instance_free(release->before);
	release->before = NULL;
	return true;
}

// A port that somebody took between our look and the service's bind is our bad luck, not the
// release's.
static bool retry_port(struct rollout *r, struct instance *i, struct err *e) {
	if (port_is_free(i->port) || r->port_tries++ >= PORT_TRIES)
		return err_set(e, ERR_CONFLICT, "instance %d: %s before it was healthy", i->n, i->why);
	return site_start(r->site, r->release, e);
}

static bool step_start(struct rollout *r, struct err *e) {
	for (int n = 0; n < r->release->count; n++) {
		struct instance *i = r->release->instances[n];
		if (i->state == INSTANCE_OFF && !retry_port(r, i, e)) return false;
	}
	return release_is_healthy(r->release);
}

static void step_slot(struct rollout *r, struct err *e) {
	struct site *s = r->site;
	AUTO_BUF previous = {0};
	if (!site_take_slot(s, r->release, e)) return;
	if (s->active) buf_str(&previous, s->active->plan.release);
	int64_t hold_ms = s->hold_ms;
	if (!r->is_switch) s->hold_ms = r->spec.hold_ms;
	if (site_switch(s, r->release, r->back, e)) succeed(r, buf_view(&previous), false);
	else s->hold_ms = hold_ms;
}

static void set_deadline(struct rollout *r) {
	int64_t ms = PROXY_WAIT_MS;
	if (r->phase == PHASE_START) ms = r->release->plan.service.start_timeout_ms;
	if (r->phase == PHASE_BEFORE) ms = r->release->plan.service.before_timeout_ms;
	if (r->phase == PHASE_CLEAR || r->phase == PHASE_SLOT) ms = -1; // bounded by a grace
	loop_timer_set(r->deadline, ms);
}

static bool step(struct rollout *r, struct err *e) {
	switch (r->phase) {
	case PHASE_IDLE: return false;
	case PHASE_PROXY:
		if (!r->is_switch && proxy_fell_back(r->site->proxy))
			return err_set(e, ERR_INVALID, "HAProxy refuses listen or tls; see log/haproxy.log");
		if (!proxy_is_up(r->site->proxy)) return false;
		next_phase(r, r->is_switch ? PHASE_SLOT : PHASE_CLEAR);
		break;
	case PHASE_CLEAR:
		if (!step_clear(r, e)) return false;
		next_phase(r, PHASE_BEFORE);
		break;
	case PHASE_BEFORE:
		if (!step_before(r, e)) return false;
		next_phase(r, PHASE_START);
		if (!site_save(r->site, e) || !site_start(r->site, r->release, e)) return false;
		break;
	case PHASE_START:
		if (!step_start(r, e)) return false;
		next_phase(r, PHASE_SLOT);
		break;
	case PHASE_SLOT: step_slot(r, e); return false;
	}
	set_deadline(r);
	return true;
}

static void on_change(void *context) {
	struct rollout *r = context;
	if (r->stepping) return; // a step's own effects
	r->stepping = true;
	struct err e = {0};
	while (step(r, &e)) {}
	r->stepping = false;
	if (r->phase == PHASE_IDLE || !e.text[0]) return;
	bool waits = r->phase == PHASE_SLOT && (e.code == ERR_BUSY || e.code == ERR_UNAVAILABLE);
	if (!waits) fail(r, &e);
}

static void on_deadline(void *context) {
	struct rollout *r = context;
	struct err e;
	if (r->phase == PHASE_START) {
		const char *why = "";
		for (int n = 0; n < r->release->count; n++)
			if (!instance_is_up(r->release->instances[n])) why = r->release->instances[n]->why;
		err_set(&e, ERR_TIMEOUT, "not healthy within %lld ms: %s",
		        (long long)r->release->plan.service.start_timeout_ms, why);
	} else if (r->phase == PHASE_BEFORE) {
		err_set(&e, ERR_TIMEOUT, "service.before took too long");
	} else {
		err_set(&e, ERR_UNAVAILABLE, "HAProxy does not come up; see log/haproxy.log");
	}
	fail(r, &e);
}

// ---------------------------------------------------------------- commands

struct rollout *rollout_new(struct site *s) {
	struct rollout *r = calloc(1, sizeof *r);
	if (!r) abort();
	r->site = s;
	r->deadline = loop_timer(s->loop, on_deadline, r);
	s->on_change = on_change;
	s->change_context = r;
	return r;
}

bool rollout_is_busy(const struct rollout *r) {
	return r->phase != PHASE_IDLE;
}

bool rollout_join(struct rollout *r, uint64_t client, struct str id) {
	if (r->phase == PHASE_IDLE || !str_eq(r->id, id)) return false;
	if (r->client_count < CLIENTS_MAX) r->clients[r->client_count++] = client;
	return true;
}

static void begin(struct rollout *r, uint64_t client, const struct json *command) {
	AUTO_BUF text = {0};
	json_print(&text, command);
	r->began_us = r->phase_us = clock_mono_us();
	r->clients[r->client_count++] = client;
	r->id = arena_str(&r->life, json_get_str(command, "id"));
	(void)!json_parse(buf_view(&text), &r->command, NULL); // a copy of what was parsed before
	explicit_bzero(text.p, text.n);
}

static void go(struct rollout *r) {
	next_phase(r, PHASE_PROXY);
	set_deadline(r);
	on_change(r);
}

static bool refuse_ill(const struct release *kept, struct err *e) {
	const char *why = "";
	for (int n = 0; n < kept->count && !why[0]; n++)
		if (!instance_is_up(kept->instances[n])) why = kept->instances[n]->why;
	return err_set(e, ERR_CONFLICT, "release " STR_FMT " runs and is not healthy: %s",
	               STR_ARG(kept->plan.release), why);
}

static bool prepare_deploy(struct rollout *r, const struct json *command, struct err *e) {
	struct str name = json_get_str(command, "release"), folder = json_get_str(command, "folder");
	if (!spec_is_release_name(name))
		return err_set(e, ERR_INVALID, "release: letters, digits, . _ -, at most 64");
	r->name = arena_str(&r->life, name);
	r->folder = folder.n ? arena_str(&r->life, folder)
	                     : arena_printf(&r->life, "%s/releases/" STR_FMT, r->site->home.folder,
	                                    STR_ARG(name));
	if (access(r->folder.p, X_OK))
		return err_set(e, ERR_NOT_FOUND, "the release's folder " STR_FMT " is missing",
		               STR_ARG(r->folder));
	return read_spec(&r->life, &r->spec, e) && proxy_listen(r->site->proxy, &r->spec, e);
}

void rollout_deploy(struct rollout *r, uint64_t client, const struct json *command) {
	struct err e;
	begin(r, client, command);
	if (!prepare_deploy(r, command, &e)) {
		fail(r, &e);
		return;
	}
	struct release *same = site_find(r->site, r->name);
	if (same && same == r->site->active) {
		succeed(r, STR(""), true);
		return;
	}
	r->release = same && same == r->site->kept ? same : NULL;
	if (r->release && !release_is_healthy(r->release)) {
		refuse_ill(r->release, &e);
		r->is_switch = true; // it is kept all the same
		fail(r, &e);
		return;
	}
	r->is_switch = r->release != NULL;
	go(r);
}

static bool prepare_switch(struct rollout *r, const struct json *command, struct err *e) {
	struct site *s = r->site;
	struct str name = json_get_str(command, "release");
	struct release *to = name.n ? site_find(s, name) : s->kept;
	if (name.n) r->name = arena_str(&r->life, name);
	if (!to && !name.n) return err_set(e, ERR_NOT_FOUND, "no release is kept to go back to");
	if (!to || (to != s->kept && to != s->active))
		return err_set(e, ERR_NOT_FOUND, "release " STR_FMT " does not run: deploy it",
		               STR_ARG(name));
	r->name = arena_str(&r->life, to->plan.release);
	if (to != s->active && !release_is_healthy(to) && !json_get_bool(command, "force", false))
		return refuse_ill(to, e);
	r->release = to;
	return true;
}

void rollout_switch(struct rollout *r, uint64_t client, const struct json *command, bool back) {
	struct err e;
	begin(r, client, command);
	r->is_switch = true;
	r->back = back;
	if (!prepare_switch(r, command, &e)) fail(r, &e);
	else if (r->release == r->site->active) succeed(r, STR(""), true);
	else go(r);
}

void rollout_cancel(struct rollout *r, const char *why) {
	struct err e;
	if (r->phase == PHASE_IDLE) return;
	err_set(&e, ERR_CONFLICT, "cancelled: %s", why);
	end_failed(r, &e, false);
}
