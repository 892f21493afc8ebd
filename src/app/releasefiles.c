#include "app/releasefiles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/unpack.h"
#include "base/json.h"
#include "os/file.h"
#include "os/note.h"

static bool fill(struct object_store *objects, struct str artifacts,
                 const struct conf_strs *patterns, const char *folder, struct err *e) {
	AUTO_JSON list = NULL;
	if (!json_parse(artifacts.n ? artifacts : STR("[]"), &list, e)) return false;
	for (size_t i = 0; i < json_length(list); i++) {
		struct digest manifest;
		if (!digest_parse(json_get_str(json_at(list, i), "artifacts"), &manifest)) continue;
		if (!unpack_artifact(objects, manifest, folder, patterns->p, patterns->n, e)) return false;
	}
	for (size_t i = 0; i < patterns->n; i++)
		if (!unpack_has(folder, patterns->p[i]))
			return err_set(e, ERR_NOT_FOUND, "the release has no artifact " STR_FMT,
			               STR_ARG(patterns->p[i]));
	return true;
}

bool releasefiles_lay_out(const char *data, struct str artifacts, const struct conf_strs *patterns,
                          const char *folder, struct err *e) {
	AUTO_OBJECTS objects = NULL;
	AUTO_ARENA scratch = {0};
	if (file_exists(folder)) return true;
	struct str partial = arena_printf(&scratch, "%s.partial", folder);
	if (!file_remove_tree(partial.p, e) || !file_make_folders(partial.p, 0755, e) ||
	    !object_store_open(data, &objects, e) || !fill(objects, artifacts, patterns, partial.p, e))
		return false;
	if (rename(partial.p, folder))
		return err_set(e, file_write_code(errno), "cannot rename %s: %s", partial.p,
		               strerror(errno));
	return true;
}

static uint64_t number_of(struct str name) {
	uint64_t n = 0;
	return !str_ends(name, STR(".partial")) && str_to_u64(str_cut(&name, '-'), &n) ? n : 0;
}

static int newest_first(const void *a, const void *b) {
	uint64_t x = number_of(*(const struct str *)a), y = number_of(*(const struct str *)b);
	return (x < y) - (x > y);
}

void releasefiles_prune(const char *releases, const struct str *used, size_t count) {
	AUTO_ARENA scratch = {0};
	struct str *names;
	size_t n;
	struct err e;
	if (!file_list(releases, &scratch, &names, &n, NULL)) return;
	qsort(names, n, sizeof *names, newest_first);
	for (size_t i = 0; i < n; i++) {
		bool keep = i < RELEASEFILES_KEPT && number_of(names[i]);
		for (size_t k = 0; k < count; k++) keep = keep || str_eq(used[k], names[i]);
		struct str path = arena_printf(&scratch, "%s/" STR_FMT, releases, STR_ARG(names[i]));
		if (!keep && !file_remove_tree(path.p, &e)) note(NOTE_WARN, "%s", e.text);
	}
}
