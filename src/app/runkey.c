#include "app/runkey.h"

#include "exec/key.h"
#include "os/file.h"
#include "os/note.h"

enum { FILE_MAX = 1000 };

void runkey_write(const struct runkey *k, const char *folder) {
	AUTO_ARENA scratch = {0};
	char basis[DIGEST_HEX + 1], toolchain[DIGEST_HEX + 1];
	struct err e;
	digest_hex(k->basis, basis);
	digest_hex(k->toolchain, toolchain);
	if (!file_replace(arena_printf(&scratch, "%s/key", folder).p,
	                  arena_printf(&scratch, "%s %s", basis, toolchain), 0600, &e))
		note(NOTE_WARN, "%s", e.text);
}

void runkey_read(const char *folder, struct runkey *out) {
	AUTO_ARENA scratch = {0};
	AUTO_BUF text = {0};
	*out = (struct runkey){0};
	if (!file_read(arena_printf(&scratch, "%s/key", folder).p, FILE_MAX, &text, NULL)) return;
	struct str rest = buf_view(&text);
	if (!digest_parse(str_cut(&rest, ' '), &out->basis) || !digest_parse(rest, &out->toolchain))
		*out = (struct runkey){0};
}

void runkey_tell(const struct runkey *k, struct str inputs, struct event_run_finished *out) {
	out->inputs = digest_of(inputs);
	out->toolchain = k->toolchain;
	out->basis = k->basis;
	if (!digest_is_none(k->basis)) out->key = key_of(k->basis, out->inputs);
}
