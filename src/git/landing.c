#include "git/landing.h"
#include <assert.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "git/commit.h"
#include "git/plumb.h"
#include "git/repo.h"
#include "os/clock.h"
#include "os/failpoint.h"
#include "os/file.h"

enum { PACKED_REFS_LOCK_MS = 30000 };

static void hex_or_zeros(struct oid o, size_t digits, char out[OID_HEX_MAX + 1]) {
	memset(out, '0', digits);
	out[digits] = 0;
	if (!oid_is_none(o)) oid_hex(o, out);
}

// One transaction with one line; every part is acknowledged by a line of its own.
static bool transact(struct git_repo *r, const char *ref, struct str command, struct err *e) {
	bool branch = str_starts(str_of(ref), STR("refs/heads/"));
	static const char *const parts[] = {"start: ok", "prepare: ok", "commit: ok"};
	AUTO_PLUMB p = NULL;
	AUTO_BUF text = {0};
	struct str line;
	if (!git_plumb_take(r, branch ? GIT_PLUMB_BRANCHES : GIT_PLUMB_OWN_REFS, &p, e)) return false;
	buf_cstr(&text, "start\n");
	buf_str(&text, command);
	buf_cstr(&text, "\nprepare\ncommit\n");
	p->pending = ARRAY_LEN(parts);
	if (!git_plumb_send(p, buf_view(&text), e)) return false;
	for (; p->pending; p->pending--) {
		if (!git_plumb_until(p, '\n', &line, e)) return false;
		if (!str_eq(line, str_of(parts[ARRAY_LEN(parts) - p->pending])))
			return err_set(e, ERR_CORRUPT, "git update-ref answers \"" STR_FMT "\"", STR_ARG(line));
	}
	return true;
}

// Removes a lock file that has lain for at least `age_ms`.
static void unlock(struct git_repo *r, const char *name, int64_t age_ms) {
	AUTO_BUF path = {0};
	struct stat st;
	buf_printf(&path, "%s/%s.lock", r->path, name);
	if (age_ms && (stat(path.p, &st) || clock_wall_ms() - st.st_mtime * INT64_C(1000) < age_ms))
		return;
	unlink(path.p);
}

// Somebody killed the child in the middle: its lock files would stop every later move of this ref.
// Ours is the only process that writes it, and the child is dead by now (a broken one is ended when
// it is given back). A branch takes HEAD's lock too. The packed refs are also locked by pack-refs
// and fetch, which hold that lock for moments only.
static bool transact_again(struct git_repo *r, const char *ref, struct str command, struct err *e) {
	unlock(r, ref, 0);
	if (str_starts(str_of(ref), STR("refs/heads/"))) unlock(r, "HEAD", 0);
	unlock(r, "packed-refs", PACKED_REFS_LOCK_MS);
	return transact(r, ref, command, e);
}

// git fsyncs the ref's file, not its name: a power cut could undo the rename on some file systems.
static bool sync_ref(struct git_repo *r, const char *ref, struct err *e) {
	AUTO_BUF folder = {0};
	buf_printf(&folder, "%s/%s", r->path, ref);
	*strrchr(folder.p, '/') = 0;
	return !file_exists(folder.p) || file_sync_folder(folder.p, e);
}

static void landing_file(const struct git_repo *r, struct buf *path) {
	struct str repo = str_of(r->path);
	if (str_ends(repo, STR(".git"))) repo = str_slice(repo, 0, repo.n - 4);
	buf_str(path, repo);
	buf_cstr(path, ".landing");
}

static bool where(struct git_repo *r, const char *ref, struct oid tip, struct oid candidate,
                  struct git_landing_result *out, struct err *e) {
	struct git_landing_result now = {.state = GIT_ELSEWHERE};
	bool passed = false;
	if (!git_object_resolve(r, str_of(ref), &now.tip, e)) return false;
	if (oid_eq(now.tip, tip)) now.state = GIT_NOT_YET;
	else if (oid_eq(now.tip, candidate)) now.state = GIT_LANDED;
	else if (!oid_is_none(now.tip)) {
		if (!git_commit_is_ancestor(r, candidate, now.tip, &passed, e)) return false;
		if (passed) now.state = GIT_LANDED;
	}
	*out = now;
	return true;
}

