#include "git/candidate.h"

#include <pthread.h>

#include "git/landing.h"
#include "git/playground.h"
#include "git/query.h"

static struct git_candidate_meta meta_of(const char *title) {
	return (struct git_candidate_meta){
		.author = {STR("Ann Other"), STR("ann@example.org"), 1700000000, 90},
		.title = str_of(title),
		.change = 12,
		.time_ms = 1795375415123,
	};
}

static struct git_candidate build(struct arena *life, struct oid tip, struct oid head) {
	struct git_candidate_meta meta = meta_of("Add one");
	struct git_candidate c = {0};
	struct err e;
	assert_ok(git_candidate_build(pg.repo, tip, head, &meta, life, &c, &e), e);
	return c;
}

static struct oid commit(const char *script) {
	return sh_oid(
		"cd w; %s; git add -A; git commit -q --allow-empty -m 'message'; git rev-parse HEAD",
		script);
}

static void head_on_the_tip_is_the_candidate(void **state) {
	AUTO_ARENA life = {0};
	(void)state;
	make_work_tree();
	struct oid none = {0}, base = commit("echo 1 >a"), head = commit("echo 2 >a; echo 1 >b");
	struct git_candidate c = build(&life, base, head);
	assert_int_equal(c.kind, GIT_CANDIDATE_READY);
	assert_true(c.is_head && oid_eq(c.commit, head));
	assert_int_equal(c.files_changed, 2);
	assert_true(oid_eq(c.tree, sh_oid("git -C w rev-parse HEAD^{tree}")));
	// Into an empty repository.
	c = build(&life, none, base);
	assert_true(c.kind == GIT_CANDIDATE_READY && oid_eq(c.commit, base));
	assert_int_equal(c.files_changed, 1);
}

// Not on a straight line above the tip: the head merges two branches that both begin there.
static void a_merge_on_the_tip_is_the_candidate(void **state) {
	AUTO_ARENA life = {0};
	(void)state;
	make_work_tree();
	struct oid tip = commit("echo 1 >a");
	commit("echo 1 >b");
	sh("cd w; git branch -f left; git reset -q --hard HEAD~1");
	commit("echo 1 >c");
	struct oid head = sh_oid("cd w; git merge -q --no-edit left; git rev-parse HEAD");
	struct git_candidate c = build(&life, tip, head);
	assert_int_equal(c.kind, GIT_CANDIDATE_READY);
	assert_true(c.is_head && oid_eq(c.commit, head));
	assert_int_equal(c.files_changed, 2);
}

static void merges_beside_the_tip(void **state) {
	AUTO_ARENA life = {0};
	(void)state;
	make_work_tree();
	commit("seq 20 >a");
	struct oid head = commit("sed -i 1s/^/x/ a");
	sh("cd w; git reset -q --hard HEAD~1");
	struct oid tip = commit("sed -i 20s/^/y/ a; echo b >b");
	struct git_candidate c = build(&life, tip, head);
	assert_int_equal(c.kind, GIT_CANDIDATE_READY);
	assert_false(c.is_head);
	assert_int_equal(c.files_changed, 1);
	char hex[OID_HEX_MAX + 1];
	oid_hex(c.commit, hex);
	assert_text(
		str_of(sh(
			"cd w; git cat-file commit %s | sed -e '/^tree/d' -e '/^parent/d'; git show %s:a | sed "
			"-n '1p;20p'; git rev-parse %s^1 %s^2",
			hex, hex, hex, hex)),
		sh("echo 'author Ann Other <ann@example.org> 1700000000 +0130\ncommitter weir "
	       "<weir@localhost> 1795375415 +0000\n\nAdd one\n\nChange: 12\nx1\ny20'; git -C w "
	       "rev-parse HEAD; git -C w rev-parse HEAD@{2}"));
	// The same arguments give the same commit, also by other processes.
	git_repo_rest(pg.repo);
	struct git_candidate again = build(&life, tip, head);
	assert_true(oid_eq(again.commit, c.commit));
	// What git merge makes of it.
	assert_true(
		oid_eq(c.tree, sh_oid("cd w; git merge -q -m m HEAD@{2} >/dev/null 2>&1; git rev-parse "
	                          "HEAD^{tree}")));
	sh("git -C $R fsck --strict 2>&1");
}

