// How projects of each ecosystem are built and tested: what init writes a job from.
#pragma once
#include "base/buf.h"
#include "conf/init.h"

struct recipe {
	struct arena *life;
	const struct init_file *files;
	size_t n;
	const char *ecosystem; // NULL = nothing was recognised
	const char *evidence;  // the file that says so
	struct buf run;        // lines of the command
	struct buf why;        // lines of comment above the job
	struct conf_strs saw;
	const char *results[2];
	const char *network; // why it needs the network, or NULL
	const char *git;     // why it needs .git, or NULL
	bool tests;          // it runs tests, not only a build
};

bool recipe_wants(struct str path); // it is worth reading
// Fills the rest of *r; the first ecosystem that fits. recipe_free gives the bufs back.
void recipe_choose(struct recipe *r);
void recipe_free(struct recipe *r);
