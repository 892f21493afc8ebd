#include "git/follow.h"

#include "base/glob.h"
#include "git/child.h"
#include "git/commit.h"
#include "git/object.h"
#include "git/repo.h"

enum { NETWORK_TIMEOUT_MS = 600000 };

#define FOLLOW "refs/follow/"

static bool url_ok(const char *url, struct err *e) {
	if (url[0] && url[0] != '-' && !strchr(url, '\n')) return true;
	return err_set(e, ERR_INVALID, "\"%s\" is not the URL of a repository", url);
}

static bool run(struct git_repo *r, const char *const *argv, struct process_output *out,
                struct err *e) {
	AUTO_ARENA scratch = {0};
	struct git_child_env env;
	git_child_env(&env, &scratch, r, true);
	git_child_env_add(&env, "GIT_ALLOW_PROTOCOL=https:http:ssh:git:file");
	return git_child_run(r->home, r, &env, argv, STR_NONE, 16 << 20, NETWORK_TIMEOUT_MS, out, e);
}

static bool succeeded(const struct process_output *out) {
	return out->status.end == PROCESS_EXITED && out->status.code == 0;
}

bool git_follow_fetch(struct git_repo *r, const char *url, struct err *e) {
	AUTO_OUTPUT out = {0};
	static const char refspec[] = "+refs/heads/*:" FOLLOW "*";
	const char *const argv[] = {"git",          "fetch",
	                            "--quiet",      "--prune",
	                            "--no-tags",    "--no-write-fetch-head",
	                            "--no-auto-gc", "--no-recurse-submodules",
	                            "--",           url,
	                            refspec,        NULL};
	if (!url_ok(url, e) || !run(r, argv, &out, e)) return false;
	if (succeeded(&out)) return true;
	git_child_failed(argv, &out, e);
	e->code = ERR_UNAVAILABLE;
	return false;
}

bool git_follow_branches(struct git_repo *r, struct str pattern, struct arena *life,
                         struct git_ref **branches, size_t *count, struct err *e) {
	size_t all, n = 0;
	struct git_ref *refs;
	if (!git_query_refs(r, FOLLOW, life, &refs, &all, e)) return false;
	for (size_t i = 0; i < all; i++) {
		struct str name = str_from(refs[i].name, strlen(FOLLOW));
		if (glob_match(pattern, name)) refs[n++] = (struct git_ref){name, refs[i].oid};
	}
	*branches = refs;
	*count = n;
	return true;
}

static bool where(struct git_repo *r, const char *trunk, struct oid tip, struct oid candidate,
                  struct git_landing_result *out, struct err *e) {
	AUTO_BUF ref = {0};
	struct git_landing_result now = {.state = GIT_ELSEWHERE};
	bool passed = false;
	buf_printf(&ref, FOLLOW "%s", trunk);
	if (!git_object_resolve(r, buf_view(&ref), &now.tip, e)) return false;
	if (oid_eq(now.tip, tip)) now.state = GIT_NOT_YET;
	else if (!oid_is_none(now.tip)) {
		if (!git_commit_is_ancestor(r, candidate, now.tip, &passed, e)) return false;
		if (passed) now.state = GIT_LANDED;
	}
	*out = now;
	return true;
}

bool git_follow_recover(struct git_repo *r, const char *url, const char *trunk, struct oid tip,
                        struct oid candidate, struct git_landing_result *out, struct err *e) {
	return git_follow_fetch(r, url, e) && where(r, trunk, tip, candidate, out, e);
}

// What the other side said about it, which is more than git's own last line.
static struct str remote_words(struct str text, struct arena *life) {
	AUTO_BUF words = {0};
	while (text.n && words.n < 500) {
		struct str line = str_trim(str_cut(&text, '\n'));
		if (!str_starts(line, STR("remote: "))) continue;
		buf_cstr(&words, words.n ? "; " : ": ");
		buf_str(&words, str_trim(str_from(line, strlen("remote: "))));
	}
	return arena_str(life, buf_view(&words));
}

bool git_follow_land(struct git_repo *r, const char *url, const char *trunk, struct oid tip,
                     struct oid candidate, struct git_landing_result *out, struct err *e) {
	AUTO_ARENA scratch = {0};
	AUTO_OUTPUT output = {0};
	char t[OID_HEX_MAX + 1], c[OID_HEX_MAX + 1];
	bool forward = false;
	if (!url_ok(url, e)) return false;
	if (!git_repo_branch_ok(str_of(trunk)) || oid_is_none(tip) || oid_is_none(candidate))
		return err_set(e, ERR_INVALID, "nothing to land on %s", trunk);
	if (!git_commit_is_ancestor(r, tip, candidate, &forward, e)) return false;
	if (!forward) return err_set(e, ERR_CONFLICT, "the candidate does not stand on the tip");
	oid_hex(tip, t);
	oid_hex(candidate, c);
	const char *lease = arena_printf(&scratch, "--force-with-lease=refs/heads/%s:%s", trunk, t).p;
	const char *move = arena_printf(&scratch, "%s:refs/heads/%s", c, trunk).p;
	const char *const argv[] = {"git", "push", "--porcelain", "--no-verify", lease,
	                            "--",  url,    move,          NULL};
	if (!run(r, argv, &output, e)) return false;
	struct git_landing_result now;
	if (succeeded(&output)) {
		const char *ref = arena_printf(&scratch, FOLLOW "%s", trunk).p;
		if (!git_landing_set(r, ref, candidate, e)) return false;
		*out = (struct git_landing_result){GIT_LANDED, candidate};
		return true;
	}
	struct err why, unreachable;
	git_child_failed(argv, &output, &why);
	if (!git_follow_recover(r, url, trunk, tip, candidate, &now, &unreachable)) {
		*e = unreachable;
		return err_context(e, "it is unknown whether %s moved", trunk);
	}
	if (now.state == GIT_NOT_YET) {
		*e = why;
		e->code = str_contains(buf_view(&output.out), STR("\n!")) ||
		                  str_contains(buf_view(&output.out), STR("[remote rejected]"))
		              ? ERR_DENIED
		              : ERR_UNAVAILABLE;
		return err_context(e, "%s does not take the candidate" STR_FMT, trunk,
		                   STR_ARG(remote_words(buf_view(&output.err), &scratch)));
	}
	*out = now;
	return true;
}