static void conflicts_name_files_and_sides(void **state) {
	AUTO_ARENA life = {0};
	(void)state;
	make_work_tree();
	commit("seq 20 >a; echo 1 >gone; echo 1 >'odd\nname'; printf '\\377' >bin");
	struct oid head = commit("sed -i 10s/.*/theirs/ a; echo 2 >gone; echo t >'odd\nname'; printf "
	                         "'\\000t' >bin; echo t >new");
	sh("cd w; git reset -q --hard HEAD~1");
	struct oid tip = commit("sed -i 10s/.*/ours/ a; rm gone; echo o >'odd\nname'; printf '\\000o' "
	                        ">bin; echo o >new");
	struct git_candidate c = build(&life, tip, head);
	assert_int_equal(c.kind, GIT_CANDIDATE_CONFLICT);
	assert_true(oid_is_none(c.commit));
	assert_int_equal(c.merge.conflict_files, 5);
	assert_int_equal(c.merge.conflict_count, 5);
	AUTO_BUF text = {0};
	for (size_t i = 0; i < c.merge.conflict_count; i++) {
		const struct git_conflict *x = &c.merge.conflicts[i];
		buf_printf(&text, "%zu", i);
		buf_json(&text, x->path);
		buf_str(&text, x->kind);
		buf_json(&text, x->ours);
		buf_json(&text, x->theirs);
		buf_char(&text, '\n');
	}
	assert_text(buf_view(&text),
	            "0\"a\"contents\"ours\\n\"\"theirs\\n\"\n1\"bin\"binary\"\"\"\"\n"
	            "2\"gone\"modify/delete\"\"\"\"\n3\"new\"contents\"o\\n\"\"t\\n\"\n"
	            "4\"odd\\nname\"contents\"o\\n\"\"t\\n\"\n");
	assert_true(str_contains(c.merge.conflicts[0].text, STR("Merge conflict in a")));
	// The pool's child goes on after a conflict.
	c = build(&life, tip, tip);
	assert_int_equal(c.kind, GIT_CANDIDATE_LANDED);
}

static void says_what_landed_already(void **state) {
	AUTO_ARENA life = {0};
	(void)state;
	make_work_tree();
	struct oid base = commit("echo 1 >a"), old = commit("echo 2 >a"), tip = commit("echo 3 >a");
	assert_int_equal(build(&life, tip, tip).kind, GIT_CANDIDATE_LANDED);
	assert_int_equal(build(&life, tip, old).kind, GIT_CANDIDATE_LANDED);
	assert_int_equal(build(&life, tip, base).kind, GIT_CANDIDATE_LANDED);
	// The same content from another commit is no landing of it: it becomes a merge that changes
	// nothing.
	sh("cd w; git reset -q --hard HEAD~2");
	struct oid twin = commit("echo 3 >a");
	struct git_candidate c = build(&life, tip, twin);
	assert_int_equal(c.kind, GIT_CANDIDATE_READY);
	assert_int_equal(c.files_changed, 0);
}

static void unrelated_history_and_nonsense_are_clear(void **state) {
	AUTO_ARENA life = {0};
	struct git_candidate_meta meta = meta_of("t");
	struct git_candidate c;
	struct err e;
	struct oid bad, blob;
	(void)state;
	make_work_tree();
	struct oid tip = commit("echo 1 >a");
	struct oid stranger = sh_oid(
		"cd w; git checkout -q --orphan o; echo 2 >b; git add -A; git commit -q -m o; git "
		"rev-parse HEAD");
	assert_refused(git_candidate_build(pg.repo, tip, stranger, &meta, &life, &c, &e), e,
	               ERR_CONFLICT);
	assert_non_null(strstr(e.text, "no common history"));
	assert_true(oid_parse(STR("1234567890123456789012345678901234567890"), &bad));
	assert_refused(git_candidate_build(pg.repo, tip, bad, &meta, &life, &c, &e), e, ERR_NOT_FOUND);
	blob = sh_oid("git -C w rev-parse HEAD:b");
	assert_refused(git_candidate_build(pg.repo, tip, blob, &meta, &life, &c, &e), e, ERR_INVALID);
	assert_int_equal(build(&life, tip, tip).kind, GIT_CANDIDATE_LANDED); // all is well again
}

