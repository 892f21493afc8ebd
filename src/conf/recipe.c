// The order of the ecosystems matters: a Go project often has a Makefile around `go test`, and a C
// library often has a CMakeLists.txt beside its configure. What is most specific comes first; where
// two do the same, the one that needs less on the machine (make and a compiler) wins.
#include "conf/recipe.h"

#include <stdio.h>

#include "base/json.h"

enum { SAW_MAX = 16 };

// ---------------------------------------------------------------- looking

static const struct init_file *find(const struct recipe *r, const char *path) {
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->files[i].path, str_of(path))) return &r->files[i];
	return NULL;
}

static bool has(const struct recipe *r, const char *path) {
	return find(r, path) != NULL;
}

static bool says(const struct recipe *r, const char *path, const char *text) {
	const struct init_file *file = find(r, path);
	return file && str_contains(file->content, str_of(text));
}

// A file in this folder or the folder itself.
static bool has_folder(const struct recipe *r, const char *folder) {
	struct str prefix = str_of(folder);
	for (size_t i = 0; i < r->n; i++) {
		struct str path = r->files[i].path;
		if (str_starts(path, prefix) && (path.n == prefix.n || path.p[prefix.n] == '/'))
			return true;
	}
	return false;
}

static void saw(struct recipe *r, const char *format, ...) PRINTF_LIKE(2, 3);
static void saw(struct recipe *r, const char *format, ...) {
	va_list args;
	if (!r->saw.p) r->saw.p = ARENA_ARRAY(r->life, struct str, SAW_MAX);
	if (r->saw.n == SAW_MAX) return;
	va_start(args, format);
	r->saw.p[r->saw.n++] = arena_vprintf(r->life, format, args);
	va_end(args);
}

static void run(struct recipe *r, const char *line) {
	buf_printf(&r->run, "%s\n", line);
}

static void why(struct recipe *r, const char *line) {
	buf_printf(&r->why, "%s\n", line);
}

// A rule `target:` (also among several, `check test:`) that is not `target :=`.
static bool has_target(struct str makefile, struct str target) {
	for (struct str rest = makefile; rest.p;) {
		struct str line = str_cut(&rest, '\n');
		size_t colon = str_find_char(line, ':');
		if (line.n == 0 || line.p[0] == '\t' || line.p[0] == '#' || line.p[0] == ' ') continue;
		if (colon == line.n || (colon + 1 < line.n && line.p[colon + 1] == '=')) continue;
		for (struct str names = str_slice(line, 0, colon); names.p;)
			if (str_eq(str_trim(str_cut(&names, ' ')), target)) return true;
	}
	return false;
}

// check, test or NULL, by the text of these makefiles.
static const char *test_target(const struct recipe *r, const char *const *paths, size_t n) {
	static const char *const targets[] = {"check", "test"};
	for (size_t t = 0; t < ARRAY_LEN(targets); t++)
		for (size_t i = 0; i < n; i++) {
			const struct init_file *file = find(r, paths[i]);
			if (file && has_target(file->content, str_of(targets[t]))) return targets[t];
		}
	return NULL;
}

static void in_tree(struct recipe *r) {
	why(r, "One job builds and tests: the tests need the whole build tree, and only artifacts pass "
	       "from");
	why(r, "job to job. Split it where the tests are content with a few files.");
}

// ---------------------------------------------------------------- one function an ecosystem

static bool cargo(struct recipe *r) {
	if (!has(r, "Cargo.toml")) return false;
	bool locked = has(r, "Cargo.lock"), vendored = has_folder(r, "vendor");
	bool needs = locked ? says(r, "Cargo.lock", "source = \"")
	                    : says(r, "Cargo.toml", "dependencies]");
	r->ecosystem = "Cargo";
	r->evidence = "Cargo.toml";
	r->tests = true;
	run(r, locked ? "cargo test --locked -j2" : "cargo test -j2");
	if (needs && !vendored)
		r->network = "cargo downloads the crates; `cargo vendor` makes it unnecessary";
	if (!locked) saw(r, "No Cargo.lock: commit one, or each run may test other versions.");
	return true;
}

static bool go(struct recipe *r) {
	if (!has(r, "go.mod")) return false;
	r->ecosystem = "Go";
	r->evidence = "go.mod";
	r->tests = true;
	run(r, "go build ./...");
	run(r, "go test -json ./... >go-test.json");
	r->results[0] = "go-test.json";
	if (says(r, "go.mod", "require") && !has_folder(r, "vendor"))
		r->network = "go downloads the modules; `go mod vendor` makes it unnecessary";
	return true;
}

