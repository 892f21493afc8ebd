#include "app/jobcache.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "exec/stage.h"
#include "os/file.h"
#include "os/note.h"

enum { NAME_DIGITS = 32 };

bool jobcache_mounts(const char *cache, const char *owner, const struct conf_strs *paths,
                     struct arena *life, struct exec_pairs *out, struct err *e) {
	struct exec_pair *mounts = ARENA_ARRAY(life, struct exec_pair, paths->n + 1);
	for (size_t i = 0; i < paths->n; i++) {
		char hex[DIGEST_HEX + 1];
		digest_hex(digest_of(paths->p[i]), hex);
		struct str folder = arena_printf(life, "%s/job/%s/%.*s", cache, owner, NAME_DIGITS, hex);
		if (!file_make_folders(folder.p, 0755, e)) return false;
		if (geteuid() == 0 && chown(folder.p, STAGE_UID, STAGE_UID))
			return err_set(e, ERR_IO, "cannot give %s away: %s", folder.p, strerror(errno));
		(void)utimensat(AT_FDCWD, folder.p, NULL, 0); // used now; the worst is a cache lost early
		mounts[i] = (struct exec_pair){paths->p[i], folder};
	}
	*out = (struct exec_pairs){mounts, paths->n};
	return true;
}

static bool is_folder(const char *path, struct stat *st) {
	return lstat(path, st) == 0 && S_ISDIR(st->st_mode);
}

static void tidy(const char *folder, int owners, int64_t before_ms) {
	AUTO_ARENA scratch = {0};
	struct str *names;
	size_t n;
	struct err e;
	if (!file_list(folder, &scratch, &names, &n, &e)) return; // none yet
	for (size_t i = 0; i < n; i++) {
		struct str path = arena_printf(&scratch, "%s/" STR_FMT, folder, STR_ARG(names[i]));
		struct stat st;
		if (!is_folder(path.p, &st)) continue;
		if (owners > 0) tidy(path.p, owners - 1, before_ms);
		else if (st.st_mtim.tv_sec * INT64_C(1000) <= before_ms && !file_remove_tree(path.p, &e))
			note(NOTE_WARN, "an old cache: %s", e.text);
	}
}

void jobcache_tidy(const char *cache, int owners, int64_t now_ms, int64_t idle_ms) {
	AUTO_BUF folder = {0};
	buf_printf(&folder, "%s/job", cache);
	tidy(folder.p, owners, now_ms - idle_ms);
}