static void a_killed_merge_child_is_replaced(void **state) {
	AUTO_ARENA life = {0};
	(void)state;
	make_work_tree();
	commit("seq 20 >a");
	struct oid head = commit("echo 1 >b");
	sh("cd w; git reset -q --hard HEAD~1");
	struct oid tip = commit("echo 1 >c");
	struct git_candidate c = build(&life, tip, head);
	for (int i = 0; i < 5; i++) {
		// Children hold the data folder's lock open; this process is spared.
		AUTO_BUF lock = {0};
		buf_printf(&lock, "%s/git.lock", pg.data);
		assert_true(process_kill_holders(lock.p) > 0);
		struct git_candidate again = build(&life, tip, head);
		assert_true(oid_eq(again.commit, c.commit));
	}
}

struct work {
	struct oid tip, head;
	struct oid commits[8];
	bool ok;
};

static void *build_from_a_thread(void *given) {
	struct work *w = given;
	struct git_candidate_meta meta = meta_of("t");
	for (size_t i = 0; i < ARRAY_LEN(w->commits); i++) {
		AUTO_ARENA life = {0};
		struct git_candidate c;
		struct err e;
		if (!git_candidate_build(pg.repo, w->tip, w->head, &meta, &life, &c, &e)) return NULL;
		w->commits[i] = c.commit;
	}
	w->ok = true;
	return NULL;
}

static void many_threads_one_repository(void **state) {
	enum { THREADS = 6 };
	struct work work[THREADS] = {0};
	pthread_t threads[THREADS];
	AUTO_ARENA life = {0};
	(void)state;
	make_work_tree();
	commit("seq 20 >a");
	struct oid heads[THREADS];
	for (int i = 0; i < THREADS; i++) {
		char script[40];
		snprintf(script, sizeof script, "echo %d >f%d", i, i);
		heads[i] = commit(script);
		sh("cd w; git reset -q --hard HEAD~1");
	}
	struct oid tip = commit("echo tip >t");
	for (int i = 0; i < THREADS; i++) {
		work[i] = (struct work){.tip = tip, .head = heads[i]};
		pthread_create(&threads[i], NULL, build_from_a_thread, &work[i]);
	}
	for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
	struct git_candidate_meta meta = meta_of("t");
	for (int i = 0; i < THREADS; i++) {
		struct git_candidate c;
		struct err e;
		assert_true(work[i].ok);
		assert_ok(git_candidate_build(pg.repo, tip, heads[i], &meta, &life, &c, &e), e);
		for (size_t k = 0; k < ARRAY_LEN(work[i].commits); k++)
			assert_true(oid_eq(work[i].commits[k], c.commit));
	}
}

static void commit_texts_are_cleaned(void **state) {
	AUTO_ARENA life = {0};
	struct git_commit c;
	struct err e;
	(void)state;
	make_work_tree();
	commit("echo 1 >a");
	struct oid odd = sh_oid(
		"cd w; { git cat-file commit HEAD | sed '/^$/,$d'; printf "
		"'\\nT\\377itle\\n\\nbody\\n\\nChange-Id: "
		"I12\\nSigned-off-by: x\\n'; } >../c; git hash-object -t commit -w ../c");
	assert_ok(git_commit_read(pg.repo, odd, &life, &c, &e), e);
	assert_text(c.title, "T\xef\xbf\xbditle");
	assert_text(c.change_id, "I12");
	assert_text(c.author.name, "Ann");
	struct git_commit nul = {0};
	assert_true(git_commit_parse(STR("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a> "
	                                 "1 +0000\ncommitter A <a> 1 "
	                                 "-0330\n\nti\0tle\n"),
	                             &life, &nul));
	assert_text(nul.title, "ti");
	assert_int_equal(nul.committer.zone_minutes, -210);
	// Names that would break the format.
	struct oid out;
	struct git_commit evil = {.tree = c.tree,
	                          .author = {STR("A\nparent <x>"), STR("a>b\n"), -5, 0},
	                          .committer = {STR(""), STR(""), 5, 0},
	                          .message = STR("m\n")};
	assert_ok(git_commit_write(pg.repo, &evil, &out, &e), e);
	assert_ok(git_commit_read(pg.repo, out, &life, &c, &e), e);
	assert_text(c.author.name, "Aparent x");
	assert_int_equal(c.parent_count, 0);
}

