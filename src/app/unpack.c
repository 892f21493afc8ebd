#include "app/unpack.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/glob.h"
#include "base/json.h"
#include "os/file.h"

enum { MANIFEST_MAX = 16 * 1024 * 1024 };

// Paths come from a stored manifest, which is checked again: nothing may leave the folder.
static bool path_ok(struct str path) {
	if (path.n == 0 || path.p[0] == '/') return false;
	for (struct str rest = path; rest.p;) {
		struct str part = str_cut(&rest, '/');
		if (part.n == 0 || str_eq(part, STR(".")) || str_eq(part, STR(".."))) return false;
	}
	return true;
}

static bool wanted(struct str path, const struct str *patterns, size_t count) {
	for (size_t i = 0; i < count; i++)
		if (glob_match(patterns[i], path)) return true;
	return count == 0;
}

// A link may come before what lies behind it, and only here is known where it leads. Asks of the
// part of the path that is there; the rest will be plain folders.
static bool is_below(const char *folder, struct str path, struct arena *life) {
	char root[PATH_MAX], real[PATH_MAX];
	if (!realpath(folder, root)) return false;
	while (!realpath(arena_cstr(life, path), real)) {
		size_t slash = path.n;
		while (slash && path.p[slash - 1] != '/') slash--;
		if (errno != ENOENT || slash < 2) return false;
		path.n = slash - 1;
	}
	struct str at = str_of(real);
	return str_starts(at, str_of(root)) && (at.n == strlen(root) || real[strlen(root)] == '/');
}

static bool unpack_entry(struct object_store *s, const struct json *entry, const char *folder,
                         struct arena *life, struct err *e) {
	struct str path = json_get_str(entry, "path"), link = json_get_str(entry, "link");
	struct str target = arena_printf(life, "%s/" STR_FMT, folder, STR_ARG(path));
	struct digest body;
	struct str parent = target;
	while (parent.n && parent.p[parent.n - 1] != '/') parent.n--;
	parent.n--;
	if (!is_below(folder, parent, life))
		return err_set(e, ERR_CORRUPT, "a link leads " STR_FMT " out of its folder", STR_ARG(path));
	if (!file_make_folders(arena_cstr(life, parent), 0755, e)) return false;
	if (link.n) {
		if (symlink(arena_cstr(life, link), target.p) == 0) return true;
		return err_set(e, file_write_code(errno), "cannot make the link %s: %s", target.p,
		               strerror(errno));
	}
	if (!digest_parse(json_get_str(entry, "sha256"), &body))
		return err_set(e, ERR_CORRUPT, "the manifest has no digest for " STR_FMT, STR_ARG(path));
	bool executable = str_eq(json_get_str(entry, "mode"), STR("0755"));
	return object_extract(s, body, target.p, executable ? 0755 : 0644, e);
}

bool unpack_artifact(struct object_store *s, struct digest manifest, const char *folder,
                     const struct str *patterns, size_t pattern_count, struct err *e) {
	AUTO_BUF text = {0};
	AUTO_JSON list = NULL;
	AUTO_ARENA scratch = {0};
	if (!object_get(s, manifest, MANIFEST_MAX, &text, e) || !json_parse(buf_view(&text), &list, e))
		return err_context(e, "artifact manifest");
	if (!file_make_folders(folder, 0755, e)) return false;
	for (size_t i = 0; i < json_length(list); i++) {
		const struct json *entry = json_at(list, i);
		struct str path = json_get_str(entry, "path");
		if (!path_ok(path))
			return err_set(e, ERR_CORRUPT, "the manifest names " STR_FMT, STR_ARG(path));
		if (wanted(path, patterns, pattern_count) && !unpack_entry(s, entry, folder, &scratch, e))
			return false;
	}
	return true;
}

bool unpack_has(const char *folder, struct str pattern) {
	AUTO_ARENA scratch = {0};
	if (!glob_is_plain(pattern)) return true;
	return file_exists(arena_printf(&scratch, "%s/" STR_FMT, folder, STR_ARG(pattern)).p);
}
