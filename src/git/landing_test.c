#include "git/landing.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "git/candidate.h"
#include "git/playground.h"
#include "git/query.h"

static struct oid commit(const char *name) {
	return sh_oid("cd w; echo %s >>%s; git add %s; git commit -q -m '%s'; git rev-parse HEAD", name,
	              name, name, name);
}

static struct git_landing_result land(struct oid trunk, struct oid next) {
	struct git_landing_result result = {0};
	struct err e;
	assert_ok(git_landing_land(pg.repo, "refs/heads/main", trunk, next, &result, &e), e);
	return result;
}

static void lands_and_creates(void **state) {
	struct oid none = {0};
	(void)state;
	make_work_tree();
	struct oid first = commit("a"), second = commit("b");
	assert_int_equal(land(none, first).state, GIT_LANDED);
	assert_int_equal(land(first, second).state, GIT_LANDED);
	assert_true(oid_eq(sh_oid("git -C $R rev-parse main"), second));
	assert_false(file_exists(sh("echo %s/repos/p.landing", pg.data)));
	// Again: already there.
	assert_int_equal(land(first, second).state, GIT_LANDED);
}

static void says_where_the_tip_went(void **state) {
	(void)state;
	make_work_tree();
	struct oid none = {0}, base = commit("a");
	assert_int_equal(land(none, base).state, GIT_LANDED);
	struct oid one = commit("one");
	sh("cd w; git reset -q --hard HEAD~1");
	struct oid two = commit("two");
	assert_int_equal(land(base, one).state, GIT_LANDED);
	struct git_landing_result r = land(base, two);
	assert_int_equal(r.state, GIT_ELSEWHERE);
	assert_true(oid_eq(r.tip, one));
	assert_int_equal(land(base, one).state, GIT_LANDED);
}

static void refuses_a_candidate_beside_the_tip(void **state) {
	struct git_landing_result result;
	struct err e;
	(void)state;
	make_work_tree();
	struct oid none = {0}, base = commit("a"), one = commit("one");
	sh("cd w; git reset -q --hard HEAD~1");
	struct oid two = commit("two");
	assert_int_equal(land(none, base).state, GIT_LANDED);
	assert_int_equal(land(base, one).state, GIT_LANDED);
	assert_refused(git_landing_land(pg.repo, "refs/heads/main", one, two, &result, &e), e,
	               ERR_CONFLICT);
	assert_refused(git_landing_land(pg.repo, "refs/heads/x;y", one, two, &result, &e), e,
	               ERR_INVALID);
}

// The tripwire: nobody but a landing moves a branch, with or without the old value, nor deletes it.
static void tripwire_refuses_others(void **state) {
	(void)state;
	make_work_tree();
	struct oid none = {0}, base = commit("a");
	assert_int_equal(land(none, base).state, GIT_LANDED);
	commit("b");
	assert_text(str_of(sh("N=$(git -C w rev-parse HEAD); cd $R; for how in \"$N\" \"$N main\" ; do "
	                      "git update-ref refs/heads/main $how 2>/dev/null && echo moved; done; "
	                      "git update-ref -d refs/heads/main 2>/dev/null && echo gone; "
	                      "git branch other $N 2>/dev/null && echo made; "
	                      "git update-ref refs/heads/main $N 2>&1 | grep -c 'refs/for/main'; "
	                      "git rev-parse main")),
	            sh("echo 1; git -C w rev-parse HEAD~1"));
}

static void keeps_and_drops_refs(void **state) {
	struct err e;
	(void)state;
	make_work_tree();
	struct oid a = commit("a"), b = commit("b");
	assert_ok(git_landing_write_change(pg.repo, 12, 1, a, &e), e);
	assert_ok(git_landing_write_change(pg.repo, 12, 1, a, &e), e);
	assert_refused(git_landing_write_change(pg.repo, 12, 1, b, &e), e, ERR_CONFLICT);
	assert_ok(git_landing_keep(pg.repo, 12, a, &e), e);
	assert_ok(git_landing_keep(pg.repo, 12, b, &e), e);
	assert_text(str_of(sh("git -C $R for-each-ref --format='%%(refname)'")),
	            "refs/candidates/12\nrefs/changes/12/1");
	assert_ok(git_landing_drop(pg.repo, 12, &e), e);
	assert_ok(git_landing_drop(pg.repo, 12, &e), e);
	assert_text(str_of(sh("git -C $R for-each-ref --format='%%(refname)'")), "refs/changes/12/1");
	// Also when they are packed.
	assert_ok(git_landing_keep(pg.repo, 13, b, &e), e);
	sh("git -C $R pack-refs --all");
	assert_ok(git_landing_drop(pg.repo, 13, &e), e);
	assert_text(str_of(sh("git -C $R for-each-ref --format='%%(refname)'")), "refs/changes/12/1");
}

