#include "deploy/release.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "os/file.h"

enum { ENVIRON_BYTES_MAX = 4 << 20 };

static struct release *release_empty(void) {
	struct release *r = calloc(1, sizeof *r);
	if (!r) abort();
	return r;
}

static void make_instances(struct release *r, const struct instance_home *home, instance_fn *fn,
                           void *context) {
	r->count = r->plan.service.instances;
	for (int n = 0; n < r->count; n++)
		r->instances[n] = instance_new(home, &r->plan, n, fn, context);
}

struct release *release_new(const struct instance_home *home, struct str environment, struct str id,
                            struct str folder, const struct spec_service *service,
                            int health_failures, instance_fn *fn, void *context) {
	struct release *r = release_empty();
	struct instance_plan *p = &r->plan;
	AUTO_JSON v = NULL;
	struct err e;
	p->environment = arena_str(&r->life, environment);
	p->release = arena_str(&r->life, id);
	p->folder = arena_str(&r->life, folder);
	p->health_failures = health_failures;
	bool ok = json_parse(service->json, &v, &e) && spec_read_service(v, &r->life, &p->service, &e);
	assert(ok); // it was read from there
	make_instances(r, home, fn, context);
	return r;
}

void release_free(struct release *r) {
	if (!r) return;
	instance_free(r->before);
	for (int n = 0; n < r->count; n++) instance_free(r->instances[n]);
	arena_free(&r->life);
	free(r);
}

void release_set_role(struct release *r, enum release_role role) {
	r->role = role;
	r->plan.may_restart = role == RELEASE_ACTIVE || role == RELEASE_KEPT;
}

static struct str secret_value(const struct release *r, struct str name) {
	for (size_t i = 0; i < r->plan.secret_count; i++)
		if (str_eq(r->plan.secrets[i].name, name)) return r->plan.secrets[i].value;
	return STR_NONE;
}

static void add_secret(struct release *r, struct str name, struct str value) {
	struct instance_plan *p = &r->plan;
	if (!p->secrets) p->secrets = ARENA_ARRAY(&r->life, struct spec_pair, p->service.secret_count);
	for (size_t i = 0; i < p->secret_count; i++)
		if (str_eq(p->secrets[i].name, name)) {
			p->secrets[i].value = arena_str(&r->life, value);
			return;
		}
	p->secrets[p->secret_count++] = (struct spec_pair){arena_str(&r->life, name),
	                                                   arena_str(&r->life, value)};
}

void release_set_secrets(struct release *r, const struct json *object) {
	for (size_t i = 0; i < r->plan.service.secret_count; i++) {
		struct str name = r->plan.service.secrets[i];
		struct str value = json_get_str(object, name.p);
		if (value.p && !memchr(value.p, 0, value.n)) add_secret(r, name, value);
	}
}

bool release_lacks_secrets(const struct release *r, struct buf *out) {
	size_t missing = 0;
	for (size_t i = 0; i < r->plan.service.secret_count; i++) {
		struct str name = r->plan.service.secrets[i];
		if (secret_value(r, name).p) continue;
		buf_printf(out, "%s" STR_FMT, missing++ ? ", " : "", STR_ARG(name));
	}
	return missing > 0;
}

bool release_is_healthy(const struct release *r) {
	for (int n = 0; n < r->count; n++)
		if (!instance_is_up(r->instances[n])) return false;
	return true;
}

bool release_is_off(const struct release *r) {
	if (r->before && r->before->state != INSTANCE_OFF) return false;
	for (int n = 0; n < r->count; n++)
		if (r->instances[n]->state != INSTANCE_OFF) return false;
	return true;
}

void release_stop(struct release *r) {
	release_set_role(r, RELEASE_LEAVING);
	if (r->before) instance_stop(r->before);
	for (int n = 0; n < r->count; n++) instance_stop(r->instances[n]);
}

void release_probe_every(struct release *r, int64_t ms) {
	for (int n = 0; n < r->count; n++) instance_probe_every(r->instances[n], ms);
}

const char *release_role_name(enum release_role role) {
	switch (role) {
	case RELEASE_STARTING: return "starting";
	case RELEASE_ACTIVE: return "active";
	case RELEASE_KEPT: return "kept";
	case RELEASE_LEAVING: return "leaving";
	}
	return "?";
}

