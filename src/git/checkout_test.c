#include "git/checkout.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "git/playground.h"
#include "git/plumb.h"
#include "git/snapshot.h"
#include "git/tree.h"

static const struct git_checkout as_is = {(unsigned)-1, (unsigned)-1};

static struct git_checkout_done whole(struct oid tree, const char *name) {
	struct git_checkout_done done = {0};
	struct err e;
	AUTO_BUF path = {0};
	buf_printf(&path, "%s/%s", pg.top, name);
	assert_ok(git_checkout_tree(pg.repo, tree, path.p, &as_is, &done, &e), e);
	return done;
}

static struct git_checkout_done delta(struct oid base, struct oid tree, const char *name) {
	struct git_checkout_done done = {0};
	struct err e;
	AUTO_BUF path = {0};
	buf_printf(&path, "%s/%s", pg.top, name);
	assert_ok(git_checkout_delta(pg.repo, base, tree, path.p, &as_is, &done, &e), e);
	return done;
}

static void writes_bytes_modes_links_and_one_time(void **state) {
	(void)state;
	make_work_tree();
	struct oid c = sh_oid(
		"cd w; printf 'a\\r\\nb\\n' >crlf; printf '* text=auto eol=crlf\\n*.x export-ignore\\n' "
		">.gitattributes; mkdir -p d/e; echo x >d/e/p.x; chmod +x d/e/p.x; ln -s ../crlf d/l; "
		": >'new\nline'; git -c core.autocrlf=false add -A 2>/dev/null; "
		"B=$(printf 'a\\r\\nb\\n' | git hash-object -w --stdin); "
		"git update-index --cacheinfo 100644,$B,crlf; git update-index --add --cacheinfo "
		"160000,1111111111111111111111111111111111111111,sub; git commit -q -m x; git rev-parse "
		"HEAD");
	struct git_checkout_done done = whole(c, "out");
	assert_int_equal(done.files, 4);
	assert_int_equal(done.links, 1);
	assert_int_equal(done.folders, 2);
	assert_int_equal(done.submodules, 1);
	assert_text(
		str_of(
			sh("cd out; od -An -c crlf | tr -d ' '; readlink d/l; stat -c %%a crlf d "
	           "d/e/p.x sub | tr '\\n' ' '; find . ! -newermt '2000-01-01 00:00:01 UTC' "
	           "-newermt '1999-12-31 23:59:59 UTC' -printf x | wc -c; find . -printf x | wc -c")),
		"a\\r\\nb\\n\n../crlf\n644 755 755 755 9\n9");
}

static void refuses_trees_that_would_escape(void **state) {
	static const char *const names[] = {".git", ".GIT", "..", "."};
	struct err e;
	(void)state;
	make_work_tree();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct oid tree = sh_oid(
			"cd w; B=$(echo x | git hash-object -w --stdin); printf '100644 blob "
			"%%s\\t%s\\n' $B | git mktree",
			names[i]);
		AUTO_BUF path = {0};
		buf_printf(&path, "%s/bad%zu", pg.top, i);
		assert_refused(git_checkout_tree(pg.repo, tree, path.p, &as_is, NULL, &e), e, ERR_INVALID);
		assert_non_null(strstr(e.text, names[i]));
	}
	assert_false(git_tree_name_ok(STR("a/b")));
	assert_false(git_tree_name_ok(STR("")));
	assert_true(git_tree_name_ok(STR(".gitmodules")));
}

// A folder and a link of one name in a made-up tree: nothing is written through the link.
static void writes_nothing_through_a_link(void **state) {
	struct err e;
	AUTO_BUF path = {0};
	(void)state;
	make_work_tree();
	struct oid tree = sh_oid(
		"cd w; L=$(printf '../../evil' | git hash-object -w --stdin); B=$(echo x "
		"| git hash-object -w --stdin); T=$(printf '100644 blob %%s\\tf\\n' $B | "
		"git mktree); printf '120000 blob %%s\\td\\n040000 tree %%s\\td\\n' $L "
		"$T | git mktree");
	sh("mkdir evil");
	buf_printf(&path, "%s/out", pg.top);
	assert_refused(git_checkout_tree(pg.repo, tree, path.p, &as_is, NULL, &e), e, ERR_INVALID);
	assert_text(str_of(sh("ls evil | wc -l")), "0");
}

