// What the cache of layers keeps and what it lets go.
#include "app/workspaces.h"

#include "git/playground.h"
#include "store/object.h"

enum { LONG_MS = 3600 * 1000 };

struct place {
	struct workspaces *w;
	struct arena life;
	struct oid small, large; // trees that are too different for a delta
	struct digest artifact;
	struct str cache;
};

static int begin(void **state) {
	static struct place place;
	struct place *p = &place;
	AUTO_OBJECTS objects = NULL;
	AUTO_BUF manifest = {0};
	struct digest body;
	char hex[DIGEST_HEX + 1];
	struct err e;
	*p = (struct place){0};
	*state = p;
	if (playground_open(state)) return -1;
	*state = p;
	make_work_tree();
	p->small = sh_oid("cd w; echo 1 >f; git add f; git commit -qm x; git rev-parse HEAD^{tree}");
	p->large = sh_oid("cd w; for i in $(seq 400); do echo $i >n$i; done; git add -A; "
	                  "git commit -qm y; git rev-parse HEAD^{tree}");
	assert_ok(object_store_open(pg.data, &objects, &e), e);
	assert_ok(object_put(objects, STR("bytes"), &body, &e), e);
	digest_hex(body, hex);
	buf_printf(&manifest, "[{\"mode\":\"0644\",\"path\":\"out\",\"sha256\":\"%s\",\"size\":5}]",
	           hex);
	assert_ok(object_put(objects, buf_view(&manifest), &p->artifact, &e), e);
	p->cache = arena_printf(&p->life, "%s/cache", pg.top);
	p->w = workspaces_new(p->cache.p, pg.data);
	return 0;
}

static int end(void **state) {
	struct place *p = *state;
	workspaces_free(p->w);
	arena_free(&p->life);
	return playground_close(state);
}

static struct exec_strs prepare(struct place *p, const char *run, struct oid tree, bool artifact) {
	struct workspace_request q = {.git = pg.repo,
	                              .group = "p",
	                              .tree = tree,
	                              .run = arena_printf(&p->life, "%s/%s", pg.top, run).p,
	                              .artifacts = &p->artifact,
	                              .artifact_count = artifact};
	struct exec_strs lowers;
	struct err e;
	assert_ok(workspaces_prepare(p->w, &q, &p->life, &lowers, &e), e);
	return lowers;
}

static void done(struct place *p, const char *run) {
	workspaces_done(p->w, arena_printf(&p->life, "%s/%s", pg.top, run).p);
}

static const char *left(void) {
	return sh("cd cache; for d in base/p artifacts gone; do printf '%%s ' $(ls $d 2>/dev/null | "
	          "wc -l); done");
}

static void layers_in_use_stay(void **state) {
	struct place *p = *state;
	(void)prepare(p, "1", p->small, true);
	(void)prepare(p, "2", p->large, true);
	workspaces_sweep(p->w, 0);
	assert_string_equal(left(), "2 1 0");
	done(p, "1");
	workspaces_sweep(p->w, 0);
	assert_string_equal(left(), "1 1 0"); // the newest base, and what run 2 needs
	done(p, "2");
	workspaces_sweep(p->w, LONG_MS);
	assert_string_equal(left(), "1 1 0"); // somebody may want the artifact again
	workspaces_sweep(p->w, 0);
	assert_string_equal(left(), "1 0 0");
	struct exec_strs again = prepare(p, "3", p->small, true); // all of it comes back
	assert_int_equal(again.n, 2);
	for (size_t i = 0; i < again.n; i++) assert_true(file_exists(again.p[i].p));
}

static void what_is_half_made_goes(void **state) {
	struct place *p = *state;
	(void)prepare(p, "1", p->small, true);
	sh("mkdir -p cache/base/p/$(printf %%040d 1).partial/x cache/artifacts/x.partial "
	   "cache/gone/1-0/y");
	workspaces_sweep(p->w, LONG_MS);
	assert_string_equal(left(), "1 1 0");
}

static void a_later_daemon_knows_what_runs_use(void **state) {
	struct place *p = *state;
	struct exec_strs lowers = prepare(p, "1", p->small, true);
	(void)prepare(p, "2", p->large, false);
	workspaces_free(p->w);
	p->w = workspaces_new(p->cache.p, pg.data);
	workspaces_find(p->w);
	sh("mkdir 1");
	workspaces_adopt(p->w, arena_printf(&p->life, "%s/1", pg.top).p, &lowers);
	workspaces_sweep(p->w, 0);
	assert_string_equal(left(), "2 1 0");
	sh("rmdir 1"); // its run was cleared away by somebody else
	workspaces_sweep(p->w, 0);
	assert_string_equal(left(), "1 0 0");
	assert_int_equal(prepare(p, "3", p->large, false).n, 1); // the newest is still the base
}

int main(void) {
#define PLACE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		PLACE(layers_in_use_stay),
		PLACE(what_is_half_made_goes),
		PLACE(a_later_daemon_knows_what_runs_use),
	};
	return cmocka_run_group_tests_name("workspaces", tests, NULL, NULL);
}