static void stale_lock_of_a_killed_child_is_no_end(void **state) {
	struct err e;
	(void)state;
	make_work_tree();
	struct oid none = {0}, a = commit("a"), b = commit("b");
	assert_int_equal(land(none, a).state, GIT_LANDED);
	sh("touch $R/refs/heads/main.lock $R/HEAD.lock $R/refs/x.lock $R/packed-refs.lock");
	assert_int_equal(land(a, b).state, GIT_LANDED);
	assert_false(file_exists(sh("echo $R/HEAD.lock")));
	// A young lock of the packed refs may be a living child's, an old one is nobody's.
	assert_ok(git_landing_keep(pg.repo, 1, a, &e), e);
	assert_refused(git_landing_drop(pg.repo, 1, &e), e, ERR_UNAVAILABLE);
	sh("touch -d '1 minute ago' $R/packed-refs.lock");
	assert_ok(git_landing_drop(pg.repo, 1, &e), e);
	sh("touch $R/packed-refs.lock");
	size_t killed = 9, removed = 0;
	git_repo_rest(pg.repo);
	assert_ok(git_home_recover(pg.home, &killed, &removed, &e), e);
	assert_int_equal(killed, 0);
	assert_int_equal(removed, 2);
}

// What the hook says no to is no, and not a trouble that may pass.
static void a_hook_that_refuses_is_a_refusal(void **state) {
	struct git_landing_result result;
	struct err e;
	(void)state;
	make_work_tree();
	struct oid none = {0}, a = commit("a"), b = commit("b");
	assert_int_equal(land(none, a).state, GIT_LANDED);
	sh("cd $R/hooks; rm reference-transaction; printf '#!/bin/sh\\nexit 1\\n' "
	   ">reference-transaction; "
	   "chmod +x reference-transaction");
	assert_refused(git_landing_land(pg.repo, "refs/heads/main", a, b, &result, &e), e, ERR_DENIED);
	assert_true(oid_eq(sh_oid("git -C $R rev-parse main"), a));
}

// A process that lands like a daemon that was just started. Killed after `kill_us`, or left alone
// when negative.
static int64_t land_in_a_process(struct oid tip, struct oid next, int64_t kill_us) {
	int64_t begin = clock_mono_us();
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		struct git_landing_result r;
		struct err e;
		_exit(git_landing_land(pg.repo, "refs/heads/main", tip, next, &r, &e) ? 0 : 1);
	}
	if (kill_us >= 0) {
		usleep((useconds_t)kill_us);
		kill(pid, SIGKILL);
	}
	waitpid(pid, NULL, 0);
	return clock_mono_us() - begin;
}

// A daemon that is killed at a random moment of a landing, with its children where they are; then
// recovery. The child process is the daemon; git's own processes die with it or are found by the
// lock.
static void survives_kill_in_the_middle(void **state) {
	enum { ROUNDS = 60 };
	struct err e;
	size_t states[3] = {0}, locks = 0;
	(void)state;
	make_work_tree();
	struct oid none = {0}, tip = commit("a");
	assert_int_equal(land(none, tip).state, GIT_LANDED);
	git_repo_rest(pg.repo);
	int64_t alone_us = 0;
	for (int i = 0; i < 3; i++) { // how long it takes on this machine now
		struct oid next = commit("a");
		alone_us += land_in_a_process(tip, next, -1) / 3;
		tip = next;
	}
	for (int i = 0; i < ROUNDS; i++) {
		struct oid next = commit("a");
		land_in_a_process(tip, next, alone_us * 3 * i / (INT64_C(2) * ROUNDS));
		size_t removed = 0;
		struct git_landing_result r;
		assert_ok(git_home_recover(pg.home, NULL, &removed, &e), e);
		assert_ok(git_landing_recover(pg.repo, "refs/heads/main", tip, next, &r, &e), e);
		states[r.state]++;
		locks += removed;
		assert_int_not_equal(r.state, GIT_ELSEWHERE);
		if (r.state == GIT_NOT_YET) assert_int_equal(land(tip, next).state, GIT_LANDED);
		assert_true(oid_eq(sh_oid("git -C $R rev-parse main"), next));
		git_repo_rest(pg.repo); // children of the next round belong to its daemon
		tip = next;
	}
	print_message("# %d kills: %zu had landed, %zu had not, %zu locks were left\n", ROUNDS,
	              states[GIT_LANDED], states[GIT_NOT_YET], locks);
	assert_true(states[GIT_LANDED] > 0 && states[GIT_NOT_YET] > 0);
	sh("git -C $R fsck --strict 2>&1");
}

