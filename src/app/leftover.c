#include "app/leftover.h"

#include <stdlib.h>

#include "exec/run.h"
#include "os/file.h"
#include "os/note.h"

enum { LEFT_MS = 10000 };

struct left {
	struct arena life;
	struct str *paths;
	size_t count;
};

static void remove_left(void *context) {
	struct left *left = context;
	for (size_t i = 0; i < left->count; i++) {
		const char *path = left->paths[i].p;
		struct err e;
		bool layer = str_ends(left->paths[i], STR(".delta")) ||
		             str_ends(left->paths[i], STR(".git"));
		enum exec_state state;
		if (!layer && (!exec_cancel(path, &e) || !exec_wait(path, LEFT_MS, &state, &e)))
			note(NOTE_WARN, "%s: %s", path, e.text);
		if (!(layer ? file_remove_tree(path, &e) : exec_cleanup(path, &e)))
			note(NOTE_WARN, "%s", e.text);
	}
}

static void left_removed(void *context) {
	struct left *left = context;
	arena_free(&left->life);
	free(left);
}

void leftover_remove(struct daemon *d, const struct str *names, size_t count) {
	struct left *left = calloc(1, sizeof *left);
	if (!left) abort();
	left->paths = ARENA_ARRAY(&left->life, struct str, count + 1);
	for (size_t i = 0; i < count; i++) {
		struct str rest = names[i];
		uint64_t id;
		if (!str_to_u64(str_cut(&rest, '.'), &id)) continue;
		if (state_run(turn_state(d->turn), (struct run_id){id})) continue;
		left->paths[left->count++] = daemon_path(d, &left->life, "runs/" STR_FMT,
		                                         STR_ARG(names[i]));
	}
	loop_work(d->loop, remove_left, left_removed, left);
}
