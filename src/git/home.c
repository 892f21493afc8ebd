#include "git/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "git/child.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

enum { GONE_WITHIN_MS = 5000, DEPTH_MAX = 16 };

bool git_home_open(const char *data, const char *hook, struct git_home **out, struct err *e) {
	AUTO_BUF path = {0};
	int lock = -1;
	if (data) {
		buf_printf(&path, "%s/git.lock", data);
		lock = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (lock < 0) return err_set(e, ERR_IO, "cannot open %s: %s", path.p, strerror(errno));
	}
	struct git_home *h = calloc(1, sizeof *h);
	if (!h) abort();
	h->data = data ? strdup(data) : NULL;
	h->hook = hook ? strdup(hook) : NULL;
	h->lock = lock;
	*out = h;
	return true;
}

void git_home_close(struct git_home *h) {
	if (!h) return;
	file_close(&h->lock);
	free(h->data);
	free(h->hook);
	free(h);
}

// Removes what ends in ".lock" in `folder`, and below it when `deep`.
static bool remove_locks(const char *folder, int deep, size_t *removed, struct err *e) {
	AUTO_ARENA scratch = {0};
	struct str *names;
	size_t count;
	struct err missing;
	if (!file_list(folder, &scratch, &names, &count, &missing)) {
		if (missing.code == ERR_NOT_FOUND) return true;
		*e = missing;
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		struct str path = arena_printf(&scratch, "%s/" STR_FMT, folder, STR_ARG(names[i]));
		if (str_ends(names[i], STR(".lock"))) {
			if (unlink(path.p) && errno != ENOENT)
				return err_set(e, ERR_IO, "cannot remove %s: %s", path.p, strerror(errno));
			++*removed;
		} else if (deep > 0 && !remove_locks(path.p, deep - 1, removed, e)) {
			return false;
		}
	}
	return true;
}

// Only weir's own children write refs (pushes of others end in the hook), so a lock file that is
// found when none of them lives belongs to nobody.
static bool recover_repo(const char *path, size_t *removed, struct err *e) {
	static const struct {
		const char *folder;
		int deep;
	} places[] = {
		{"", 0},
		{"/refs", DEPTH_MAX},
		{"/objects/info", 1},
		{"/objects/pack", 0},
	};
	AUTO_BUF folder = {0};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		buf_reset(&folder);
		buf_printf(&folder, "%s%s", path, places[i].folder);
		if (!remove_locks(folder.p, places[i].deep, removed, e)) return false;
	}
	return true;
}

bool git_home_recover(struct git_home *h, size_t *killed, size_t *locks_removed, struct err *e) {
	size_t dead = 0, removed = 0;
	if (h->data) {
		AUTO_BUF path = {0};
		AUTO_ARENA scratch = {0};
		struct str *names;
		size_t count = 0;
		struct err missing;
		buf_printf(&path, "%s/git.lock", h->data);
		int64_t until = clock_mono_us() + GONE_WITHIN_MS * INT64_C(1000);
		for (size_t n; (n = process_kill_holders(path.p)) > 0;) {
			dead = n > dead ? n : dead;
			if (clock_mono_us() > until)
				return err_set(e, ERR_BUSY, "git children of a dead daemon do not end");
			clock_sleep_ms(2);
		}
		buf_reset(&path);
		buf_printf(&path, "%s/repos", h->data);
		if (!file_list(path.p, &scratch, &names, &count, &missing)) {
			if (missing.code != ERR_NOT_FOUND) {
				*e = missing;
				return false;
			}
			count = 0;
		}
		for (size_t i = 0; i < count; i++) {
			if (!str_ends(names[i], STR(".git"))) continue;
			struct str repo = arena_printf(&scratch, "%s/" STR_FMT, path.p, STR_ARG(names[i]));
			if (!recover_repo(repo.p, &removed, e)) return false;
		}
	}
	if (killed) *killed = dead;
	if (locks_removed) *locks_removed = removed;
	return true;
}
