#include "app/envspec.h"

#include "app/secrets.h"
#include "base/jsonw.h"

struct str envspec_release(struct release_id id, struct oid commit, struct arena *life) {
	char hex[OID_HEX_MAX + 1];
	oid_hex(commit, hex);
	return arena_printf(life, "%llu-%.12s", (unsigned long long)id.v, hex);
}

struct str envspec_folder(const struct daemon *d, struct str repo, struct str env,
                          struct arena *life) {
	return daemon_path(d, life, "envs/" STR_FMT "." STR_FMT, STR_ARG(repo), STR_ARG(env));
}

const struct conf_environment *envspec_of(struct str text, struct str name, struct arena *life,
                                          struct err *e) {
	AUTO_JSON v = NULL;
	struct conf_plan *plan;
	if (!json_parse(text, &v, e) || !plan_from_json(v, life, &plan, e)) return NULL;
	const struct conf_environment *env = plan_find_environment(plan, name);
	if (!env)
		err_set(e, ERR_NOT_FOUND, "trunk's weir.yml has no environment " STR_FMT, STR_ARG(name));
	return env;
}

void envspec_json(struct str name, const struct conf_environment *env, struct buf *out) {
	const struct conf_service *s = &env->service;
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	jsonw_key_s(&w, "environment", name);
	jsonw_key_s(&w, "listen", env->listen.text);
	if (env->tls.certificate.n) {
		jsonw_key(&w, "tls");
		jsonw_object(&w);
		jsonw_key_s(&w, "cert", env->tls.certificate);
		jsonw_key_s(&w, "key", env->tls.key);
		jsonw_object_end(&w);
	}
	jsonw_key(&w, "service");
	jsonw_object(&w);
	jsonw_key_s(&w, "run", s->run);
	jsonw_key_s(&w, "before", s->before);
	jsonw_key_s(&w, "health", s->health);
	jsonw_key_i(&w, "instances", s->instances ? s->instances : 1);
	jsonw_key_i(&w, "grace_ms", s->grace_ms);
	jsonw_key(&w, "env");
	jsonw_object(&w);
	for (size_t i = 0; i < s->env.n; i++) {
		jsonw_key_str(&w, s->env.p[i].name);
		jsonw_str(&w, s->env.p[i].value);
	}
	jsonw_object_end(&w);
	jsonw_key(&w, "secrets");
	jsonw_array(&w);
	for (size_t i = 0; i < s->secrets.n; i++) jsonw_str(&w, s->secrets.p[i]);
	jsonw_array_end(&w);
	jsonw_object_end(&w);
	jsonw_object_end(&w);
}

bool envspec_secrets(const struct daemon *d, struct str repo, const struct conf_environment *env,
                     struct arena *life, struct jsonw *w, struct err *e) {
	jsonw_key(w, "secrets");
	jsonw_object(w);
	for (size_t i = 0; i < env->service.secrets.n; i++) {
		struct str value;
		struct str name = env->service.secrets.p[i];
		if (!secrets_get(d->data, repo, name, life, &value, e)) return false;
		jsonw_key_str(w, name);
		jsonw_str(w, value);
	}
	jsonw_object_end(w);
	return true;
}
