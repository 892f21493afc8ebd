#include "git/child.h"

#include <stdlib.h>

void git_child_env_add(struct git_child_env *env, const char *name_value) {
	if (env->count + 1 >= ARRAY_LEN(env->list)) abort();
	env->list[env->count++] = name_value;
	env->list[env->count] = NULL;
}

static void keep(struct git_child_env *env, struct arena *life, const char *name) {
	const char *value = getenv(name);
	if (value) git_child_env_add(env, arena_printf(life, "%s=%s", name, value).p);
}

void git_child_env(struct git_child_env *env, struct arena *life, const struct git_repo *r,
                   bool person) {
	static const char *const kept[] = {
		"HOME",      "XDG_CONFIG_HOME", "SSH_AUTH_SOCK", "http_proxy", "https_proxy",
		"no_proxy",  "HTTP_PROXY",      "HTTPS_PROXY",   "NO_PROXY",   "ALL_PROXY",
		"all_proxy", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO"};
	env->count = 0;
	git_child_env_add(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	git_child_env_add(env, "LC_ALL=C");
	git_child_env_add(env, "GIT_TERMINAL_PROMPT=0");
	git_child_env_add(env, "GIT_ADVICE=0");
	if (person) {
		for (size_t i = 0; i < ARRAY_LEN(kept); i++) keep(env, life, kept[i]);
		if (!getenv("GIT_SSH_COMMAND"))
			git_child_env_add(env, "GIT_SSH_COMMAND=ssh -o BatchMode=yes -o ConnectTimeout=20");
	} else {
		git_child_env_add(env, "GIT_CONFIG_NOSYSTEM=1");
		git_child_env_add(env, "GIT_CONFIG_GLOBAL=/dev/null");
		git_child_env_add(env, "HOME=/nonexistent");
		git_child_env_add(env, "GIT_ATTR_NOSYSTEM=1");
		git_child_env_add(env, "GIT_NO_REPLACE_OBJECTS=1");
	}
	if (!r) return;
	git_child_env_add(env, arena_printf(life, "GIT_DIR=%s", r->path).p);
	if (!r->objects) return;
	git_child_env_add(env, arena_printf(life, "GIT_OBJECT_DIRECTORY=%s", r->objects).p);
	git_child_env_add(
		env, arena_printf(life, "GIT_ALTERNATE_OBJECT_DIRECTORIES=%s", r->parent_objects).p);
}

bool git_child_run(const struct git_home *h, const struct git_repo *r,
                   const struct git_child_env *env, const char *const *argv, struct str input,
                   size_t most, int64_t timeout_ms, struct process_output *out, struct err *e) {
	AUTO_ARENA scratch = {0};
	struct git_child_env own;
	if (!env) {
		git_child_env(&own, &scratch, r, false);
		env = &own;
	}
	struct process_spec spec = {
		PROCESS_SPEC_NONE,          .argv = argv,        .env = env->list,        .pass = &h->lock,
		.pass_count = h->lock >= 0, .new_session = true, .die_with_parent = true,
	};
	return process_run(&spec, input, most, timeout_ms, out, e);
}

// git's last "fatal:" or "error:" line, else its last line, without the prefix.
static struct str last_words(struct str text) {
	struct str best = STR_NONE, last = STR_NONE;
	while (text.p) {
		struct str line = str_trim(str_cut(&text, '\n'));
		if (line.n == 0 || str_starts(line, STR("hint: "))) continue;
		last = line;
		if (str_starts(line, STR("fatal: ")) || str_starts(line, STR("error: ")))
			best = str_from(line, 7);
	}
	return best.n ? best : last;
}

bool git_child_failed(const char *const *argv, const struct process_output *out, struct err *e) {
	size_t at = 1;
	while (argv[at] && argv[at + 1] && strcmp(argv[at], "-c") == 0) at += 2;
	const char *verb = argv[at] ? argv[at] : "";
	struct str words = last_words(buf_view(&out->err));
	switch (out->status.end) {
	case PROCESS_TIMED_OUT: return err_set(e, ERR_TIMEOUT, "git %s took too long", verb);
	case PROCESS_SIGNALLED:
		return err_set(e, ERR_UNAVAILABLE, "git %s was killed by signal %d", verb,
		               out->status.code);
	case PROCESS_EXITED: break;
	}
	if (words.n == 0) return err_set(e, ERR_IO, "git %s exited with %d", verb, out->status.code);
	return err_set(e, ERR_IO, "git %s: " STR_FMT, verb, STR_ARG(words));
}

bool git_child_ask(struct git_repo *r, const char *const *argv, struct str input, size_t most,
                   struct process_output *out, struct err *e) {
	if (!git_child_run(r->home, r, NULL, argv, input, most, GIT_CHILD_TIMEOUT_MS, out, e))
		return false;
	if (out->status.end == PROCESS_EXITED && out->status.code == 0) return true;
	return git_child_failed(argv, out, e);
}