void release_record(const struct release *r, struct jsonw *w) {
	jsonw_object(w);
	jsonw_key_s(w, "id", r->plan.release);
	jsonw_key_s(w, "folder", r->plan.folder);
	jsonw_key_s(w, "environment", r->plan.environment);
	jsonw_key_z(w, "role", release_role_name(r->role));
	jsonw_key_b(w, "rolled_back", r->rolled_back);
	jsonw_key_i(w, "health_failures", r->plan.health_failures);
	jsonw_key(w, "service");
	jsonw_raw(w, r->plan.service.json);
	jsonw_key(w, "instances");
	jsonw_array(w);
	for (int n = 0; n < r->count; n++) {
		jsonw_object(w);
		jsonw_key_i(w, "port", r->instances[n]->port);
		jsonw_key(w, "process");
		child_id_json(w, child_id(r->instances[n]->child));
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
	jsonw_object_end(w);
}

// The kernel keeps what the process was started with; a program that writes over it (setproctitle)
// has its secrets asked for again.
static void secrets_from(struct release *r, pid_t pid) {
	char path[64];
	AUTO_BUF text = {0};
	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	if (!r->plan.service.secret_count || !file_read(path, ENVIRON_BYTES_MAX, &text, NULL)) return;
	struct str rest = buf_view(&text);
	while (rest.p) {
		struct str value = str_cut(&rest, 0), name = str_cut(&value, '=');
		for (size_t i = 0; value.p && i < r->plan.service.secret_count; i++)
			if (str_eq(r->plan.service.secrets[i], name)) add_secret(r, name, value);
	}
}

static bool role_from(struct str name, enum release_role *out) {
	for (enum release_role role = RELEASE_STARTING; role <= RELEASE_LEAVING; role++)
		if (str_eq(name, str_of(release_role_name(role)))) {
			*out = role;
			return true;
		}
	return false;
}

bool release_recover(const struct instance_home *home, const struct json *v, instance_fn *fn,
                     void *context, struct release **out, struct err *e) {
	struct release *r = release_empty();
	struct instance_plan *p = &r->plan;
	enum release_role role;
	p->environment = arena_str(&r->life, json_get_str(v, "environment"));
	p->release = arena_str(&r->life, json_get_str(v, "id"));
	p->folder = arena_str(&r->life, json_get_str(v, "folder"));
	p->health_failures = (int)json_get_int(v, "health_failures", 2);
	if (!spec_is_release_name(p->release) || !role_from(json_get_str(v, "role"), &role) ||
	    !spec_read_service(json_get(v, "service"), &r->life, &p->service, e)) {
		release_free(r);
		return err_set(e, ERR_CORRUPT, "state.json: a release is not understood");
	}
	release_set_role(r, role);
	r->rolled_back = json_get_bool(v, "rolled_back", false);
	make_instances(r, home, fn, context);
	const struct json *instances = json_get(v, "instances");
	for (int n = 0; n < r->count; n++) {
		const struct json *item = json_at(instances, (size_t)n);
		struct child_id id = child_id_from_json(json_get(item, "process"));
		uint16_t port = (uint16_t)json_get_int(item, "port", 0);
		if (!instance_adopt(r->instances[n], id, port)) {
			r->instances[n]->port = port;
			instance_clear(r->instances[n]);
		} else {
			secrets_from(r, id.pid);
		}
	}
	struct instance *before = instance_new(home, p, INSTANCE_BEFORE, fn, context);
	instance_clear(before); // it begins again with its deploy
	instance_free(before);
	*out = r;
	return true;
}

void release_status(const struct release *r, struct jsonw *w) {
	jsonw_object(w);
	jsonw_key_s(w, "id", r->plan.release);
	jsonw_key_z(w, "role", release_role_name(r->role));
	jsonw_key_b(w, "rolled_back", r->rolled_back);
	jsonw_key_b(w, "healthy", release_is_healthy(r));
	jsonw_key(w, "instances");
	jsonw_array(w);
	for (int n = 0; n < r->count; n++) {
		const struct instance *i = r->instances[n];
		jsonw_object(w);
		jsonw_key_i(w, "number", n);
		jsonw_key_z(w, "state", instance_state_name(i->state));
		jsonw_key_i(w, "port", i->port);
		jsonw_key_i(w, "pid", child_id(i->child).pid);
		jsonw_key_i(w, "restarts", i->restarts);
		jsonw_key_z(w, "why", i->state == INSTANCE_HEALTHY ? "" : i->why);
		jsonw_key_b(w, "cgroup", i->cgroup.n > 0);
		jsonw_key_s(w, "log", buf_view(&i->log_path));
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
	jsonw_object_end(w);
}