static void delta_turns_base_into_tree(void **state) {
	(void)state;
	make_work_tree();
	struct oid base = sh_oid("cd w; mkdir -p keep d/sub f2d gone; echo 1 >same; echo 1 >changed; "
	                         "echo 1 >keep/a; echo 1 >keep/b; echo 1 >d/sub/x; echo 1 >d/y; echo 1 "
	                         ">gone/z; echo 1 >dir-to-be; echo 1 >f2d/q; git add -A; git commit -q "
	                         "-m base; git rev-parse HEAD");
	struct oid tree = sh_oid(
		"cd w; echo 2 >changed; rm keep/b; rm -r gone; git rm -qr f2d; echo file >f2d; rm "
		"dir-to-be; mkdir -p dir-to-be/in; echo n >dir-to-be/in/n; chmod +x d/y; ln -s y "
		"d/link; git add -A; git commit -q -m next; git rev-parse HEAD");
	whole(base, "base");
	whole(tree, "want");
	struct git_checkout_done done = delta(base, tree, "delta");
	assert_int_equal(done.gone, 2);  // keep/b, gone
	assert_int_equal(done.files, 4); // changed, f2d, dir-to-be/in/n, d/y
	assert_text(str_of(sh("cd delta; find . -type c -printf '%%P\\n' | sort; find . -newermt "
	                      "'2000-01-01 00:00:01 UTC' | wc -l; ls keep")),
	            "gone\nkeep/b\n2\nb");
	if (geteuid() != 0) return;
	AUTO_BUF options = {0}, at = {0};
	buf_printf(&options, "lowerdir=%s/delta:%s/base", pg.top, pg.top);
	buf_printf(&at, "%s/merged", pg.top);
	mkdir(at.p, 0755);
	if (mount("overlay", at.p, "overlay", MS_RDONLY, options.p)) {
		print_message("# no overlayfs here: the mounted result was not looked at\n");
		return;
	}
	const char *same = sh("diff -r --no-dereference want merged && find want -printf '%%P %%m %%y "
	                      "%%T@ %%l\\n' | sort >a; find merged -printf '%%P %%m %%y %%T@ %%l\\n' | "
	                      "sort >b; cmp a b && echo same");
	umount(at.p);
	assert_text(str_of(same), "same");
}

static void a_large_file_is_not_kept_in_memory(void **state) {
	(void)state;
	struct err e;
	struct git_plumb *idle = NULL;
	make_work_tree();
	struct oid c = sh_oid("cd w; head -c 9000000 /dev/zero >big; git add -A; git commit -q -m x; "
	                      "git rev-parse HEAD");
	assert_int_equal(whole(c, "out").files, 1);
	assert_ok(git_plumb_take(pg.repo, GIT_PLUMB_READ, &idle, &e), e);
	assert_true(idle->uses > 0); // the one that read it
	assert_true(idle->in.cap <= 1 << 20);
	git_plumb_give(&idle);
}

static void nothing_differs(void **state) {
	(void)state;
	make_work_tree();
	struct oid base = sh_oid("cd w; echo 1 >a; git add -A; git commit -q -m a; git rev-parse HEAD");
	struct git_checkout_done done = delta(base, base, "delta");
	assert_int_equal(done.files + done.gone + done.folders, 0);
	assert_text(str_of(sh("ls -A delta | wc -l")), "0");
}

static void gives_to_an_owner(void **state) {
	struct err e;
	struct git_checkout how = {61000, 61000};
	(void)state;
	if (geteuid() != 0) skip();
	make_work_tree();
	struct oid c = sh_oid(
		"cd w; mkdir d; echo 1 >d/a; ln -s a d/l; git add -A; git commit -q -m a; "
		"git rev-parse HEAD");
	AUTO_BUF path = {0};
	buf_printf(&path, "%s/out", pg.top);
	assert_ok(git_checkout_tree(pg.repo, c, path.p, &how, NULL, &e), e);
	assert_text(str_of(sh("find out -printf '%%U:%%G\\n' | sort | uniq -c | tr -s ' '")),
	            "4 61000:61000");
}

