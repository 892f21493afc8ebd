#include "git/repo.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "git/follow.h"
#include "git/playground.h"
#include "git/query.h"

static void makes_a_repository(void **state) {
	struct err e;
	AUTO_ARENA life = {0};
	struct str trunk;
	(void)state;
	assert_text(
		str_of(sh("cd $R; git config core.fsync; git config receive.procReceiveRefs; git "
	              "symbolic-ref HEAD; ls hooks; test -x hooks/proc-receive && echo x; ls ..")),
		"all\nrefs\nrefs/heads/main\nproc-receive\nreference-transaction\nx\np.git");
	assert_ok(git_repo_trunk(pg.repo, &life, &trunk, &e), e);
	assert_text(trunk, "main");
	assert_refused(git_repo_create(pg.home, git_repo_path(pg.repo), "main", &e), e, ERR_CONFLICT);
	assert_refused(git_repo_create(pg.home, "/tmp/nope", "a b", &e), e, ERR_INVALID);
	struct git_repo *r;
	assert_refused(git_repo_open(pg.home, "/tmp", &r, &e), e, ERR_NOT_FOUND);
}

static void opening_mends_hooks_and_configuration(void **state) {
	struct err e;
	struct git_repo *again;
	(void)state;
	sh("rm $R/hooks/proc-receive; echo x >$R/hooks/reference-transaction; git -C $R config "
	   "core.fsync none");
	assert_ok(git_repo_open(pg.home, git_repo_path(pg.repo), &again, &e), e);
	git_repo_close(again);
	assert_text(
		str_of(sh("cmp %s $R/hooks/proc-receive; cmp %s $R/hooks/reference-transaction; git -C "
	              "$R config core.fsync",
	              pg.hook, pg.hook)),
		"all");
}

