// A first weir.yml for a project, from the names of its files and what a few of them say. It must
// work as it is in weir's sandbox: no network unless a job asks, no .git, read-only /usr, two
// cores.
#pragma once
#include "conf/plan.h"

enum { INIT_CONTENT_MAX = 256 * 1024 }; // the beginning of a file is enough

struct init_file {
	struct str path;    // "Makefile", "src/Makefile"; folders may be listed too: "vendor"
	struct str content; // empty unless init_wants says that it is read
};

struct init_result {
	struct str text;      // weir.yml, with comments; conf_parse takes it
	struct conf_strs saw; // sentences for the terminal: what was found and what follows from it
	bool known;           // false: text is a template that has to be filled in
};

bool init_wants(struct str path);

// `files`: the root and one folder down, in any order. `trunk`: the branch, or empty for main.
void init_write(const struct init_file *files, size_t n, struct str trunk, struct arena *life,
                struct init_result *out);