static void snapshot_is_what_is_on_disk(void **state) {
	struct err e;
	AUTO_ARENA life = {0};
	struct git_snapshot s;
	(void)state;
	sh("git init -q -b main w; cd w; echo '*.o' >.gitignore; mkdir d; echo 1 >d/a; echo 1 >b; echo "
	   "1 "
	   ">gone; git add -A; git commit -q -m a; echo 2 >b; rm gone; echo new >n; echo o >x.o; echo "
	   "staged >s; git add s; echo more >>s; mkdir .weir; echo x >.weir/log; find .git -type f | "
	   "sort | xargs sha1sum >../before");
	AUTO_BUF where = {0}, folder = {0}, out = {0};
	buf_printf(&where, "%s/w/d", pg.top);
	buf_printf(&folder, "%s/snap", pg.top);
	buf_printf(&out, "%s/out", pg.top);
	assert_ok(git_snapshot_take(pg.home, where.p, folder.p, &life, &s, &e), e);
	assert_ok(git_checkout_tree(s.repo, s.tree, out.p, &as_is, NULL, &e), e);
	git_repo_close(s.repo);
	assert_text(
		str_of(sh("cd out; grep -r . | sort; cd ../w; find .git -type f | sort | xargs "
	              "sha1sum | cmp - ../before && echo untouched; test $(git rev-parse HEAD)")),
		".gitignore:*.o\nb:2\nd/a:1\nn:new\ns:more\ns:staged\nuntouched");
	char head[OID_HEX_MAX + 1];
	oid_hex(s.head, head);
	assert_text(str_of(sh("git -C w rev-parse HEAD")), head);
	// The same tree as git commit -a would write.
	char tree[OID_HEX_MAX + 1];
	oid_hex(s.tree, tree);
	assert_text(str_of(sh("cd w; git add -A -- . ':!.weir'; git write-tree")), tree);
	buf_reset(&where);
	buf_cstr(&where, pg.top);
	assert_refused(git_snapshot_take(pg.home, where.p, folder.p, &life, &s, &e), e, ERR_NOT_FOUND);
}