static bool move(struct git_repo *r, const char *ref, struct oid tip, struct oid candidate,
                 struct git_landing_result *out, struct err *e) {
	AUTO_BUF path = {0}, intent = {0}, command = {0};
	char old[OID_HEX_MAX + 1], new[OID_HEX_MAX + 1];
	hex_or_zeros(tip, (size_t)candidate.n * 2, old);
	oid_hex(candidate, new);
	buf_printf(&intent, "%s %s %s\n", old, new, ref);
	buf_printf(&command, "update %s %s %s", ref, new, old);
	landing_file(r, &path);
	failpoint("landing-before-intent");
	// A power cut may take it: recovery knows the intent from the log and writes the file again.
	if (!file_replace(path.p, buf_view(&intent), 0644, e)) return false;
	failpoint("landing-before-cas");
	struct err why;
	bool moved = transact(r, ref, buf_view(&command), &why);
	failpoint("landing-after-cas");
	struct git_landing_result now = {0};
	bool known = moved || where(r, ref, tip, candidate, &now, e);
	if (known && !moved && now.state == GIT_NOT_YET) {
		moved = transact_again(r, ref, buf_view(&command), &why);
		known = moved || where(r, ref, tip, candidate, &now, e);
	}
	unlink(path.p);
	if (!known) return false;
	if (moved) now = (struct git_landing_result){GIT_LANDED, candidate};
	if (now.state == GIT_NOT_YET) {
		*e = why;
		if (str_contains(str_of(why.text), STR("aborted by hook"))) e->code = ERR_DENIED;
		return err_context(e, "cannot move %s", ref);
	}
	if (now.state == GIT_LANDED && !sync_ref(r, ref, e)) return false;
	failpoint("landing-told");
	*out = now;
	return true;
}

bool git_landing_land(struct git_repo *r, const char *ref, struct oid tip, struct oid candidate,
                      struct git_landing_result *out, struct err *e) {
	bool forward = oid_is_none(tip);
	if (!str_starts(str_of(ref), STR("refs/heads/")) ||
	    !git_repo_branch_ok(str_from(str_of(ref), strlen("refs/heads/"))))
		return err_set(e, ERR_INVALID, "\"%s\" is not a branch", ref);
	if (oid_is_none(candidate)) return err_set(e, ERR_INVALID, "no candidate to land");
	if (!forward && !git_commit_is_ancestor(r, tip, candidate, &forward, e)) return false;
	if (!forward) return err_set(e, ERR_CONFLICT, "the candidate does not stand on the tip");
	pthread_mutex_lock(&r->landing);
	bool ok = move(r, ref, tip, candidate, out, e);
	pthread_mutex_unlock(&r->landing);
	return ok;
}

bool git_landing_recover(struct git_repo *r, const char *ref, struct oid tip, struct oid candidate,
                         struct git_landing_result *out, struct err *e) {
	AUTO_BUF path = {0};
	pthread_mutex_lock(&r->landing);
	landing_file(r, &path);
	bool ok = where(r, ref, tip, candidate, out, e) &&
	          (out->state == GIT_NOT_YET || sync_ref(r, ref, e));
	if (ok) unlink(path.p);
	pthread_mutex_unlock(&r->landing);
	return ok;
}

static bool set(struct git_repo *r, const char *ref, struct oid new, struct err *e) {
	AUTO_BUF command = {0};
	char hex[OID_HEX_MAX + 1];
	struct oid now;
	struct err why;
	if (!git_object_resolve(r, str_of(ref), &now, e)) return false;
	if (oid_eq(now, new)) return true;
	oid_hex(new, hex);
	if (oid_is_none(new)) buf_printf(&command, "delete %s", ref);
	else buf_printf(&command, "update %s %s", ref, hex);
	if (!transact(r, ref, buf_view(&command), &why) &&
	    !transact_again(r, ref, buf_view(&command), e))
		return err_context(e, "cannot write %s", ref);
	return sync_ref(r, ref, e);
}

bool git_landing_set(struct git_repo *r, const char *ref, struct oid new, struct err *e) {
	assert(!str_starts(str_of(ref), STR("refs/heads/")));
	pthread_mutex_lock(&r->landing);
	bool ok = set(r, ref, new, e);
	pthread_mutex_unlock(&r->landing);
	return ok;
}

bool git_landing_write_change(struct git_repo *r, uint64_t change, uint64_t revision,
                              struct oid head, struct err *e) {
	AUTO_BUF ref = {0};
	struct oid now;
	buf_printf(&ref, "refs/changes/%llu/%llu", (unsigned long long)change,
	           (unsigned long long)revision);
	if (!git_object_resolve(r, buf_view(&ref), &now, e)) return false;
	if (!oid_is_none(now) && !oid_eq(now, head))
		return err_set(e, ERR_CONFLICT, "%s is another commit already", ref.p);
	return git_landing_set(r, ref.p, head, e);
}

bool git_landing_keep(struct git_repo *r, uint64_t change, struct oid commit, struct err *e) {
	char ref[60];
	snprintf(ref, sizeof ref, "refs/candidates/%llu", (unsigned long long)change);
	return git_landing_set(r, ref, commit, e);
}

bool git_landing_drop(struct git_repo *r, uint64_t change, struct err *e) {
	return git_landing_keep(r, change, (struct oid){0}, e);
}