static void relations_of_commits(void **state) {
	AUTO_ARENA life = {0};
	struct err e;
	bool yes;
	size_t n;
	struct oid none = {0}, *list, base, other;
	(void)state;
	make_work_tree();
	struct oid a = commit("seq 9 >a"), b = commit("echo 1 >>a; echo 1 >n"), c = commit("rm n");
	assert_ok(git_commit_is_ancestor(pg.repo, a, c, &yes, &e), e);
	assert_true(yes);
	assert_ok(git_commit_is_ancestor(pg.repo, c, a, &yes, &e), e);
	assert_false(yes);
	assert_ok(git_commit_count(pg.repo, a, c, 1000, &n, &e), e);
	assert_int_equal(n, 2);
	assert_ok(git_commit_count(pg.repo, none, c, 1, &n, &e), e);
	assert_int_equal(n, 2); // more than 1
	assert_ok(git_commit_list(pg.repo, a, c, 10, &life, &list, &n, &e), e);
	assert_true(n == 2 && oid_eq(list[0], b) && oid_eq(list[1], c));
	assert_refused(git_commit_list(pg.repo, a, c, 1, &life, &list, &n, &e), e, ERR_LIMIT);
	assert_ok(git_query_base(pg.repo, a, c, &base, &e), e);
	assert_true(oid_eq(base, a));
	// A patch keeps its name on another base.
	struct oid first, again, empty;
	assert_ok(git_commit_patch_id(pg.repo, b, &first, &e), e);
	other = sh_oid("cd w; git reset -q --hard HEAD~2; echo z >z; git add -A; git commit -q -m z; "
	               "git cherry-pick HEAD@{3} >/dev/null; git rev-parse HEAD");
	assert_ok(git_commit_patch_id(pg.repo, other, &again, &e), e);
	assert_true(first.n == 20 && oid_eq(first, again) && !oid_eq(other, b));
	assert_ok(git_commit_patch_id(pg.repo, commit("true"), &empty, &e), e);
	assert_true(oid_is_none(empty));
}

static void answers_about_differences(void **state) {
	AUTO_ARENA life = {0};
	AUTO_BUF text = {0};
	struct err e;
	struct git_size size;
	struct str *paths;
	size_t n;
	bool cut;
	struct oid none = {0};
	(void)state;
	make_work_tree();
	struct oid a = commit("seq 9 >a; mkdir -p d/e; echo 1 >d/e/f; echo 1 >d/g");
	struct oid b = commit("echo 1 >>a; rm -r d; printf '\\000' >bin");
	assert_ok(git_query_size(pg.repo, a, b, &size, &e), e);
	assert_int_equal(size.files, 4);
	assert_int_equal(size.lines_added, 1);
	assert_int_equal(size.lines_deleted, 2);
	assert_ok(git_query_size(pg.repo, none, b, &size, &e), e);
	assert_int_equal(size.lines_added, 10);
	assert_ok(git_query_paths(pg.repo, a, b, 10, &life, &paths, &n, &e), e);
	assert_int_equal(n, 4);
	assert_text(paths[0], "a");
	assert_text(paths[1], "bin");
	assert_text(paths[2], "d/e/f");
	assert_refused(git_query_paths(pg.repo, a, b, 3, &life, &paths, &n, &e), e, ERR_LIMIT);
	assert_ok(git_query_diff(pg.repo, a, b, 100000, &text, &cut, &e), e);
	assert_false(cut);
	assert_true(str_contains(buf_view(&text), STR("\n+1\n")));
	buf_reset(&text);
	assert_ok(git_query_diff(pg.repo, a, b, 200, &text, &cut, &e), e);
	assert_true(cut && text.n <= 200 && text.p[text.n - 1] == '\n');
	buf_reset(&text);
	assert_ok(git_query_file(pg.repo, a, STR("d/e/f"), 100, &text, &e), e);
	assert_text(buf_view(&text), "1\n");
	assert_refused(git_query_file(pg.repo, b, STR("d/e/f"), 100, &text, &e), e, ERR_NOT_FOUND);
	assert_refused(git_query_file(pg.repo, a, STR("d"), 100, &text, &e), e, ERR_INVALID);
	assert_refused(git_query_file(pg.repo, a, STR("a"), 5, &text, &e), e, ERR_LIMIT);
	assert_refused(git_query_file(pg.repo, a, STR(""), 5, &text, &e), e, ERR_NOT_FOUND);
}