static void *land_from_a_thread(void *given) {
	const struct oid *pair = given;
	struct git_landing_result r = {0};
	struct err e;
	if (!git_landing_land(pg.repo, "refs/heads/main", pair[0], pair[1], &r, &e)) return NULL;
	return r.state == GIT_LANDED ? given : NULL;
}

static void one_of_many_wins(void **state) {
	enum { THREADS = 6 };
	pthread_t threads[THREADS];
	struct oid pairs[THREADS][2];
	int won = 0;
	(void)state;
	make_work_tree();
	struct oid none = {0}, base = commit("a");
	assert_int_equal(land(none, base).state, GIT_LANDED);
	for (int i = 0; i < THREADS; i++) {
		char name[16];
		snprintf(name, sizeof name, "f%d", i);
		pairs[i][0] = base;
		pairs[i][1] = commit(name);
		sh("cd w; git reset -q --hard HEAD~1");
	}
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, land_from_a_thread, pairs[i]);
	for (int i = 0; i < THREADS; i++) {
		void *landed;
		pthread_join(threads[i], &landed);
		won += landed != NULL;
	}
	assert_int_equal(won, 1);
}

static void measure(void **state) {
	enum { ROUNDS = 50 };
	struct err e;
	AUTO_ARENA life = {0};
	struct oid none = {0};
	(void)state;
	sh("git clone -q --bare . x 2>/dev/null || true");
	make_work_tree();
	struct oid tip = commit("a");
	assert_int_equal(land(none, tip).state, GIT_LANDED);
	int64_t build_us = 0, land_us = 0, keep_us = 0;
	struct git_candidate_meta meta = {
		.author = {STR("Ann"), STR("ann@example.org"), 1700000000, 60}, .title = STR("t")};
	struct oid base = tip;
	for (int i = 0; i < ROUNDS; i++) {
		char name[16];
		struct git_candidate c;
		snprintf(name, sizeof name, "n%d", i);
		sh("cd w; git reset -q --hard $(git -C $R rev-parse main~%d)", i);
		struct oid head = commit(name);
		meta.change = (uint64_t)i;
		meta.time_ms = 1700000000000 + i;
		int64_t t0 = clock_mono_us();
		assert_ok(git_candidate_build(pg.repo, tip, head, &meta, &life, &c, &e), e);
		int64_t t1 = clock_mono_us();
		assert_ok(git_landing_keep(pg.repo, meta.change, c.commit, &e), e);
		int64_t t2 = clock_mono_us();
		tip = (assert_int_equal(c.kind, GIT_CANDIDATE_READY), land(tip, c.commit).tip);
		build_us += t1 - t0;
		keep_us += t2 - t1;
		land_us += clock_mono_us() - t2;
	}
	assert_false(oid_eq(base, tip));
	print_message("# candidate %.2f ms, keep %.2f ms, land %.2f ms (mean of %d)\n",
	              (double)build_us / ROUNDS / 1e3, (double)keep_us / ROUNDS / 1e3,
	              (double)land_us / ROUNDS / 1e3, ROUNDS);
}

#define PLAY(name) cmocka_unit_test_setup_teardown(name, playground_open, playground_close)

int main(void) {
	const struct CMUnitTest tests[] = {
		PLAY(lands_and_creates),
		PLAY(says_where_the_tip_went),
		PLAY(refuses_a_candidate_beside_the_tip),
		PLAY(tripwire_refuses_others),
		PLAY(keeps_and_drops_refs),
		PLAY(stale_lock_of_a_killed_child_is_no_end),
		PLAY(a_hook_that_refuses_is_a_refusal),
		PLAY(survives_kill_in_the_middle),
		PLAY(one_of_many_wins),
		PLAY(measure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