static bool maven(struct recipe *r) {
	if (!has(r, "pom.xml")) return false;
	r->ecosystem = "Maven";
	r->evidence = "pom.xml";
	r->tests = true;
	run(r, has(r, "mvnw") ? "./mvnw -B -ntp verify" : "mvn -B -ntp verify");
	r->results[0] = "**/target/surefire-reports/TEST-*.xml";
	r->network = "Maven downloads plugins and libraries";
	return true;
}

static bool gradle(struct recipe *r) {
	bool kotlin = has(r, "build.gradle.kts") || has(r, "settings.gradle.kts");
	if (!kotlin && !has(r, "build.gradle") && !has(r, "settings.gradle")) return false;
	r->ecosystem = "Gradle";
	r->evidence = has(r, "build.gradle")       ? "build.gradle"
	              : has(r, "build.gradle.kts") ? "build.gradle.kts"
	              : kotlin                     ? "settings.gradle.kts"
	                                           : "settings.gradle";
	r->tests = true;
	run(r, has(r, "gradlew") ? "./gradlew --no-daemon build" : "gradle --no-daemon build");
	r->results[0] = "**/build/test-results/test/*.xml";
	r->network = "Gradle downloads itself, plugins and libraries";
	return true;
}

static bool autotools(struct recipe *r) {
	static const char *const makefiles[] = {"Makefile.in", "Makefile.am", "Makefile",
	                                        "GNUmakefile"};
	const char *source = has(r, "configure.ac")   ? "configure.ac"
	                     : has(r, "configure.in") ? "configure.in"
	                                              : NULL;
	bool shipped = has(r, "configure");
	bool autoconf = source || says(r, "configure", "Generated by GNU Autoconf");
	const char *target = test_target(r, makefiles, ARRAY_LEN(makefiles));
	if (!source && !shipped) return false;
	if (!autoconf && !target && !has(r, "Makefile.in") && !has(r, "Makefile")) return false;
	r->ecosystem = autoconf ? "Autotools" : "a configure script and Make";
	r->evidence = shipped ? "configure" : source;
	if (!shipped) {
		run(r, has(r, "autogen.sh")     ? "NOCONFIGURE=1 ./autogen.sh"
		       : has(r, "bootstrap")    ? "./bootstrap"
		       : has(r, "bootstrap.sh") ? "./bootstrap.sh"
		       : has(r, "buildconf")    ? "./buildconf"
		                                : "autoreconf -fi");
		run(r, "[ -x configure ] || autoreconf -fi");
		saw(r, "No configure in the repository: autoconf, automake and libtool must be installed.");
	}
	run(r, "./configure");
	run(r, "make -j2");
	// automake gives every Makefile a check, whatever Makefile.am says.
	bool automake = has(r, "Makefile.am") || says(r, "Makefile.in", "generated by automake");
	if (automake) target = "check";
	r->tests = target != NULL;
	if (target) run(r, target[0] == 'c' ? "make check" : "make test");
	in_tree(r);
	return true;
}

static bool meson(struct recipe *r) {
	if (!has(r, "meson.build")) return false;
	r->ecosystem = "Meson";
	r->evidence = "meson.build";
	r->tests = true;
	run(r, "meson setup build");
	run(r, "meson compile -C build -j2");
	run(r, "meson test -C build --print-errorlogs");
	r->results[0] = "build/meson-logs/testlog.junit.xml";
	for (size_t i = 0; i < r->n; i++)
		if (str_starts(r->files[i].path, STR("subprojects/")) &&
		    str_ends(r->files[i].path, STR(".wrap")))
			r->network = "Meson downloads the subprojects that have a .wrap file";
	in_tree(r);
	return true;
}

static bool npm_test(const struct json *package) {
	struct str script = json_get_str(json_get(package, "scripts"), "test");
	return script.n && !str_contains(script, STR("no test specified"));
}