static void branch_names(void **state) {
	static const char *const good[] = {"main", "a/b", "rel-1.2", "user@host", "v+1", "fix#3"};
	static const char *const bad[] = {
		"",    "/a",  "a/",  "a//b", ".a",  "a/.b", "-a",  "a..b", "a.lock", "a.",  "@",     "a@{b",
		"a b", "a;b", "a$b", "a\\b", "a~b", "a^b",  "a:b", "a?b",  "a*b",    "a[b", "a\x7f", "é"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!git_repo_branch_ok(str_of(good[i]))) fail_msg("%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (git_repo_branch_ok(str_of(bad[i]))) fail_msg("%s", bad[i]);
}

static void copies_another(void **state) {
	struct err e;
	AUTO_BUF path = {0}, from = {0};
	(void)state;
	sh("git init -q -b dev s; cd s; git commit -q --allow-empty -m a; git tag v1; git branch "
	   "other");
	buf_printf(&path, "%s/repos/c.git", pg.data);
	buf_printf(&from, "%s/s", pg.top);
	assert_ok(git_repo_import(pg.home, path.p, from.p, NULL, &e), e);
	assert_text(str_of(sh("cd $R/../c.git; git symbolic-ref HEAD; git for-each-ref "
	                      "--format='%%(refname)'; ls hooks; ls ..")),
	            "refs/heads/dev\nrefs/heads/dev\nrefs/heads/other\nrefs/tags/v1\nproc-receive\n"
	            "reference-transaction\nc.git\np.git");
	buf_reset(&path);
	buf_printf(&path, "%s/repos/d.git", pg.data);
	assert_false(git_repo_import(pg.home, path.p, "/nowhere/at/all", NULL, &e));
	assert_non_null(strstr(e.text, "/nowhere/at/all"));
	assert_false(git_repo_import(pg.home, path.p, "ext::sh -c 'touch /tmp/evil'", "main", &e));
	assert_refused(git_repo_import(pg.home, path.p, "--upload-pack=id", "main", &e), e,
	               ERR_INVALID);
	assert_text(str_of(sh("ls $R/.. | tr '\\n' ' '")), "c.git p.git");
}

static void upkeep_keeps_candidates(void **state) {
	struct err e;
	struct oid out;
	(void)state;
	make_work_tree();
	sh("cd w; for i in 1 2 3 4 5 6; do seq $i >a; git add a; git commit -q -m $i; git -C $R "
	   "update-ref "
	   "refs/changes/$i/1 $(git rev-parse HEAD); done; git checkout -q --orphan x; git commit -q "
	   "-m "
	   "candidate; git -C $R update-ref refs/candidates/1 $(git rev-parse HEAD)");
	struct oid kept = sh_oid("git -C w rev-parse HEAD");
	struct oid gone = sh_oid("echo junk | git -C w hash-object -w --stdin");
	struct oid young = sh_oid("echo young | git -C w hash-object -w --stdin");
	char hex[OID_HEX_MAX + 1];
	oid_hex(gone, hex);
	sh("cd $R/objects; touch -d '3 days ago' %.2s/%s; ! ls pack/*.pack 2>/dev/null", hex, hex + 2);
	for (int i = 0; i < 2; i++) assert_ok(git_repo_maintain(pg.repo, false, &e), e);
	sh("ls $R/objects/pack/*.pack $R/objects/info/commit-graphs/*.graph");
	sh("find $R/objects/pack -type f -exec touch -d '3 days ago' {} +");
	assert_ok(git_repo_maintain(pg.repo, true, &e), e);
	oid_hex(kept, hex);
	assert_ok(git_object_resolve(pg.repo, str_of(hex), &out, &e), e);
	assert_true(oid_eq(out, kept));
	(void)young;
	sh("git -C $R fsck --strict --connectivity-only 2>&1; git -C $R rev-parse refs/changes/6/1");
	struct stat st;
	assert_int_equal(stat(sh("echo $R/packed-refs"), &st), 0);
}

// ---------------------------------------------------------------- followed repositories

static void follows_and_lands_elsewhere(void **state) {
	struct err e;
	AUTO_ARENA life = {0};
	AUTO_BUF url = {0};
	struct git_ref *refs;
	size_t n;
	struct git_landing_result r;
	(void)state;
	sh("git init -q --bare -b main up.git; git init -q -b main w; cd w; echo 1 >a; git add a; git "
	   "commit -q -m one; git push -q ../up.git main main:weir/x main:feature");
	buf_printf(&url, "%s/up.git", pg.top);
	assert_ok(git_follow_fetch(pg.repo, url.p, &e), e);
	assert_ok(git_follow_branches(pg.repo, STR("weir/*"), &life, &refs, &n, &e), e);
	assert_int_equal(n, 1);
	assert_text(refs[0].name, "weir/x");
	struct oid tip = sh_oid("git -C w rev-parse main");
	struct oid head = sh_oid("cd w; echo 2 >a; git commit -q -a -m two; git push -q ../up.git "
	                         "HEAD:weir/x; git rev-parse HEAD");
	assert_ok(git_follow_fetch(pg.repo, url.p, &e), e);
	assert_ok(git_follow_land(pg.repo, url.p, "main", tip, head, &r, &e), e);
	assert_int_equal(r.state, GIT_LANDED);
	assert_true(oid_eq(sh_oid("git -C up.git rev-parse main"), head));
	assert_true(oid_eq(sh_oid("git -C $R rev-parse refs/follow/main"), head));
	// Lost the answer: asking again sees it.
	assert_ok(git_follow_recover(pg.repo, url.p, "main", tip, head, &r, &e), e);
	assert_int_equal(r.state, GIT_LANDED);
	// Somebody else was faster.
	struct oid theirs = sh_oid("cd w; echo 3 >b; git add b; git commit -q -m three; git push -q "
	                           "../up.git HEAD:main; git rev-parse HEAD");
	struct oid ours = sh_oid(
		"cd w; git reset -q --hard HEAD~1; echo 4 >c; git add c; git commit -q -m "
		"four; git push -q ../up.git HEAD:weir/y; git rev-parse HEAD");
	assert_ok(git_follow_fetch(pg.repo, url.p, &e), e);
	sh("git -C $R update-ref refs/follow/main %s", sh("git -C w rev-parse HEAD~1"));
	assert_ok(git_follow_land(pg.repo, url.p, "main", head, ours, &r, &e), e);
	assert_int_equal(r.state, GIT_ELSEWHERE);
	assert_true(oid_eq(r.tip, theirs));
	// A server that says no, and one that is away.
	sh("printf '#!/bin/sh\\nexit 1\\n' >up.git/hooks/pre-receive; chmod +x "
	   "up.git/hooks/pre-receive");
	struct oid next = sh_oid(
		"cd w; git reset -q --hard %s; echo 5 >d; git add d; git commit -q -m 5; "
		"git push -q $R/objects/../../none HEAD 2>/dev/null || true; git "
		"rev-parse HEAD",
		sh("git -C up.git rev-parse main"));
	sh("cd w; git pack-objects --all -q ../pk </dev/null >/dev/null; cp ../pk-* $R/objects/pack/");
	assert_refused(git_follow_land(pg.repo, url.p, "main", theirs, next, &r, &e), e, ERR_DENIED);
	sh("mv up.git away.git");
	assert_refused(git_follow_land(pg.repo, url.p, "main", theirs, next, &r, &e), e,
	               ERR_UNAVAILABLE);
	assert_refused(git_follow_fetch(pg.repo, url.p, &e), e, ERR_UNAVAILABLE);
	assert_refused(git_follow_fetch(pg.repo, "--upload-pack=id", &e), e, ERR_INVALID);
}

static void branch_that_vanishes_is_forgotten(void **state) {
	struct err e;
	AUTO_ARENA life = {0};
	AUTO_BUF url = {0};
	struct git_ref *refs;
	size_t n;
	(void)state;
	sh("git init -q --bare -b main up.git; git init -q -b main w; cd w; git commit -q "
	   "--allow-empty -m "
	   "one; git push -q ../up.git main main:weir/x");
	buf_printf(&url, "%s/up.git", pg.top);
	assert_ok(git_follow_fetch(pg.repo, url.p, &e), e);
	sh("cd w; git push -q ../up.git :weir/x");
	assert_ok(git_follow_fetch(pg.repo, url.p, &e), e);
	assert_ok(git_follow_branches(pg.repo, STR("**"), &life, &refs, &n, &e), e);
	assert_int_equal(n, 1);
	assert_text(refs[0].name, "main");
}

#define PLAY(name) cmocka_unit_test_setup_teardown(name, playground_open, playground_close)

int main(void) {
	const struct CMUnitTest tests[] = {
		PLAY(makes_a_repository),
		PLAY(opening_mends_hooks_and_configuration),
		cmocka_unit_test(branch_names),
		PLAY(copies_another),
		PLAY(upkeep_keeps_candidates),
		PLAY(follows_and_lands_elsewhere),
		PLAY(branch_that_vanishes_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
