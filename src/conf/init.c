#include "conf/init.h"

#include "conf/recipe.h"

bool init_wants(struct str path) {
	return recipe_wants(path);
}

// Each line of text behind `before`.
static void add_lines(struct buf *out, const char *before, struct str text) {
	while (text.n) {
		struct str line = str_cut(&text, '\n');
		buf_printf(out, "%s" STR_FMT "\n", before, STR_ARG(line));
	}
}

static void add_run(struct buf *out, struct str lines) {
	if (str_find_char(lines, '\n') + 1 == lines.n) {
		buf_printf(out, "    run: " STR_FMT, STR_ARG(lines));
		return;
	}
	buf_cstr(out, "    run: |\n");
	add_lines(out, "      ", lines);
}

static void add_job(struct buf *out, const struct recipe *r, bool submodules) {
	add_lines(out, "  # ", buf_view(&r->why));
	buf_printf(out, "  %s:\n", r->tests ? "test" : "build");
	add_run(out, buf_view(&r->run));
	if (!r->tests) buf_cstr(out, "    # No tests were found. Add the command that runs them.\n");
	if (r->results[0]) buf_printf(out, "    results: [\"%s\"]\n", r->results[0]);
	if (r->network) buf_printf(out, "    network: true # %s\n", r->network);
	if (r->git) buf_printf(out, "    git: true # %s\n", r->git);
	if (submodules) buf_cstr(out, "    submodules: true # there is a .gitmodules\n");
	buf_cstr(out, "    timeout: 30m\n");
}

static const char unknown_job[] =
	"  # weir did not recognise how this project is built. Write here what builds and tests it.\n"
	"  test:\n"
	"    run: ./test.sh\n";

static const char environment[] =
	"\n"
	"# Where releases run. Take the # away, and name what the job above makes:\n"
	"#     artifacts: [build/app]                # in the job\n"
	"#environments:\n"
	"#  production:\n"
	"#    artifacts: [build/app]\n"
	"#    service:\n"
	"#      run: build/app --port $PORT\n"
	"#      health: /healthz\n"
	"#    listen: 127.0.0.1:8000\n";

static struct str *add_saw(struct conf_strs *list) {
	return &list->p[list->n++];
}

void init_write(const struct init_file *files, size_t n, struct str trunk, struct arena *life,
                struct init_result *out) {
	struct recipe r = {.life = life, .files = files, .n = n};
	AUTO_BUF text = {0};
	bool submodules = false;
	for (size_t i = 0; i < n; i++) submodules |= str_eq(files[i].path, STR(".gitmodules"));
	recipe_choose(&r);

	out->known = r.ecosystem != NULL;
	out->saw = (struct conf_strs){ARENA_ARRAY(life, struct str, r.saw.n + 5), 0}; // 5: below
	if (r.ecosystem)
		*add_saw(&out->saw) = arena_printf(life, "%s: built with %s.", r.evidence, r.ecosystem);
	else *add_saw(&out->saw) = STR("No build system was recognised: fill in the job.");
	if (r.ecosystem && !r.tests)
		*add_saw(&out->saw) = STR("No tests were found: the job only builds.");
	if (r.network) *add_saw(&out->saw) = arena_printf(life, "The job has network: %s.", r.network);
	if (r.git) *add_saw(&out->saw) = arena_printf(life, "The job has git: %s.", r.git);
	if (submodules) *add_saw(&out->saw) = STR(".gitmodules: submodules are checked out.");
	for (size_t i = 0; i < r.saw.n; i++) *add_saw(&out->saw) = r.saw.p[i];

	buf_cstr(&text, "# What weir builds, tests and runs of this repository: see weir.yml(5), try "
	                "with `weir run`.\n");
	if (r.ecosystem) buf_printf(&text, "# Written by weir init from %s.\n", r.evidence);
	if (trunk.n) buf_printf(&text, "trunk: \"" STR_FMT "\"\n", STR_ARG(trunk));
	buf_cstr(&text, "\njobs:\n");
	if (r.ecosystem) add_job(&text, &r, submodules);
	else buf_cstr(&text, unknown_job);
	buf_cstr(&text, environment);
	out->text = arena_str(life, buf_view(&text));
	recipe_free(&r);
}