static bool npm(struct recipe *r) {
	const struct init_file *file = find(r, "package.json");
	AUTO_JSON package = NULL;
	struct err e;
	if (!file || !json_parse(file->content, &package, &e)) return false;
	bool yarn = has(r, "yarn.lock"), pnpm = has(r, "pnpm-lock.yaml"),
		 locked = has(r, "package-lock.json");
	const char *tool = pnpm ? "pnpm" : yarn ? "yarn" : "npm";
	bool needs = json_length(json_get(package, "dependencies")) ||
	             json_length(json_get(package, "devDependencies"));
	bool build = json_get_str(json_get(package, "scripts"), "build").n != 0;
	r->tests = npm_test(package);
	if (!needs && !build && !r->tests) return false;
	r->ecosystem = tool;
	r->evidence = "package.json";
	if (needs) {
		run(r, pnpm     ? "pnpm install --frozen-lockfile"
		       : yarn   ? "yarn install --frozen-lockfile"
		       : locked ? "npm ci --no-audit --no-fund"
		                : "npm install --no-audit --no-fund");
		r->network = "the packages are downloaded";
		if (!pnpm && !yarn && !locked)
			saw(r, "No package-lock.json: commit one, or each run may test other versions.");
	}
	if (build) buf_printf(&r->run, "%s run build\n", tool);
	if (r->tests) buf_printf(&r->run, "%s test\n", tool);
	return true;
}

static bool uses_pytest(const struct recipe *r) {
	static const char *const texts[] = {"pyproject.toml",   "setup.cfg", "tox.ini",
	                                    "requirements.txt", "setup.py",  "requirements-dev.txt"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (says(r, texts[i], "pytest")) return true;
	return has(r, "pytest.ini") || has(r, "conftest.py") || has(r, "tests/conftest.py") ||
	       has(r, "test/conftest.py");
}

// Whether a table of pyproject.toml has a list of that name.
static bool lists(const struct recipe *r, const char *table, const char *name) {
	const struct init_file *file = find(r, "pyproject.toml");
	char head[80];
	if (!file) return false;
	snprintf(head, sizeof head, "[%s]\n", table);
	struct str rest = str_from(file->content, str_find(file->content, str_of(head)));
	str_cut(&rest, '\n');
	while (rest.n && rest.p[0] != '[') {
		struct str line = str_cut(&rest, '\n'), value = line, key = str_cut(&value, '=');
		if (str_eq(str_trim(key), str_of(name)) && str_starts(str_trim(value), STR("[")))
			return true;
	}
	return false;
}

// What only the tests need, where projects keep it.
static void install_test_needs(struct recipe *r) {
	static const char *const files[] = {
		"requirements-dev.txt",  "requirements-test.txt",  "requirements-tests.txt",
		"test-requirements.txt", "dev-requirements.txt",   "requirements/dev.txt",
		"requirements/test.txt", "requirements/tests.txt", "tests/requirements.txt"};
	static const char *const groups[] = {"tests", "test", "testing", "dev"};
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (has(r, files[i])) buf_printf(&r->run, "pip install -r %s\n", files[i]);
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		if (!lists(r, "dependency-groups", groups[i])) continue;
		run(r, "pip install --upgrade 'pip>=25.1' # for --group");
		buf_printf(&r->run, "pip install --group %s\n", groups[i]);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		if (!lists(r, "project.optional-dependencies", groups[i])) continue;
		buf_printf(&r->run, "pip install -e '.[%s]'\n", groups[i]);
		return;
	}
}

static bool python(struct recipe *r) {
	bool package = has(r, "pyproject.toml") || has(r, "setup.py"),
		 wants = has(r, "requirements.txt");
	if (says(r, "pyproject.toml", "[tool.") && !says(r, "pyproject.toml", "[project]") &&
	    !says(r, "pyproject.toml", "[build-system]") && !says(r, "pyproject.toml", "[tool.poetry]"))
		package = has(r, "setup.py"); // only settings of a linter
	if (!package && !wants && !has(r, "pytest.ini") && !has(r, "tox.ini")) return false;
	bool pytest = uses_pytest(r);
	r->ecosystem = pytest ? "Python with pytest" : "Python";
	r->evidence = has(r, "pyproject.toml") ? "pyproject.toml"
	              : has(r, "setup.py")     ? "setup.py"
	              : wants                  ? "requirements.txt"
	                                       : "pytest.ini";
	r->tests = true;
	if (package || wants || has(r, "requirements-dev.txt")) {
		run(r, "python3 -m venv .venv");
		run(r, ". .venv/bin/activate");
		if (wants) run(r, "pip install -r requirements.txt");
		if (package) run(r, "pip install -e .");
		install_test_needs(r);
		if (pytest) run(r, "pip install pytest");
		r->network = "pip downloads the packages";
		saw(r, "The job makes a virtual environment: python3-venv must be installed.");
	}
	run(r, pytest ? "python3 -m pytest --junitxml=junit.xml" : "python3 -m unittest discover");
	if (pytest) r->results[0] = "junit.xml";
	if (says(r, "pyproject.toml", "setuptools_scm") ||
	    says(r, "pyproject.toml", "setuptools-scm") || says(r, "pyproject.toml", "hatch-vcs") ||
	    says(r, "setup.py", "setuptools_scm") || says(r, "setup.py", "versioneer"))
		r->git = "the version of the package is read from git";
	return true;
}

