#include "app/gitlayer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "exec/stage.h"
#include "os/file.h"
#include "os/process.h"

enum { PATIENCE_MS = 10 * 60 * 1000, WORDS_MAX = 1 << 20 };

static bool run(const char *const *argv, struct err *e) {
	static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
	                                  "HOME=/nonexistent",
	                                  "LC_ALL=C",
	                                  "GIT_CONFIG_NOSYSTEM=1",
	                                  "GIT_CONFIG_GLOBAL=/dev/null",
	                                  NULL};
	AUTO_OUTPUT out = {0};
	struct process_spec spec = {
		.argv = argv, .env = env, PROCESS_SPEC_NONE, .die_with_parent = true};
	if (!process_run(&spec, STR_NONE, WORDS_MAX, PATIENCE_MS, &out, e)) return false;
	if (out.status.end == PROCESS_EXITED && out.status.code == 0) return true;
	return err_set(e, ERR_IO, "%s %s failed: " STR_FMT, argv[0], argv[1],
	               STR_ARG(str_trim(buf_view(&out.err))));
}

bool gitlayer_make(struct git_repo *r, struct oid commit, const char *run_folder,
                   struct arena *life, struct exec_strs *lowers, struct err *e) {
	char hex[OID_HEX_MAX + 1];
	oid_hex(commit, hex);
	const char *layer = arena_printf(life, "%s.git", run_folder).p;
	const char *git = arena_printf(life, "%s/.git", layer).p;
	// A path clone by hand: the pack of the commit's history goes from one repository into the
	// other.
	const char *copy = arena_printf(life,
	                                "set -e; git init -q \"$1\"; echo \"$3\" | git "
	                                "--git-dir=\"$2\" pack-objects --revs --quiet --stdout "
	                                "| git --git-dir=\"$1/.git\" index-pack --stdin >/dev/null; "
	                                "git --git-dir=\"$1/.git\" update-ref --no-deref HEAD \"$3\"; "
	                                "git --git-dir=\"$1/.git\" read-tree \"$3\"")
	                       .p;
	const char *const argv[] = {"/bin/sh", "-c", copy, "sh", layer, git_repo_path(r), hex, NULL};
	if (!file_remove_tree(layer, e) || !file_make_folders(layer, 0755, e) || !run(argv, e))
		return false;
	if (geteuid() == 0) {
		const char *owner = arena_printf(life, "%d:%d", STAGE_UID, STAGE_UID).p;
		const char *const chown_argv[] = {"chown", "-R", owner, git, NULL};
		if (!run(chown_argv, e)) return false;
	}
	struct str *more = ARENA_ARRAY(life, struct str, lowers->n + 1);
	more[0] = str_of(layer);
	for (size_t i = 0; i < lowers->n; i++) more[i + 1] = lowers->p[i];
	*lowers = (struct exec_strs){more, lowers->n + 1};
	return true;
}

void gitlayer_remove(const char *run_folder) {
	AUTO_ARENA scratch = {0};
	struct str layer = arena_printf(&scratch, "%s.git", run_folder);
	if (file_exists(layer.p) && !file_remove_tree(layer.p, NULL)) return; // the next start sweeps
}
