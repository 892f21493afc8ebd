#include "deploy/spec.h"

#include "base/buf.h"

enum {
	NAME_MAX_BYTES = 64,
	MINUTE_MS = 60 * 1000,
	BEFORE_MS = 10 * MINUTE_MS,
	DAY_MS = 24 * 60 * MINUTE_MS
};

static bool number(const struct json *v, const char *key, int64_t otherwise, int64_t least,
                   int64_t most, int64_t *out, struct err *e) {
	const struct json *item = json_get(v, key);
	int64_t n = item ? json_int(item, least - 1) : otherwise;
	if (n < least || n > most)
		return err_set(e, ERR_INVALID, "%s must be a number from %lld to %lld", key,
		               (long long)least, (long long)most);
	*out = n;
	return true;
}

// Text for a configuration file or an environment: what could end a line or a string is refused.
static bool text(const struct json *v, const char *key, bool needed, struct arena *life,
                 struct str *out, struct err *e) {
	const struct json *item = json_get(v, key);
	struct str s = json_str(item);
	if (item && json_kind(item) != JSON_KIND_STRING && json_kind(item) != JSON_KIND_NULL)
		return err_set(e, ERR_INVALID, "%s must be text", key);
	if (needed && !s.n) return err_set(e, ERR_INVALID, "%s is missing", key);
	if (s.n && memchr(s.p, 0, s.n)) return err_set(e, ERR_INVALID, "%s holds a NUL byte", key);
	*out = arena_str(life, s);
	return true;
}

static bool is_env_name(struct str s) {
	if (!s.n || (s.p[0] >= '0' && s.p[0] <= '9')) return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && !(c >= '0' && c <= '9')) return false;
	}
	return true;
}

static bool read_env(const struct json *v, struct arena *life, struct spec_service *out,
                     struct err *e) {
	const struct json *env = json_get(v, "env");
	struct str key;
	struct json *value;
	out->env = ARENA_ARRAY(life, struct spec_pair, json_length(env) + 1);
	for (void *it = NULL; json_next(env, &it, &key, &value);) {
		if (!is_env_name(key) || json_kind(value) != JSON_KIND_STRING)
			return err_set(e, ERR_INVALID, "service.env: \"" STR_FMT "\" is no NAME with text",
			               STR_ARG(key));
		struct str s = json_str(value);
		if (s.n && memchr(s.p, 0, s.n))
			return err_set(e, ERR_INVALID, "service.env: " STR_FMT " holds a NUL byte",
			               STR_ARG(key));
		out->env[out->env_count++] = (struct spec_pair){arena_str(life, key), arena_str(life, s)};
	}
	return true;
}

static bool read_secrets(const struct json *v, struct arena *life, struct spec_service *out,
                         struct err *e) {
	const struct json *names = json_get(v, "secrets");
	out->secrets = ARENA_ARRAY(life, struct str, json_length(names) + 1);
	for (size_t i = 0; i < json_length(names); i++) {
		struct str name = json_str(json_at(names, i));
		if (!is_env_name(name))
			return err_set(e, ERR_INVALID, "service.secrets: item %zu is no name", i + 1);
		out->secrets[out->secret_count++] = arena_str(life, name);
	}
	return true;
}

bool spec_read_service(const struct json *v, struct arena *life, struct spec_service *out,
                       struct err *e) {
	struct spec_service s = {0};
	int64_t instances = 0;
	if (!text(v, "run", true, life, &s.run, e) || !text(v, "before", false, life, &s.before, e) ||
	    !text(v, "health", false, life, &s.health, e) ||
	    !number(v, "instances", 1, 1, SPEC_INSTANCES_MAX, &instances, e) ||
	    !number(v, "grace_ms", 10000, 0, DAY_MS, &s.grace_ms, e) ||
	    !number(v, "start_timeout_ms", MINUTE_MS, 100, DAY_MS, &s.start_timeout_ms, e) ||
	    !number(v, "before_timeout_ms", BEFORE_MS, 100, DAY_MS, &s.before_timeout_ms, e) ||
	    !number(v, "probe_timeout_ms", 1000, 10, MINUTE_MS, &s.probe_timeout_ms, e) ||
	    !read_env(v, life, &s, e) || !read_secrets(v, life, &s, e))
		return err_context(e, "service");
	for (size_t i = 0; i < s.health.n; i++)
		if (s.health.p[0] != '/' || s.health.p[i] <= ' ' || s.health.p[i] == 0x7f)
			return err_set(e, ERR_INVALID, "service.health must be a path: /healthz");
	s.instances = (int)instances;
	AUTO_BUF json = {0};
	json_print(&json, v);
	s.json = arena_str(life, buf_view(&json));
	*out = s;
	return true;
}

static bool read_listen(struct str listen, struct arena *life, struct spec *out, struct err *e) {
	size_t colon = listen.n;
	while (colon > 0 && listen.p[colon - 1] != ':') colon--;
	int64_t port = 0;
	if (!colon || !str_to_i64(str_from(listen, colon), &port) || port < 1 || port > 65535)
		return err_set(e, ERR_INVALID, "listen must be ADDRESS:PORT, not \"" STR_FMT "\"",
		               STR_ARG(listen));
	struct str host = str_slice(listen, 0, colon - 1);
	if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
		host = str_slice(host, 1, host.n - 1);
	if (str_eq(host, STR("*"))) host = STR_NONE;
	if (str_eq(host, STR("localhost"))) host = STR("127.0.0.1");
	out->host = arena_str(life, host);
	out->port = (uint16_t)port;
	return true;
}

static bool plain_path(struct str s) {
	for (size_t i = 0; i < s.n; i++)
		if (s.p[0] != '/' || s.p[i] <= ' ' || strchr("\"'\\#$", s.p[i])) return false;
	return true;
}

bool spec_read(const struct json *v, struct arena *life, struct spec *out, struct err *e) {
	struct spec s = {0};
	struct str listen = STR_NONE;
	const struct json *tls = json_get(v, "tls");
	int64_t failures = 0;
	if (!text(v, "environment", true, life, &s.environment, e) ||
	    !text(v, "listen", true, life, &listen, e) || !read_listen(listen, life, &s, e) ||
	    !text(tls, "cert", false, life, &s.tls_cert, e) ||
	    !text(tls, "key", false, life, &s.tls_key, e) ||
	    !number(v, "hold_ms", 10000, 0, DAY_MS, &s.hold_ms, e) ||
	    !number(v, "health_failures", 2, 1, 1000, &failures, e) ||
	    !spec_read_service(json_get(v, "service"), life, &s.service, e))
		return err_context(e, "spec.json");
	if (!spec_is_release_name(s.environment))
		return err_set(e, ERR_INVALID, "spec.json: environment is no plain name");
	if (!s.tls_cert.n != !s.tls_key.n || !plain_path(s.tls_cert) || !plain_path(s.tls_key))
		return err_set(e, ERR_INVALID, "spec.json: tls needs plain paths: cert and key");
	s.health_failures = (int)failures;
	*out = s;
	return true;
}

bool spec_is_release_name(struct str name) {
	if (!name.n || name.n > NAME_MAX_BYTES || name.p[0] == '.') return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!letter && c != '.' && c != '_' && c != '-') return false;
	}
	return true;
}