static bool make_with(struct recipe *r, bool must_test) {
	static const char *const names[] = {"GNUmakefile", "makefile",
	                                    "Makefile"}; // the order of GNU make
	const struct init_file *makefile = NULL;
	const char *name = NULL;
	for (size_t i = 0; i < ARRAY_LEN(names) && !makefile; i++) makefile = find(r, name = names[i]);
	if (!makefile) return false;
	const char *target = test_target(r, &name, 1);
	if (!target && says(r, name, ".DEFAULT:")) { // hands unknown targets down
		static const char *const below[] = {"src/Makefile"};
		target = test_target(r, below, 1);
	}
	if (must_test && !target) return false;
	r->ecosystem = "Make";
	r->evidence = name;
	r->tests = target != NULL;
	bool platform = has_target(makefile->content, STR("linux")) &&
	                (says(r, name, "PLAT= none") || says(r, name, "PLAT = none") ||
	                 says(r, name, "PLAT=none"));
	run(r, platform ? "make -j2 linux" : "make -j2");
	if (target) run(r, target[0] == 'c' ? "make check" : "make test");
	in_tree(r);
	if (has(r, "runtest") && target)
		saw(r, "runtest in the root: if it is written in Tcl, tclsh must be installed.");
	return true;
}

static bool make_tested(struct recipe *r) {
	return make_with(r, true);
}

static bool make_any(struct recipe *r) {
	return make_with(r, false);
}

static bool cmake(struct recipe *r) {
	if (!has(r, "CMakeLists.txt")) return false;
	r->ecosystem = "CMake";
	r->evidence = "CMakeLists.txt";
	r->tests = says(r, "CMakeLists.txt", "enable_testing") ||
	           says(r, "CMakeLists.txt", "ENABLE_TESTING") ||
	           says(r, "CMakeLists.txt", "(CTest)") || says(r, "CMakeLists.txt", "add_test");
	run(r, "cmake -S . -B build -DCMAKE_BUILD_TYPE=RelWithDebInfo");
	run(r, "cmake --build build -j2");
	if (r->tests) {
		run(r, "ctest --test-dir build --output-on-failure -j2 --output-junit junit.xml");
		r->results[0] = "build/junit.xml"; // relative to the build folder; since CMake 3.21
	}
	in_tree(r);
	return true;
}

// ---------------------------------------------------------------- choosing

static const struct ecosystem {
	const char *file; // one that gives it away, for "also found"
	bool (*fits)(struct recipe *r);
} ecosystems[] = {
	{"Cargo.toml", cargo},     {"go.mod", go},
	{"pom.xml", maven},        {"build.gradle", gradle},
	{"configure", autotools},  {"meson.build", meson},
	{"package.json", npm},     {"pyproject.toml", python},
	{"Makefile", make_tested}, {"CMakeLists.txt", cmake},
	{"Makefile", make_any},
};

bool recipe_wants(struct str path) {
	static const char *const read[] = {
		"Cargo.toml",   "Cargo.lock",       "go.mod",
		"configure",    "Makefile.in",      "Makefile.am",
		"Makefile",     "GNUmakefile",      "makefile",
		"package.json", "pyproject.toml",   "setup.cfg",
		"tox.ini",      "requirements.txt", "requirements-dev.txt",
		"setup.py",     "CMakeLists.txt",   "src/Makefile",
	};
	for (size_t i = 0; i < ARRAY_LEN(read); i++)
		if (str_eq(path, str_of(read[i]))) return true;
	return false;
}

void recipe_choose(struct recipe *r) {
	size_t chosen = 0;
	while (chosen < ARRAY_LEN(ecosystems) && !ecosystems[chosen].fits(r)) chosen++;
	if (!r->ecosystem) return;
	for (size_t i = 0; i < ARRAY_LEN(ecosystems); i++) {
		const char *file = ecosystems[i].file;
		bool around = strcmp(file, "Makefile") == 0; // nearly everybody has one
		if (i != chosen && !around && has(r, file) && strcmp(file, r->evidence) != 0)
			saw(r, "%s is there too; add a job if it builds something else.", file);
	}
}

void recipe_free(struct recipe *r) {
	buf_free(&r->run);
	buf_free(&r->why);
}