static void snapshot_of_a_clean_or_new_tree(void **state) {
	struct err e;
	AUTO_ARENA life = {0};
	AUTO_BUF where = {0}, folder = {0};
	struct git_snapshot s;
	(void)state;
	buf_printf(&where, "%s/w", pg.top);
	buf_printf(&folder, "%s/w/.weir/snapshot", pg.top); // where weir run keeps it
	// No commit, no file, no index yet: the empty tree.
	sh("git init -q -b main w");
	assert_ok(git_snapshot_take(pg.home, where.p, folder.p, &life, &s, &e), e);
	git_repo_close(s.repo);
	assert_true(oid_is_none(s.head));
	char tree[OID_HEX_MAX + 1];
	oid_hex(s.tree, tree);
	assert_text(str_of(tree), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
	// Nothing changed since the commit: the tree of the commit, and no object was written.
	sh("cd w; mkdir d; echo 1 >a; echo 2 >d/b; git add a d; git commit -q -m x; rm -r .weir");
	assert_ok(git_snapshot_take(pg.home, where.p, folder.p, &life, &s, &e), e);
	git_repo_close(s.repo);
	oid_hex(s.tree, tree);
	assert_text(str_of(tree), sh("git -C w rev-parse HEAD^{tree}"));
	assert_text(str_of(sh("find w/.weir/snapshot/objects -type f | wc -l")), "0");
}

// A file that changed within the tick of the index, with the same size: only the time of the index
// tells git to look at its content.
static void snapshot_sees_racy_changes(void **state) {
	struct err e;
	AUTO_ARENA life = {0};
	AUTO_BUF where = {0}, folder = {0};
	struct git_snapshot s;
	char tree[OID_HEX_MAX + 1];
	(void)state;
	buf_printf(&where, "%s/w", pg.top);
	buf_printf(&folder, "%s/snap", pg.top);
	sh("git init -q -b main w; cd w; git config core.trustctime false; T='2020-01-01 00:00:00'; "
	   "echo a "
	   ">f; touch -d \"$T\" f; git add f; git commit -q -m x; echo b >f; touch -d \"$T\" f "
	   ".git/index");
	assert_ok(git_snapshot_take(pg.home, where.p, folder.p, &life, &s, &e), e);
	oid_hex(s.tree, tree);
	git_repo_close(s.repo);
	assert_text(str_of(sh("cd w; touch f; git add -A; git write-tree")), tree);
	assert_true(strcmp(tree, sh("git -C w rev-parse HEAD^{tree}")) != 0);
}

// The index has no tree after git looked at a file again; what was written last time for the same
// entries is used, and only that.
static void snapshot_recalls_the_tree(void **state) {
	struct err e;
	AUTO_ARENA life = {0};
	AUTO_BUF where = {0}, folder = {0};
	struct git_snapshot s;
	char tree[OID_HEX_MAX + 1];
	(void)state;
	buf_printf(&where, "%s/w", pg.top);
	buf_printf(&folder, "%s/snap", pg.top);
	sh("git init -q -b main w; cd w; echo a >f; git add f; git commit -q -m x");
	const char *planted = sh("cd w; echo planted >g; git add g; git write-tree; git rm -qf g");
	struct oid other = sh_oid("echo %s", planted);
	for (int i = 0; i < 4; i++) {
		if (i == 1) sh("sed -i \"s/ .*/ %s/\" snap/tree", planted);
		if (i == 2) sh("echo b >w/f");
		if (i == 3)
			sh("echo a >w/f; cd w; git add -A; git commit -q --allow-empty -m y; "
			   "sed -i \"s/ .*/ %s/\" ../snap/tree; rm .git/objects/%.2s/%s",
			   planted, planted, planted + 2);
		sh("cd w; touch f .git/index"); // as old as the file: git reads it again
		assert_ok(git_snapshot_take(pg.home, where.p, folder.p, &life, &s, &e), e);
		git_repo_close(s.repo);
		oid_hex(s.tree, tree);
		if (i == 1) assert_true(oid_eq(s.tree, other));
		else assert_text(str_of(sh("cd w; git add -A; git write-tree")), tree);
	}
}

static void snapshot_of_a_linked_worktree(void **state) {
	struct err e;
	AUTO_ARENA life = {0};
	struct git_snapshot s;
	AUTO_BUF where = {0}, folder = {0}, out = {0};
	(void)state;
	sh("git init -q -b main w; cd w; echo 1 >a; git add -A; git commit -q -m a; git worktree add "
	   "-q "
	   "../w2; echo 2 >>../w2/a");
	buf_printf(&where, "%s/w2", pg.top);
	buf_printf(&folder, "%s/snap", pg.top);
	buf_printf(&out, "%s/out", pg.top);
	assert_ok(git_snapshot_take(pg.home, where.p, folder.p, &life, &s, &e), e);
	assert_ok(git_checkout_tree(s.repo, s.tree, out.p, &as_is, NULL, &e), e);
	assert_int_equal(s.head.n, 20);
	git_repo_close(s.repo);
	assert_text(str_of(sh("cat out/a")), "1\n2");
}

static void measure(void **state) {
	enum { ROUNDS = 10 };
	struct err e;
	(void)state;
	make_work_tree();
	struct oid base = sh_oid(
		"cd w; for d in $(seq 100); do mkdir -p src/d$d; for f in $(seq 50); do seq $d $((d+f*8)) "
		">src/d$d/f$f.c; done; done; git add -A; git commit -q -m base; git -C . rev-parse HEAD");
	struct oid next = sh_oid("cd w; for d in 1 12 23 34 45 56 67 78 89 100; do echo x "
	                         ">>src/d$d/f7.c; done; git commit -q -a -m n; git rev-parse HEAD");
	int64_t whole_us = INT64_MAX, delta_us = 0, snap_us = 0;
	for (int i = 0; i < ROUNDS; i++) {
		char name[20];
		snprintf(name, sizeof name, "delta%d", i);
		int64_t t = clock_mono_us();
		assert_int_equal(delta(base, next, name).files, 10);
		delta_us += clock_mono_us() - t;
	}
	for (int i = 0; i < 2; i++) {
		char name[20];
		snprintf(name, sizeof name, "whole%d", i);
		int64_t t = clock_mono_us();
		assert_int_equal(whole(base, name).files, 5000);
		t = clock_mono_us() - t;
		whole_us = t < whole_us ? t : whole_us;
	}
	AUTO_BUF where = {0}, folder = {0};
	buf_printf(&where, "%s/small", pg.top);
	buf_printf(&folder, "%s/snap", pg.top);
	sh("git init -q small; cd small; for i in $(seq 20); do echo $i >f$i; done; git add -A; git "
	   "commit -q -m x; sleep 1.1; git status >/dev/null; echo x >f3");
	for (int i = 0; i < ROUNDS; i++) {
		AUTO_ARENA life = {0};
		struct git_snapshot s;
		int64_t t = clock_mono_us();
		assert_ok(git_snapshot_take(pg.home, where.p, folder.p, &life, &s, &e), e);
		snap_us += clock_mono_us() - t;
		git_repo_close(s.repo);
	}
	print_message(
		"# checkout of 5000 files %.0f ms, delta of 10 files %.2f ms, snapshot of 20 files "
		"%.2f ms\n",
		(double)whole_us / 1e3, (double)delta_us / ROUNDS / 1e3, (double)snap_us / ROUNDS / 1e3);
}

#define PLAY(name) cmocka_unit_test_setup_teardown(name, playground_open, playground_close)

int main(void) {
	const struct CMUnitTest tests[] = {
		PLAY(writes_bytes_modes_links_and_one_time),
		PLAY(refuses_trees_that_would_escape),
		PLAY(writes_nothing_through_a_link),
		PLAY(delta_turns_base_into_tree),
		PLAY(a_large_file_is_not_kept_in_memory),
		PLAY(nothing_differs),
		PLAY(gives_to_an_owner),
		PLAY(snapshot_is_what_is_on_disk),
		PLAY(snapshot_of_a_clean_or_new_tree),
		PLAY(snapshot_sees_racy_changes),
		PLAY(snapshot_recalls_the_tree),
		PLAY(snapshot_of_a_linked_worktree),
		PLAY(measure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