static void sides_are_bounded(void **state) {
	AUTO_ARENA life = {0};
	struct str ours, theirs;
	(void)state;
	git_merge_sides(STR("x\n<<<<<<< a\n1\n2\n3\n=======\nq\n>>>>>>> b\ny\n<<<<<<< a\n4\n||||||| "
	                    "b\nbase\n=======\n>>>>>>> b\n"),
	                100, &life, &ours, &theirs);
	assert_text(ours, "1\n2\n3\n…\n4\n");
	assert_text(theirs, "q\n…\n");
	git_merge_sides(STR("<<<<<<< a\n1\n2\n3\n=======\nq\n>>>>>>> b\n"), 11, &life, &ours, &theirs);
	assert_text(ours, "1\n2\n…\n");
}

#define PLAY(name) cmocka_unit_test_setup_teardown(name, playground_open, playground_close)

// The tree is the last one's, both lines stay: trunk's, and that of the changes.
static void one_commit_covers_a_batch(void **state) {
	AUTO_ARENA life = {0};
	(void)state;
	make_work_tree();
	struct oid tip = commit("echo 1 >a"), cover;
	commit("echo 1 >b");
	sh("cd w; git branch -f one; git reset -q --hard HEAD~1");
	struct oid two = commit("echo 1 >c");
	struct git_candidate first = build(&life, tip, sh_oid("git -C w rev-parse one"));
	struct git_candidate second = build(&life, first.commit, two);
	struct git_candidate_meta metas[2] = {meta_of("Add b\nwith a body"), meta_of("")};
	metas[0].change = 11;
	struct err e;
	for (int again = 0; again < 2; again++) { // the same each time
		struct oid before = again ? cover : (struct oid){0};
		assert_ok(git_candidate_cover(pg.repo, tip, second, metas, 2, &life, &cover, &e), e);
		assert_true(!again || oid_eq(before, cover));
	}
	char hex[OID_HEX_MAX + 1];
	oid_hex(cover, hex);
	assert_true(oid_eq(sh_oid("git -C $R rev-parse %s^1", hex), tip));
	assert_true(oid_eq(sh_oid("git -C $R rev-parse %s^2", hex), second.commit));
	assert_true(oid_eq(sh_oid("git -C $R rev-parse %s^{tree}", hex), second.tree));
	assert_string_equal(sh("git -C $R log -1 --format=%%B %s", hex),
	                    "Land 2 changes\n\n#11 Add b\n#12 (no title)\n\nChange: 11\nChange: 12");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		PLAY(head_on_the_tip_is_the_candidate),
		PLAY(a_merge_on_the_tip_is_the_candidate),
		PLAY(merges_beside_the_tip),
		PLAY(conflicts_name_files_and_sides),
		PLAY(says_what_landed_already),
		PLAY(unrelated_history_and_nonsense_are_clear),
		PLAY(a_killed_merge_child_is_replaced),
		PLAY(many_threads_one_repository),
		PLAY(commit_texts_are_cleaned),
		PLAY(relations_of_commits),
		PLAY(answers_about_differences),
		cmocka_unit_test(sides_are_bounded),
		PLAY(one_commit_covers_a_batch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
